"""The Chumbley score, deterministic: do windows at the best match's shift agree better than windows elsewhere?"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from ballistics.errors import ParameterError
from ballistics.striations.correlation import centred
from ballistics.striations.signature import Floats
from ballistics_kernels.profiles import best_window_pair


@dataclass(frozen=True)
class ChumbleyParameters:
    """Window lengths in points, as Hadler & Morris chose them for screwdriver marks.

    Parameters
    ----------
    match_points : int
        Window of the optimisation.
    validation_points : int
        Windows of the validation.
    """

    match_points: int = 500
    validation_points: int = 50

    def __post_init__(self) -> None:
        if self.match_points < 3 or self.validation_points < 3:
            raise ParameterError("windows have at least 3 points")


@dataclass(frozen=True)
class ChumbleyResult:
    """The score and the correlations that it ranks.

    Parameters
    ----------
    score : float
        Standardised Mann–Whitney statistic; above 1.645 (2.326) at 5 % (1 %) for unrelated marks. NaN without windows.
    start_a, start_b : int
        First points of the best matching windows; −1 when there are none.
    same_shift, different_shift : ndarray of float64
        Correlations of the validation windows.
    insufficient : str or None
        Why there is no score; None when there is.
    """

    score: float
    start_a: int
    start_b: int
    same_shift: NDArray[np.float64]
    different_shift: NDArray[np.float64]
    insufficient: str | None = None


def chumbley(a: Floats, b: Floats, parameters: ChumbleyParameters | None = None) -> ChumbleyResult:
    """Return the deterministic Chumbley score of two signatures.

    The windows that correlate best, over all pairs of places, fix a shift. Left and right of them the profiles are
    cut into short windows, which do not overlap. Pairs at the same shift are compared with pairs on the
    antidiagonal: a window to the left on the first with that as far to the right on the second. The rank sum of the
    former, standardised with ties, is the score.

    Parameters
    ----------
    a, b : ndarray of float64, shapes (m,) and (n,)
        Heights without form; NaN for missing points. The method's own lowess smoothing is the removal of form, which
        a signature has behind it.
    parameters : ChumbleyParameters, optional

    Returns
    -------
    ChumbleyResult

    References
    ----------
    Chumbley et al. 2010, doi:10.1111/j.1556-4029.2010.01424.x; Hadler & Morris 2018,
    doi:10.1111/1556-4029.13554.

    Examples
    --------
    >>> rng = np.random.default_rng(3)
    >>> x, y = rng.normal(size=(2, 900))
    >>> p = ChumbleyParameters(300, 40)
    >>> chumbley(x, x + 0.3 * y, p).score > 2.326 > chumbley(x, y, p).score
    True
    """
    p = parameters or ChumbleyParameters()
    x, y = centred(np.asarray(a, np.float64)), centred(np.asarray(b, np.float64))
    s, t, _ = best_window_pair(x, y, p.match_points)
    empty = np.empty(0)
    if s < 0:
        reason = f"no window of {p.match_points} points is complete on both signatures"
        return ChumbleyResult(math.nan, -1, -1, empty, empty, reason)
    m = p.validation_points
    left = min(s, t) // m
    right = min(len(x) - s, len(y) - t) - p.match_points
    offsets = [*(-(k + 1) * m for k in range(left)), *(p.match_points + k * m for k in range(max(right, 0) // m))]
    same = _window_correlations(x, y, [(s + d, t + d) for d in offsets], m)
    opposite = [(s + d, t + p.match_points - m - d) for d in _all_offsets(x, s, p)]
    different = _window_correlations(x, y, opposite, m)
    n_same, n_different = len(same), len(different)
    if n_same == 0 or n_different == 0:
        reason = "beside the best matching windows there is no room for windows to compare"
        return ChumbleyResult(math.nan, s, t, same, different, reason)
    return ChumbleyResult(_standardised(same, different), s, t, same, different)


def _all_offsets(x: Floats, start: int, p: ChumbleyParameters) -> list[int]:
    """Return the offsets from the matched window of all windows of a profile beside it."""
    m = p.validation_points
    after = (len(x) - start - p.match_points) // m
    return [*(-(k + 1) * m for k in range(start // m)), *(p.match_points + k * m for k in range(after))]


def _window_correlations(x: Floats, y: Floats, pairs: list[tuple[int, int]], length: int) -> NDArray[np.float64]:
    """Return the correlations of complete windows that lie on both profiles and are not flat."""
    found = []
    for i, j in pairs:
        if i < 0 or j < 0 or i + length > len(x) or j + length > len(y):
            continue
        u, v = x[i : i + length] - x[i : i + length].mean(), y[j : j + length] - y[j : j + length].mean()
        norm = math.sqrt(float((u * u).sum()) * float((v * v).sum()))
        if norm > 0:
            found.append(float((u * v).sum()) / norm)
    return np.array(found)


def _standardised(same: NDArray[np.float64], different: NDArray[np.float64]) -> float:
    """Return the Mann–Whitney statistic of the former against the latter, standardised with ties."""
    n_same, n_different = len(same), len(different)
    n = n_same + n_different
    ranks = rankdata(np.concatenate([same, different]))
    mean = n_same * (n + 1) / 2.0
    product = n_same * n_different
    variance = product / (n * (n - 1)) * float((ranks**2).sum()) - product * (n + 1) ** 2 / (4.0 * (n - 1))
    return (float(ranks[:n_same].sum()) - mean) / math.sqrt(variance) if variance > 0 else math.nan
