"""A collection's folder: stops at every step, several writers, altered and exchanged rows, what older versions left."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import mesh_samples as samples
import numpy as np
import pytest
from families import fast_and_slow

from ballistics.cli import main
from ballistics.errors import BallisticsError, CorruptFileError, WriteError
from ballistics.files.bounded_json import sealed
from ballistics.printed.collection import enrolment, store
from ballistics.printed.collection.collection import Collection
from ballistics.printed.collection.enrolment import collection_sha256, enrol_files, open_collection
from ballistics.printed.collection.integrity import verify_collection
from ballistics.printed.collection.taxonomy import Taxonomy
from ballistics.printed.content.part import Part
from ballistics.printed.describe.signature import Signature, signature_of
from ballistics.printed.files.reading import read_parts
from ballistics.printed.identify.identification import identify

_SOLIDS = {
    "wedge.stl": samples.wedge(),
    "box.stl": samples.box(),
    "plank.stl": samples.box(size=(60.0, 20.0, 4.0)),
    "slab.stl": samples.box(size=(33.0, 27.0, 9.0)),
}


@pytest.fixture(scope="module", autouse=True)
def signatures_once():
    """Compute the signature of each solid once: what is tried is the writing."""
    kept: dict[bytes, Signature] = {}

    def signature_once(part: Part) -> Signature:
        key = part.vertices_mm.tobytes()
        if key not in kept:
            kept[key] = signature_of(part)
        return kept[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(enrolment, "signature_of", signature_once)
        yield


@pytest.fixture(scope="module")
def solids(tmp_path_factory) -> list[tuple[str, Path]]:
    folder = tmp_path_factory.mktemp("solids")
    for name, mesh in _SOLIDS.items():
        (folder / name).write_bytes(samples.stl_binary(mesh))
    return [(name, folder / name) for name in _SOLIDS]


@pytest.fixture(scope="module")
def made(solids, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "lab"
    list(enrol_files(solids, folder))
    return folder


@pytest.fixture
def lab(made, tmp_path) -> Path:
    shutil.copytree(made, tmp_path / "lab")
    return tmp_path / "lab"


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def names(folder: Path) -> list[str]:
    return [each.name for each in open_collection(folder)[0].references]


def says(folder: Path) -> str:
    """Return what a check names, or why it cannot begin."""
    try:
        return " ".join(fault.file for fault in verify_collection(folder).faults)
    except BallisticsError as error:
        return str(error)


class Stop(BaseException):
    """Ends a run where it stands, as a kill does: nothing of the package catches it to go on."""


@pytest.mark.parametrize("step", ["append_rows", "write_index", "write_manifest", "remove_leftovers", "map_arrays"])
@pytest.mark.parametrize("before", fast_and_slow([True], [False]))
@pytest.mark.parametrize("enrolled", fast_and_slow([2], [0]))
@pytest.mark.slow
def test_a_stop_at_any_step_loses_nothing(solids, made, tmp_path, monkeypatch, step, before, enrolled):
    lab = tmp_path / "lab"
    list(enrol_files(solids[:enrolled], lab))
    plain = getattr(store, step)

    def stopped(*args, **options):
        if not before:
            plain(*args, **options)
        raise Stop

    told = []
    with monkeypatch.context() as patched:
        patched.setattr(store, step, stopped)
        # A killed process writes nothing more either.
        patched.setattr(enrolment._Enrolling, "commit", _once(enrolment._Enrolling.commit))
        with pytest.raises(Stop):
            told.extend(row.name for row in enrol_files(solids, lab) if row.outcome == "enrolled")
    if enrolled or store.is_collection(lab):
        assert set(names(lab)) >= {Path(name).stem for name, _ in solids[:enrolled]} | set(told)
        assert verify_collection(lab).clean
    list(enrol_files(solids, lab))
    assert contents(lab) == contents(made)


def _once(commit):
    def once(self):
        if getattr(self, "stopped", False):
            return []
        self.stopped = True
        rows = commit(self)
        self.stopped = False
        return rows

    return once


_ENROL = """
import sys
from pathlib import Path
from ballistics.printed.collection.enrolment import enrol_files
for row in enrol_files([(Path(p).name, Path(p)) for p in sys.argv[2:]], Path(sys.argv[1])):
    print(row.outcome, flush=True)
"""


@pytest.mark.slow
def test_two_processes_enrol_into_one_folder_and_both_are_kept(solids, tmp_path):
    lab = tmp_path / "lab"
    halves = [[str(path) for _, path in solids[start::2]] for start in (0, 1)]
    running = [
        subprocess.Popen([sys.executable, "-c", _ENROL, str(lab), *half], stdout=subprocess.PIPE, text=True)
        for half in halves
    ]
    outputs = [process.communicate(timeout=300)[0].split() for process in running]
    assert outputs == [["enrolled"] * 2] * 2
    assert sorted(names(lab)) == sorted(Path(name).stem for name in _SOLIDS)
    assert verify_collection(lab).clean
    assert not (lab / store.LOCK).exists()


def test_enrolment_in_steps_gives_the_bytes_of_enrolment_at_once(solids, made, tmp_path):
    for each in solids:
        list(enrol_files([each], tmp_path / "lab"))
    assert contents(tmp_path / "lab") == contents(made)


@pytest.mark.parametrize("array", list(store.ARRAYS))
@pytest.mark.parametrize("row", [0, 3])
def test_a_flipped_bit_of_a_row_is_named_and_the_search_refuses_it(lab, solids, array, row):
    path = lab / f"{array}.npy"
    data = bytearray(path.read_bytes())
    data[128 + row * store.row_bytes(array) + 5] ^= 4
    path.write_bytes(data)
    (fault,) = verify_collection(lab).faults
    assert (fault.file, fault.reference) == (path.name, list(_SOLIDS)[row].removesuffix(".stl"))
    with pytest.raises(CorruptFileError, match=fault.reference):
        open_collection(lab)[0].signature(row)


@pytest.mark.parametrize("file", ["manifest.json", "taxonomy.json", "index", "codes.npy", "local.npy"])
@pytest.mark.parametrize("place", [0.0, 0.01, 0.3, 0.77, 0.999])
def test_a_flipped_bit_anywhere_is_named(lab, file, place):
    paths = sorted(lab.glob(f"{file}*"))
    # The index of the first reference, and that of what was enrolled since.
    assert len(paths) == (2 if file == "index" else 1)
    for path in paths:
        whole = path.read_bytes()
        data = bytearray(whole)
        data[int(place * len(data))] ^= 1
        path.write_bytes(data)
        assert says(lab)
        path.write_bytes(whole)
    assert not says(lab)


def test_exchanged_signatures_are_named_with_and_without_hashes(lab):
    for array in store.ARRAYS:
        values = np.load(lab / f"{array}.npy")
        np.save(lab / f"{array}.npy", values[[1, 0, 2, 3]])
    assert {fault.reference for fault in verify_collection(lab).faults} == {"wedge", "box"}
    with pytest.raises(CorruptFileError, match="altered"):
        Collection.load(lab)
    _without_hashes(lab)
    assert {fault.reference for fault in verify_collection(lab).faults if fault.reference} == {"wedge", "box"}
    with pytest.raises(CorruptFileError, match="is that of another part"):
        Collection.load(lab)


def test_exchanged_points_alone_are_refused_when_they_are_looked_at(lab):
    _without_hashes(lab)
    values = np.load(lab / "codes.npy")
    np.save(lab / "codes.npy", values[[1, 0, 2, 3]])
    collection = Collection.load(lab)
    with pytest.raises(CorruptFileError, match="another part"):
        collection.signature(0)


def _without_hashes(folder: Path) -> None:
    """Make of a collection one of format 1."""
    content = json.loads((folder / "manifest.json").read_text())
    index = store.read_index(folder, content, len(content["references"])).to_bytes()
    for path in folder.glob("index-*.faiss"):
        path.unlink()
    (folder / "index.faiss").write_bytes(index)
    for name in ("content_sha256", "index", "index_sha256", "index_references", "index_added", "taxonomy"):
        content.pop(name)
    for reference in content["references"]:
        reference.pop("sha256")
    content["format"] = 1
    (folder / "manifest.json").write_text(json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n")


@pytest.mark.slow
def test_a_collection_of_format_1_is_read_searched_added_to_and_then_has_hashes(lab, solids, made, tmp_path):
    _without_hashes(lab)
    found = identify(read_parts(solids[0][1]).parts, open_collection(lab)[0])
    assert [each.name for each in found.accepted] == ["wedge"]
    integrity = verify_collection(lab)
    assert integrity.clean
    assert "without hashes" in integrity.notes[0]
    old = collection_sha256(lab)
    data = bytearray((lab / "local.npy").read_bytes())
    data[5000] ^= 1
    (lab / "local.npy").write_bytes(data)
    assert collection_sha256(lab) != old
    assert [fault.file for fault in verify_collection(lab).faults] == ["index.faiss"]
    data[5000] ^= 1
    (lab / "local.npy").write_bytes(data)
    more = tmp_path / "more.stl"
    more.write_bytes(samples.stl_binary(samples.box(size=(9.0, 8.0, 50.0))))
    list(enrol_files([("more.stl", more)], lab))
    integrity = verify_collection(lab)
    assert (integrity.references, integrity.clean, integrity.notes) == (5, True, ())
    list(enrol_files([("more.stl", more)], made.parent / "again"))
    assert names(lab)[-1] == "more"


@pytest.mark.parametrize("both", [True, False])
def test_a_half_done_exchange_of_an_earlier_version_is_put_back(lab, both):
    whole = sorted(names(lab))
    _without_hashes(lab)
    lab.rename(lab.with_name(".lab-a1b2c3d4-old"))
    if both:
        shutil.copytree(lab.with_name(".lab-a1b2c3d4-old"), lab.with_name(".lab-a1b2c3d4"))
    assert sorted(names(lab)) == whole
    assert [path.name for path in lab.parent.iterdir()] == ["lab"]


def test_a_forged_manifest_is_refused(lab):
    content = json.loads((lab / "manifest.json").read_text())
    content["references"][0]["name"] = "other"
    (lab / "manifest.json").write_text(json.dumps(content))
    with pytest.raises(CorruptFileError, match="not the one that was written"):
        Collection.load(lab)
    # Who writes the seal too can say anything but what breaks the reader.
    for change in ({"index": "../x"}, {"index_keypoints": 10**9}, {"index_keypoints": None}, {"references": [5]}):
        bare = {name: value for name, value in content.items() if name != "content_sha256"}
        (lab / "manifest.json").write_text(json.dumps(sealed(bare | change)))
        with pytest.raises(CorruptFileError):
            Collection.load(lab)


def test_a_full_disk_leaves_what_was_there(lab, tmp_path, monkeypatch):
    before = contents(lab)
    more = tmp_path / "more.stl"
    more.write_bytes(samples.stl_binary(samples.box(size=(9.0, 8.0, 50.0))))

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full)
        with pytest.raises(WriteError, match="No space left on device; what was enrolled before is untouched"):
            list(enrol_files([("more.stl", more)], lab))
    assert names(lab) == [Path(name).stem for name in _SOLIDS]
    list(enrol_files([], lab))
    assert verify_collection(lab).clean
    assert contents(lab)["manifest.json"] == before["manifest.json"]


def test_the_command_says_what_is_wrong(lab, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["printed", "verify", "--references", str(lab)])
    assert ended.value.code == 0
    assert "references checked: 4, all as enrolled" in capsys.readouterr().out
    path = lab / "whole.npy"
    path.write_bytes(path.read_bytes()[:-3] + b"abc")
    with pytest.raises(SystemExit) as ended:
        main(["printed", "verify", "--references", str(lab)])
    assert ended.value.code == 1
    assert "'slab', whole.npy: row 3 is not the one that was enrolled" in capsys.readouterr().out


def test_a_taxonomy_changed_by_hand_is_named_and_does_not_count(lab):
    own = json.loads(Taxonomy.load().to_json()) | {"name": "by hand"}
    (lab / "taxonomy.json").write_text(json.dumps(own))
    assert open_collection(lab)[1].name == Taxonomy.load().name
    assert [fault.file for fault in verify_collection(lab).faults] == ["taxonomy.json"]
