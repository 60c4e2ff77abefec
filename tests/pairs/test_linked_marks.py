"""The marks of linked pairs come from the folder of the batch, are those of the table, and stand on the page."""

from __future__ import annotations

import math
import re
from itertools import islice

import numpy as np
import pytest

from ballistics.pairs.batch import run_batch
from ballistics.pairs.linked_marks import linked_marks
from ballistics.pairs.links import find_links
from ballistics.reports.pages.links import links_report
from ballistics.surfaces import prepare, read, simulate_population, write_x3p


@pytest.fixture(scope="module")
def batch(tmp_path_factory):
    """Two firearms with two scans each, compared with each other."""
    folder = tmp_path_factory.mktemp("batch")
    heads = islice(simulate_population(2, 2, 11, breech_faces=("granular",), spacing_um=12.5), 4)
    scans = folder / "scans"
    scans.mkdir()
    for name, head in zip(("a1", "a2", "b1", "b2"), heads, strict=True):
        write_x3p(scans / f"{name}.x3p", head.surface)
    run_batch([scans], folder / "r.parquet")
    return folder


@pytest.mark.slow
def test_marks_of_linked_pairs_lie_on_each_other(batch):
    found = find_links(batch / "r.parquet")
    marks = linked_marks(batch / "r.parquet", found)
    assert {(pair.a.name, pair.b.name) for c in found.clusters for pair in c.links} == {
        ("a1.x3p", "a2.x3p"),
        ("b1.x3p", "b2.x3p"),
    }
    assert set(marks) == {(pair.a.sha256, pair.b.sha256) for c in found.clusters for pair in c.links}
    from ballistics_kernels.impressions import turn_onto

    for cluster in found.clusters:
        for pair in cluster.links:
            linked = marks[pair.a.sha256, pair.b.sha256]
            own = prepare(read(batch / "scans" / pair.a.name))
            assert np.array_equal(linked.a.heights_um, own.heights_um, equal_nan=True)
            moved = np.empty_like(linked.a.heights_um)
            spacing, pose = linked.a.spacing_um, linked.pose
            turn_onto(
                np.ascontiguousarray(linked.b.heights_um), math.radians(-pose.theta_deg), pose.dy_um / spacing,
                pose.dx_um / spacing, moved,
            )  # fmt: skip
            both = np.isfinite(moved) & np.isfinite(linked.a.heights_um)
            assert np.corrcoef(moved[both], linked.a.heights_um[both])[0, 1] > 0.6


@pytest.mark.slow
def test_pictures_stand_on_the_links_and_two_dots_are_no_graph(batch):
    found = find_links(batch / "r.parquet")
    page = links_report(found, linked_marks(batch / "r.parquet", found))
    assert page == links_report(found, linked_marks(batch / "r.parquet", found))
    assert page.count('<figure class="edge">') == 2
    assert page.count("data:image/png;base64,") == 4
    assert 'id="graph"' not in page
    scores = [f"{pair.score:.1f}" for c in found.clusters for pair in c.links]
    assert sorted(re.findall(r'class="link-score">([\d.]+)<', page)) == sorted(scores)


@pytest.mark.slow
def test_a_mark_that_is_not_the_one_of_the_table_is_not_shown(batch, tmp_path):
    found = find_links(batch / "r.parquet")
    assert linked_marks(batch / "r.parquet", found, tmp_path) == {}
    assert "No pictures" in links_report(found)
    # Marks of other scans under these names, as another method would leave them.
    folder = tmp_path / "marks" / "0123456789abcdef"
    folder.mkdir(parents=True)
    stored = sorted((batch / "r.parquet.work").glob("marks/*/*.mark"))
    for path, other in zip(stored, [*stored[1:], stored[0]], strict=True):
        (folder / path.name).write_bytes(other.read_bytes())
    assert linked_marks(batch / "r.parquet", found, tmp_path) == {}
