"""A printed part, and the file it came in: triangles in millimetres with what was noticed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ballistics.drawing import counted, figure_html, new_axes
from ballistics.errors import ParameterError
from ballistics.findings import Finding
from ballistics.printed.content.mesh_content import Thumbnail
from ballistics.printed.content.mesh_views import render_view, shown_extent_mm
from ballistics.provenance import Provenance

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from trimesh import Trimesh

    from ballistics.printed.content.job_facts import JobFacts

# Parts of a file that a notebook draws: a plate can hold hundreds.
_MOST_SHOWN = 6
# Faces that look up within 45° of the upright are where a layer ends; walls stand on it.
_LEVEL_COSINE = 0.7


@dataclass(frozen=True)
class Part:
    """One connected object or plate item, in millimetres.

    Parameters
    ----------
    vertices_mm : ndarray of float64, shape (n, 3)
        Finite; each position once.
    faces : ndarray of int64, shape (m, 3)
        Rows of ``vertices_mm``, in range; triangles with two equal corners are left out.
    name : str
        What the file calls it, else the file's name without folder and suffix.
    metadata : mapping
        What the file says of this part.
    findings : tuple of Finding
        What is odd about this part.
    provenance : Provenance, optional
        SHA-256 of the file; reader, version and options used.
    cut_mm : (float, float), optional
        Of a print that stopped: the heights between which what looks up is where it stopped, and no surface.
    """

    vertices_mm: NDArray[np.float64]
    faces: NDArray[np.int64]
    name: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    provenance: Provenance | None = None
    cut_mm: tuple[float, float] | None = None

    @property
    def size_mm(self) -> tuple[float, float, float]:
        """Extent along x, y and z in mm; zeros where there are no triangles."""
        used = self.vertices_mm[np.unique(self.faces)]
        x, y, z = np.ptp(used, axis=0) if len(used) else (0.0, 0.0, 0.0)
        return float(x), float(y), float(z)

    @property
    def is_cut(self) -> NDArray[np.bool_]:
        """Which faces are where a print stopped; shape (m,).

        Examples
        --------
        >>> corners = np.array([[0.0, 0, 2], [4, 0, 2], [0, 3, 2], [0, 0, 0]])
        >>> Part(corners, np.array([[0, 1, 2], [0, 2, 3]]), cut_mm=(1.9, 2.1)).is_cut.tolist()
        [True, False]
        """
        if self.cut_mm is None:
            return np.zeros(len(self.faces), bool)
        a, b, c = (self.vertices_mm[self.faces[:, k]] for k in range(3))
        normal = np.cross(b - a, c - a)
        is_level = normal[:, 2] > _LEVEL_COSINE * np.linalg.norm(normal, axis=1)
        heights = self.vertices_mm[self.faces, 2]
        return np.asarray(is_level & (heights.min(axis=1) > self.cut_mm[0]) & (heights.max(axis=1) < self.cut_mm[1]))

    def to_trimesh(self) -> Trimesh:
        """Return the same triangles as a `trimesh.Trimesh`, in millimetres, nothing merged or mended.

        Examples
        --------
        >>> corners = np.array([[0.0, 0, 0], [4, 0, 0], [0, 3, 0]])
        >>> Part(corners, np.array([[0, 1, 2]])).to_trimesh().bounds[1].tolist()
        [4.0, 3.0, 0.0]
        """
        from trimesh import Trimesh

        return Trimesh(self.vertices_mm, self.faces, process=False, metadata={"name": self.name})

    @classmethod
    def from_trimesh(cls, mesh: Trimesh, name: str = "") -> Part:
        """Take the triangles of a `trimesh.Trimesh`, whose numbers are millimetres.

        Parameters
        ----------
        mesh : trimesh.Trimesh
            Corners at the same position become one; triangles with two equal corners are left out.
        name : str
            Else the name in the metadata of the mesh.

        Raises
        ------
        ParameterError
            When a corner is not finite.

        Examples
        --------
        >>> import trimesh
        >>> Part.from_trimesh(trimesh.creation.box((4, 3, 2)), "box").size_mm
        (4.0, 3.0, 2.0)
        """
        corners, places = np.unique(np.asarray(mesh.vertices, np.float64) + 0.0, axis=0, return_inverse=True)
        if not np.isfinite(corners).all():
            raise ParameterError("the mesh has corners that are not finite; a part needs a position for each")
        faces = places.reshape(-1)[np.asarray(mesh.faces, np.int64)]
        a, b, c = faces.T
        kept = faces[(a != b) & (b != c) & (c != a)]
        return cls(corners, kept, name or str(mesh.metadata.get("name", "")))

    def plot(self, axes: Axes | None = None, *, view: str = "front") -> Axes:
        """Draw the part from one side, shaded; ticks are millimetres from its middle.

        Parameters
        ----------
        axes : matplotlib Axes, optional
            Where to draw; a figure of its own if None.
        view : {"front", "back", "left", "right", "top", "bottom"}
            From where.

        Examples
        --------
        >>> corners = np.array([[0.0, 0, 0], [4, 0, 0], [0, 0, 3]])
        >>> Part(corners, np.array([[0, 1, 2]]), "sheet").plot().get_title()
        'sheet, front'
        """
        axes = axes or new_axes()
        half = shown_extent_mm(self.vertices_mm) / 2.0
        axes.imshow(render_view(self.vertices_mm, self.faces, view, pixels=480), extent=(-half, half, -half, half))
        axes.set(xlabel="mm", ylabel="mm", title=f"{self.name}, {view}" if self.name else view)
        return axes

    def __repr__(self) -> str:
        size = " × ".join(f"{length:.4g}" for length in self.size_mm)
        name = f" {self.name!r}" if self.name else ""
        return f"<Part{name}: {len(self.faces)} triangles, {size} mm, {counted(len(self.findings), 'finding')}>"

    def _repr_html_(self) -> str:
        return figure_html(repr(self), self.plot)


@dataclass(frozen=True)
class PartFile:
    """A file's parts with what is said and noticed of all of the file.

    Parameters
    ----------
    format : str
        ``"STL"``, ``"OBJ"``, ``"PLY"``, ``"OFF"``, ``"3MF"``, ``"AMF"``, ``"glTF"``, ``"STEP"`` or ``"G-code"``.
    unit : str
        The unit in which the file's numbers were taken, e.g. ``"millimetre"``.
    parts : tuple of Part
        At least one.
    metadata : mapping
        Slicer, author, title … as the file states them.
    findings : tuple of Finding
        Of the file; each part has its own as well.
    thumbnails : tuple of Thumbnail
        Pictures the file carries.
    provenance : Provenance, optional
        SHA-256 of the file under ``inputs["file"]``.
    jobs : tuple of JobFacts
        What the print jobs in the file say: slicer, profile, settings, estimates, traces.
    """

    format: str
    unit: str
    parts: tuple[Part, ...]
    metadata: Mapping[str, Any] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    thumbnails: tuple[Thumbnail, ...] = ()
    provenance: Provenance | None = None
    jobs: tuple[JobFacts, ...] = ()

    def __repr__(self) -> str:
        found = len(self.findings) + sum(len(part.findings) for part in self.parts)
        return f"<PartFile: {self.format}, {counted(len(self.parts), 'part')}, {counted(found, 'finding')}>"

    def _repr_html_(self) -> str:
        return "".join(part._repr_html_() for part in self.parts[:_MOST_SHOWN])
