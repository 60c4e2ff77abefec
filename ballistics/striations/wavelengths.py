"""One number for how alike two signatures are, from all wavelengths: evidence by octave, averaged over placements."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from ballistics.errors import ParameterError
from ballistics.striations.correlation import Placement
from ballistics.striations.signature import Arrangement, Floats, Signature, arrangement
from ballistics.surfaces import low_pass
from ballistics_kernels.impressions import NO_CORRELATION
from ballistics_kernels.profiles import correlate_products, stretched

# Identical marks would have infinite evidence.
HIGHEST_CORRELATION = 0.999
# Fewer points than this have no autocorrelation worth the name.
_FEWEST_POINTS = 16


@dataclass(frozen=True)
class SimilarityParameters:
    """The numbers of the similarity.

    Parameters
    ----------
    octaves_um : tuple of float
        Where octaves of wavelength may begin and end. Of these, two signatures are compared in those that both carry:
        no shorter than ``points_per_wave`` points or the band's short cut-off, no longer than its long one, and
        at least ``waves`` of the longest in the shorter signature.
    points_per_wave, waves : float
    clip_sigmas : float
        Each octave's heights are clipped at this multiple of their robust standard deviation: a scratch of one firing,
        or a few deep grooves, do not speak for all striae. Chosen among none, 3, 2 and 1 on every second screwdriver
        mark.
    minimum_overlap : float
        Fewest common points, as a share of the signature that has fewer. What little overlap is worth, the evidence
        knows; the limit only saves time. Chosen among .5, .25 and .15 on every fifteenth profile of the pliers.
    largest_stretch, stretch_step : float
        The second mark is stretched by up to this share either way; 0 for none. Bullets and primers deform, and two
        instruments differ by some tenths of a per cent. On every fifth screwdriver mark with all others the AUC is
        .9866 with, .9834 without.
    """

    octaves_um: tuple[float, ...] = (5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 640.0, 1280.0)
    points_per_wave: float = 2.5
    waves: float = 3.0
    clip_sigmas: float = 2.0
    minimum_overlap: float = 0.25
    largest_stretch: float = 0.03
    stretch_step: float = 0.01

    def __post_init__(self) -> None:
        if len(self.octaves_um) < 2 or any(b <= a for a, b in itertools.pairwise(self.octaves_um)):
            raise ParameterError("octaves_um names at least two wavelengths, ascending")
        if not 0 < self.minimum_overlap <= 1:
            raise ParameterError(f"minimum_overlap is {self.minimum_overlap}; it is a share above 0, at most 1")
        if not 0 <= self.largest_stretch < 0.5 or not self.stretch_step > 0:
            raise ParameterError("largest_stretch is a share from 0 to below .5, stretch_step is above 0")

    @property
    def stretches(self) -> tuple[float, ...]:
        """The factors tried, each with its inverse, from 1 outwards."""
        steps = round(self.largest_stretch / self.stretch_step)
        return (1.0, *(math.exp(s * k * self.stretch_step) for k in range(1, steps + 1) for s in (1, -1)))


@dataclass(frozen=True)
class OctaveAgreement:
    """How two signatures agree in one octave of wavelengths, at the best placement.

    Parameters
    ----------
    shortest_um, longest_um : float
        The octave's ISO cut-offs.
    correlation : float
        Pearson's r over the common points.
    independent_points : float
        How many independent values the common points hold in this octave.
    evidence : float
        In nats; negative where the correlation is.
    """

    shortest_um: float
    longest_um: float
    correlation: float
    independent_points: float
    evidence: float


@dataclass(frozen=True)
class Similarity:
    """The similarity of two signatures.

    Parameters
    ----------
    score : float
        ln of the mean, over all placements, of exp(evidence of all octaves), in nats. The mean pays for the freedom
        of the search: one placement among 500 that agree or not independently must have ln 500 nats more. NaN when
        insufficient. It is not a likelihood ratio: that also needs how much marks of one source vary.
    placement : Placement or None
        Where the evidence is greatest.
    evidence : float
        Of all octaves there.
    octaves : tuple of OctaveAgreement
        From the shortest waves to the longest.
    overlap_um : float
        Length of the common points there.
    placements : int
        How many lags and stretches were looked at.
    insufficient : str or None
        Why there is no score; None when there is.
    """

    score: float
    placement: Placement | None = None
    evidence: float = math.nan
    octaves: tuple[OctaveAgreement, ...] = ()
    overlap_um: float = 0.0
    placements: int = 0
    insufficient: str | None = None


@dataclass(frozen=True, eq=False)
class OctaveProfiles:
    """One signature split into octaves, as often compared.

    Parameters
    ----------
    signature : Signature
    turned : bool
        Whether the octaves run from the signature's other end: they are made in the direction whose bytes come first,
        so that a signature and its reverse have the same.
    step_um : float
        Grid of the octaves.
    edges_um : tuple of float
        Where the octaves begin and end.
    heights : ndarray of float64, shape (octaves, n)
        About their mean, clipped; NaN for missing points.
    autocorrelations : tuple of ndarray of float64
        Of each octave, from lag 1.
    """

    signature: Signature
    turned: bool
    step_um: float
    edges_um: tuple[float, ...]
    heights: Floats
    autocorrelations: tuple[Floats, ...]
    _spectra: dict[tuple[int, bool], NDArray[np.complex128]] = field(default_factory=dict, repr=False)

    def directed(self, turned: bool) -> Floats:
        """Return the octaves, from the other end if wanted, shape (octaves, n)."""
        return np.ascontiguousarray(self.heights[:, ::-1]) if turned else self.heights

    def spectra(self, turned: bool, period: int) -> NDArray[np.complex128]:
        """Return the Fourier transforms of `directed`, missing points 0; kept, as a signature meets many."""
        key = period, turned
        if key not in self._spectra:
            self._spectra[key] = _spectra_of(self.directed(turned), period)
        return self._spectra[key]


def similarity(a: Signature, b: Signature, parameters: SimilarityParameters | None = None) -> Similarity:
    """Measure how alike two signatures are, from all wavelengths that both carry.

    Both are split into octaves of wavelength. In an octave two unrelated signatures correlate by chance with a
    variance of 1/n, where n is the number of independent points of the overlap (Bartlett 1946). The evidence for a
    common cause is the generalised log likelihood ratio of n Gaussian pairs, ∓½ (n − 1) ln(1 − r²), counted against
    it where r is negative. It is additive over octaves and over length, so that neither a weight nor a segment length
    enters. Its exponential is averaged over every placement searched, as one averages a likelihood over what is not
    known: searching further costs, and agreement at one place only pays little.

    Parameters
    ----------
    a, b : Signature
        Spacings, bands and lengths may differ.
    parameters : SimilarityParameters, optional

    Returns
    -------
    Similarity
        Bit for bit the same when the signatures are exchanged or both reversed.

    References
    ----------
    Bartlett 1946, doi:10.2307/2983611; Clifford, Richardson & Hémon 1989, doi:10.2307/2532039.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> x, y = (np.cumsum(rng.normal(size=(2, 800)), axis=1) * 0.1)
    >>> similarity(Signature(x, 1.5625), Signature(x[60:], 1.5625)).score > 500
    True
    >>> similarity(Signature(x, 1.5625), Signature(y, 1.5625)).score < 20
    True
    """
    p = parameters or SimilarityParameters()
    reason = a.insufficient or b.insufficient
    if reason:
        return Similarity(math.nan, insufficient=reason)
    grid = common_octaves(a, b, p)
    if grid is None:
        return Similarity(math.nan, insufficient=_no_octave(a, b))
    step_um, edges_um = grid
    return similarity_of(octave_profiles(a, step_um, edges_um, p), octave_profiles(b, step_um, edges_um, p), p)


def common_octaves(
    a: Signature, b: Signature, parameters: SimilarityParameters | None = None
) -> tuple[float, tuple[float, ...]] | None:
    """Return the octaves that two signatures both carry, and the grid on which to compare them; None without any.

    Parameters
    ----------
    a, b : Signature
        Spacings, bands and lengths may differ.
    parameters : SimilarityParameters, optional
        Defaults as in the class.

    Returns
    -------
    step_um : float
        Of the grid: a multiple of the coarser spacing.
    edges_um : tuple of float
        Where the octaves begin and end, ascending; at least two.
    """
    p = parameters or SimilarityParameters()
    shortest = max(p.points_per_wave * max(a.spacing_um, b.spacing_um), *(s.band_um[0] for s in (a, b) if s.band_um), 0)
    longest = min(s.valid_points * s.spacing_um for s in (a, b)) / p.waves
    longest = min(longest, *(s.band_um[1] for s in (a, b) if s.band_um), math.inf)
    # A millionth of room: cut-offs come out of files.
    edges = tuple(edge for edge in p.octaves_um if shortest * (1 - 1e-6) <= edge <= longest * (1 + 1e-6))
    if len(edges) < 2:
        return None
    spacing = max(a.spacing_um, b.spacing_um)
    return spacing * max(1, math.floor(edges[0] / p.points_per_wave / spacing * (1 + 1e-9))), edges


def octave_profiles(
    signature: Signature, step_um: float, edges_um: tuple[float, ...], parameters: SimilarityParameters | None = None
) -> OctaveProfiles:
    """Split a signature into octaves on a grid; compare many signatures on one grid with `similarity_of`.

    Parameters
    ----------
    signature : Signature
        Of which the octaves are taken.
    step_um : float
        Of the grid, from `common_octaves`.
    edges_um : tuple of float
        Where the octaves begin and end, ascending.
    parameters : SimilarityParameters, optional
        Of them only ``clip_sigmas``.

    Returns
    -------
    OctaveProfiles
    """
    p = parameters or SimilarityParameters()
    forward, backward = signature.heights_um, signature.heights_um[::-1]
    turned = backward.tobytes() < forward.tobytes()
    given = np.ascontiguousarray(backward if turned else forward)
    spacing = signature.spacing_um
    levels = [low_pass(given[None], (spacing, spacing), edge)[0] for edge in edges_um]
    octaves, rhos = [], []
    for (fine, rough), longest in zip(itertools.pairwise(levels), edges_um[1:], strict=True):
        octave = stretched(np.ascontiguousarray(fine - rough), spacing / step_um)
        octave = _clipped(octave, p.clip_sigmas)
        octaves.append(octave)
        rhos.append(_autocorrelation(octave, round(longest / step_um)))
    return OctaveProfiles(signature, turned, step_um, edges_um, np.array(octaves), tuple(rhos))


def similarity_of(a: OctaveProfiles, b: OctaveProfiles, parameters: SimilarityParameters | None = None) -> Similarity:
    """Measure how alike two signatures are that were split on one grid; see `similarity`.

    Parameters
    ----------
    a, b : OctaveProfiles
        Of one grid and the same octaves.
    parameters : SimilarityParameters, optional
        Stretches and least overlap; the same as the octaves were made with.

    Returns
    -------
    Similarity
        Insufficient when a signature has too few points.

    Raises
    ------
    ParameterError
        If their grids or octaves differ.
    """
    p = parameters or SimilarityParameters()
    if a.step_um != b.step_um or a.edges_um != b.edges_um:
        raise ParameterError("the two signatures were split on different grids; split both on that of common_octaves")
    way = arrangement(a.signature.heights_um, b.signature.heights_um)
    first, second = (b, a) if way.swapped else (a, b)
    # The first stands in its own direction by the rule of `arrangement`; the second may have to be turned.
    turns = first.turned != way.reversed, second.turned != way.reversed
    excess = [1.0 + 2.0 * float((u * v).sum()) for u, v in zip(a.autocorrelations, b.autocorrelations, strict=True)]
    points = min(int(np.isfinite(v.heights[0]).sum()) for v in (a, b))
    if points < _FEWEST_POINTS:
        return Similarity(math.nan, insufficient=_no_octave(a.signature, b.signature))
    minimum = max(3.0, p.minimum_overlap * points)
    return _searched((first, second), turns, [max(e, 1.0) for e in excess], minimum, way, p)


def _searched(
    profiles: tuple[OctaveProfiles, OctaveProfiles],
    turns: tuple[bool, bool],
    points_per_value: list[float],
    minimum: float,
    way: Arrangement,
    p: SimilarityParameters,
) -> Similarity:
    """Average the evidence over all lags and stretches, and describe the best place."""
    grid = profiles[0]
    x, y = (v.directed(turned) for v, turned in zip(profiles, turns, strict=True))
    totals, best, chosen = [], -math.inf, None
    for factor in p.stretches:
        longer = y if factor == 1.0 else np.stack([stretched(v, factor) for v in y])
        m, n = x.shape[1], longer.shape[1]
        # No lag with fewer points in reach can have enough in common.
        first_lag, last_lag = math.ceil(minimum) - n, m - math.ceil(minimum)
        if last_lag < first_lag:
            continue
        # Long enough that no other lag is folded onto those looked at.
        period = scipy.fft.next_fast_len(max(m - first_lag, n + last_lag), real=True)
        of_x = profiles[0].spectra(turns[0], period)
        of_y = profiles[1].spectra(turns[1], period) if factor == 1.0 else _spectra_of(longer, period)
        products = scipy.fft.irfft(of_x * of_y.conj(), period, axis=1, workers=1)
        r, per_octave = correlate_products(products, x, longer, first_lag, last_lag, minimum)
        counts = per_octave[0]
        allowed = (r > NO_CORRELATION).all(axis=0)
        if not allowed.any():
            continue
        r, counts = r[:, allowed], counts[allowed]
        values = counts / np.array(points_per_value)[:, None]
        evidence = evidence_of(r, values)
        total = evidence.sum(axis=0)
        totals.append(total)
        k = int(np.argmax(total))
        if total[k] > best:
            lag = float(np.flatnonzero(allowed)[k] + first_lag + 0.5 * (n - m)) * grid.step_um
            best, chosen = float(total[k]), (Placement(lag, factor), r[:, k], values[:, k], evidence[:, k], counts[k])
    if chosen is None:
        reason = "the signatures are flat, or share too few points at every lag, to be compared"
        return Similarity(math.nan, insufficient=reason)
    placement, rs, ns, es, count = chosen
    octaves = tuple(
        OctaveAgreement(shortest, longest, float(r), float(n), float(e))
        for (shortest, longest), r, n, e in zip(itertools.pairwise(grid.edges_um), rs, ns, es, strict=True)
    )
    everywhere = np.concatenate(totals)
    mean = best + math.log(float(np.exp(everywhere - best).sum()) / len(everywhere))
    return Similarity(mean, placement.seen(way), best, octaves, float(count) * grid.step_um, len(everywhere), None)


def _spectra_of(octaves: Floats, period: int) -> NDArray[np.complex128]:
    filled = np.where(np.isfinite(octaves), octaves, 0.0)
    return np.asarray(scipy.fft.rfft(filled, period, axis=1, workers=1), dtype=np.complex128)


def evidence_of(r: Floats, values: Floats) -> Floats:
    """Return ∓½ (n − 1) ln(1 − r²), with the sign of r."""
    limited = np.clip(r, -HIGHEST_CORRELATION, HIGHEST_CORRELATION)
    return np.asarray(-0.5 * np.maximum(values - 1.0, 0.0) * np.log1p(-(limited**2)) * np.sign(r))


def _clipped(heights: Floats, sigmas: float) -> Floats:
    """Return heights about their median, clipped at robust standard deviations, then about their mean."""
    valid = np.isfinite(heights)
    if not valid.any():
        return heights
    values = heights[valid] - np.median(heights[valid])
    sigma = 1.4826 * float(np.median(np.abs(values)))
    out = heights.copy()
    values = np.clip(values, -sigmas * sigma, sigmas * sigma)
    out[valid] = values - values.mean()
    return out


def _autocorrelation(heights: Floats, longest_lag: int) -> NDArray[np.float64]:
    """Return the autocorrelation at lags 1 to the longest; 0 where too few points are that far apart."""
    known = np.isfinite(heights)
    values = np.where(known, heights, 0.0)
    mask = known.astype(np.float64)
    n = len(heights)
    power = float((values * values).sum())
    out = np.zeros(longest_lag)
    if power <= 0.0:
        return out
    count = float(mask.sum())
    for lag in range(1, min(longest_lag, n - 1) + 1):
        pairs = float((mask[lag:] * mask[:-lag]).sum())
        if pairs > 0.25 * count:
            out[lag - 1] = float((values[lag:] * values[:-lag]).sum()) / pairs / (power / count)
    return out


def _no_octave(a: Signature, b: Signature) -> str:
    lengths = " and ".join(
        f"{s.valid_points * s.spacing_um:.0f} µm of points {s.spacing_um:g} µm apart" for s in (a, b)
    )
    bands = "".join(f", kept from {s.band_um[0]:g} to {s.band_um[1]:g} µm" for s in (a, b) if s.band_um)
    return f"the signatures ({lengths}{bands}) have no octave of wavelengths in common that could be compared"
