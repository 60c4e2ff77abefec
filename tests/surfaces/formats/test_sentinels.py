"""Numbers that stand for missing points: found whatever their value, and never a height that was measured."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import DATA
from prepared_marks import fadul_mark

import ballistics
from ballistics.impressions.comparing import compare
from ballistics.surfaces.formats.sentinels import make_sentinels_missing
from ballistics.surfaces.preparation.preparing import prepare

FLT_MAX = float(np.finfo(np.float32).max)
MARKERS = (FLT_MAX, -FLT_MAX, 1e10, -1e10, 1e30, 9999.0, -9999.0, 1.7e308, 0.009999, -32.768e-3)


@pytest.fixture
def heights():
    """A surface in metres, 17 µm of range, whose heights all differ."""
    rng = np.random.Generator(np.random.PCG64(0))
    return np.cumsum(rng.normal(size=(150, 200)), axis=1) * 4e-7


@pytest.mark.parametrize("marker", MARKERS)
@pytest.mark.parametrize("share", [0.004, 0.17, 0.6])
def test_scattered_and_massed(heights, marker, share):
    marked = np.random.Generator(np.random.PCG64(1)).random(heights.shape) < share
    if share > 0.1:
        marked = np.zeros(heights.shape, bool)
        marked.reshape(-1)[: int(share * marked.size)] = True
    good = heights.copy()
    heights[marked] = marker
    (finding,) = make_sentinels_missing(heights, 1e6)
    assert finding.code == "sentinel-made-missing"
    assert finding.message.startswith(f"{marked.sum()} points hold {marker:.9g}")
    np.testing.assert_array_equal(heights, np.where(marked, np.nan, good))


def test_a_single_absurd_point_and_two_markers_at_once(heights):
    heights[3, 4] = -FLT_MAX
    heights[5, 20:50] = 9999e-6
    findings = make_sentinels_missing(heights, 1e6)
    assert [f.message for f in findings] == [
        f"1 points hold {-FLT_MAX:.9g}, far from all others",
        "30 points hold 0.009999, far from all others",
    ]
    assert np.isnan(heights).sum() == 31


def test_zero_below_heights_is_missing_and_zero_among_them_is_told(heights):
    low = heights - heights.min() + 20e-6
    low[10:40, 50:90] = 0.0
    assert [f.code for f in make_sentinels_missing(low, 1e6)] == ["sentinel-made-missing"]
    assert np.isnan(low).sum() == 1200
    among = heights - heights.mean()
    among[10:40, 50:90] = 0.0
    (finding,) = make_sentinels_missing(among, 1e6)
    assert (finding.code, finding.severity) == ("value-repeated", "serious")
    assert not np.isnan(among).any()


def _clipped(heights):
    return np.minimum(heights, np.percentile(heights, 90)), ["value-repeated"]


def _coarse(heights):
    return np.round(heights, 7), []


def _floor(heights):
    y, x = np.mgrid[: heights.shape[0], : heights.shape[1]]
    return np.maximum(0.0, 30e-6 - 2e-7 * np.hypot(y - 75, x - 100)), None


def _two_levels(heights):
    return np.where(heights > heights.mean(), 1e-5, 0.0), []


def _spikes(heights):
    return np.where(np.random.Generator(np.random.PCG64(2)).random(heights.shape) < 0.001, heights * 40, heights), []


def _flat(heights):
    return np.zeros_like(heights), []


@pytest.mark.parametrize("changed", [_clipped, _coarse, _floor, _two_levels, _spikes, _flat])
def test_measured_heights_are_not_eaten(heights, changed):
    """Saturated, quantised, with a floor, a step, spikes: every point stays, whatever is said about it."""
    given, codes = changed(heights)
    kept = given.copy()
    findings = make_sentinels_missing(given, 1e6)
    np.testing.assert_array_equal(given, kept)
    if codes is not None:
        assert [f.code for f in findings] == codes


def test_no_real_scan_has_any(fadul, raw_scans):
    topmatch = sorted((DATA / "breech-faces" / "topmatch").glob("*.x3p"))
    bullets = sorted((DATA / "bullets" / "hamby44-barrel1").glob("*.x3p"))
    seen = 0
    for path in [*sorted(fadul.glob("*.x3p"))[::8], *sorted(raw_scans.glob("*.x3p")), *topmatch, *bullets[::4]]:
        try:
            surface = ballistics.read(path)
        except ballistics.errors.UnitsError:
            surface = ballistics.read(path, units="micrometres")
        seen += 1
        odd = {f.code for f in surface.findings} & {
            "sentinel-made-missing", "value-repeated", "sizes-exchanged", "byte-order-swapped", "heights-tiny",
            "heights-steep", "field-small", "replica-stated", "inverted-stated",
        }  # fmt: skip
        assert not odd, (path.name, odd)
    assert seen > 15


def test_scores_are_those_of_the_sibling_without_markers():
    """Before, 330 scattered markers took a fifth of the similarity in silence."""
    faulty = DATA / "faults" / "files" / "fltmax_scattered.x3p"
    if not faulty.exists():
        pytest.skip("no 'faults' in the data: not tested on these files")
    marked = ballistics.read(faulty)
    assert "330 points hold -3.40282347e+38" in next(
        f.message for f in marked.findings if f.code == "sentinel-made-missing"
    )
    sibling = fadul_mark("1-1")
    other = fadul_mark("1-2")
    scores = [compare(mark, other).similarity for mark in (prepare(marked, "breech face"), sibling)]
    assert scores[0].score == pytest.approx(scores[1].score, rel=0.02)
