"""The library with its rows in PostgreSQL, on a real server that the test starts."""

from __future__ import annotations

import gc
import threading

import numpy as np
import pytest
from library_marks import noise_mark
from postgresql_server import empty_database

from ballistics.errors import ParameterError, WriteError
from ballistics.library.items import Description
from ballistics.search.library import Library


@pytest.fixture
def url(postgresql_port, monkeypatch, tmp_path):
    return empty_database(postgresql_port, monkeypatch, tmp_path)


@pytest.mark.slow
def test_everything_works_as_with_sqlite(url, tmp_path):
    with Library.create(tmp_path / "library", url) as library:
        first = library.enrol(noise_mark(1), "scan-1.x3p", Description(calibre="9 mm Luger")).mark_id
        second = library.enrol(noise_mark(2), "scan-2.x3p", Description(calibre="45 Auto")).mark_id
        assert library.enrol(noise_mark(1), "scan-1.x3p").outcome == "present"
        assert library.enrol(noise_mark(2, version="2"), "scan-2.x3p").outcome == "enrolled anew"
    assert not (tmp_path / "library" / "library.sqlite").exists()
    with Library.open(tmp_path / "library") as library:
        assert [mark.id for mark in library.contents({"calibre": "9 mm Luger"}).marks] == [first]
        np.testing.assert_array_equal(library.mark(second).heights_um, noise_mark(2, version="2").heights_um)
        library.remove(first, "A", "today", "test")
        found = library.verify()
        assert (found.clean, found.marks, found.leftovers) == (True, 1, ())
        assert library.enrol(noise_mark(1), "scan-1.x3p").outcome == "refused"
        assert library.enrol(noise_mark(3), "scan-3.x3p").mark_id not in (first, second)
        # The copy needs no server.
        assert library.backup(tmp_path / "copy").clean
        with Library.open(tmp_path / "copy") as copy:
            assert copy.contents() == library.contents()
            assert copy.enrol(noise_mark(4), "scan-4.x3p").mark_id == 4


def test_writers_at_the_same_time_wait_for_each_other(url, tmp_path):
    with Library.create(tmp_path / "library", url):
        pass
    outcomes, failures = [], []

    def enrol():
        try:
            with Library.open(tmp_path / "library") as library:
                outcomes.extend(library.enrol(noise_mark(seed), f"{seed}").outcome for seed in range(6))
        except Exception as error:  # any: a thread's failure must reach the test
            failures.append(error)

    threads = [threading.Thread(target=enrol) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert (outcomes.count("enrolled"), outcomes.count("present")) == (6, 12)
    with Library.open(tmp_path / "library") as library:
        assert len(library.contents().marks) == 6
        assert library.verify().clean


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # pg8000 forgets a refused socket
def test_the_password_is_not_written_down(url, tmp_path, monkeypatch):
    monkeypatch.delenv("PGPASSWORD")
    Library.create(tmp_path / "library", url.replace("lab@", "lab:secret%20of%20the%20test@")).close()
    text = (tmp_path / "library" / "library.json").read_text()
    assert "secret" not in text
    with pytest.raises(WriteError, match="does not answer"):
        Library.open(tmp_path / "library")
    monkeypatch.setenv("PGPASSWORD", "wrong")
    with pytest.raises(WriteError, match="does not answer"):
        Library.open(tmp_path / "library")
    monkeypatch.setenv("PGPASSWORD", "secret of the test")
    Library.open(tmp_path / "library").close()
    with pytest.raises(WriteError, match="holds tables"):
        Library.create(tmp_path / "second", url)
    gc.collect()


def test_what_is_no_postgresql_is_refused(tmp_path):
    for wrong in ("mysql://a@b/c", "no url", "sqlite:///elsewhere"):
        with pytest.raises(ParameterError):
            Library.create(tmp_path / "library", wrong)
    with pytest.raises(WriteError, match="does not answer"):
        Library.create(tmp_path / "library", "postgresql://lab@127.0.0.1:1/library")
