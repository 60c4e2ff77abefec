"""Revisions of one solid are kin, with what is changed between them; others are not."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from click.testing import CliRunner

from ballistics.cli import main
from ballistics.printed import Collection, Kin, Part, kin_of, moved, signature_of
from ballistics.printed.kin.dated_names import order_of
from ballistics.reports import kin_report
from reference_meshes.disturbances import posed
from reference_meshes.revisions import REVISIONS
from reference_meshes.solids import Mesh, solid

# Its fixture alone costs seconds.
pytestmark = pytest.mark.slow

# None of these seeds was used to choose a parameter.
_SEEDS = {"moved hole": 71_002, "longer handle": 71_005, "mirrored": 71_008, "embossed text": 71_013}


def pose_of(seed: int) -> np.ndarray:
    rng = np.random.Generator(np.random.PCG64(seed))
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    pose = np.eye(4)
    pose[:3, :3] = turn * np.sign(np.linalg.det(turn))
    pose[:3, 3] = rng.normal(size=3) * 20
    return pose


@pytest.fixture(scope="module")
def collection() -> Collection:
    """Eight references in four pairs, and two of their own."""
    made = Collection()
    for name, seed in _SEEDS.items():
        pair = REVISIONS[name](solid(seed), np.random.Generator(np.random.PCG64(seed)))
        # The later is enrolled first: the order must come from the names.
        for version, mesh in ((2, pair[1]), (1, pair[0])):
            turned = posed(Mesh(mesh.vertices, mesh.faces), pose_of(seed + version))
            made.enrol(signature_of(Part(turned.vertices, turned.faces)), f"{name} v{version}")
    for seed in (71_020, 71_023):
        made.enrol(signature_of(Part(*vars(solid(seed)).values())), f"other {seed}")
    return made


@pytest.fixture(scope="module")
def kin(collection: Collection) -> Kin:
    return kin_of(collection)


def test_each_revision_finds_its_family_and_nothing_else(kin: Kin) -> None:
    pairs = {(k.name_a, k.name_b): k for family in kin.families for k in family.kinships}
    assert set(pairs) == {(f"{name} v1", f"{name} v2") for name in _SEEDS}
    assert all(len(family.members) == 2 for family in kin.families)
    assert {k.order for k in pairs.values()} == {"versions in the names"}
    mirror = pairs["mirrored v1", "mirrored v2"]
    assert (mirror.kind, mirror.mirrored) == ("mirror image", True)
    for name in ("moved hole", "embossed text"):
        assert pairs[f"{name} v1", f"{name} v2"].kind in ("revision", "part of the other")
        assert 0.5 < pairs[f"{name} v1", f"{name} v2"].shared < 0.995
        assert pairs[f"{name} v1", f"{name} v2"].scale == pytest.approx(1.0, abs=0.02)


def test_the_changed_places_are_where_the_hole_moved(collection: Collection, kin: Kin) -> None:
    (k,) = (k for family in kin.families for k in family.kinships if k.name_a == "moved hole v1")
    first, second = REVISIONS["moved hole"](
        solid(_SEEDS["moved hole"]), np.random.Generator(np.random.PCG64(_SEEDS["moved hole"]))
    )
    from scipy.spatial import cKDTree
    from trimesh import Trimesh
    from trimesh.sample import sample_surface

    # In the frame of the later one: its own points that lie off the earlier one, by the meshes themselves.
    points = moved(collection.signature(k.b).points_mm(), np.linalg.inv(pose_of(_SEEDS["moved hole"] + 2)))
    dense = sample_surface(Trimesh(first.vertices, first.faces, process=False), 200_000, seed=1)[0]
    truly = cKDTree(dense).query(points)[0]
    size = collection.signature(k.b).size_mm
    assert k.changed_b.any()
    # What is called changed is changed, and what is far off is called so.
    assert (truly[k.changed_b] > 0.004 * size).mean() > 0.85
    assert k.changed_b[truly > 0.02 * size].mean() > 0.9
    assert len(second.faces)


def test_the_page_shows_every_kinship_and_is_the_same_twice(collection: Collection, kin: Kin) -> None:
    page = kin_report(kin, collection)
    assert page == kin_report(kin_of(collection), collection)
    assert page.count('<figure class="kinship">') == len(_SEEDS)
    assert "8 of 10 references have kin: 4 families." in page
    assert "moved hole v1" in page


def test_the_command_writes_table_and_page(collection: Collection, tmp_path) -> None:
    folder = tmp_path / "references"
    collection.save(folder)
    table, page = tmp_path / "kin.csv", tmp_path / "kin.html"
    options = ["printed", "kin", str(folder), "--csv", str(table), "--report", str(page), "--json"]
    ended = CliRunner().invoke(main, options)
    assert ended.exit_code == 0, ended.output
    rows = list(csv.DictReader(table.read_text().splitlines()))
    assert len(rows) == len(json.loads(ended.output)["kinships"]) == len(_SEEDS)
    assert {row["a"] for row in rows} == {f"{name} v1" for name in _SEEDS}
    assert page.read_text().startswith("\n<!DOCTYPE html>") or "<!DOCTYPE html>" in page.read_text()[:200]
    assert CliRunner().invoke(main, options).exit_code == 2  # what exists is not replaced


def test_a_collection_without_kin() -> None:
    made = Collection()
    made.enrol(signature_of(Part(*vars(solid(71_023)).values())), "alone")
    found = kin_of(made)
    assert found.families == ()
    assert "None of 1 references is kin of another." in kin_report(found, made)


@pytest.mark.parametrize(
    ("a", "b", "order"),
    [
        ("clip_R05", "clip_R04", (1, "versions in the names")),
        ("clip", "clip-rev2", (-1, "versions in the names")),
        ("clip 1.2", "clip 1.3", (0, "")),
        ("lid_2021-03-04", "cap_20190101", (1, "dates in the names")),
        ("v8 engine cover", "v6 engine lid", (0, "")),
        ("clip_v1.2", "clip_v1.10", (-1, "versions in the names")),
    ],
)
def test_the_order_of_names(a: str, b: str, order: tuple[int, str]) -> None:
    assert order_of(a, {}, b, {}) == order
