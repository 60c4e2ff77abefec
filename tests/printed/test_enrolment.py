"""A laboratory's own collection: what is enrolled, passed over, refused; its taxonomy; stops."""

from __future__ import annotations

import json

import mesh_samples as samples
import numpy as np
import pytest
from conftest import data_folder

from ballistics.errors import CorruptFileError, ParameterError, WriteError
from ballistics.printed.collection.enrolment import TAXONOMY_FILE, collection_sha256, enrol_files, open_collection
from ballistics.printed.collection.taxonomy import Taxonomy


@pytest.fixture
def files(tmp_path):
    written = {
        "wedge.stl": samples.stl_binary(samples.wedge()),
        "box.3mf": samples.simple_3mf(samples.box()),
        "bad.stl": samples.stl_binary(samples.wedge(), count=10**8),
        "note.txt": b"nothing to print",
    }
    for name, data in written.items():
        (tmp_path / name).write_bytes(data)
    return [(name, tmp_path / name) for name in sorted(written)]


def test_every_part_is_enrolled_and_bad_files_are_rows(files, tmp_path):
    rows = list(enrol_files(files, tmp_path / "lab", category="ordinary"))
    assert [(row.file, row.outcome) for row in rows] == [
        ("bad.stl", "refused"), ("box.3mf", "enrolled"), ("note.txt", "not a mesh"), ("wedge.stl", "enrolled"),
    ]  # fmt: skip
    assert "declares 100000000" in rows[0].note
    assert str(tmp_path) not in rows[0].note
    collection, taxonomy = open_collection(tmp_path / "lab")
    assert [each.name for each in collection.references] == ["box", "wedge"]
    facts = collection.references[1].metadata
    assert (facts["file"], facts["format"], facts["faces"]) == ("wedge.stl", "STL", 4)
    assert facts["extent_mm"] == [40.0, 30.0, 20.0]
    assert taxonomy.title(collection.references[0].category) == "ordinary object"


def test_what_is_no_solid_part_is_no_reference(tmp_path):
    cutter = data_folder("faults") / "files/m22_3mf_prusa_negative_volume.3mf"
    rows = list(enrol_files([(cutter.name, cutter)], tmp_path / "lab"))
    assert [row.outcome for row in rows] == ["enrolled", "refused"]
    assert "negative volume" in rows[1].note
    assert len(open_collection(tmp_path / "lab")[0].references) == 1


def test_what_is_enrolled_is_passed_over_and_copies_are_told(files, tmp_path):
    list(enrol_files(files, tmp_path / "lab"))
    before = collection_sha256(tmp_path / "lab")
    again = list(enrol_files(files, tmp_path / "lab"))
    assert [row.outcome for row in again if row.name] == ["already enrolled"] * 2
    assert collection_sha256(tmp_path / "lab") == before
    moved, faces = samples.wedge((5.0, 6.0, 7.0))
    (tmp_path / "sub").mkdir()
    other = tmp_path / "sub" / "wedge.stl"
    other.write_bytes(samples.stl_binary((moved, faces[::-1])))
    (row,) = enrol_files([("sub/wedge.stl", other)], tmp_path / "lab")
    assert row.outcome == "enrolled"
    assert row.name.startswith("wedge (")
    assert row.note == "same geometry as 'wedge'"


def test_a_stopped_run_keeps_what_it_finished_and_goes_on_to_the_same_bytes(files, tmp_path):
    list(enrol_files(files, tmp_path / "whole"))
    rows = enrol_files(files, tmp_path / "stopped")
    while next(rows).outcome != "enrolled":
        pass
    rows.close()
    assert len(open_collection(tmp_path / "stopped")[0]) == 1
    list(enrol_files(files, tmp_path / "stopped"))
    for path in (tmp_path / "whole").iterdir():
        assert path.read_bytes() == (tmp_path / "stopped" / path.name).read_bytes()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_names_and_categories_are_checked(files, tmp_path):
    with pytest.raises(ParameterError, match="one name"):
        list(enrol_files(files, tmp_path / "lab", name="x"))
    with pytest.raises(ParameterError, match="use one of fully-printed"):
        list(enrol_files(files, tmp_path / "lab", category="weapon"))
    (row,) = enrol_files(files[3:], tmp_path / "lab", name="my wedge")
    assert row.name == "my wedge"
    with pytest.raises(ParameterError, match="my wedge"):
        list(enrol_files(files[1:2], tmp_path / "lab", name="my wedge"))
    with pytest.raises(WriteError, match="no collection"):
        list(enrol_files(files, tmp_path))


def test_a_laboratory_brings_its_own_taxonomy(files, tmp_path):
    own = json.loads(Taxonomy.load().to_json())
    own |= {"name": "ours", "version": "7", "categories": [{"id": "k1", "title": "Kind one", "definition": "One."}]}
    (tmp_path / "own.json").write_text(json.dumps(own), encoding="utf-8")
    list(enrol_files(files, tmp_path / "lab", category="k1", taxonomy=tmp_path / "own.json"))
    collection, taxonomy = open_collection(tmp_path / "lab")
    assert (taxonomy.name, taxonomy.title(collection.references[0].category)) == ("ours", "Kind one")
    # It stays that of the collection when more is enrolled.
    with pytest.raises(ParameterError, match="k1"):
        list(enrol_files(files, tmp_path / "lab", category="ordinary"))
    assert Taxonomy.load(tmp_path / "lab" / TAXONOMY_FILE) == taxonomy


@pytest.mark.parametrize(
    "change",
    [
        {"schema": "other/1"},
        {"categories": [{"id": "a", "title": "A", "definition": ""}] * 2},
        {"categories": [{"id": "", "title": "A", "definition": ""}]},
        {"categories": [{"id": "a"}]},
        {"categories": 5},
    ],
)
def test_a_broken_taxonomy_is_refused(change, tmp_path):
    path = tmp_path / "t.json"
    path.write_text(json.dumps(json.loads(Taxonomy.load().to_json()) | change), encoding="utf-8")
    with pytest.raises(CorruptFileError, match=r"t\.json"):
        Taxonomy.load(path)


def test_several_parts_of_a_file_have_names_of_their_own(tmp_path):
    vertices, faces = samples.together(samples.wedge(), samples.box(origin=(200.0, 0.0, 0.0)))
    path = tmp_path / "plate.stl"
    path.write_bytes(samples.stl_binary((np.asarray(vertices), faces)))
    rows = list(enrol_files([("plate.stl", path)], tmp_path / "lab"))
    assert len({row.name for row in rows}) == len(rows) == 2
    assert all(row.name.startswith("plate ") for row in rows)
    other = tmp_path / "other.stl"
    other.write_bytes(samples.stl_binary((np.asarray(vertices) * 2.0, faces)))
    again = list(enrol_files([("folder/plate.stl", other)], tmp_path / "lab"))
    assert [row.outcome for row in again] == ["enrolled"] * 2
    assert len({row.name for row in rows + again}) == 4
