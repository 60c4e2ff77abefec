"""A part and what it was found to be as lines of text, pictures, tables, and as a mesh of trimesh."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from ballistics.errors import ParameterError
from ballistics.printed import Collection, Part, identify, signature_of
from ballistics.printed.content.part import PartFile


@pytest.fixture(scope="module")
def bracket():
    parts = [trimesh.creation.box((40, 8, 5)), trimesh.creation.cylinder(7, 30)]
    parts[1].apply_translation((9, 0, 12))
    return Part.from_trimesh(trimesh.util.concatenate(parts), "bracket")


def test_a_part_goes_to_trimesh_and_back(bracket):
    mesh = bracket.to_trimesh()
    assert mesh.units is None
    assert mesh.metadata["name"] == "bracket"
    back = Part.from_trimesh(mesh)
    assert back.name == "bracket"
    assert np.allclose(back.size_mm, (40, 14, 30))
    triangles = [np.sort(p.vertices_mm[p.faces].reshape(len(p.faces), 9), axis=0) for p in (bracket, back)]
    assert np.array_equal(*triangles)


def test_triangles_that_trimesh_has_merged_to_lines_are_left_out():
    mesh = trimesh.Trimesh([[0, 0, 0], [0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 1, 2], [0, 2, 3]], process=False)
    assert len(Part.from_trimesh(mesh).faces) == 1
    with pytest.raises(ParameterError, match="not finite"):
        Part.from_trimesh(trimesh.Trimesh([[0, 0, np.nan], [1, 0, 0], [0, 1, 0]], [[0, 1, 2]], process=False))


def test_lines_of_text_and_pictures(bracket):
    assert repr(bracket) == f"<Part 'bracket': {len(bracket.faces)} triangles, 40 × 14 × 30 mm, 0 findings>"
    assert repr(PartFile("STL", "millimetre", (bracket,))) == "<PartFile: STL, 1 part, 0 findings>"
    assert bracket._repr_html_() == bracket._repr_html_()
    shown = bracket.plot(view="top").images[0].get_array()
    assert (shown < 200).mean() > 0.1  # the part is drawn, not only paper
    assert Part(np.zeros((0, 3)), np.zeros((0, 3), np.int64)).size_mm == (0.0, 0.0, 0.0)


@pytest.mark.slow
def test_a_mesh_of_trimesh_is_identified_and_the_result_is_a_table(bracket):
    collection = Collection()
    collection.enrol(signature_of(bracket), "bracket")
    found = identify(bracket.to_trimesh(), collection)
    assert repr(found) == "<Identification: in the collection, 1 accepted, best 'bracket' with 1.00>"
    frame = found.to_frame()
    assert list(frame["name"]) == ["bracket"]
    assert bool(frame["accepted"][0])
    assert [label.get_text() for label in found.plot().get_yticklabels()] == ["bracket"]
    assert "<img" in found._repr_html_()
