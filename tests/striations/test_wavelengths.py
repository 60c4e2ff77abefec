"""The similarity from all wavelengths: what it must not depend on, what it pays for, and real tool marks."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import data_folder

from ballistics.errors import ParameterError
from ballistics.striations import (
    CorrelationParameters,
    Signature,
    SimilarityParameters,
    common_octaves,
    compare_signatures,
    correlate,
    octave_profiles,
    similarity,
    similarity_of,
)


def rough(seed: int, n: int = 800, spacing: float = 1.5625) -> np.ndarray:
    """Return a profile with waves of every length from about 10 µm."""
    rng = np.random.default_rng(seed)
    width = max(1, round(10 / spacing))
    values = np.convolve(np.cumsum(rng.normal(size=n + 4 * width)), np.hanning(width + 2), "same")
    return np.asarray(values[2 * width : 2 * width + n] * 0.05)


def test_unrelated_signatures_have_little_evidence_and_related_ones_much() -> None:
    scores = [similarity(Signature(rough(k), 1.5625), Signature(rough(k + 100), 1.5625)).score for k in range(20)]
    assert max(scores) < 20
    noise = np.random.default_rng(1).normal(size=800) * 0.02
    assert similarity(Signature(rough(1), 1.5625), Signature(rough(1) + noise, 1.5625)).score > 100


def test_the_place_is_found_and_missing_points_do_not_matter() -> None:
    whole = rough(3, 1000)
    b = whole[200:].copy()
    b[300:340] = np.nan
    found = similarity(Signature(whole, 1.5625), Signature(b, 1.5625))
    assert found.placement is not None
    assert found.placement.lag_um == pytest.approx((200 + 399.5 - 499.5) * 1.5625, abs=1.5)
    assert found.overlap_um == pytest.approx((800 - 40) * 1.5625, rel=0.03)
    assert [octave.shortest_um for octave in found.octaves] == [5, 10, 20, 40, 80, 160]
    assert found.evidence == pytest.approx(sum(octave.evidence for octave in found.octaves))


@pytest.mark.parametrize("stretch", [0.0, 0.02])
@pytest.mark.parametrize("spacing", [1.5625, 1.2])
def test_exchanging_and_reversing_change_no_bit(stretch: float, spacing: float) -> None:
    p = SimilarityParameters(largest_stretch=stretch)
    a, b = Signature(rough(5), 1.5625), Signature(rough(5, 700), spacing)
    found = similarity(a, b, p)
    assert found.placement is not None
    for x, y in ((b, a), (a.reversed(), b.reversed()), (b.reversed(), a.reversed())):
        other = similarity(x, y, p)
        assert (other.score, other.evidence, other.octaves) == (found.score, found.evidence, found.octaves)
    turned = similarity(a.reversed(), b.reversed(), p).placement
    assert turned is not None
    assert turned.lag_um == pytest.approx(-found.placement.lag_um)
    assert similarity(a, b.reversed(), p).score != found.score


def test_searching_further_costs() -> None:
    a, b = Signature(rough(7), 1.5625), Signature(rough(8), 1.5625)
    fixed, free = similarity(a, b), similarity(a, b, SimilarityParameters(largest_stretch=0.05))
    assert free.evidence >= fixed.evidence
    assert free.score - fixed.score < free.evidence - fixed.evidence + 1e-9


def test_a_stretched_mark_is_recognised_when_stretch_is_allowed() -> None:
    a = rough(9)
    x = np.arange(780) * 1.0
    b = np.interp((x - 389.5) / 1.03 + 399.5, np.arange(800), a)
    p = SimilarityParameters(largest_stretch=0.04)
    fixed = similarity(Signature(a, 1.5625), Signature(b, 1.5625), SimilarityParameters(largest_stretch=0.0))
    free = similarity(Signature(a, 1.5625), Signature(b, 1.5625), p)
    assert free.score > fixed.score + 100
    assert free.placement is not None
    assert free.placement.stretch == pytest.approx(1 / 1.03, abs=0.004)


def test_only_wavelengths_that_both_carry_are_compared() -> None:
    a = Signature(rough(1), 1.5625, band_um=(16.0, 250.0))
    b = Signature(rough(2, 500, 3.0), 3.0)
    grid = common_octaves(a, b)
    assert grid is not None
    assert grid[1] == (20.0, 40.0, 80.0, 160.0)
    coarse = Signature(np.sin(np.arange(50.0)), 500.0)
    found = similarity(a, coarse)
    assert np.isnan(found.score)
    assert "no octave" in (found.insufficient or "")
    with pytest.raises(ParameterError, match="different grids"):
        similarity_of(octave_profiles(a, 3.0, (20.0, 40.0)), octave_profiles(b, 3.0, (20.0, 40.0, 80.0)))


@pytest.mark.parametrize("n", [0, 1, 2, 400])
def test_what_cannot_be_compared_is_insufficient(n: int) -> None:
    for heights in (np.full(n, 0.2), np.full(n, np.nan)):
        found = similarity(Signature(heights, 1.5625), Signature(rough(1), 1.5625))
        assert np.isnan(found.score)
        assert found.insufficient


@pytest.mark.slow
@pytest.mark.parametrize("tools", [("T01S", "T04S"), ("T01S", "T04S", "T09S")])
def test_screwdriver_marks_are_told_apart_better_than_by_correlation(tools: tuple[str, ...]) -> None:
    with np.load(data_folder("striations") / "screwdrivers.npz") as marks:
        names = sorted(name for name in marks if name.startswith(tools) and "-F80" in name)
        signatures = [Signature(marks[name].astype(np.float64), 7.05) for name in names]
    scores, correlations, same = [], [], []
    for i in range(len(names)):
        for j in range(i):
            scores.append(similarity(signatures[i], signatures[j]).score)
            correlations.append(correlate(signatures[i], signatures[j], CorrelationParameters()).correlation)
            same.append(names[i].split("-")[0] == names[j].split("-")[0])
    truth = np.array(same)
    wrong = [
        float((np.array(v)[truth][:, None] <= np.array(v)[~truth][None, :]).mean()) for v in (scores, correlations)
    ]
    assert wrong[0] < 0.005
    assert wrong[0] <= wrong[1]


def test_a_signature_and_its_copy_are_told_repeated_strokes_are_not() -> None:
    with np.load(data_folder("striations") / "screwdrivers.npz") as marks:
        first, again = (Signature(1000.0 * marks[name], 7.05) for name in ("T02LB-F80-01", "T02LB-F80-03"))
    # The two strokes that agree best of all: 0.90 in the shortest waves.
    assert "one-measurement" not in [finding.code for finding in compare_signatures(first, again).findings]
    for copy in (first, Signature(np.round(first.heights_um, 2), 7.05), Signature(first.heights_um[50:], 7.05)):
        found = compare_signatures(first, copy).findings
        assert [(finding.code, finding.severity) for finding in found] == [("one-measurement", "serious")]
