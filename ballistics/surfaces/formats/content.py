"""What a format reader returns: the numbers of the file in its own unit, before units are settled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from ballistics.findings import Finding
from ballistics.surfaces.surface import SurfaceKind

METRE_UM = 1e6
MILLIMETRE_UM = 1e3


@dataclass(frozen=True)
class FileContent:
    """The numbers and words of one file, in the file's own unit.

    Parameters
    ----------
    format : str
        The format's name, e.g. ``"X3P"``.
    values : ndarray of float, shape (rows, columns)
        Heights in file units, or intensities 0 to 1; NaN and infinities as the file has them.
    spacing : tuple of float
        Distance between neighbouring rows, and columns, in file units (images: in µm);
        NaN where the file lists coordinates that have no common step.
    unit_um : float
        Micrometres per file unit.
    kind : {"topography", "reflectance", "profile", "points"}
        What the values are.
    coordinates : ndarray of float64, shape (rows, columns, 2), optional
        Lateral x and y in file units.
    metadata : mapping
        What the file says of itself.
    findings : tuple of Finding
        What the format reader noticed.
    """

    format: str
    values: NDArray[Any]
    spacing: tuple[float, float]
    unit_um: float
    kind: SurfaceKind = "topography"
    coordinates: NDArray[Any] | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
