"""A disclosed case on another machine: every comparison is made again, and whatever was changed is found."""

import hashlib
import json
import zipfile
from dataclasses import replace

import pytest
from casework_story import case, laboratory

from ballistics.casework import Comparison, Instrument, Item, Scan, write_disclosure
from ballistics.errors import BallisticsError, CorruptFileError, ParameterError, WriteError
from ballistics.evidence import ReferenceFile, ReferencePopulation, ScoreTable
from ballistics.evidence.comparisons import comparison_conditions
from ballistics.front import compare_scans, replay
from ballistics.methods import compare, prepare
from ballistics.surfaces import read, simulate_population, write_x3p

# Its fixture alone costs seconds.
pytestmark = pytest.mark.slow

CALIBRE = "9 mm Luger"


@pytest.fixture(scope="module")
def disclosed(tmp_path_factory):
    """Give a laboratory with two cases, and the bundle of the first."""
    folder = tmp_path_factory.mktemp("disclosed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(folder / "state"))
        lab = laboratory(folder / "laboratory")
        lab.record("QM", Instrument("INS-1", make="M", model="X", serial="7", kind="confocal"))
        for number, head in enumerate(simulate_population(1, 2, 3, breech_faces=["granular"])):
            write_x3p(folder / f"{number}.x3p", head.surface)
        for name in ("C-1", "C-2"):
            lab.record("CU", case(name))
            for number in (0, 1):
                item = f"{name}/{number}"
                lab.record("CU", Item(item, case=name, kind="cartridge case", description="brass", calibre=CALIBRE))
                file = lab.book.files.keep(folder / f"{number}.x3p")
                measured = {"mark": "breech face", "instrument": "INS-1", "at": "2026", "by": "E1"}
                scan = Scan(f"{item}/S", case=name, item=item, file=file, name=f"{number}.x3p", **measured)
                lab.record("E1", scan)
        population = folder / "population.json"
        population.write_bytes(ReferenceFile((_population(folder),)).to_json())
        compare_scans(lab.book, lab.keys["E1"], "C-1/V", ("C-1/0/S", "C-1/1/S"), population)
        compare_scans(lab.book, lab.keys["E1"], "C-1/W", ("C-1/1/S", "C-1/0/S"), settings={"cells.cell_um": "400"})
        write_disclosure(lab.book, "C-1", folder / "bundle.zip")
        yield lab, folder
        lab.book.close()


def _population(folder):
    """Return a made-up population that covers the simulated scans."""
    marks = [prepare(read(folder / f"{number}.x3p")) for number in (0, 1)]
    conditions = comparison_conditions(compare(*marks), marks, "count", (CALIBRE,), ("confocal",), ())
    rows = [(26 + i, a, b) if a == b else (i % 2, a, b) for i, a in enumerate("ABCDEF") for b in "ABCDEF"[i:]]
    scores, first, second = zip(*rows, strict=True)
    table = ScoreTable.build(scores, first, second, [34 + 2 * (i % 6) for i in range(len(rows))])
    return ReferencePopulation("made up", table, conditions)


def test_every_comparison_of_a_bundle_gives_the_recorded_values(disclosed):
    _, folder = disclosed
    found = replay(folder / "bundle.zip")
    assert found.equal, found
    assert [each.comparison for each in found.comparisons] == ["C-1/V", "C-1/W"]
    assert all(each.n_values > 50 for each in found.comparisons)
    assert found.programs == ()


def test_the_same_case_gives_the_same_bytes_and_hides_the_others(disclosed):
    lab, folder = disclosed
    write_disclosure(lab.book, "C-1", folder / "again.zip")
    assert (folder / "again.zip").read_bytes() == (folder / "bundle.zip").read_bytes()
    with pytest.raises(WriteError):
        write_disclosure(lab.book, "C-1", folder / "again.zip")
    with pytest.raises(ParameterError, match="no case 'C-9'"):
        write_disclosure(lab.book, "C-9", folder / "none.zip")
    with zipfile.ZipFile(folder / "bundle.zip") as archive:
        log = archive.read("log.jsonl").decode()
        assert "C-1/1" in log
        assert "C-2" not in log
        assert archive.read("README.txt").decode().startswith("Disclosure of case C-1")


def repacked(source, target, change):
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            data = change(name, old.read(name))
            if data is not None:
                new.writestr(name, data)
    return target


def test_what_was_changed_in_a_bundle_is_found(disclosed, tmp_path):
    _, folder = disclosed
    bundle = folder / "bundle.zip"
    with zipfile.ZipFile(bundle) as archive:
        names = [name for name in archive.namelist() if name.startswith("files/")]
    for number, change in enumerate((
        lambda name, data: None if name == "manifest.json" else data,
        lambda name, data: None if name == names[0] else data,
        lambda name, data: data + b" " if name == names[0] else data,
        lambda name, data: data.replace(b"brass", b"steel") if name == "log.jsonl" else data,
        lambda name, data: data.replace(b"disclosure", b"other") if name == "manifest.json" else data,
    )):  # fmt: skip
        with pytest.raises(BallisticsError):
            replay(repacked(bundle, tmp_path / f"{number}.zip", change))
    # The extract altered with the manifest that states its hash: the signatures show it.
    with zipfile.ZipFile(bundle) as archive:
        log = archive.read("log.jsonl").replace(b"brass", b"steel")
        manifest = json.loads(archive.read("manifest.json"))
    manifest["log_sha256"] = hashlib.sha256(log).hexdigest()
    forged = {"log.jsonl": log, "manifest.json": json.dumps(manifest).encode()}
    found = replay(repacked(bundle, tmp_path / "forged.zip", lambda name, data: forged.get(name, data)))
    assert found.log_faults
    assert not found.equal


def test_a_result_that_was_another_is_told_value_by_value(disclosed, tmp_path):
    lab, _ = disclosed
    record = lab.book.get(Comparison, "C-1/V").record
    document = json.loads(lab.book.files.read(record.result))
    first = next(name for name, value in document.items() if isinstance(value, dict))
    document[first]["added"] = 1
    other = replace(record, id="C-1/X", result=lab.book.files.keep_bytes(json.dumps(document).encode()))
    lab.record("E1", other)
    write_disclosure(lab.book, "C-1", tmp_path / "other.zip")
    found = {each.comparison: each for each in replay(tmp_path / "other.zip").comparisons}
    assert found["C-1/V"].equal
    assert found["C-1/X"].different == (f"{first}.added: recorded 1, found 'nothing'",)


def test_a_file_that_was_lost_stops_the_export(disclosed, tmp_path):
    lab, _ = disclosed
    path = lab.book.files.path(lab.book.get(Scan, "C-1/0/S").record.file)
    data = path.read_bytes()
    path.unlink()
    with pytest.raises(CorruptFileError, match="the file is missing"):
        write_disclosure(lab.book, "C-1", tmp_path / "bundle.zip")
    assert list(tmp_path.iterdir()) == []
    path.write_bytes(data)
