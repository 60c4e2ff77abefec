"""Coarse lines counted apart from fine ones: tools that made several barrels leave the former on all of them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np

from ballistics.errors import ParameterError
from ballistics.findings import Finding
from ballistics.striations.signature import Signature, arrangement
from ballistics.striations.wavelengths import (
    Similarity,
    SimilarityParameters,
    common_octaves,
    evidence_of,
    octave_profiles,
    similarity_of,
)
from ballistics_kernels.impressions import NO_CORRELATION
from ballistics_kernels.profiles import correlate_lags, stretched


@dataclass(frozen=True)
class CoarseParameters:
    """The numbers that count coarse lines apart.

    Parameters
    ----------
    coarse_um, fine_um : float
        Coarse lines are this long and longer, fine ones this long and shorter. Broached and button-rifled barrels
        share undulations of a tenth of a millimetre and more; what grinding, wear and chips leave is finer. The octave
        between them holds some of both.
    coarse_nats : float
        From here on coarse lines agree: odds of a thousand to one that they do by chance.
    step_um : float
        Grid on which coarse lines are placed.
    near_um : float
        Fine lines of one source agree where the coarse ones do, to within this.
    share : float
        … and bear this share at least of the evidence that they would bear if they agreed as well as the coarse ones.
        On the six pairs of lands of one barrel at hand they bear .27 and more; noise and wear take from fine lines
        first.
    fewest_fine : float
        With fewer independent fine points nothing is known of them.
    chance_sigmas, chance_nats : float
        Fine lines agree by chance up to the evidence of r at this many standard deviations, and some nats more for the
        best of several places.
    """

    coarse_um: float = 80.0
    fine_um: float = 40.0
    coarse_nats: float = math.log(1000.0)
    step_um: float = 8.0
    near_um: float = 20.0
    share: float = 0.05
    fewest_fine: float = 60.0
    chance_sigmas: float = 2.5
    chance_nats: float = 4.0

    def __post_init__(self) -> None:
        if not 0 < self.fine_um <= self.coarse_um:
            raise ParameterError(
                f"fine lines end at {self.fine_um:g} µm and coarse ones begin at {self.coarse_um:g} µm: they must not "
                "overlap, and lengths are above 0"
            )
        if self.step_um <= 0 or self.near_um < 0:
            raise ParameterError("step_um of coarse lines is above 0, near_um is not below")


@dataclass(frozen=True)
class CoarseLines:
    """How coarse and fine lines of two marks agree, each for itself.

    Parameters
    ----------
    coarse : Similarity
        Of the octaves from 80 µm on, at a placement of its own.
    fine_evidence : float
        Of the octaves up to 40 µm, in nats, at their best lag within 20 µm of that placement.
    fine_points : float
        How many independent values the common points hold there.
    parameters : CoarseParameters
        Where coarse lines end and fine ones begin, and what counts as agreement.
    """

    coarse: Similarity
    fine_evidence: float
    fine_points: float
    parameters: CoarseParameters = field(default_factory=CoarseParameters, repr=False)

    @property
    def alone(self) -> bool:
        """Whether coarse lines agree and fine ones, of which there are enough, do not: as subclass marks do."""
        p = self.parameters
        if not (self.coarse.score > p.coarse_nats and self.fine_points >= p.fewest_fine):
            return False
        points = sum(octave.independent_points for octave in self.coarse.octaves)
        as_the_coarse = self.coarse.evidence / max(points, 1.0) * self.fine_points
        return self.fine_evidence < max(_fine_by_chance(self.fine_points, p), p.share * as_the_coarse)


def coarse_lines(
    a: Signature, b: Signature, parameters: SimilarityParameters | None = None, lines: CoarseParameters | None = None
) -> CoarseLines | None:
    """Compare the coarse lines of two marks for themselves, and the fine ones where the coarse ones lie.

    Parameters
    ----------
    a, b : Signature
    parameters : SimilarityParameters, optional
    lines : CoarseParameters, optional

    Returns
    -------
    CoarseLines or None
        None where the marks carry no coarse octave, or no fine one. The same, to the last bit, when the marks are
        exchanged or both reversed.

    References
    ----------
    Nichols 2007, subclass characteristics, doi:10.1111/j.1556-4029.2007.00422.x.
    """
    p, limits = parameters or SimilarityParameters(), lines or CoarseParameters()
    edges = p.octaves_um
    if sum(e >= limits.coarse_um for e in edges) < 2 or sum(e <= limits.fine_um for e in edges) < 2:
        return None
    long = replace(p, octaves_um=tuple(e for e in edges if e >= limits.coarse_um))
    rough = common_octaves(a, b, long)
    if rough is None:
        return None
    # On the grid that is enough for their correlation, coarse lines would be placed to within 30 µm only.
    spacing = max(a.spacing_um, b.spacing_um)
    step = min(rough[0], max(1, round(limits.step_um / spacing)) * spacing)
    coarse = similarity_of(octave_profiles(a, step, rough[1], long), octave_profiles(b, step, rough[1], long), long)
    fine = replace(p, octaves_um=tuple(e for e in edges if e <= limits.fine_um))
    grid = common_octaves(a, b, fine)
    if coarse.placement is None or grid is None:
        return None
    way = arrangement(a.heights_um, b.heights_um)
    first, second = (b, a) if way.swapped else (a, b)
    if way.reversed:
        first, second = first.reversed(), second.reversed()
    place = coarse.placement.seen(way)
    step_um, edges_um = grid
    x, y = (octave_profiles(signature, step_um, edges_um, fine) for signature in (first, second))
    best = (-math.inf, 0.0)
    # Coarse lines hardly tell a stretch.
    for factor in p.stretches:
        total, points = np.zeros(1), np.zeros(1)
        for u, v, of_u, of_v in zip(
            x.directed(x.turned), y.directed(y.turned), x.autocorrelations, y.autocorrelations, strict=True
        ):
            longer = stretched(np.ascontiguousarray(v), factor)
            middle = round(place.lag_um / step_um + 0.5 * (len(u) - len(longer)))
            reach = round(limits.near_um / step_um)
            r, counts = correlate_lags(np.ascontiguousarray(u), longer, middle - reach, middle + reach, 3.0)
            number = np.where(r > NO_CORRELATION, counts, 0.0) / max(1.0, 1.0 + 2.0 * float((of_u * of_v).sum()))
            total = total + evidence_of(np.where(r > NO_CORRELATION, r, 0.0), number)
            points = points + number
        k = int(np.argmax(total))
        best = max(best, (float(total[k]), float(points[k])))
    return CoarseLines(coarse, *best, limits)


def subclass_findings(lines: CoarseLines | None) -> tuple[Finding, ...]:
    """Return the warning that only coarse lines agree; none where fine ones do too, or nothing does."""
    if lines is None or not lines.alone:
        return ()
    return (
        Finding(
            "coarse-lines-only",
            "serious",
            f"lines of {lines.parameters.coarse_um:g} µm and more agree ({lines.coarse.score:.0f} nats), finer ones do "
            f"not ({lines.fine_evidence:.0f} nats from {lines.fine_points:.0f} points at the same place): tools that "
            "made several barrels or parts leave such lines on all of them",
            "counted apart; look for fine lines before the coarse ones are taken for those of one source",
        ),
    )


def _fine_by_chance(points: float, p: CoarseParameters) -> float:
    """Return up to which evidence fine lines agree by chance: at some sigmas of r, at the best of some places."""
    r = p.chance_sigmas / math.sqrt(points)
    return float(-0.5 * (points - 1.0) * math.log1p(-min(r * r, 0.9))) + p.chance_nats
