"""The two things a scan becomes: the Surface as measured, and the Mark prepared from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from ballistics.drawing import counted, figure_html
from ballistics.findings import Finding
from ballistics.provenance import Provenance

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SurfaceKind = Literal["topography", "reflectance", "profile", "points"]


@dataclass(frozen=True)
class Surface:
    """A height map, reflectance image, profile or point cloud as measured, in micrometres.

    Parameters
    ----------
    heights_um : ndarray of float64, shape (rows, columns)
        Heights in µm (for ``kind="reflectance"``: intensities between 0 and 1). Row 0 is the
        first row of the file. Missing points are quiet NaN; there are no infinities.
        Profiles and point clouds have one row.
    spacing_um : tuple of float
        Distance in µm between neighbouring rows, and between neighbouring columns.
    kind : {"topography", "reflectance", "profile", "points"}
        What the values are.
    coordinates_um : ndarray of float64, shape (rows, columns, 2), optional
        Lateral x and y in µm of every point, for files that list them (point clouds, profiles
        with an absolute axis); None for regular grids.
    metadata : mapping
        What the file says of itself (instrument, creator, date as text, comment …).
    findings : tuple of Finding
        What the reader noticed.
    provenance : Provenance, optional
        Hash of the file and of the array; reader, version and options used.
    """

    heights_um: NDArray[np.float64]
    spacing_um: tuple[float, float]
    kind: SurfaceKind = "topography"
    coordinates_um: NDArray[np.float64] | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    provenance: Provenance | None = None

    @property
    def extent_um(self) -> tuple[float, float]:
        """Height and width in µm: number of rows and columns times their spacing."""
        rows, columns = self.heights_um.shape
        return rows * self.spacing_um[0], columns * self.spacing_um[1]

    @property
    def valid_fraction(self) -> float:
        """Share of points that are not missing, 0 to 1."""
        return float(np.isfinite(self.heights_um).mean()) if self.heights_um.size else 0.0

    def plot(self, axes: Axes | None = None) -> Axes:
        """Draw the surface as measured: heights, intensities, or the line of a profile.

        Parameters
        ----------
        axes : matplotlib Axes, optional
            Where to draw; a figure of its own if None.

        Examples
        --------
        >>> Surface(np.zeros((4, 6)), (3.125, 3.125)).plot().get_title()
        'topography'
        """
        from ballistics.surfaces.plotting import plot_heights, plot_profile

        if len(self.heights_um) == 1:
            return plot_profile(self.heights_um[0], self.spacing_um[1], axes, title=self.kind)
        unit = "" if self.kind == "reflectance" else "µm"
        return plot_heights(self.heights_um, self.spacing_um, axes, unit=unit, title=self.kind)

    def __repr__(self) -> str:
        rows, columns = self.heights_um.shape
        height, width = (length / 1000.0 for length in self.extent_um)
        return (
            f"<Surface: {self.kind}, {rows} × {columns} points, {height:.3g} × {width:.3g} mm, "
            f"{self.valid_fraction:.0%} measured, {counted(len(self.findings), 'finding')}>"
        )

    def _repr_html_(self) -> str:
        return figure_html(repr(self), self.plot)


@dataclass(frozen=True)
class Step:
    """One step of a preparation: what was done, with which parameters, and what came out.

    Parameters
    ----------
    name : str
        The step's name in the registry of steps, e.g. ``"remove spikes"``.
    parameters : mapping
        All its parameters, in µm and degrees; edit them and replay.
    outcome : mapping
        Numbers that the step measured, e.g. the tilt it removed.
    """

    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    outcome: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Mark:
    """The comparable region of a surface, prepared: levelled, masked, band-passed, resampled.

    Parameters
    ----------
    kind : str
        The mark type, e.g. ``"breech face"``.
    heights_um : ndarray of float32, shape (rows, columns)
        Prepared heights in µm; NaN outside the region and at missing points.
    spacing_um : float
        Distance between neighbouring points, the same in both directions.
    surface_kind : {"topography", "reflectance"}
        What the values came from; the two are never compared with each other.
    origin_um : tuple of float
        Position (y, x) in µm on the surface of the centre of point (0, 0) of this mark.
    region : ndarray of bool, shape (surface rows, surface columns)
        The region on the grid of the surface that the mark was taken from.
    steps : tuple of Step
        The preparation, in order; it can be edited and replayed.
    findings : tuple of Finding
        Those of the surface and those of the preparation.
    insufficient : str or None
        Why the mark cannot carry a comparison; None when it can. It is a result, not an error.
    provenance : Provenance, optional
        Hashes of the surface, and method, parameters and versions of the preparation.
    """

    kind: str
    heights_um: NDArray[np.float32]
    spacing_um: float
    surface_kind: SurfaceKind = "topography"
    origin_um: tuple[float, float] = (0.0, 0.0)
    region: NDArray[np.bool_] | None = None
    steps: tuple[Step, ...] = ()
    findings: tuple[Finding, ...] = ()
    insufficient: str | None = None
    provenance: Provenance | None = None

    @property
    def area_um2(self) -> float:
        """Area of the valid points in µm²."""
        return float(np.isfinite(self.heights_um).sum()) * self.spacing_um**2

    def plot(self, axes: Axes | None = None) -> Axes:
        """Draw the prepared heights, blank outside the region and where points are missing.

        Parameters
        ----------
        axes : matplotlib Axes, optional
            Where to draw; a figure of its own if None.

        Examples
        --------
        >>> Mark("breech face", np.zeros((4, 6), np.float32), 6.25).plot().get_title()
        'breech face'
        """
        from ballistics.surfaces.plotting import plot_heights

        unit = "" if self.surface_kind == "reflectance" else "µm"
        return plot_heights(self.heights_um, (self.spacing_um,) * 2, axes, unit=unit, title=self.kind)

    def __repr__(self) -> str:
        rows, columns = self.heights_um.shape
        state = f"insufficient: {self.insufficient}" if self.insufficient else f"{self.area_um2 / 1e6:.3g} mm²"
        return (
            f"<Mark: {self.kind}, {rows} × {columns} points of {self.spacing_um:g} µm, {state}, "
            f"{counted(len(self.findings), 'finding')}>"
        )

    def _repr_html_(self) -> str:
        return figure_html(repr(self), self.plot)
