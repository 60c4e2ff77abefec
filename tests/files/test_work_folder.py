"""A folder of unfinished work says what it is, and is refused with what to do where it cannot be made."""

from __future__ import annotations

import pytest

from ballistics.errors import WriteError
from ballistics.files import make_work_folder
from ballistics.files.work_folder import NOTE


def test_the_note_says_whose_work_it_is_and_is_written_once(tmp_path):
    folder = tmp_path / "out.csv.work"
    make_work_folder(folder, "comparisons of a batch", "marks/k")
    assert (folder / "marks" / "k").is_dir()
    assert "comparisons of a batch" in (folder / NOTE).read_text("utf-8")
    (folder / NOTE).write_text("mine")
    make_work_folder(folder, "comparisons of a batch")
    assert (folder / NOTE).read_text() == "mine"


def test_where_a_file_is_in_the_way(tmp_path):
    (tmp_path / "out.work").write_text("")
    with pytest.raises(WriteError, match=r"out.work cannot be made.*another folder"):
        make_work_folder(tmp_path / "out.work", "a run")
