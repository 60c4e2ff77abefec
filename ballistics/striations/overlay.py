"""Two signatures on one axis, the second where a placement puts it on the first."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ballistics.striations.correlation import Placement, resampled
from ballistics.striations.matching_striae import StriaMatch
from ballistics.striations.signature import Arrangement, Floats, Signature
from ballistics_kernels.profiles import stretched


@dataclass(frozen=True, eq=False)
class Overlay:
    """Two signatures on one axis.

    Parameters
    ----------
    a_um, b_um : ndarray of float64, shape (k,)
        From the first point of either to the last; NaN where a signature has none.
    spacing_um : float
        The coarser of the two spacings.
    first_um : float
        Where the first point lies, from the middle of A.
    """

    a_um: Floats
    b_um: Floats
    spacing_um: float
    first_um: float

    @property
    def places_um(self) -> Floats:
        """Place of every point, from the middle of A."""
        return self.first_um + self.spacing_um * np.arange(len(self.a_um), dtype=np.float64)


def overlay(a: Signature, b: Signature, placement: Placement) -> Overlay:
    """Return two signatures on one axis, B where a placement puts it on A, to the nearest point.

    Parameters
    ----------
    a, b : Signature
    placement : Placement

    Examples
    --------
    >>> x = np.arange(6.0)
    >>> found = overlay(Signature(x, 2.0), Signature(x[2:], 2.0), Placement(2.0))
    >>> found.first_um, found.b_um
    (-5.0, array([nan, nan,  2.,  3.,  4.,  5.]))
    """
    spacing = max(a.spacing_um, b.spacing_um)
    x, y = (resampled(s.heights_um, s.spacing_um, spacing) for s in (a, b))
    return overlaid(x, y, placement, spacing)


def overlaid(a: Floats, b: Floats, placement: Placement, spacing_um: float) -> Overlay:
    """Return two profiles of one spacing on one axis, the second where a placement puts it on the first.

    Parameters
    ----------
    a, b : ndarray of float64, shapes (m,) and (n,)
        Heights in µm; NaN for missing points.
    placement : Placement
        How B lies on A; its lag is rounded to points.
    spacing_um : float
        Distance between points of both.

    Returns
    -------
    Overlay
    """
    longer = stretched(np.ascontiguousarray(b), placement.stretch)
    lag = round(placement.lag_um / spacing_um + 0.5 * (len(a) - len(longer)))
    start, stop = min(0, lag), max(len(a), len(longer) + lag)
    u, v = np.full((2, stop - start), np.nan)
    u[-start : len(a) - start] = a
    v[lag - start : lag - start + len(longer)] = longer
    return Overlay(u, v, spacing_um, (start - 0.5 * (len(a) - 1)) * spacing_um)


def striae_as_given(
    striae: tuple[StriaMatch, ...], computed: Overlay, given: Overlay, placement: Placement, way: Arrangement
) -> tuple[StriaMatch, ...]:
    """Return striae found on two profiles in another order or direction as points of the axis of the marks as given.

    Parameters
    ----------
    striae : tuple of StriaMatch
        In points of ``computed``.
    computed, given : Overlay
        The profiles as arranged by ``way``, and as given.
    placement : Placement
        How the second mark given lies on the first.
    way : Arrangement
    """

    def moved(place: float) -> float:
        um = computed.first_um + place * computed.spacing_um
        um = -um if way.reversed else um
        um = placement.lag_um + placement.stretch * um if way.swapped else um
        return (um - given.first_um) / given.spacing_um

    ends = [(moved(stria.start), moved(stria.stop), stria) for stria in striae]
    found = tuple(replace(stria, start=min(u, v), stop=max(u, v)) for u, v, stria in ends)
    return found[::-1] if way.reversed else found
