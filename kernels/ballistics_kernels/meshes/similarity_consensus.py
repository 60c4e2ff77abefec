"""The similarity, mirrored or not, that most correspondences between two sets of points follow."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ballistics_kernels.accelerate import helper, kernel

# Correspondences are counted in this number of parts; a similarity is given up when the first part alone, times their
# number, has less than this share of the worst weight that is kept.
_PARTS = 5
_HOPELESS = 0.5


class Correspondences(NamedTuple):
    """Points of two surfaces that correspond.

    Parameters
    ----------
    sources, targets : ndarray of float64, shape (m, 3)
        Finite.
    source_normals, target_normals : ndarray of float64, shape (m, 3)
        Unit normals there, of either sign.
    weights : ndarray of float64, shape (m,)
        What a follower of a similarity counts; not negative.
    """

    sources: NDArray[np.float64]
    targets: NDArray[np.float64]
    source_normals: NDArray[np.float64]
    target_normals: NDArray[np.float64]
    weights: NDArray[np.float64]


class ConsensusLimits(NamedTuple):
    """When correspondences follow a similarity, and how many are tried.

    Parameters
    ----------
    tries : int
        Thirds that are tried with each pair: the next in ``thirds``, from the first again after the last.
    scale, slack : float
        Expected length of a target over that of its source, and the factor ≥ 1 by which it may differ.
    shortest : float
        Least side of a source triangle.
    tolerance : float
        A correspondence follows when its source lands within it of its target, in the unit of the targets. The
        weight falls from full at no distance to none there (parabola).
    least_cosine : float
        Of the angle between the normals of a correspondence, for it to be tried or to follow.
    keep : int
        Similarities to return, best first. One that moves the three corners of its triangle to within half the
        tolerance of where a better one moves them is the same and is left out.
    """

    tries: int
    scale: float
    slack: float
    shortest: float
    tolerance: float
    least_cosine: float
    keep: int


@helper
def _frame(
    a: NDArray[np.float64], b: NDArray[np.float64], c: NDArray[np.float64], frame: NDArray[np.float64]
) -> tuple[float, float, float]:
    """Write the right-handed frame of a triangle to the rows of ``frame``; return its three sides."""
    for k in range(3):
        frame[0, k] = b[k] - a[k]
        frame[1, k] = c[k] - a[k]
    ab = np.sqrt(frame[0, 0] ** 2 + frame[0, 1] ** 2 + frame[0, 2] ** 2)
    ac = np.sqrt(frame[1, 0] ** 2 + frame[1, 1] ** 2 + frame[1, 2] ** 2)
    bc = np.sqrt((c[0] - b[0]) ** 2 + (c[1] - b[1]) ** 2 + (c[2] - b[2]) ** 2)
    if ab <= 0.0:
        return 0.0, ac, bc
    along = 0.0
    for k in range(3):
        frame[0, k] /= ab
        along += frame[0, k] * frame[1, k]
    height = 0.0
    for k in range(3):
        frame[1, k] -= along * frame[0, k]
        height += frame[1, k] ** 2
    height = np.sqrt(height)
    # A triangle that is nearly a line does not fix the turn about itself.
    if height <= 0.15 * ab:
        return 0.0, ac, bc
    for k in range(3):
        frame[1, k] /= height
    frame[2, 0] = frame[0, 1] * frame[1, 2] - frame[0, 2] * frame[1, 1]
    frame[2, 1] = frame[0, 2] * frame[1, 0] - frame[0, 0] * frame[1, 2]
    frame[2, 2] = frame[0, 0] * frame[1, 1] - frame[0, 1] * frame[1, 0]
    return ab, ac, bc


@helper
def _agree(given: Correspondences, a: int, b: int, limits: ConsensusLimits) -> bool:
    """Return whether the lengths of two correspondences allow them to belong to one similarity of about a scale."""
    here = 0.0
    there = 0.0
    for k in range(3):
        here += (given.sources[a, k] - given.sources[b, k]) ** 2
        there += (given.targets[a, k] - given.targets[b, k]) ** 2
    if here < limits.shortest * limits.shortest:
        return False
    here = np.sqrt(here)
    there = np.sqrt(there)
    least = limits.scale / limits.slack * here - limits.tolerance
    return least <= there <= limits.scale * limits.slack * here + limits.tolerance


@helper
def _followers(
    s: NDArray[np.float64], size: float, given: Correspondences, limits: ConsensusLimits, part: int
) -> float:
    """Return the weight of those that follow a similarity, of every `_PARTS`-th correspondence from ``part`` on."""
    sources, targets, source_normals, target_normals, weights = given
    tolerance = limits.tolerance
    score = 0.0
    for p in range(part, sources.shape[0], _PARTS):
        off = 0.0
        for i in range(3):
            d = s[i, 0] * sources[p, 0] + s[i, 1] * sources[p, 1] + s[i, 2] * sources[p, 2] + s[i, 3] - targets[p, i]
            off += d * d
        off = 1.0 - off / (tolerance * tolerance)
        if off > 0.0:
            cosine = 0.0
            for i in range(3):
                turned = 0.0
                for j in range(3):
                    turned += s[i, j] * source_normals[p, j]
                cosine += turned * target_normals[p, i]
            if abs(cosine) >= limits.least_cosine * size:
                score += weights[p] * off
    return score


@kernel
def similarity_consensus(
    correspondences: Correspondences, pairs: NDArray[np.int64], thirds: NDArray[np.int64], limits: ConsensusLimits
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Try the similarities of many triples of correspondences, each mirrored too, and keep the best.

    Parameters
    ----------
    correspondences : Correspondences
    pairs : ndarray of int64, shape (p, 2)
        Correspondences to try together.
    thirds : ndarray of int64, shape (t,)
        Correspondences to try with a pair whose lengths agree.
    limits : ConsensusLimits

    Returns
    -------
    similarities : ndarray of float64, shape (keep, 3, 4)
        target = S[:, :3] · source + S[:, 3].
    scores : ndarray of float64, shape (keep,)
        Weight of the followers; 0 where fewer than ``keep`` were found. Cost: p + triples that agree × m.

    Notes
    -----
    Random sample consensus: Fischler & Bolles 1981, doi:10.1145/358669.358692.
    """
    sources, targets, source_normals, target_normals, _ = correspondences
    tries, scale, slack, _, tolerance, least_cosine, keep = limits
    best = np.zeros((keep, 3, 4), np.float64)
    scores = np.zeros(keep, np.float64)
    f = np.empty((3, 3), np.float64)
    g = np.empty((3, 3), np.float64)
    s = np.empty((3, 4), np.float64)
    third = 0
    for pair in range(pairs.shape[0]):
        a = pairs[pair, 0]
        b = pairs[pair, 1]
        if not _agree(correspondences, a, b, limits):
            continue
        for _ in range(tries):
            c = thirds[third]
            third = third + 1 if third + 1 < thirds.size else 0
            if not (_agree(correspondences, a, c, limits) and _agree(correspondences, b, c, limits)):
                continue
            u, v, w = _frame(sources[a], sources[b], sources[c], f)
            if u <= 0.0:
                continue
            x, y, z = _frame(targets[a], targets[b], targets[c], g)
            if x <= 0.0:
                continue
            size = (x + y + z) / (u + v + w)
            if size > scale * slack or size * slack < scale:
                continue
            if abs(x - size * u) > tolerance or abs(y - size * v) > tolerance or abs(z - size * w) > tolerance:
                continue
            for mirrored in range(2):
                side = 1.0 if mirrored == 0 else -1.0
                alike = True
                for p in (a, b, c):
                    cosine = 0.0
                    for i in range(3):
                        here = 0.0
                        there = 0.0
                        for j in range(3):
                            here += f[i, j] * source_normals[p, j]
                            there += g[i, j] * target_normals[p, j]
                        cosine += here * there * (side if i == 2 else 1.0)
                    if abs(cosine) < least_cosine:
                        alike = False
                        break
                if not alike:
                    continue
                for i in range(3):
                    for j in range(3):
                        s[i, j] = size * (g[0, i] * f[0, j] + g[1, i] * f[1, j] + side * g[2, i] * f[2, j])
                for i in range(3):
                    s[i, 3] = 0.0
                    for p in (a, b, c):
                        s[i, 3] += targets[p, i] - (
                            s[i, 0] * sources[p, 0] + s[i, 1] * sources[p, 1] + s[i, 2] * sources[p, 2]
                        )
                    s[i, 3] /= 3.0
                score = _followers(s, size, correspondences, limits, 0)
                # Most are of no use; a fifth of the correspondences tells.
                if _PARTS * score < _HOPELESS * scores[keep - 1]:
                    continue
                for part in range(1, _PARTS):
                    score += _followers(s, size, correspondences, limits, part)
                if score <= scores[keep - 1]:
                    continue
                # Look for the same motion among those kept: the corners land at the same places.
                place = -1
                for r in range(keep):
                    if scores[r] <= 0.0:
                        break
                    same = True
                    for p in (a, b, c):
                        off = 0.0
                        for i in range(3):
                            d = s[i, 3] - best[r, i, 3]
                            for j in range(3):
                                d += (s[i, j] - best[r, i, j]) * sources[p, j]
                            off += d * d
                        if off > tolerance * tolerance * 0.25:
                            same = False
                    # Three corners do not tell a reflection from a turn.
                    if same and (_sign(s) == _sign(best[r])):
                        place = r
                        break
                if place >= 0:
                    if score <= scores[place]:
                        continue
                else:
                    place = keep - 1
                while place > 0 and scores[place - 1] < score:
                    scores[place] = scores[place - 1]
                    best[place] = best[place - 1]
                    place -= 1
                scores[place] = score
                best[place] = s
    return best, scores


@helper
def _sign(s: NDArray[np.float64]) -> bool:
    """Return whether a similarity does not reflect."""
    return (
        s[0, 0] * (s[1, 1] * s[2, 2] - s[1, 2] * s[2, 1])
        - s[0, 1] * (s[1, 0] * s[2, 2] - s[1, 2] * s[2, 0])
        + s[0, 2] * (s[1, 0] * s[2, 1] - s[1, 1] * s[2, 0])
    ) > 0.0
