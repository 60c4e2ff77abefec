"""Pictures of likelihood ratios: what they show, and that they render to the same bytes."""

from __future__ import annotations

import subprocess
import sys
from hashlib import sha256

import numpy as np
import pytest
from scipy.stats import norm

from ballistics.evidence.metrics import cllr, cllr_min
from ballistics.evidence.models.bounds import Bounds
from ballistics.evidence.scores import ScoreTable
from ballistics.reports.figures.evidence import (
    bound_lines,
    cross_entropy_plot,
    det_plot,
    pav_plot,
    png_bytes,
    roc_plot,
    score_densities,
    svg_bytes,
    tippett,
)

VALUES = np.array([2.0, 1.5, -0.2, 2.0, -1.5, -2.0, 0.1, -2.0, -2.0])
SAME = np.array([True] * 4 + [False] * 5)
TABLE = ScoreTable.build(VALUES, ["A"] * 9, ["A"] * 4 + ["B"] * 5)
CURVES = [tippett, pav_plot, cross_entropy_plot, det_plot, roc_plot]


def line(figure, label):
    """x and y of the line with a label that begins so."""
    return next(drawn for drawn in figure.axes[0].lines if drawn.get_label().startswith(label)).get_data()


def test_tippett_shows_the_share_at_or_above():
    figure = tippett(VALUES, SAME, case=1.0)
    x, share = line(figure, "same source (n = 4)")
    at = {float(v): s for v, s in zip(x[1:-1], share[1:-1], strict=True)}
    assert at[-0.2] == 100
    assert at[1.5] == 75
    assert line(figure, "this case")[0] == [1.0, 1.0]


def test_cross_entropy_is_cllr_at_even_odds():
    figure = cross_entropy_plot(VALUES, SAME)
    for label, expected in (("LRs as given", cllr(VALUES, SAME)), ("after PAV", cllr_min(VALUES, SAME))):
        x, y = line(figure, label)
        assert y[np.flatnonzero(np.isclose(x, 0))[0]] == pytest.approx(expected)
    _, neutral = line(figure, "no findings")
    assert neutral.max() == pytest.approx(1)


def test_det_draws_no_error_at_no_rate():
    # 20 and 60 pairs, fully separated: nothing finer than 5 % and 1.7 % was seen.
    same = np.arange(80) < 20
    figure = det_plot(np.where(same, 5.0, 0.0) + np.arange(80) % 7 / 10, same)
    (axes,) = figure.axes
    ticks = {
        name: dict(zip((label.get_text() for label in axis.get_ticklabels()), axis.get_ticklocs(), strict=True))
        for name, axis in (("x", axes.xaxis), ("y", axes.yaxis))
    }
    assert ticks["x"]["0"] < norm.ppf(1 / 60) < min(v for k, v in ticks["x"].items() if k != "0")
    assert ticks["y"]["0"] < norm.ppf(1 / 20) < min(v for k, v in ticks["y"].items() if k != "0")
    x, y = axes.lines[0].get_data()
    assert {float(v) for v in (x.min(), y.min())} == {float(ticks["x"]["0"]), float(ticks["y"]["0"])}
    note = axes.get_title()
    # The rule of three: near 3/n.
    assert "0 of 20 same-source pairs, at most 14 %" in note
    assert "0 of 60 different-source pairs, at most 4.9 %" in note
    # A curve that nowhere is without errors has no such note.
    mixed = det_plot([1, 2, 3, 4, 5, 6], [True, False, True, False, True, False])
    assert " 0 of " not in mixed.axes[0].get_title()


def test_pav_counts_the_pairs_at_infinity():
    labels = [drawn.get_label() for drawn in pav_plot(VALUES, SAME).axes[0].lines]
    assert "PAV value +∞ (3 pairs)" in labels
    assert "PAV value −∞ (4 pairs)" in labels


def test_densities_show_every_pair_and_the_case():
    counts = ScoreTable.build([20, 22, 0, 1, 0], "AAAAA", "AABBB", [30] * 5)
    figure = score_densities(counts, case=22, score_name="congruent cells")
    for patch in figure.axes[0].patches:
        assert patch.get_data().values.sum() == pytest.approx(100)
        assert np.diff(patch.get_data().edges).tolist() == [1.0] * 23
    assert line(figure, "this case")[0] == [22, 22]


@pytest.mark.parametrize("draw", CURVES)
@pytest.mark.parametrize(
    ("values", "same"),
    [
        (VALUES, SAME),
        ([3.0, -2.0], [True, False]),
        ([-2.0, 3.0], [True, False]),
        ([0.0, 0.0], [True, False]),
    ],
)
@pytest.mark.slow
def test_any_data_render(draw, values, same):
    assert png_bytes(draw(values, same), dpi=40).startswith(b"\x89PNG")


def test_densities_of_one_value_render():
    assert svg_bytes(score_densities(ScoreTable.build([0.5, 0.5], "AA", "AB")))


@pytest.mark.slow
def test_same_bytes_in_another_process():
    code = (
        "from ballistics.reports.figures.evidence import *; from ballistics.evidence.models.bounds import Bounds\n"
        "import hashlib, sys\n"
        "f = bound_lines(tippett([2.0, 1.5, -1.0], [True, True, False], 0.5), Bounds(-1, 2, 'r'))\n"
        "print(hashlib.sha256(svg_bytes(f) + png_bytes(f, 50)).hexdigest(), 'matplotlib.pyplot' in sys.modules)"
    )
    figure = bound_lines(tippett([2.0, 1.5, -1.0], [True, True, False], 0.5), Bounds(-1, 2, "r"))
    svg = svg_bytes(figure)
    here = sha256(svg + png_bytes(figure, 50)).hexdigest()
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert there == [here, "False"]
    assert b"<dc:date>" not in svg
    assert svg_bytes(figure) == svg
