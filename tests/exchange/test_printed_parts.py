"""Signatures of printed parts between two laboratories: recognised as in the collection that they came from."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import trimesh
from forged_packages import Scene
from laboratories import TERMS, acquainted

from ballistics.errors import BallisticsError, ParameterError
from ballistics.exchange import Outgoing, PrintedSelection, export_package, import_package, printed_of
from ballistics.printed import RECORD_BYTES, Collection, Part, identify, signature_of
from ballistics.records import RefusedError


def part(mesh):
    return Part(np.asarray(mesh.vertices), np.asarray(mesh.faces, np.int64))


PARTS = {
    "ring": part(trimesh.creation.annulus(8, 12, 30)),
    "box": part(trimesh.creation.box((40, 25, 9))),
    "cone": part(trimesh.creation.cone(10, 40)),
}


@pytest.fixture(scope="module")
def collection():
    made = Collection()
    for name, each in PARTS.items():
        made.enrol(signature_of(each), name, category="ordinary", metadata={"case": "secret-17"})
    return made


@pytest.fixture(scope="module")
def scene(tmp_path_factory, collection):
    folder = tmp_path_factory.mktemp("printed")
    skopje, sarajevo = acquainted(folder)
    path = folder / "parts.package"
    outgoing = Outgoing(printed=PrintedSelection(collection))
    export_package(skopje, path, "Sarajevo", TERMS, outgoing, encrypted=False)
    yield Scene(folder, skopje, sarajevo, path)
    skopje.library.close()
    sarajevo.library.close()


@pytest.mark.slow
def test_a_part_is_recognised_in_the_partner_s_signatures(scene, collection):
    assert b"secret-17" not in scene.good.read_bytes()
    package, _ = import_package(scene.sarajevo, scene.good)
    assert package.manifest.contents == {"printed": 3}
    found = printed_of(package)
    assert [reference.name for reference in found.references] == ["Skopje: ring", "Skopje: box", "Skopje: cone"]
    own, foreign = (identify(PARTS["ring"], where).candidates[0] for where in (collection, found))
    assert foreign.name == f"Skopje: {own.name}"
    for row in range(3):
        theirs, ours = found.signature(row), collection.signature(row)
        for name in ("codes", "origin_mm", "local", "whole"):
            np.testing.assert_array_equal(getattr(theirs, name), getattr(ours, name))
    found.save(scene.folder / "saved")
    assert len(Collection.load(scene.folder / "saved")) == 3


def test_only_the_chosen_references_leave(scene, collection):
    path = scene.folder / "one.package"
    chosen = Outgoing(printed=PrintedSelection(collection, ["cone"]))
    export_package(scene.skopje, path, "Sarajevo", TERMS, chosen, encrypted=False)
    assert b"ring" not in path.read_bytes()
    outgoing = Outgoing(printed=PrintedSelection(collection, ["tube"]))
    with pytest.raises(ParameterError, match="no reference named 'tube'"):
        export_package(scene.skopje, scene.folder / "none.package", "Sarajevo", TERMS, outgoing)


def rows_with(scene, **changed):
    rows = [json.loads(line) for line in scene.members["printed/rows.jsonl"].splitlines()]
    rows[1] |= changed
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


@pytest.mark.parametrize(
    ("changed", "match"),
    [
        ({"version": "9"}, "version '9'"),
        ({"number": 1}, "not the row"),
        ({"name": "ring"}, "not the row"),
        ({"name": 7}, "has no name"),
        ({"owner": "x"}, "not the row"),
        ({"name": "=1+1"}, "formula"),
    ],
)
def test_rows_that_contradict_themselves_are_refused(scene, changed, match):
    members = dict(scene.members)
    members["printed/rows.jsonl"] = rows_with(scene, **changed)
    refused(scene, members, match)


@pytest.mark.parametrize(
    ("value", "match"), [(np.nan, "contradict"), (1e-9, "contradict"), (-1.0, "contradict"), (1e300, "contradict")]
)
def test_lengths_of_no_part_are_refused(scene, value, match):
    stack = bytearray(scene.members["printed/signatures.stack"])
    # The least distance between points stands behind the codes, the origin and the step.
    stack[9000 + 4 * 8 : 9000 + 5 * 8] = np.float64(value).tobytes()
    refused(scene, {**scene.members, "printed/signatures.stack": bytes(stack)}, match)


def test_signatures_too_many_or_too_few_are_refused(scene):
    stack = scene.members["printed/signatures.stack"]
    assert len(stack) == 3 * RECORD_BYTES
    refused(scene, {**scene.members, "printed/signatures.stack": stack + b"1"}, "other signatures")
    refused(scene, {**scene.members, "printed/signatures.stack": stack[:-5]}, "this one")
    refused(scene, {**scene.members, "printed/more.bin": b"1"}, "nothing else")


def refused(scene, members, match):
    listed = [(name, data) for name, data in members.items() if name != "manifest.json"]
    scene.refused(scene.forged(listed), BallisticsError, match)


def test_a_package_without_printed_parts_says_so(scene):
    package, _ = import_package(scene.sarajevo, scene.forged())
    assert len(printed_of(package)) == 3
    with pytest.raises(RefusedError, match="holds no printed parts"):
        printed_of(replace(package, manifest=replace(package.manifest, contents={"marks": 1})))
    with pytest.raises(RefusedError, match="withdrawn"):
        printed_of(replace(package, withdrawn=True))
