"""Correlation, CMPS, CMS and the Chumbley score of signatures, on real ones and on cases with a known answer."""

from __future__ import annotations

import csv
from functools import cache

import numpy as np
import pytest
from conftest import data_folder

from ballistics.errors import ParameterError
from ballistics.striations.chumbley_score import ChumbleyParameters, chumbley
from ballistics.striations.comparing import compare_signatures
from ballistics.striations.congruent_segments import CmpsParameters, cmps
from ballistics.striations.correlation import CorrelationParameters, Placement, best_correlations, correlate
from ballistics.striations.matching_striae import cms
from ballistics.striations.overlay import overlay
from ballistics.striations.signature import ExcludedSpan, Signature, arrangement
from ballistics_kernels.profiles import stretched

PUBLISHED = CmpsParameters(conventions="cmpsR 2020")
# README of the first release of cmpsR, rows 1-1 … 1-6, columns 2-1 … 2-6.
CMPS_TABLE = [
    [2, 5, 3, 4, 3, 2],
    [2, 2, 13, 1, 1, 1],
    [1, 1, 2, 11, 2, 2],
    [2, 1, 1, 1, 10, 1],
    [1, 2, 1, 2, 2, 15],
    [14, 2, 2, 2, 1, 1],
]


@cache
def lands() -> dict[str, np.ndarray]:
    path = data_folder("bullets/cmps-signatures.csv")
    values: dict[str, list[float]] = {}
    with open(path, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            values.setdefault(row["land"], []).append(float(row["signature_um"]))
    return {land: np.array(heights) for land, heights in values.items()}


def aligned(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Put two signatures on one axis at the best lag, over at least three quarters of the shorter."""
    found = correlate(Signature(a, 1.0), Signature(b, 1.0), CorrelationParameters(minimum_overlap=0.75))
    assert found.placement is not None
    lag = round(found.placement.lag_um + (len(a) - len(b)) / 2)
    start, stop = min(0, lag), max(len(a), len(b) + lag)
    x, y = np.full((2, stop - start), np.nan)
    x[-start : len(a) - start], y[lag - start : lag - start + len(b)] = a, b
    return x, y


def test_cmps_reproduces_every_published_value() -> None:
    counts = [[cmps(*aligned(lands()[f"1-{i}"], lands()[f"2-{j}"]), PUBLISHED).count for j in range(1, 7)]
              for i in range(1, 7)]  # fmt: skip
    assert counts == CMPS_TABLE


def test_cmps_without_alignment_reproduces_the_published_count_and_position() -> None:
    # The published signature 2-3 had missing points at its ends, which the table of signatures leaves away; the
    # position of −5 shows that there was one in front.
    x = np.concatenate([[np.nan], lands()["2-3"], np.full(30, np.nan)])
    found = cmps(x, lands()["1-2"], PUBLISHED)
    assert (found.count, found.segments, found.position) == (14, 22, -5)
    assert cmps(lands()["2-3"], lands()["1-3"], PUBLISHED).count == 1


def test_cmps_by_the_card_separates_the_same_lands() -> None:
    counts = np.array([[cmps(lands()[f"1-{i}"], lands()[f"2-{j}"]).count for j in range(1, 7)] for i in range(1, 7)])
    same = np.array(CMPS_TABLE) >= 5
    assert counts[same].min() >= 5 > counts[~same].max()


def test_cmps_of_nothing() -> None:
    assert cmps(np.full(200, np.nan), np.ones(300)).segments == 0
    found = cmps(np.zeros(200), np.zeros(300))
    assert (found.count, found.position) == (0, None)
    assert cmps(np.arange(20.0), np.arange(300.0)).segments == 0


def test_correlation_finds_lag_and_stretch_and_inverts_them() -> None:
    heights = np.convolve(np.random.default_rng(5).normal(size=900), np.hanning(15), "same")
    a = Signature(heights, 2.0)
    x = np.arange(700)
    b = Signature(np.interp(100 + (x - 349.5) / 1.02 + 349.5, np.arange(900), heights), 2.0)
    found = correlate(a, b, CorrelationParameters(largest_stretch=0.03))
    assert found.correlation > 0.99
    assert found.placement is not None
    assert found.placement.stretch == pytest.approx(1 / 1.02, abs=0.006)
    assert found.placement.lag_um == pytest.approx((100 + 349.5 - 449.5) * 2.0, abs=4.0)
    back = correlate(b, a, CorrelationParameters(largest_stretch=0.03))
    assert back.correlation == found.correlation
    assert back.placement is not None
    assert back.placement.lag_um == pytest.approx(found.placement.inverse().lag_um)


@pytest.mark.parametrize("stretch", [0.0, 0.02])
def test_exchanging_and_reversing_change_no_bit(stretch: float) -> None:
    p = CorrelationParameters(largest_stretch=stretch)
    a, b = (Signature(lands()[name], 1.5625) for name in ("1-1", "2-2"))
    found = correlate(a, b, p)
    assert found.placement is not None
    for x, y in ((b, a), (a.reversed(), b.reversed()), (b.reversed(), a.reversed())):
        assert correlate(x, y, p).correlation == found.correlation
    turned = correlate(a.reversed(), b.reversed(), p).placement
    assert turned is not None
    assert turned.lag_um == pytest.approx(-found.placement.lag_um)


def test_missing_points_take_no_part() -> None:
    a, b = lands()["1-2"].copy(), lands()["2-3"].copy()
    a[300:420] = np.nan
    b[700:710] = np.nan
    whole = correlate(Signature(lands()["1-2"], 1.5625), Signature(lands()["2-3"], 1.5625))
    found = correlate(Signature(a, 1.5625), Signature(b, 1.5625))
    assert found.placement == whole.placement
    assert found.common_points == whole.common_points - 130
    lag = round(found.placement.lag_um / 1.5625 + (len(a) - len(b)) / 2)
    i = np.arange(max(lag, 0), min(len(a), len(b) + lag))
    u, v = a[i], b[i - lag]
    both = np.isfinite(u) & np.isfinite(v)
    assert found.correlation == pytest.approx(np.corrcoef(u[both], v[both])[0, 1], abs=1e-12)


def test_another_spacing_gives_nearly_the_same() -> None:
    a, b = lands()["1-6"], lands()["2-1"]
    whole = correlate(Signature(a, 1.5625), Signature(b, 1.5625))
    fine = np.interp(np.arange(0, len(b) - 1, 0.4), np.arange(len(b)), b)
    found = correlate(Signature(a, 1.5625), Signature(fine, 0.4 * 1.5625))
    assert found.correlation == pytest.approx(whole.correlation, abs=0.01)
    assert found.placement is not None
    assert whole.placement is not None
    assert found.placement.lag_um == pytest.approx(whole.placement.lag_um, abs=2.0)


def test_a_stack_gives_what_single_comparisons_give() -> None:
    query = Signature(lands()["2-3"], 1.5625)
    stack = np.full((6, 1200), np.nan, np.float32)
    for k in range(6):
        heights = lands()[f"1-{k + 1}"]
        stack[k, : len(heights)] = heights
    stack[3, 100:180] = np.nan
    found = best_correlations(query, stack)
    for k in range(6):
        single = correlate(query, Signature(stack[k].astype(np.float64), 1.5625))
        assert single.placement is not None
        expected = [single.correlation, single.placement.lag_um, single.common_points, 1.0]
        assert found[k] == pytest.approx(expected, abs=1e-4)
    assert int(np.argmax(found[:, 0])) == 1


def test_a_stack_searched_with_stretch_finds_the_stretch_of_each_profile() -> None:
    heights = lands()["2-3"]
    query, whole = Signature(heights, 1.5625), np.where(np.isfinite(heights), heights, np.nan)
    factors = (1.0, 1.02, 1 / 1.02, 1.0)
    stack = np.full((4, 1400), np.nan, np.float32)
    for k, factor in enumerate(factors):
        # As long as a camera whose scale is off by the factor makes it, and moved by 40 points.
        profile = stretched(whole, factor)
        stack[k, 40 : 40 + len(profile)] = profile
    stack[3] = np.nan
    found = best_correlations(query, stack, CorrelationParameters(largest_stretch=0.03, stretch_step=0.01))
    without = best_correlations(query, stack)
    assert found[:3, 0] == pytest.approx(1.0, abs=0.02)
    assert (without[1:3, 0] < 0.9).all()
    for k, factor in enumerate(factors[:3]):
        assert found[k, 3] == pytest.approx(1.0 / factor, abs=1e-3)
        # Middles of the arrays: the profile's own lies off its array's, in its own longer units.
        own = (1400 - 1) / 2 - (40 + (len(stretched(whole, factor)) - 1) / 2)
        assert found[k, 1] == pytest.approx(own * 1.5625 / factor, abs=2.0)
    assert np.isnan(found[3]).all()


@pytest.mark.parametrize("heights", [np.empty(0), np.array([1.0]), np.array([1.0, 2.0]), np.full(50, 0.5),
                                     np.full(50, np.nan)])  # fmt: skip
def test_what_cannot_be_compared_is_insufficient(heights: np.ndarray) -> None:
    found = correlate(Signature(heights, 1.5625), Signature(lands()["1-1"], 1.5625))
    assert np.isnan(found.correlation)
    assert found.insufficient
    assert np.isnan(best_correlations(Signature(heights, 1.5625), np.ones((2, 40), np.float32))[:, 0]).all()


def test_cms_counts_runs() -> None:
    x = np.sin(np.arange(500) / 10.0)
    y = x.copy()
    y[200:300] *= -1
    same, part = cms(x, x, 9), cms(x, y, 9)
    assert same.cms == same.matches
    assert same.mismatches == same.distance_um == 0
    assert part.cms < same.cms
    assert part.cnms >= 2
    assert cms(y, x, 9).cms == part.cms
    assert cms(np.full(9, np.nan), np.ones(9)).cms == 0


def test_cms_of_same_lands_is_longer() -> None:
    runs = np.array([[cms(*aligned(lands()[f"1-{i}"], lands()[f"2-{j}"])).cms for j in range(1, 7)]
                     for i in range(1, 7)])  # fmt: skip
    same = np.array(CMPS_TABLE) >= 5
    assert np.median(runs[same]) >= 2 * np.median(runs[~same])


def test_chumbley_is_symmetric_and_deterministic() -> None:
    p = ChumbleyParameters(300, 50)
    a, b, c = lands()["2-3"], lands()["1-2"], lands()["1-5"]
    same = chumbley(a, b, p)
    assert same.score > 2.326
    assert chumbley(b, a, p).score == pytest.approx(same.score)
    assert chumbley(a, c, p).score < 1.645
    assert "no window" in (chumbley(a[:200], b, p).insufficient or "")
    assert "no room" in (chumbley(a[:310], b[:310], p).insufficient or "")


def test_a_signature_refuses_what_it_cannot_be() -> None:
    with pytest.raises(ParameterError, match="dimensions"):
        Signature(np.zeros((3, 3)), 1.0)
    with pytest.raises(ParameterError, match="spacing"):
        Signature(np.zeros(3), 0.0)
    with pytest.raises(ParameterError, match="one each"):
        Signature(np.zeros(3), 1.0, rows=np.zeros(2, np.int64))
    assert np.isnan(Signature(np.array([np.inf, 1.0]), 1.0).heights_um[0])


def test_reversing_a_signature_reverses_all_it_carries() -> None:
    signature = Signature(
        np.arange(5.0), 2.0, standard_errors_um=np.arange(5.0), rows=np.arange(5), excluded=(ExcludedSpan(0, 2, "pit"),)
    )
    turned = signature.reversed()
    assert turned.excluded == (ExcludedSpan(6.0, 8.0, "pit"),)
    assert turned.rows is not None
    assert turned.rows.tolist() == [4, 3, 2, 1, 0]
    assert turned.reversed().heights_um.tobytes() == signature.heights_um.tobytes()


def test_one_arrangement_for_all_four_ways() -> None:
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=7), rng.normal(size=9)
    ways = {tuple(v.tobytes() for v in arrangement(x, y).apply(x, y))
            for x, y in ((a, b), (b, a), (a[::-1], b[::-1]), (b[::-1], a[::-1]))}  # fmt: skip
    assert len(ways) == 1
    assert Placement(3.0, 1.1).inverse().inverse().lag_um == pytest.approx(3.0)


def test_matching_striae_lie_on_the_axis_of_the_marks_as_given() -> None:
    """Whichever way the scores are computed, a stria stands where both signatures have an extremum."""
    rng = np.random.default_rng(5)
    x = np.convolve(rng.normal(size=700), np.hanning(41), "same")
    marks = [Signature(x, 1.5625), Signature(x[60:640] + 0.01 * rng.normal(size=580), 1.5625)]
    for first, second in (marks, marks[::-1]):
        for a, b in ((first, second), (first.reversed(), second.reversed())):
            found = compare_signatures(a, b)
            assert found.striae is not None
            assert found.placement is not None
            axis = overlay(a, b, found.placement)
            starts = [stria.start for stria in found.striae.striae]
            assert starts == sorted(starts)
            smooth = np.convolve(np.nan_to_num(axis.a_um), np.ones(25) / 25, "same")
            turns = np.flatnonzero(np.diff(np.sign(np.diff(smooth)))) + 1
            matched = [stria for stria in found.striae.striae if stria.matched]
            assert len(matched) > 10
            for stria in matched:
                assert np.any((turns >= stria.start - 2) & (turns <= stria.stop + 2))
