"""Pictures of likelihood ratios: Tippett, PAV, ECE, DET and ROC curves, score densities with the case's point.

Every function returns a matplotlib `Figure` that belongs to nobody else (no pyplot, no global
state). `svg_bytes` and `png_bytes` render it; the same figure gives the same bytes.
"""

from __future__ import annotations

import base64
import io
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import ArrayLike
from scipy.stats import norm

from ballistics.evidence import (
    Booleans,
    Bounds,
    Floats,
    PavCurve,
    ScoreTable,
    Study,
    empirical_cross_entropy,
    equal_error_rate,
    error_upper_limit,
    pav,
    roc,
)

# Blue and orange are told apart with every common colour blindness, and in grey by their dashes.
_SAME: dict[str, Any] = {"color": "#0b5fa5", "linestyle": "-"}
_DIFFERENT: dict[str, Any] = {"color": "#d1600a", "linestyle": "--"}
_GREY = "#666666"
# Of scores that are no whole numbers.
_BARS = 40
_STYLE = {
    "svg.hashsalt": "ballistics",
    "svg.fonttype": "path",
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
}


def tippett(log10_lr: ArrayLike, same_source: ArrayLike, case: float | None = None) -> Figure:
    """Draw the Tippett plot: which share of each kind of pair has an LR of at least x.

    Parameters
    ----------
    log10_lr : array, shape (n,)
        Finite log10 LRs of comparisons with known truth.
    same_source : array of bool, shape (n,)
        The truth.
    case : float, optional
        log10 LR of the case, marked.
    """
    values, same = _arrays(log10_lr, same_source)
    with matplotlib.rc_context(_STYLE):
        figure, axes = _figure()
        low, high = _limits(values, case)
        for kind, style, name in ((True, _SAME, "same source"), (False, _DIFFERENT, "different source")):
            chosen = np.sort(values[same == kind])
            x = np.r_[low, chosen, high]
            share = np.r_[1.0, 1 - np.arange(len(chosen)) / len(chosen), 0.0]
            axes.plot(x, 100 * share, label=f"{name} (n = {len(chosen)})", drawstyle="steps-pre", **style)
        axes.axvline(0, color=_GREY, linewidth=0.8)
        _mark_case(axes, case)
        axes.set(xlabel="log₁₀ LR", ylabel="pairs with at least this LR (%)", xlim=(low, high), ylim=(0, 101))
        axes.legend(loc="best")
        return figure


def pav_plot(log10_lr: ArrayLike, same_source: ArrayLike) -> Figure:
    """Draw the PAV transform of the LRs against the LRs: on the diagonal they are calibrated."""
    values, same = _arrays(log10_lr, same_source)
    curve = pav(values, same)
    with matplotlib.rc_context(_STYLE):
        figure, axes = _figure()
        low, high = _limits(values, None)
        finite = np.isfinite(curve.log10_lr)
        inside = curve.log10_lr[finite]
        bottom, top = min([low, *inside]), max([high, *inside])
        edge = 0.04 * (top - bottom)
        # Infinite values stand on the frame, marked as such.
        drawn = np.clip(curve.log10_lr, bottom - edge, top + edge)
        axes.plot([low, high], [low, high], color=_GREY, linewidth=0.8, label="perfect calibration")
        axes.plot(curve.score[finite], inside, label="after PAV", **_SAME)
        for beyond, marker in ((curve.log10_lr == np.inf, "^"), (curve.log10_lr == -np.inf, "v")):
            if beyond.any():
                name = f"PAV value {'+∞' if marker == '^' else '−∞'} ({_pairs(curve, beyond)} pairs)"
                axes.plot(curve.score[beyond], drawn[beyond], marker, color="#d1600a", markersize=4, label=name)
        axes.set(
            xlabel="log₁₀ LR",
            ylabel="log₁₀ LR after PAV",
            xlim=(low, high),
            ylim=(bottom - 2 * edge, top + 2 * edge),
        )
        axes.legend(loc="best")
        return figure


def cross_entropy_plot(log10_lr: ArrayLike, same_source: ArrayLike) -> Figure:
    """Draw the empirical cross-entropy over prior odds: of the LRs, after PAV, and with LR = 1.

    Between the first two lies the cost of calibration. At prior odds 1 the curves are Cllr and Cllr_min.
    """
    values, same = _arrays(log10_lr, same_source)
    curve = pav(values, same)
    best = curve.log10_lr[np.searchsorted(curve.score, values)]
    prior = np.linspace(-3, 3, 121)
    with matplotlib.rc_context(_STYLE):
        figure, axes = _figure()
        neutral = empirical_cross_entropy(np.zeros(len(values)), same, prior)
        axes.plot(prior, neutral, color=_GREY, linestyle=":", label="no findings (LR = 1)")
        axes.plot(prior, empirical_cross_entropy(values, same, prior), label="LRs as given", **_DIFFERENT)
        axes.plot(prior, empirical_cross_entropy(best, same, prior), label="after PAV", **_SAME)
        axes.axvline(0, color=_GREY, linewidth=0.8)
        axes.set(xlabel="log₁₀ prior odds", ylabel="empirical cross-entropy (bit)", xlim=(-3, 3), ylim=(0, None))
        axes.legend(loc="upper left")
        return figure


def det_plot(score: ArrayLike, same_source: ArrayLike) -> Figure:
    """Draw the DET curve: both error rates on normal-deviate axes, with the equal error rate.

    The smallest rate above zero that n pairs can show is 1/n. A rate of zero has no place on a normal-deviate axis: it
    is drawn in a shaded margin beyond 1/n, with its exact one-sided 95 % upper limit as a dotted line (near 3/n: Hanley
    and Lippman-Hand 1983, doi:10.1001/jama.1983.03330370053031).
    """
    values, same = _arrays(score, same_source)
    false, hits = roc(values, same)
    with matplotlib.rc_context(_STYLE):
        figure, axes = _figure(square=True)
        x, y = (_deviates(rate, int(chosen.sum())) for rate, chosen in ((false, ~same), (1 - hits, same)))
        # At the first and the last threshold one of the two rates is 1: no threshold that anyone would choose.
        inner = (false < 1) & (hits > 0) if ((false < 1) & (hits > 0)).any() else np.ones(len(false), np.bool_)
        axes.plot(x[inner], y[inner], marker=".", markersize=3, drawstyle="steps-post", **_SAME)
        for axis, span, set_limits, n, name in (
            (axes.xaxis, axes.axvspan, axes.set_xlim, int((~same).sum()), "different-source pairs called same source"),
            (axes.yaxis, axes.axhspan, axes.set_ylim, int(same.sum()), "same-source pairs called different source"),
        ):
            zero, finest = _zero_and_finest(n)
            ticks = [tick for tick in (0.0001, 0.001, 0.01, 0.05, 0.2, 0.5, 0.8) if norm.ppf(tick) >= finest + 0.25]
            axis.set_ticks([zero, *norm.ppf(ticks)], ["0", *(f"{100 * tick:g}" for tick in ticks)])
            span(zero - _MARGIN, finest - _MARGIN / 2, color="#eeeeee", zorder=0)
            set_limits(zero - _MARGIN, norm.ppf(0.85))
            axis.set_label_text(f"{name} (%)")
        notes = _zero_rates(axes, false[inner], hits[inner], int(same.sum()), int((~same).sum()))
        axes.axline((0, 0), slope=1, color=_GREY, linewidth=0.8)
        rate = equal_error_rate(values, same)[0]
        # Above the axes: within them it would hide the curve of a bad score.
        axes.set_title("\n".join([f"equal error rate {100 * rate:.2g} %", *notes]), fontsize=8)
        return figure


# In standard deviations: how far beyond the finest rate the margin for zero lies, on axes that are some 4 long.
_MARGIN = 0.16


def _zero_and_finest(n: int) -> tuple[float, float]:
    """Return where zero is drawn for n pairs, and where one in n lies, in normal deviates."""
    finest = float(norm.ppf(min(1 / n, 0.5)))
    return finest - 2 * _MARGIN, finest


def _deviates(rate: Floats, n: int) -> Floats:
    """Return rates as normal deviates; zero in its margin, one at the mirror of the finest."""
    zero, finest = _zero_and_finest(n)
    inside = norm.ppf(np.clip(rate, norm.cdf(finest), 1 - norm.cdf(finest)))
    return np.where(rate == 0, zero, inside)


def _zero_rates(axes: Axes, false: Floats, hits: Floats, n_same: int, n_different: int) -> list[str]:
    """Draw the 95 % upper limit of every rate that reaches zero, and return the limits in words."""
    notes = []
    for kind, n, seen in (("different", n_different, false), ("same", n_same, 1 - hits)):
        if (seen == 0).any():
            limit = error_upper_limit(0, n)
            line = axes.axvline if kind == "different" else axes.axhline
            line(norm.ppf(limit), color=_GREY, linewidth=0.8, linestyle=":")
            notes.append(f"grey: 0 of {n} {kind}-source pairs, at most {100 * limit:.2g} % (95 % limit, dotted)")
    return notes


def roc_plot(score: ArrayLike, same_source: ArrayLike) -> Figure:
    """Draw the ROC curve, the false-positive rate on a logarithmic axis."""
    values, same = _arrays(score, same_source)
    false, hits = roc(values, same)
    least = 0.5 / int((~same).sum())
    with matplotlib.rc_context(_STYLE):
        figure, axes = _figure(square=True)
        axes.plot(100 * np.maximum(false, least), 100 * hits, drawstyle="steps-post", **_SAME)
        axes.set_xscale("log")
        axes.set(
            xlabel="different-source pairs at or above the threshold (%)",
            ylabel="same-source pairs at or above the threshold (%)",
            xlim=(100 * least, 100),
            ylim=(0, 101),
        )
        axes.set_title(f"left edge: none of {int((~same).sum())}", fontsize=9)
        return figure


def score_densities(table: ScoreTable, case: float | None = None, score_name: str = "score") -> Figure:
    """Draw how scores are distributed among pairs of each kind, with the case's score.

    Parameters
    ----------
    table : ScoreTable
        The reference comparisons; whole-number scores get one bar each.
    case : float, optional
        The score of the case, marked.
    score_name : str
        For the axis.
    """
    same = table.same_source
    with matplotlib.rc_context(_STYLE):
        figure, axes = _figure()
        # Similarities of the two kinds lie a hundredfold apart; those below 1 nat stand in the first bar.
        logarithmic = table.area_mm2 is not None or table.length_mm is not None
        score = np.maximum(table.score, 1.0) if logarithmic else table.score
        case = max(case, 1.0) if logarithmic and case is not None else case
        edges = 10.0 ** _edges(np.log10(score)) if logarithmic else _edges(score)
        for kind, style, name in ((False, _DIFFERENT, "different source"), (True, _SAME, "same source")):
            chosen = score[same == kind]
            height, _ = np.histogram(chosen, edges)
            share = 100 * height / max(len(chosen), 1)
            label = f"{name} (n = {len(chosen)})"
            axes.stairs(share, edges, fill=True, color=style["color"], alpha=0.25)
            axes.stairs(share, edges, label=label, color=style["color"], linestyle=style["linestyle"])
        _mark_case(axes, case)
        if logarithmic:
            axes.set_xscale("log")
        axes.set(xlabel=score_name, ylabel="share of the pairs of each kind (%)", ylim=(0, None))
        axes.legend(loc="best")
        return figure


def bound_lines(figure: Figure, bounds: Bounds) -> Figure:
    """Add the bounds of the LR to a figure with log10 LR on its x axis; returns the same figure."""
    with matplotlib.rc_context(_STYLE):
        axes = figure.axes[0]
        for value in (bounds.lower, bounds.upper):
            axes.axvline(value, color=_GREY, linewidth=0.8, linestyle=":")
        axes.annotate(
            "bounds",
            (bounds.upper, 0.5),
            xycoords=("data", "axes fraction"),
            rotation=90,
            color=_GREY,
            annotation_clip=True,
        )
        return figure


def svg_bytes(figure: Figure) -> bytes:
    """Render to SVG, the same bytes each time: fixed identifiers, no date, letters as outlines."""
    return _rendered(figure, "svg", {"Date": None, "Creator": None})


def png_bytes(figure: Figure, dpi: int = 150) -> bytes:
    """Render to PNG, the same bytes each time."""
    return _rendered(figure, "png", {"Software": None}, dpi)


def svg_data_uri(figure: Figure) -> str:
    """Render to SVG and return it as the URI under which a page holds its own pictures."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg_bytes(figure)).decode("ascii")


def _rendered(figure: Figure, form: str, metadata: dict[str, None], dpi: int = 150) -> bytes:
    buffer = io.BytesIO()
    with matplotlib.rc_context(_STYLE):
        # The layout is solved once: solved again from its own result it moves by a hair.
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
        figure.savefig(buffer, format=form, metadata=metadata, dpi=dpi)
    return buffer.getvalue()


def _figure(square: bool = False) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(4.6, 4.6) if square else (5.6, 3.8), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.add_subplot()


def _arrays(values: ArrayLike, same: ArrayLike) -> tuple[Floats, Booleans]:
    return np.asarray(values, dtype=np.float64).reshape(-1), np.asarray(same, dtype=np.bool_).reshape(-1)


def _limits(values: Floats, case: float | None) -> tuple[float, float]:
    """Return axis limits that hold every value, the case and LR = 1, with a margin."""
    low, high = min(float(values.min()), case or 0.0, 0.0), max(float(values.max()), case or 0.0, 0.0)
    margin = 0.05 * max(high - low, 0.2)
    return low - margin, high + margin


def _edges(score: Floats) -> Floats:
    low, high = float(score.min()), float(score.max())
    if np.array_equal(score, np.floor(score)) and high - low <= 200:
        return np.arange(low - 0.5, high + 1.0)
    return np.linspace(low, high if high > low else low + 1, _BARS + 1)


def _mark_case(axes: Axes, case: float | None) -> None:
    if case is not None:
        axes.axvline(case, color="black", linewidth=1.6, label="this case")


def _pairs(curve: PavCurve, chosen: Booleans) -> int:
    return int((curve.same + curve.different)[chosen].sum())


def study_figures(study: Study, score_name: str = "score") -> dict[str, Figure]:
    """Return every picture of a validation study by name, drawn from its source-disjoint LRs."""
    table = study.population.table
    values, same = study.cross.log10_lr, table.same_source
    return {
        "score densities": score_densities(table, score_name=score_name),
        "roc": roc_plot(table.score, same),
        "det": det_plot(table.score, same),
        "tippett": bound_lines(tippett(values, same), study.bounds),
        "pav": pav_plot(values, same),
        "empirical cross-entropy": cross_entropy_plot(values, same),
    }
