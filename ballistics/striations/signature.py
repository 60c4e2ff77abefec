"""A Signature: the mean profile across the striae, with what stands behind every point of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ballistics.drawing import counted, figure_html, new_axes
from ballistics.errors import ParameterError
from ballistics.findings import Finding
from ballistics.provenance import Provenance

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ExcludedSpan:
    """A stretch of the mark that takes no part, and why.

    Parameters
    ----------
    start_um, stop_um : float
        From the middle of the signature's first point.
    reason : str
        E.g. ``"groove shoulder"``.
    """

    start_um: float
    stop_um: float
    reason: str


@dataclass(frozen=True, eq=False)
class Signature:
    """The profile across the striae of one mark: form removed, averaged along the striae, band-passed.

    Parameters
    ----------
    heights_um : ndarray of float64, shape (n,)
        NaN where nothing is known.
    spacing_um : float
        Distance between neighbouring points across the striae.
    kind : str
        Mark type, e.g. ``"land engraved area"``.
    standard_errors_um : ndarray of float64, shape (n,), optional
        Standard error of each point, from the scatter of the rows that were averaged.
    rows : ndarray of int64, shape (n,), optional
        How many rows of the scan stand behind each point.
    band_um : tuple of float, optional
        ISO cut-offs, short and long, between which the signature was kept; None for profiles filtered elsewhere.
    excluded : tuple of ExcludedSpan
        What was left out of the mark.
    findings : tuple of Finding
        What was noticed on the way from the scan.
    insufficient : str or None
        Why it cannot carry a comparison; None when it can.
    provenance : Provenance, optional
        Hashes of the scan, method, parameters, versions.

    Raises
    ------
    ParameterError
        For heights that are not one profile, a spacing that is not positive, or arrays of another length.

    Examples
    --------
    >>> signature = Signature(np.array([0.1, np.nan, -0.2]), 1.5)
    >>> signature.length_um, signature.valid_points
    (4.5, 2)
    """

    heights_um: Floats
    spacing_um: float
    kind: str = "striated mark"
    standard_errors_um: Floats | None = None
    rows: NDArray[np.int64] | None = None
    band_um: tuple[float, float] | None = None
    excluded: tuple[ExcludedSpan, ...] = ()
    findings: tuple[Finding, ...] = ()
    insufficient: str | None = None
    provenance: Provenance | None = None

    def plot(self, axes: Axes | None = None) -> Axes:
        """Draw the profile with its standard error.

        Parameters
        ----------
        axes : matplotlib Axes, optional
            Where to draw; a figure of its own if None.
        """
        axes = axes or new_axes()
        places = np.arange(len(self.heights_um)) * self.spacing_um
        axes.plot(places, self.heights_um, linewidth=0.9, color="0.15")
        if self.standard_errors_um is not None:
            low, high = self.heights_um - self.standard_errors_um, self.heights_um + self.standard_errors_um
            axes.fill_between(places, low, high, alpha=0.3, color="tab:blue")
        axes.set(xlabel="across the striae / µm", ylabel="height / µm", title=self.kind)
        return axes

    def __repr__(self) -> str:
        state = (
            f"insufficient: {self.insufficient}" if self.insufficient else f"{counted(len(self.findings), 'finding')}"
        )
        length_mm = len(self.heights_um) * self.spacing_um / 1000.0
        return f"<Signature: {self.kind}, {length_mm:.3g} mm in steps of {self.spacing_um:g} µm, {state}>"

    def _repr_html_(self) -> str:
        return figure_html(repr(self), self.plot)

    def __post_init__(self) -> None:
        heights = np.array(self.heights_um, dtype=np.float64)
        if heights.ndim != 1:
            raise ParameterError(f"a signature is one profile, but its heights have {heights.ndim} dimensions")
        if not (np.isfinite(self.spacing_um) and self.spacing_um > 0):
            raise ParameterError(f"the spacing of a signature is {self.spacing_um} µm; it must be positive")
        for name in ("standard_errors_um", "rows"):
            values = getattr(self, name)
            if values is not None and np.shape(values) != heights.shape:
                raise ParameterError(f"{name} has shape {np.shape(values)}, the heights {heights.shape}: give one each")
        # Zero has one sign and missing one bit pattern: equal signatures have equal bytes.
        heights = np.where(np.isfinite(heights), heights + 0.0, np.nan)
        heights.flags.writeable = False
        object.__setattr__(self, "heights_um", heights)

    @property
    def length_um(self) -> float:
        """Number of points times their spacing."""
        return len(self.heights_um) * self.spacing_um

    @property
    def valid_points(self) -> int:
        """Number of points that are not missing."""
        return int(np.isfinite(self.heights_um).sum())

    def reversed(self) -> Signature:
        """Return the signature of the same mark with the scan turned by 180°."""
        last_um = (len(self.heights_um) - 1) * self.spacing_um
        return replace(
            self,
            heights_um=self.heights_um[::-1],
            standard_errors_um=None if self.standard_errors_um is None else self.standard_errors_um[::-1].copy(),
            rows=None if self.rows is None else self.rows[::-1].copy(),
            excluded=tuple(
                ExcludedSpan(last_um - span.stop_um, last_um - span.start_um, span.reason)
                for span in reversed(self.excluded)
            ),
        )


@dataclass(frozen=True)
class Arrangement:
    """In which order and direction two profiles are compared, so that the result does not depend on how they came.

    Parameters
    ----------
    swapped : bool
        The second profile comes first.
    reversed : bool
        Both are read from their other end.
    """

    swapped: bool
    reversed: bool

    def apply(self, a: Floats, b: Floats) -> tuple[Floats, Floats]:
        """Return the two profiles in that order and direction."""
        first, second = (b, a) if self.swapped else (a, b)
        return (first[::-1], second[::-1]) if self.reversed else (first, second)


def arrangement(a: Floats, b: Floats) -> Arrangement:
    """Return the one arrangement of two profiles that all four ways of giving them share.

    Exchanging two marks, or turning both scans by 180°, changes nothing about them; the sums of a computer depend on
    the order of their terms all the same. Of the four arrangements the one whose bytes come first is computed, so
    that the results are the same to the last bit.

    Parameters
    ----------
    a, b : ndarray of float64, shapes (m,) and (n,)

    Examples
    --------
    >>> a, b = np.array([3.0, 1.0]), np.array([2.0, 5.0])
    >>> [x.tolist() for x in arrangement(a, b).apply(a, b)] == [x.tolist() for x in arrangement(b, a).apply(b, a)]
    True
    """
    options = []
    for swapped in (False, True):
        for turned in (False, True):
            way = Arrangement(swapped, turned)
            first, second = way.apply(a, b)
            options.append(((first.tobytes(), second.tobytes()), way))
    return min(options, key=lambda option: option[0])[1]
