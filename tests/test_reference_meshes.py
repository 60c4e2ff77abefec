"""The shipped collection of harmless solids: made again byte for byte, and recognised."""

from __future__ import annotations

import csv

import pytest

from ballistics.printed.collection.enrolment import open_collection
from ballistics.printed.files.reading import read_parts
from ballistics.printed.identify.identification import identify
from ballistics.provenance import sha256_of_file
from reference_meshes.__main__ import HERE, make


@pytest.mark.slow
def test_it_is_made_again_byte_for_byte(tmp_path):
    make(tmp_path)
    # Else the solids or the signatures have changed: run python -m reference_meshes, and commit what it writes.
    assert (tmp_path / "manifest.csv").read_text() == (HERE / "manifest.csv").read_text()


def test_the_manifest_lists_what_is_there():
    with open(HERE / "manifest.csv", encoding="utf-8", newline="") as file:
        rows = {row["path"]: row["sha256"] for row in csv.DictReader(file)}
    present = [path for name in ("collection", "queries") for path in (HERE / name).iterdir()]
    assert rows == {path.relative_to(HERE).as_posix(): sha256_of_file(path) for path in present}


@pytest.mark.parametrize(
    ("query", "reference", "relation"),
    [
        ("mirrored-and-scaled", "turned part", "exact copy"),
        pytest.param("half", "bracket", "part of the reference", marks=pytest.mark.slow),
        pytest.param("not-enrolled", None, None, marks=pytest.mark.slow),
    ],
)
def test_the_queries_are_what_they_say(query, reference, relation):
    collection, _ = open_collection(HERE / "collection")
    found = identify(read_parts(HERE / "queries" / f"{query}.stl").parts, collection)
    assert [candidate.name for candidate in found.accepted] == ([reference] if reference else [])
    for candidate in found.accepted:
        assert candidate.relation == relation
        assert candidate.mirrored == (query == "mirrored-and-scaled")
