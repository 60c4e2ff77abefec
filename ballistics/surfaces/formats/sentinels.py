"""Finds numbers that stand for "not measured" in files that do not say so, and makes those points missing.

Exporters write -FLT_MAX, 1e10, 9999, -32768 or 0 where the instrument saw nothing. One such point in 250 lowers the
similarity of a comparison from 1018 to 821 nats. Two signs tell such a marker from a height: it lies far from all
heights, or many points hold exactly this number with a gap between it and the heights. In a clipped or saturated scan
many points hold one number, too, but without a gap; in a coarsely quantised scan every number is repeated. Both are
left as they are.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ballistics.findings import Finding

# A point further from the bulk than ten thousand times its range, and than the largest range of a toolmark, is none.
_ABSURD_RANGES = 1e4
_ABSURD_UM = 10_000.0
# Otherwise a number must be shared by this number of points, and stand apart by this multiple of the range of the bulk.
# No two of the 65 given scans share their lowest or highest value, whatever its distance.
_FEW, _FEW_APART = 5, 10.0
_MANY, _MANY_APART = 20, 1.0
# An exact zero is written for "nothing" so often that less is needed.
_ZERO_APART = 0.25
# How often a marker occurs, over how often any height does: the heights of a coarse instrument all repeat.
_OFTENER = 5
_DRAWN = 0.002
_LEAST_POINTS = 50
_SAMPLE = 20_000
_ROUNDS = 4


def make_sentinels_missing(heights: NDArray[np.float64], unit_um: float) -> list[Finding]:
    """Make points that hold a marker missing, in place.

    Parameters
    ----------
    heights : ndarray of float64, shape (rows, columns)
        In the file's unit, with NaN as missing; infinities count as numbers here and are left.
    unit_um : float
        Micrometres per unit of the file.

    Returns
    -------
    list of Finding
        ``sentinel-made-missing`` for each marker; ``value-repeated`` (serious) when many points share a number and
        it is not clear that it is a marker.

    Examples
    --------
    >>> heights = np.random.default_rng(1).normal(size=(40, 40))
    >>> heights[3, ::2] = -9999.0
    >>> [finding.message for finding in make_sentinels_missing(heights, 1.0)]
    ['20 points hold -9999, far from all others']
    >>> int(np.isnan(heights).sum())
    20
    """
    findings: list[Finding] = []
    for _ in range(_ROUNDS):
        low, high = _extremes(heights)
        bulk = _bulk(heights, low, high)
        if bulk is None:
            break
        found = (
            _beyond(heights, (low, high), bulk, unit_um)
            or _repeated(heights, low, bulk)
            or _repeated(heights, high, bulk)
        )
        if found is None:
            break
        findings.append(found)
    if not low < high:
        return findings
    return findings + _doubtful(heights, low, high)


def _extremes(heights: NDArray[np.float64]) -> tuple[float, float]:
    return float(np.fmin.reduce(heights, axis=None)), float(np.fmax.reduce(heights, axis=None))


def _bulk(heights: NDArray[np.float64], low: float, high: float) -> tuple[float, float] | None:
    """Return the 1st and 99th percentile of a sample without the extreme values; None when too few are left."""
    sample = _sample(heights)
    sample = sample[(sample > low) & (sample < high)]
    if sample.size < _LEAST_POINTS:
        return None
    first, last = np.percentile(sample, (1.0, 99.0))
    return float(first), float(last)


def _beyond(
    heights: NDArray[np.float64], extremes: tuple[float, float], bulk: tuple[float, float], unit_um: float
) -> Finding | None:
    """Make points missing that lie absurdly far from the bulk."""
    reach = max(_ABSURD_RANGES * (bulk[1] - bulk[0]), _ABSURD_UM / unit_um)
    if extremes[0] >= bulk[0] - reach and extremes[1] <= bulk[1] + reach:
        return None
    beyond = (heights < bulk[0] - reach) | (heights > bulk[1] + reach)
    beyond &= np.isfinite(heights)
    if not beyond.any():
        return None
    values, counts = np.unique(heights[beyond], return_counts=True)
    commonest = values[np.argsort(-counts, kind="stable")[:3]]
    heights[beyond] = np.nan
    held = " or ".join(_number(value) for value in commonest) + (" or others" if len(values) > 3 else "")
    return _missing(int(beyond.sum()), held)


def _repeated(heights: NDArray[np.float64], value: float, bulk: tuple[float, float]) -> Finding | None:
    """Make points missing that share an extreme value which stands apart from the rest."""
    same = heights == value
    count = int(np.count_nonzero(same))
    spread = bulk[1] - bulk[0]
    if count < _FEW or spread <= 0:
        return None
    apart = _gap(heights, value) / spread
    enough = _ZERO_APART if value == 0 else _MANY_APART
    if not ((count >= _MANY and apart >= enough) or apart >= _FEW_APART) or count < _OFTENER * _commonest(
        heights, value
    ):
        return None
    heights[same] = np.nan
    return _missing(count, _number(value))


def _gap(heights: NDArray[np.float64], value: float) -> float:
    """Return the distance from an extreme value to the nearest other one."""
    others = np.abs(heights - value)
    others[others == 0] = np.nan
    return float(np.fmin.reduce(others, axis=None))


def _commonest(heights: NDArray[np.float64], value: float) -> int:
    """Return how often the commonest other value occurs."""
    others = heights[np.isfinite(heights) & (heights != value)]
    return int(np.unique(others, return_counts=True)[1].max()) if others.size else 0


def _doubtful(heights: NDArray[np.float64], low: float, high: float) -> list[Finding]:
    """Notice a number that more points share than chance has it, and leave it."""
    sample = _sample(heights)[::4]
    values, counts = np.unique(sample[np.isfinite(sample)], return_counts=True)
    # Of a number that many share, a sample holds a few; most scans end here.
    candidates = [0.0, low, high, *values[counts >= _FEW][np.argsort(-counts[counts >= _FEW], kind="stable")[:1]]]
    findings = []
    for value in dict.fromkeys(map(float, candidates)):
        count = int(np.count_nonzero(heights == value))
        if count < _MANY:
            continue
        next_most = _commonest(heights, value)
        # Heights that are drawn, or as coarse as that, are shared by many.
        if count < _OFTENER * next_most or next_most > _DRAWN * heights.size:
            continue
        findings.append(
            Finding(
                "value-repeated",
                "serious",
                f"{count} points hold exactly {_number(value)}: clipped there, or a number for missing points",
                "kept as heights; see what the exporting program writes for missing points",
            )
        )
    return findings


def _sample(heights: NDArray[np.float64]) -> NDArray[np.float64]:
    return heights.reshape(-1)[:: max(1, heights.size // _SAMPLE)]


def _missing(count: int, held: str) -> Finding:
    return Finding(
        "sentinel-made-missing", "warning", f"{count} points hold {held}, far from all others", "made missing"
    )


def _number(value: Any) -> str:
    return f"{float(value):.9g}"
