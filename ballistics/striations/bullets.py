"""Two bullets, land by land: the phase at which their lands agree, and how sure that phase is."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ballistics.drawing import figure_html, new_axes
from ballistics.findings import Finding
from ballistics.striations.preparation.lands import Land
from ballistics.striations.signature import Signature
from ballistics.striations.wavelengths import (
    OctaveProfiles,
    SimilarityParameters,
    common_octaves,
    octave_profiles,
    similarity_of,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes


# All orders of the lands are tried up to this number of lands; beyond, as many are drawn.
_ALL_ORDERS = 8
_DRAWN_ORDERS = 40320
_SEED = 1
# A land this much wider or narrower than its siblings has a wrong shoulder, or another barrel.
_WIDTH_SHARE = 0.04


@dataclass(frozen=True, eq=False)
class BulletComparison:
    """The lands of two bullets against each other.

    Parameters
    ----------
    scores : ndarray of float64, shape (lands of A, lands of B)
        Similarity of every pair in nats; NaN for missing and insufficient lands.
    phase : int or None
        Land i of A was cut by what cut land i + phase of B, counted round; None when insufficient.
    score : float
        ln of the mean over all phases of exp(sum of the scores in that phase): it pays for the choice of the phase.
    phase_means : ndarray of float64, shape (phases,)
        Mean score of the pairs of each phase; NaN for a phase without pairs.
    margin : float
        By how much, in the mean score, the best phase exceeds the next.
    pairs : int
        Pairs of lands in the best phase.
    probability : float
        Share of all orders of the lands of B, taken as equally likely, that reach such a best phase; of more than
        eight lands the share of 40 320 drawn orders and the order as it is (Phipson & Smyth 2010,
        doi:10.2202/1544-6115.1585).
    overlap_um : float
        Common length of the pairs of the best phase, all together; NaN when not known.
    insufficient : str or None
        Why there is no score; None when there is.
    findings : tuple of Finding
        Whether the second bullet agrees better turned by 180°: its lands from the other end, in either order.
    """

    scores: NDArray[np.float64]
    phase: int | None
    score: float
    phase_means: NDArray[np.float64]
    margin: float
    pairs: int
    probability: float
    overlap_um: float = math.nan
    insufficient: str | None = None
    findings: tuple[Finding, ...] = ()

    def plot(self, axes: Axes | None = None) -> Axes:
        """Draw the lands against each other, the pairs of the best phase framed.

        Parameters
        ----------
        axes : matplotlib Axes, optional
            Where to draw; a figure of its own if None.
        """
        from matplotlib.patches import Rectangle

        axes = axes or new_axes()
        image = axes.imshow(np.sqrt(np.maximum(self.scores, 0.0)), cmap="Blues")
        rows, columns = self.scores.shape
        for i in range(rows):
            for j in range(columns):
                if np.isfinite(self.scores[i, j]):
                    colour = "white" if self.scores[i, j] > 0.4 * np.nanmax(self.scores) else "black"
                    axes.text(j, i, f"{self.scores[i, j]:.0f}", ha="center", va="center", color=colour)
                if self.phase is not None and j == (i + self.phase) % len(self.phase_means):
                    axes.add_patch(
                        Rectangle((j - 0.5, i - 0.5), 1, 1, fill=False, edgecolor="tab:orange", linewidth=2.0)
                    )
        axes.set_xticks(range(columns), [f"B{j + 1}" for j in range(columns)])
        axes.set_yticks(range(rows), [f"A{i + 1}" for i in range(rows)])
        axes.set_title(repr(self)[1:-1], fontsize="small")
        image.set_clim(0.0, None)
        return axes

    def __repr__(self) -> str:
        if self.insufficient is not None:
            return f"<BulletComparison: insufficient: {self.insufficient}>"
        return (
            f"<BulletComparison: {self.pairs} pairs of lands, score {self.score:.0f} nats, "
            f"margin {self.margin:.0f} nats, by chance {self.probability:.2g}>"
        )

    def _repr_html_(self) -> str:
        return figure_html(repr(self), self.plot)


def compare_bullets(
    a: Sequence[Signature | None],
    b: Sequence[Signature | None],
    parameters: SimilarityParameters | None = None,
    *,
    fragment: bool = False,
) -> BulletComparison:
    """Compare two bullets over all their lands.

    Parameters
    ----------
    a, b : sequence of Signature or None
        Lands in their order round the bullet; None for a land that is missing.
    parameters : SimilarityParameters, optional
    fragment : bool
        ``b`` is what is left of a bullet: neighbouring lands, fewer than ``a`` has, of a bullet that may have had as
        many.

    Returns
    -------
    BulletComparison
        Insufficient for different numbers of lands, or without a pair of lands that can be compared.

    References
    ----------
    Hare, Hofmann & Carriquiry 2017, doi:10.1214/17-AOAS1080 (sequence average maximum).
    """
    n = len(a)
    if n == 0 or len(b) == 0:
        return _insufficient(np.empty((n, len(b))), "a bullet without lands cannot be compared")
    if fragment and len(b) < n:
        b = [*b, *[None] * (n - len(b))]
    if len(b) != n:
        return _insufficient(np.full((n, len(b)), np.nan), _other_numbers(n, len(b)))
    found = bullet_of_scores(*similarities_of_lands(a, b, parameters))
    return replace(found, findings=_other_way(a, b, found, parameters))


def bullet_of_scores(scores: NDArray[np.float64], overlaps_um: NDArray[np.float64] | None = None) -> BulletComparison:
    """Compare two bullets of which the scores of all lands are known.

    Parameters
    ----------
    scores : ndarray of float64, shape (n, n)
        Of every land of the one with every land of the other; NaN for none. Bullets with different numbers of lands
        are insufficient.
    overlaps_um : ndarray of float64, shape (n, n), optional
        The common length that each score stands on.

    Returns
    -------
    BulletComparison

    Examples
    --------
    >>> found = bullet_of_scores(np.array([[3.0, 90.0], [80.0, np.nan]]), np.full((2, 2), 1500.0))
    >>> found.phase, found.pairs, found.overlap_um
    (1, 2, 3000.0)
    """
    if scores.shape[0] != scores.shape[1]:
        return _insufficient(scores, _other_numbers(*scores.shape))
    n = len(scores)
    _, counts = _phases(scores[None])
    counts = counts[0]
    rows = np.arange(n)
    sums = np.array([math.fsum(np.nan_to_num(scores[rows, (rows + k) % n])) for k in range(n)])
    if counts.max() == 0:
        return _insufficient(scores, "no two lands of the bullets can be compared: missing, or insufficient")
    means = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
    best = int(np.argmax(np.where(counts > 0, sums, -np.inf)))
    others = np.delete(means, best)
    margin = float(means[best] - np.nanmax(others)) if np.isfinite(others).any() else math.nan
    # Exact sums: the same to the last bit when the bullets are exchanged, which changes the order of the phases.
    score = float(sums[best]) + math.log(math.fsum(np.exp(sums - sums[best])) / n)
    overlap = math.nan
    if overlaps_um is not None:
        compared = np.isfinite(scores[rows, (rows + best) % n])
        overlap = math.fsum(overlaps_um[rows, (rows + best) % n][compared])
    return BulletComparison(
        scores, best, score, means, margin, int(counts[best]), _chance(scores, float(sums[best])), overlap
    )


def _other_way(
    a: Sequence[Signature | None],
    b: Sequence[Signature | None],
    found: BulletComparison,
    parameters: SimilarityParameters | None,
) -> tuple[Finding, ...]:
    """Report a better agreement with the second bullet turned by 180°; it is never taken for the score."""
    if found.insufficient:
        return ()
    turned = land_scores(a, [None if signature is None else signature.reversed() for signature in b], parameters)
    ways = ("its lands in the same order", turned), ("its lands in the opposite order", turned[:, ::-1])
    score, words = max((bullet_of_scores(scores).score, words) for words, scores in ways)
    if not score > max(found.score, 0.0) + math.log(1000.0):
        return ()
    return (
        Finding(
            "bullet-turned",
            "serious",
            f"the second bullet agrees better turned by 180°, {words}: {score:.0f} nats instead of {found.score:.0f}",
            "nothing: the score is that of the bullets as scanned; check the direction of the scans",
        ),
    )


def land_scores(
    a: Sequence[Signature | None], b: Sequence[Signature | None], parameters: SimilarityParameters | None = None
) -> NDArray[np.float64]:
    """Return the similarity of every land of A with every land of B.

    Parameters
    ----------
    a, b : sequence of Signature or None
        The lands of two bullets; None for one that is missing.
    parameters : SimilarityParameters, optional
        Defaults as in the class.

    Returns
    -------
    ndarray of float64, shape (len(a), len(b))
        In nats; NaN where a land is missing or insufficient, of another kind, or the two carry no common octave.
    """
    return similarities_of_lands(a, b, parameters)[0]


def similarities_of_lands(
    a: Sequence[Signature | None], b: Sequence[Signature | None], parameters: SimilarityParameters | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what `land_scores` returns, and the common length in µm that each score stands on.

    Parameters
    ----------
    a, b : sequence of Signature or None
    parameters : SimilarityParameters, optional

    Returns
    -------
    scores, overlaps_um : ndarray of float64, shape (len(a), len(b))
    """
    p = parameters or SimilarityParameters()
    split: dict[tuple[int, float, tuple[float, ...]], OctaveProfiles] = {}

    def octaves(signature: Signature, step_um: float, edges_um: tuple[float, ...]) -> OctaveProfiles:
        key = id(signature), step_um, edges_um
        if key not in split:
            split[key] = octave_profiles(signature, step_um, edges_um, p)
        return split[key]

    scores, overlaps = np.full((2, len(a), len(b)), np.nan)
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            if x is None or y is None or x.insufficient or y.insufficient or x.kind != y.kind:
                continue
            grid = common_octaves(x, y, p)
            if grid is not None:
                found = similarity_of(octaves(x, *grid), octaves(y, *grid), p)
                scores[i, j], overlaps[i, j] = found.score, found.overlap_um
    return scores, overlaps


def land_width_findings(lands: Sequence[Land | None]) -> tuple[tuple[Finding, ...], ...]:
    """Return, for each land of one bullet, what its width says about its shoulders.

    All lands of a barrel are equally wide. A land with both shoulders whose width is not that of its siblings has one
    of them at the wrong place.

    Parameters
    ----------
    lands : sequence of Land or None
    """
    widths = np.array(
        [
            land.right.place_um - land.left.place_um
            if land is not None and land.left.shoulder and land.right.shoulder
            else math.nan
            for land in lands
        ]
    )
    known = np.isfinite(widths)
    if known.sum() < 3:
        return tuple(() for _ in lands)
    usual = float(np.median(widths[known]))
    return tuple(
        (
            Finding(
                "land-width-differs",
                "warning",
                f"the land is {width:.0f} µm wide between its shoulders, its siblings {usual:.0f} µm: a shoulder was "
                "taken at the wrong place, or is damaged",
                "look at the picture, or give the ends",
            ),
        )
        if math.isfinite(width) and abs(width - usual) > _WIDTH_SHARE * usual
        else ()
        for width in widths
    )


def _phases(scores: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return sum and number of the known scores in every phase, shape (matrices, n) for (matrices, n, n)."""
    n = scores.shape[1]
    rows = np.arange(n)
    in_phase = np.stack([scores[:, rows, (rows + k) % n] for k in range(n)], axis=1)
    known = np.isfinite(in_phase)
    return np.where(known, in_phase, 0.0).sum(axis=2), known.sum(axis=2)


def _chance(scores: NDArray[np.float64], observed: float) -> float:
    """Return the share of the orders of the columns whose best phase sums to at least the observed."""
    n = scores.shape[1]
    if n <= _ALL_ORDERS:
        orders = np.array(list(itertools.permutations(range(n))))
    else:
        rng = np.random.default_rng(_SEED)
        # The order as it is counts among those drawn: a share of none would say impossible.
        orders = np.stack([np.arange(n), *(rng.permutation(n) for _ in range(_DRAWN_ORDERS))])
    reached = 0
    for block in np.array_split(orders, max(1, len(orders) // 2000)):
        sums, counts = _phases(scores[:, block].transpose(1, 0, 2))
        best = np.where(counts > 0, sums, -np.inf).max(axis=1)
        reached += int((best >= observed - 1e-9).sum())
    return reached / len(orders)


def _other_numbers(a: int, b: int) -> str:
    return f"the bullets have {a} and {b} lands: barrels of a different class; if one is a fragment, say so"


def _insufficient(scores: NDArray[np.float64], reason: str) -> BulletComparison:
    return BulletComparison(scores, None, math.nan, np.full(len(scores), np.nan), math.nan, 0, math.nan,
                            insufficient=reason)  # fmt: skip
