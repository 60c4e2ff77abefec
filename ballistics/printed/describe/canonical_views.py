"""A part turned into a pose of its own and seen from the side, from above and from the front."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ballistics.printed.describe.axes import principal_axes
from ballistics.printed.describe.sampling import EvenSample
from ballistics_kernels.meshes import rasterise

#: Width and height of a view.
PIXELS = 64
#: Each view: which of the part's own axes point right, up and towards the viewer.
VIEWS = {"side": (0, 1, 2), "top": (0, 2, 1), "front": (1, 2, 0)}


@dataclass(frozen=True)
class CanonicalView:
    """What is seen of a part along one of its own axes, both from before and from behind.

    Parameters
    ----------
    inside : ndarray of bool, shape (64, 64)
        The silhouette; its longer side fills the picture.
    near, far : ndarray of float64, shape (64, 64)
        Height of the surface above the middle of the part towards the viewer, and below it away from the viewer, as
        shares of the longer side; 0 outside.
    """

    inside: NDArray[np.bool_]
    near: NDArray[np.float64]
    far: NDArray[np.float64]


def along_axes(points: NDArray[np.float64], axes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the coordinates of points along axes given as rows."""
    # Not a product of matrices, here and below: its bytes could depend on the threads of BLAS.
    return np.asarray(np.einsum("ni,ki->nk", points, axes))


def canonical_axes(
    vertices_mm: NDArray[np.float64], faces: NDArray[np.int64], sample: EvenSample
) -> NDArray[np.float64]:
    """Return a part's own axes as rows: along, across, and through its thinnest way.

    Parameters
    ----------
    vertices_mm : ndarray of float64, shape (n, 3)
        Corners of the part.
    faces : ndarray of int64, shape (m, 3)
        Rows of ``vertices_mm``; their areas and normals decide the turn.
    sample : EvenSample
        Of the same part; its points decide the direction of least spread, and which axis is longer.

    Returns
    -------
    ndarray of float64, shape (3, 3)
        Orthogonal rows, each up to its sign. The third is the direction of least spread; the first two are turned in
        their plane to where most of the surface faces along one of them, and the longer one comes first.

    Notes
    -----
    The turn is the most rectilinear one (Lian, Rosin & Sun 2010, "Rectilinearity of 3D meshes"), in steps of 1°: a
    straight edge says more of how a thing is held than the spread of its points, which a handle tilts.
    """
    axes, _ = principal_axes(sample.points_mm)
    corners = vertices_mm[faces]
    # Twice the area times the normal: large faces count for more without a division.
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    right, up = along_axes(normals, axes[:2]).T
    turns = np.deg2rad(np.arange(90.0))
    cost = [
        np.abs(right * np.cos(t) + up * np.sin(t)).sum() + np.abs(up * np.cos(t) - right * np.sin(t)).sum()
        for t in turns
    ]
    turn = turns[int(np.argmin(cost))]
    along = np.cos(turn) * axes[0] + np.sin(turn) * axes[1]
    across = np.cos(turn) * axes[1] - np.sin(turn) * axes[0]
    length, breadth = np.ptp(along_axes(sample.points_mm, np.stack([along, across])), axis=0)
    if breadth > length:
        along, across = across, along
    return np.stack([along, across, axes[2]])


def canonical_view(
    vertices_mm: NDArray[np.float64], faces: NDArray[np.int64], axes: NDArray[np.float64], view: str
) -> CanonicalView:
    """Render one of `VIEWS`.

    Parameters
    ----------
    vertices_mm : ndarray of float64, shape (n, 3)
    faces : ndarray of int64, shape (m, 3)
    axes : ndarray of float64, shape (3, 3)
        From `canonical_axes`.
    view : {"side", "top", "front"}
    """
    turned = along_axes(vertices_mm, axes[list(VIEWS[view])])
    used = turned[np.unique(faces)]
    low, high = used.min(axis=0), used.max(axis=0)
    width = max(float((high - low)[:2].max()), 1e-12)
    placed = (turned - (low + high) / 2.0) / width
    depths = []
    for sign in (1.0, -1.0):
        points = np.column_stack(
            [
                placed[:, 0] * (PIXELS - 2) + (PIXELS - 1) / 2.0,
                (PIXELS - 1) / 2.0 - placed[:, 1] * (PIXELS - 2),
                sign * placed[:, 2],
            ]
        )
        seen, nearness = rasterise(points, faces, PIXELS, PIXELS)
        inside = seen >= 0
        depths.append(np.where(inside, nearness, 0.0))
    return CanonicalView(inside, depths[0], depths[1])
