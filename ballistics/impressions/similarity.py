"""One number for how alike two registered marks are, from all they share: every octave, by area, after the search."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from ballistics.impressions.clipping import CLIP_POINTS
from ballistics.impressions.octaves import Octaves
from ballistics.surfaces import Pose
from ballistics_kernels.impressions import turn_onto

Heights = NDArray[np.float32]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class SimilarityParameters:
    """The numbers of the similarity, fixed beforehand and tuned on nothing.

    The octaves end at the long cut-off of the breech-face card (250 µm, Chen 2017) and go down to waves of 31 µm. Below
    them the pose, known to a few µm, would have to be better, and the share of measurement noise grows. Each octave is
    looked at on its own grid, with two and a half points in its shortest wave. Heights are clipped at three robust
    standard deviations, as while registering, so that one deep flaw does not speak for the whole mark; 50 000 points of
    a mark are enough to know its deviation. Fewer than 16 common points have no autocorrelation worth the name.
    Identical marks, of correlation 1, would have infinite evidence: it ends at the highest correlation.
    """

    octaves_um: tuple[float, ...] = (31.25, 62.5, 125.0, 250.0)
    points_per_wave: float = 2.5
    clip_sigmas: float = 3.0
    clip_points: int = CLIP_POINTS
    shared_variance: float = 0.5
    fewest_points: int = 16
    highest_correlation: float = 0.999


@dataclass(frozen=True)
class OctaveAgreement:
    """How two marks agree in one octave of wavelengths.

    Parameters
    ----------
    shortest_um, longest_um : float
        The octave's ISO cut-offs.
    correlation : float
        Pearson's r over the common points, −1 to 1; 0 where a map is flat or there are too few points.
    independent_areas : float
        How many independent values the common area holds in this octave (`effective_number`).
    evidence : float
        In nats, 0 or more.
    """

    shortest_um: float
    longest_um: float
    correlation: float
    independent_areas: float
    evidence: float


@dataclass(frozen=True)
class Similarity:
    """The similarity of two marks at one pose.

    Parameters
    ----------
    score : float
        Evidence of all octaves less the cost of the search, in nats: around 0, and at most some tens, for chance
        agreement, whatever the area (unrelated marks of one class share form: up to 53 were seen on simulated heads);
        growing with the area, and with the correlation, of real agreement. NaN when insufficient. A score is not a
        likelihood ratio: that also needs how much same-source marks vary (`ballistics.evidence`).
    octaves : tuple of OctaveAgreement
        From the shortest waves to the longest.
    overlap_um2 : float
        Common area.
    independent_areas : float
        Those of the longest octave, on which registration rests.
    needed_areas : float
        How many it takes to tell the pose of marks that share half their variance from the best of all chance poses.
    search_cost : float
        ln of the number of independent poses searched.
    insufficient : str or None
        Why the common area cannot carry a comparison; None when it can. It is a result, not an error.
    """

    score: float
    octaves: tuple[OctaveAgreement, ...]
    overlap_um2: float
    independent_areas: float
    needed_areas: float
    search_cost: float
    insufficient: str | None = None


def similarity(
    a: Heights, b: Heights, spacing_um: float, pose: Pose, parameters: SimilarityParameters | None = None
) -> Similarity:
    """Measure how alike two marks are at the pose found by registration.

    Both marks are split into octaves of wavelength. In an octave, two unrelated marks correlate by chance with a
    variance of 1/n, where n is the number of independent areas in the overlap (Bartlett 1946; Clifford 1989). The
    evidence of an octave for a common cause is the generalised log likelihood ratio of n Gaussian pairs,
    −½ (n − 1) ln(1 − r²), and 0 where r is negative; for small r it is half the square of Fisher's z. It is additive
    over octaves and over area, so no cell size, weight or count enters: long waves, which agree well but are few,
    and short ones, which agree less but are many, stand where the data puts them. From the sum goes the price of the
    search, ln M, for the M independent poses of which the best was taken (resels: Worsley 1992).

    It is *insufficient* when in the longest octave, where the registration is decided, these marks are not told from
    the best chance pose, and marks that share half their variance could not be either: n independent areas then give
    n/2 bits, and log₂ M are needed. A small area thus carries a comparison when what is on it agrees well enough.

    Why not the alternatives (methods file): the CMC count depends on cell size and thresholds and is blind below
    them; NCMA (§2.4) removes the cell number but not the thresholds; ACCF (Weller 2012) and Riva's correlation (§3.4)
    do not know on how much area, and how structured a one, they stand; ACES (§2.6) combines 19 features by a learned
    model that would have to be learned again for every kind of mark.

    Parameters
    ----------
    a, b : ndarray of float32, shapes (m, n) and (p, q)
        Prepared heights in µm; NaN marks missing points.
    spacing_um : float
        Their common spacing.
    pose : Pose
        How B lies on A. With `pose.inverse()` and the marks exchanged the result is the same to rounding, unless both
        have equally many valid points: the one with fewer gives the grid.
    parameters : SimilarityParameters, optional
        Defaults as in the class.

    Returns
    -------
    Similarity

    References
    ----------
    Bartlett 1946, doi:10.2307/2983611; Clifford, Richardson & Hémon 1989, doi:10.2307/2532039; Worsley 1992,
    doi:10.1038/jcbfm.1992.127; Weller 2012, doi:10.1111/j.1556-4029.2012.02072.x.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> one, other = rng.normal(size=(2, 200, 200)).astype(np.float32)
    >>> similarity(one, one, 6.25, Pose()).score > 1000
    True
    >>> similarity(one, other, 6.25, Pose()).score < 0
    True
    """
    p = parameters or SimilarityParameters()
    return similarity_of(Octaves(a, spacing_um, p.clip_points), Octaves(b, spacing_um, p.clip_points), pose, p)


def similarity_of(
    mark_a: Octaves, mark_b: Octaves, pose: Pose, parameters: SimilarityParameters | None = None
) -> Similarity:
    """Measure the same as `similarity` for marks whose octaves others use too.

    Parameters
    ----------
    mark_a, mark_b : Octaves
        The marks, of one spacing.
    pose : Pose
        How B lies on A.
    parameters : SimilarityParameters, optional
        Defaults as in the class.

    Returns
    -------
    Similarity
    """
    p, spacing_um = parameters or SimilarityParameters(), mark_a.spacing_um
    if np.isfinite(mark_a.heights).sum() > np.isfinite(mark_b.heights).sum():
        mark_a, mark_b, pose = mark_b, mark_a, pose.inverse()
    a, b = mark_a.heights, mark_b.heights
    octaves, area = [], 0.0
    for shortest, longest in itertools.pairwise(p.octaves_um):
        factor = points_per_step(shortest, p.points_per_wave, spacing_um)
        step_um = factor * spacing_um
        u, v = (mark.between(factor, p.clip_sigmas, shortest, longest) for mark in (mark_a, mark_b))
        turned = np.empty(u.shape, np.float32)
        turn_onto(v, -math.radians(pose.theta_deg), *shift_on_grid(a.shape, b.shape, factor, spacing_um, pose), turned)
        common = np.isfinite(u) & np.isfinite(turned)
        area = area or float(common.sum()) * step_um**2
        r, n = _agreement(u, turned, common, round(longest / step_um), p.fewest_points)
        evidence = -0.5 * max(n - 1.0, 0.0) * math.log1p(-(min(max(r, 0.0), p.highest_correlation) ** 2))
        octaves.append(OctaveAgreement(shortest, longest, r, n, evidence))
    n = octaves[-1].independent_areas
    search_cost = math.log(_independent_poses(a, b, spacing_um, area / n)) if n > 0 else math.nan
    needed = search_cost / (-0.5 * math.log1p(-p.shared_variance))
    reason = None
    if n == 0:
        reason = f"the common area of {area / 1e6:.3f} mm² is too small or too flat to tell anything"
    elif n < needed and octaves[-1].evidence < search_cost:
        reason = (
            f"the common area of {area / 1e6:.3f} mm² holds {n:.0f} independent areas; {needed:.0f} are needed to tell "
            "a true pose from the best chance pose, or a better agreement than there is"
        )
    score = math.nan if reason else sum(octave.evidence for octave in octaves) - search_cost
    return Similarity(score, tuple(octaves), area, n, needed, search_cost, reason)


def points_per_step(shortest_um: float, points_per_wave: float, spacing_um: float) -> int:
    """Return how many points of a mark a point of the grid spans on which an octave is looked at.

    Parameters
    ----------
    shortest_um : float
        Shortest wavelength of the octave.
    points_per_wave : float
        Points of the coarser grid that this wave shall have.
    spacing_um : float
        Distance between points of the mark.

    Returns
    -------
    int
        At least 1.
    """
    return max(1, round(shortest_um / points_per_wave / spacing_um))


def effective_number(u: Heights, v: Heights, common: Bools, longest_lag: int) -> float:
    """Return how many independent pairs of values two maps hold over their common points.

    The variance of the correlation of two unrelated stationary maps over a window is Σ W ρᵤ ρᵥ / N², with the maps'
    autocorrelations ρ and the window's own W at every lag; the effective number is its inverse. Directional marks
    have long autocorrelations along their lines, and so fewer independent areas.

    Parameters
    ----------
    u, v : ndarray of float32, shape (rows, columns)
        Zero mean over the common points, and 0 elsewhere.
    common : ndarray of bool, shape (rows, columns)
    longest_lag : int
        Lags beyond it, in points, count as uncorrelated: there the estimates are noise only.

    Returns
    -------
    float
        1 up to the number of common points; 0 for a flat map.

    References
    ----------
    doi:10.2307/2983611, doi:10.2307/2532039

    Examples
    --------
    >>> u, v = np.random.default_rng(1).normal(size=(2, 100, 100)).astype(np.float32)
    >>> bool(effective_number(u, v, np.ones((100, 100), bool), 4) > 9000)
    True
    """
    rows, columns = np.flatnonzero(common.any(axis=1)), np.flatnonzero(common.any(axis=0))
    if len(rows) == 0:
        return 0.0
    box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    fields = np.stack([u[box], v[box], common[box].astype(np.float32)])
    # Room for the longest lag, so that the cyclic sums do not wrap.
    shape = [scipy.fft.next_fast_len(n + longest_lag, real=True) for n in fields.shape[1:]]
    spectra = scipy.fft.rfft2(fields, s=shape, workers=1)
    sums = scipy.fft.irfft2(np.abs(spectra) ** 2, s=shape, workers=1)
    lags = np.r_[0 : longest_lag + 1, -longest_lag:0]
    of_u, of_v, of_window = sums[:, lags][:, :, lags].astype(np.float64)
    count = float(common.sum())
    power = float(of_u[0, 0]) * float(of_v[0, 0])
    if power <= 0.0:
        return 0.0
    # Where few points overlap at a lag, its estimate is noise, divided by next to nothing.
    used = of_window > 0.25 * count
    variance = float((of_u[used] * of_v[used] / of_window[used]).sum()) / power
    return min(max(1.0 / variance, 1.0), count) if variance > 0.0 else count


def _agreement(u: Heights, v: Heights, common: Bools, longest_lag: int, fewest_points: int) -> tuple[float, float]:
    """Return the correlation over the common points, and the number of independent areas."""
    if common.sum() < fewest_points:
        return 0.0, 0.0
    x, y = (np.where(common, w - w[common].mean(dtype=np.float64), 0.0).astype(np.float32) for w in (u, v))
    number = effective_number(x, y, common, longest_lag)
    if number == 0.0:
        return 0.0, 0.0
    norm = math.sqrt(float((x * x).sum(dtype=np.float64)) * float((y * y).sum(dtype=np.float64)))
    return float((x * y).sum(dtype=np.float64)) / norm, number


def _independent_poses(a: Heights, b: Heights, spacing_um: float, correlation_um2: float) -> float:
    """Return how many poses of B on A, over all shifts and the full circle, agree or not independently.

    Two marks meet over a region as wide as both together; a turn is another pose once the mark moves, root mean
    square, by a correlation length.
    """
    areas = [float(np.isfinite(heights).sum()) * spacing_um**2 for heights in (a, b)]
    shifts = (math.sqrt(areas[0]) + math.sqrt(areas[1])) ** 2 / correlation_um2
    smaller = a if areas[0] <= areas[1] else b
    positions = np.argwhere(np.isfinite(smaller)) * spacing_um
    radius_um = math.sqrt(float(positions.var(axis=0).sum()))
    turns = max(1.0, 2.0 * math.pi * radius_um / math.sqrt(correlation_um2))
    return max(1.0, shifts * turns)


def shift_on_grid(
    shape_a: tuple[int, ...], shape_b: tuple[int, ...], factor: int, spacing_um: float, pose: Pose
) -> tuple[float, float]:
    """Return the shift of a pose in points of a coarser grid.

    A decimated map is up to ``factor − 1`` points larger than the map, so their centres differ.

    Parameters
    ----------
    shape_a, shape_b : tuple of int
        Shapes of the two marks before they are decimated.
    factor : int
        How many points of the marks a point of the grid spans along each axis.
    spacing_um : float
        Distance between points of the marks.
    pose : Pose
        How B lies on A.

    Returns
    -------
    down, right : float
        From the centre of the decimated A to where the centre of the decimated B lies.
    """
    cos, sin = pose.cos_sin()
    ay, ax, by, bx = ((factor * -(-n // factor) - n) / 2 for n in (*shape_a, *shape_b))
    y = pose.dy_um / spacing_um - ay + (cos * by - sin * bx)
    x = pose.dx_um / spacing_um - ax + (cos * bx + sin * by)
    return y / factor, x / factor
