"""Results of the rooms below the front door: a line of text, rows, a picture."""

from __future__ import annotations

import matplotlib
import numpy as np
import pytest
from prepared_marks import simulated_heads

from ballistics.heads import HeadComparison
from ballistics.impressions import ImpressionComparison, compare
from ballistics.pairs import Links
from ballistics.striations import Signature, StriationComparison, compare_bullets, compare_signatures

matplotlib.use("agg")


@pytest.fixture(scope="module")
def signatures():
    rng = np.random.default_rng(4)
    return [Signature(np.cumsum(rng.normal(size=900)) * 0.1, 1.5625, "land engraved area") for _ in range(3)]


@pytest.mark.slow
def test_of_impressions():
    first, second = (head.mark for head in simulated_heads("granular")[:2])
    found = compare(first, second)
    row = found.to_dict()
    assert row["similarity_nats"] == found.similarity.score
    assert row["significance"] == found.rules["significance"].score
    assert repr(found) == (
        f"<ImpressionComparison: breech face, similarity {found.similarity.score:.0f} nats, "
        f"{row['significance']:.0f} of {found.a_in_b.n_cells} cells, correlation {found.accf:.3f}>"
    )
    assert found.to_frame()["accf"][0] == found.accf
    none = ImpressionComparison("breech face", insufficient="no overlap")
    assert repr(none) == "<ImpressionComparison: breech face, insufficient: no overlap>"
    assert none.to_dict()["accf"] is None
    assert repr(HeadComparison({"breech face": none}, {}, {})) == (
        "<HeadComparison: ImpressionComparison: breech face, insufficient: no overlap>"
    )


def test_of_striae(signatures):
    found = compare_signatures(signatures[0], signatures[0])
    assert repr(found).startswith(f"<StriationComparison: land engraved area, similarity {found.score:.0f} nats, CMPS ")
    assert found.to_frame()["lag_um"][0] == 0
    assert StriationComparison("tool mark", insufficient="short").to_dict()["similarity_nats"] is None
    assert repr(signatures[0]) == "<Signature: land engraved area, 1.41 mm in steps of 1.5625 µm, 0 findings>"
    assert "<img" in signatures[0]._repr_html_()


def test_the_matrix_of_two_bullets_frames_the_pairs_of_the_best_phase(signatures):
    turned = [signatures[1], signatures[2], signatures[0]]
    found = compare_bullets(signatures, turned)
    axes = found.plot()
    framed = sorted((patch.get_y() + 0.5, patch.get_x() + 0.5) for patch in axes.patches)
    assert framed == [(0, 2), (1, 0), (2, 1)]
    assert repr(found).startswith("<BulletComparison: 3 pairs of lands, score ")
    assert "<img" in found._repr_html_()


def test_of_links():
    found = Links("similarity", 100.0, "stated", (), 4, 6, 6, {}, "0" * 64)
    assert repr(found) == "<Links: 0 clusters of 4 exhibits, similarity at least 100>"
    assert len(found.to_frame()) == 0
