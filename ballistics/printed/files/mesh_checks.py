"""Brings an item to a clean mesh in millimetres and says what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ballistics.errors import CorruptFileError, HostileFileError
from ballistics.findings import Finding
from ballistics.printed.content.mesh_content import Item
from ballistics_kernels.meshes import area_and_centroid, merge_vertices

# A damaged triangle or two may not hide a file; a file that is damaged all over is refused.
_MOST_BROKEN_SHARE = 0.01
# 10 km: numbers beyond are damage, and their cubes would lose all digits.
_FARTHEST_MM = 1e7


@dataclass(frozen=True)
class Topology:
    """How the triangles of a mesh hang together.

    Parameters
    ----------
    open_edges : int
        Edges of one triangle only.
    crowded_edges : int
        Edges of more than two triangles.
    turned_edges : int
        Edges whose two triangles face opposite ways.
    duplicate_faces : int
        Triangles with the same three corners as an earlier one.
    """

    open_edges: int
    crowded_edges: int
    turned_edges: int
    duplicate_faces: int

    @property
    def watertight(self) -> bool:
        """Whether every edge has exactly two triangles."""
        return self.open_edges == 0 and self.crowded_edges == 0


def clean_mesh(item: Item, unit_mm: float) -> tuple[NDArray[np.float64], NDArray[np.int64], list[Finding]]:
    """Return an item in millimetres with each position once and no collapsed triangle.

    Parameters
    ----------
    item : Item
    unit_mm : float
        Millimetres of one unit of the file.

    Returns
    -------
    vertices_mm : ndarray of float64, shape (n, 3)
    faces : ndarray of int64, shape (m, 3)
    findings : list of Finding

    Raises
    ------
    CorruptFileError
        No triangle is left, or many use vertices that are not numbers.
    HostileFileError
        Coordinates beyond 10 km.
    """
    findings: list[Finding] = []
    used, numbered = np.unique(item.faces, return_inverse=True)
    with np.errstate(over="ignore", invalid="ignore"):
        vertices = item.vertices[used] * unit_mm
    faces = numbered.reshape(-1, 3).astype(np.int64)
    faces = _without_missing(vertices, faces, findings)
    if faces.size and float(np.abs(vertices[faces.ravel()]).max()) > _FARTHEST_MM:
        raise HostileFileError(
            f"a vertex lies {np.abs(vertices[faces.ravel()]).max():.3g} mm from the origin: no printed part does"
        )
    vertices, faces = _merged(vertices, faces)
    collapsed = (faces[:, 0] == faces[:, 1]) | (faces[:, 1] == faces[:, 2]) | (faces[:, 2] == faces[:, 0])
    if collapsed.any():
        count = int(collapsed.sum())
        findings.append(Finding("faces-degenerate", "note", f"{count} triangles have two equal corners", "left out"))
        faces = faces[~collapsed]
    if not len(faces):
        raise CorruptFileError("no triangle with an area: the file holds no mesh")
    vertices, faces = _compact(vertices, faces)
    return vertices, faces, findings


def _without_missing(
    vertices: NDArray[np.float64], faces: NDArray[np.int64], findings: list[Finding]
) -> NDArray[np.int64]:
    """Leave out triangles with corners that are not finite; refuse when there are many."""
    bad: NDArray[np.bool_] = np.asarray(~np.isfinite(vertices).all(axis=1))
    if not bad.any():
        return faces
    broken = bad[faces].any(axis=1)
    count = int(broken.sum())
    if count > _MOST_BROKEN_SHARE * len(faces):
        raise CorruptFileError(f"{count} of {len(faces)} triangles have corners that are not numbers (NaN or infinite)")
    findings.append(
        Finding("vertices-not-finite", "serious", f"{count} triangles have corners that are not numbers", "left out")
    )
    return faces[~broken]


def _merged(vertices: NDArray[np.float64], faces: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Give equal positions one number."""
    vertices, faces = _compact(vertices, faces)
    canonical = np.ascontiguousarray(vertices) + 0.0  # -0.0 and 0.0 are one position
    first, number, good = merge_vertices(canonical.view(np.uint64))
    if not good:
        _, first, number = np.unique(canonical, axis=0, return_index=True, return_inverse=True)
    return canonical[first], number.reshape(-1)[faces]


def _compact(vertices: NDArray[np.float64], faces: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Leave out vertices that no face uses."""
    used = np.zeros(len(vertices), bool)
    used[faces.ravel()] = True
    if used.all():
        return vertices, faces
    return vertices[used], (np.cumsum(used) - 1)[faces]


def topology(faces: NDArray[np.int64], vertices: int) -> Topology:
    """Count what is odd about the edges of a mesh.

    Parameters
    ----------
    faces : ndarray of int64, shape (m, 3)
    vertices : int
        Number of vertices.

    Examples
    --------
    >>> tetrahedron = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [2, 0, 3]])
    >>> topology(tetrahedron, 4).watertight, topology(tetrahedron[:3], 4).open_edges
    (True, 3)
    """
    start = faces.ravel()
    end = faces[:, [1, 2, 0]].ravel()
    forward = start < end
    key = np.where(forward, start * vertices + end, end * vertices + start)
    # Both facts of an edge in one number, so that one sort does.
    both = np.sort(key * 2 + forward)
    key = both >> 1
    starts = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]]))
    counts = np.diff(np.append(starts, key.size))
    forwards = np.add.reduceat(both & 1, starts)
    ordered = np.sort(faces, axis=1)
    # 2^21 vertices and more: the wrapping product may collide, by a chance of m² / 2^64.
    triple = (ordered[:, 0] * np.int64(vertices) + ordered[:, 1]) * np.int64(0x9E3779B97F4A7C1) + ordered[:, 2]
    return Topology(
        open_edges=int((counts == 1).sum()),
        crowded_edges=int((counts > 2).sum()),
        turned_edges=int(((counts == 2) & (forwards != 1)).sum()),
        duplicate_faces=int((np.diff(np.sort(triple)) == 0).sum()),
    )


def mesh_findings(vertices: NDArray[np.float64], faces: NDArray[np.int64], bodies: int) -> list[Finding]:
    """Return what is odd about a clean mesh: open, turned, doubled, inside out, in pieces.

    Parameters
    ----------
    vertices, faces : ndarray
    bodies : int
        Connected pieces.
    """
    found = topology(faces, len(vertices))
    findings = []
    if not found.watertight:
        findings.append(
            Finding(
                "not-watertight",
                "note",
                f"{found.open_edges} edges have one triangle, {found.crowded_edges} more than two; volume is uncertain",
            )
        )
    if found.turned_edges:
        findings.append(
            Finding(
                "winding-inconsistent", "note", f"at {found.turned_edges} edges the two triangles face opposite ways"
            )
        )
    elif found.watertight and area_and_centroid(vertices, faces)[4] < 0:
        findings.append(Finding("inside-out", "note", "the faces look inwards: the volume is negative"))
    if found.duplicate_faces:
        findings.append(
            Finding(
                "faces-duplicate", "note", f"{found.duplicate_faces} triangles lie on another with the same corners"
            )
        )
    if bodies > 1:
        findings.append(Finding("several-bodies", "note", f"{bodies} connected pieces form this part"))
    return findings
