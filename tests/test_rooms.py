"""The rooms of the house: imports go down, name the face of a room, make no circle; and no folder is crowded."""

from __future__ import annotations

import importlib
import re

import pytest
from support import rooms
from support.rooms import Arrow

FOUND = list(rooms.arrows())


def test_every_room_has_a_floor():
    assert {rooms.room(module) for module in rooms.modules()} - {name for row in rooms.LAYERS for name in row} == set()


def test_every_folder_of_a_room_has_a_floor():
    """One folder among modules has no other to be above or below; where there are two, each is named."""
    for room, folders in rooms.folders().items():
        named = {name for floors in rooms.FOLDERS.get(room, ()) for name in floors}
        if len(folders) > 1 or named:
            assert folders - named == set(), room


def test_contributing_names_every_room_and_its_folders():
    """The table of CONTRIBUTING.md: a row names its rooms, and the folders of a room with more than one."""
    text = (rooms.ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1:3] for line in text.splitlines() if line.startswith("| `")]
    quoted = re.compile("`([^`]+)`")
    listed = {name: set(quoted.findall(what)) for names, what in rows for name in quoted.findall(names)}
    folders = rooms.folders()
    inside = {rooms.room(module) for module in rooms.modules()} - {"ballistics", "ground", "selftest", "kernels"}
    assert set(listed) == {*rooms.GROUND, *inside, "kernels/ballistics_kernels"}
    listed["kernels"] = listed.pop("kernels/ballistics_kernels")
    assert {room: names - listed[room] for room, names in folders.items() if names - listed[room]} == {}


def test_imports_go_down():
    assert [str(arrow) for arrow in rooms.upward(FOUND)] == []


def test_imports_from_another_room_name_its_face():
    assert [str(arrow) for arrow in rooms.past_the_face(FOUND)] == []


def test_no_modules_import_each_other():
    assert rooms.circles(FOUND) == []


def test_no_folder_is_crowded():
    assert rooms.crowded() == {}


def test_the_kernels_know_nothing_of_the_api():
    of_kernels = [arrow for arrow in FOUND if rooms.room(arrow.importer) == "kernels"]
    assert [str(arrow) for arrow in of_kernels if rooms.room(arrow.imported) != "kernels"] == []


BETWEEN = [arrow for arrow in FOUND if rooms.room(arrow.importer) != rooms.room(arrow.imported)]


@pytest.mark.parametrize(
    "arrow", [arrow for arrow in FOUND if rooms.room(arrow.importer) == "search"][:3] + BETWEEN[:1], ids=str
)
def test_an_arrow_turned_round_is_noticed(arrow):
    turned = Arrow(arrow.imported, arrow.importer, "", 1)
    assert rooms.upward([turned]) == [turned]
    assert rooms.circles([arrow, turned]) == [sorted([arrow.importer, arrow.imported])]


def test_an_import_past_the_face_is_noticed():
    arrow = Arrow("ballistics.search.scan", "ballistics.library.tables", "marks", 1)
    assert rooms.past_the_face([arrow]) == [arrow]
    assert rooms.past_the_face([Arrow("ballistics.library.rows", "ballistics.library.tables", "marks", 1)]) == []


@pytest.mark.parametrize("face", sorted({rooms.face_of(name) for name in rooms.modules()} - {None, "ballistics.cli"}))
def test_every_name_of_a_face_can_be_imported(face):
    module = importlib.import_module(face)
    assert module.__all__ == sorted(module.__all__)
    assert [name for name in module.__all__ if getattr(module, name, None) is None] == []
