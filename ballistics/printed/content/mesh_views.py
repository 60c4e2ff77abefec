"""Pictures of a mesh from six sides, rendered in software: the same bytes on every machine, no graphics card."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ballistics.drawing import round_length
from ballistics.errors import ParameterError
from ballistics_kernels.meshes import rasterise

# Each view: the axes that point right, up, and towards the viewer.
_AXES = {
    "front": ((1, 0, 0), (0, 0, 1), (0, -1, 0)),
    "back": ((-1, 0, 0), (0, 0, 1), (0, 1, 0)),
    "left": ((0, -1, 0), (0, 0, 1), (-1, 0, 0)),
    "right": ((0, 1, 0), (0, 0, 1), (1, 0, 0)),
    "top": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "bottom": ((1, 0, 0), (0, -1, 0), (0, 0, -1)),
}
VIEWS = tuple(_AXES)
_LIGHT = np.array([-0.35, 0.45, 0.82])  # right, up, towards the viewer
_PAPER = 255.0
_SURFACE = np.array([176.0, 190.0, 204.0])
_OVERSAMPLING = 2
_MARGIN_SHARE = 0.06
# Lines are drawn where neighbouring pixels differ by more: the cosine of 30°, and a share of the part's size.
_CREASE_COSINE = 0.866
_STEP_SHARE = 0.02

Picture = NDArray[np.uint8]


def render_view(
    vertices_mm: NDArray[np.float64],
    faces: NDArray[np.int64],
    view: str = "front",
    *,
    pixels: int = 320,
    vertex_colours: NDArray[np.uint8] | None = None,
    extent_mm: float | None = None,
) -> Picture:
    """Render a mesh in parallel projection, shaded, with lines at edges.

    Parameters
    ----------
    vertices_mm : ndarray of float64, shape (n, 3)
    faces : ndarray of int64, shape (m, 3)
    view : {"front", "back", "left", "right", "top", "bottom"}
        From where; front looks along +y, z is up.
    pixels : int, 16 to 4096
        Width and height.
    vertex_colours : ndarray of uint8, shape (n, 3), optional
        Red, green, blue of each vertex, e.g. of a deviation map; grey where None.
    extent_mm : float, optional
        What the width shows; None shows the whole mesh from every side at the same scale.

    Returns
    -------
    ndarray of uint8, shape (pixels, pixels, 3)
        Red, green, blue.

    Raises
    ------
    ParameterError
        An unknown view, or a size outside its range.

    Examples
    --------
    >>> corners = np.array([[0.0, 0, 0], [4, 0, 0], [4, 0, 3], [0, 0, 3]])
    >>> picture = render_view(corners, np.array([[0, 1, 2], [0, 2, 3]]), pixels=64)
    >>> picture.shape, bool((picture[0] == 255).all()), bool((picture[32, 32] < 255).all())
    ((64, 64, 3), True, True)
    """
    if view not in _AXES:
        raise ParameterError(f"view is {view!r}; use one of {', '.join(VIEWS)}")
    if not 16 <= pixels <= 4096:
        raise ParameterError(f"pixels is {pixels}; use 16 to 4096")
    extent = extent_mm or shown_extent_mm(vertices_mm)
    side = pixels * _OVERSAMPLING
    scale = side / extent
    centre = (vertices_mm.min(axis=0) + vertices_mm.max(axis=0)) / 2.0
    turned = (vertices_mm - centre) @ np.array(_AXES[view], float).T
    points = np.stack(
        [
            turned[:, 0] * scale + (side - 1) / 2.0,
            (side - 1) / 2.0 - turned[:, 1] * scale,
            turned[:, 2] * scale,
        ],
        axis=1,
    )
    seen, nearness = rasterise(points, faces, side, side)
    return _shade(points, turned, faces, seen, nearness, vertex_colours)


def shown_extent_mm(vertices_mm: NDArray[np.float64]) -> float:
    """Return the width in mm that shows a mesh from every side, with a margin."""
    largest = float(np.ptp(vertices_mm, axis=0).max())
    return max(largest, 1e-9) / (1.0 - 2.0 * _MARGIN_SHARE)


def _shade(
    points: NDArray[np.float64],
    turned: NDArray[np.float64],
    faces: NDArray[np.int64],
    seen: NDArray[np.int64],
    nearness: NDArray[np.float64],
    vertex_colours: NDArray[np.uint8] | None,
) -> Picture:
    inside = seen >= 0
    corners = faces[seen[inside]]
    a, b, c = (turned[corners[:, k]] for k in range(3))
    normals = np.cross(b - a, c - a)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-300)
    # Both sides are lit alike: the winding of seized files cannot be trusted.
    normals[normals[:, 2] < 0.0] *= -1.0
    light = 0.35 + 0.65 * np.clip(normals @ (_LIGHT / np.linalg.norm(_LIGHT)), 0.0, 1.0)
    colour = _SURFACE if vertex_colours is None else _interpolated(points, corners, inside, vertex_colours)
    picture = np.full((*seen.shape, 3), _PAPER)
    picture[inside] = colour * light[:, None]
    field = np.zeros((*seen.shape, 3))
    field[inside] = normals
    picture[_lines(field, nearness, inside)] *= 0.35
    rows, columns = (side // _OVERSAMPLING for side in seen.shape)
    blocks = picture.reshape(rows, _OVERSAMPLING, columns, _OVERSAMPLING, 3)
    picture_mean: Picture = np.rint(blocks.mean(axis=(1, 3))).astype(np.uint8)
    return picture_mean


def _interpolated(
    points: NDArray[np.float64],
    corners: NDArray[np.int64],
    inside: NDArray[np.bool_],
    vertex_colours: NDArray[np.uint8],
) -> NDArray[np.float64]:
    """Return the colour at each seen pixel between the colours of its triangle's corners."""
    i, j = np.nonzero(inside)
    (ax, ay), (bx, by), (cx, cy) = (points[corners[:, k], :2].T for k in range(3))
    area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    u = ((bx - j) * (cy - i) - (by - i) * (cx - j)) / area
    v = ((cx - j) * (ay - i) - (cy - i) * (ax - j)) / area
    weights = np.stack([u, v, 1.0 - u - v], axis=1)
    return np.asarray(np.einsum("pk,pkc->pc", weights, vertex_colours[corners].astype(np.float64)))


def _lines(normals: NDArray[np.float64], nearness: NDArray[np.float64], inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the pixels that differ sharply from the one below or to the right."""
    depth = np.where(inside, nearness, 0.0)
    lines = np.zeros(inside.shape, bool)
    for here, there in (
        ((slice(1, None),), (slice(None, -1),)),
        ((slice(None), slice(1, None)), (slice(None), slice(None, -1))),
    ):
        both = inside[here] & inside[there]
        bend = (normals[here] * normals[there]).sum(axis=-1) < _CREASE_COSINE
        step = np.abs(depth[here] - depth[there]) > _STEP_SHARE * inside.shape[0]
        lines[there] |= (both & (bend | step)) | (inside[here] != inside[there])
    return lines


def six_views(
    vertices_mm: NDArray[np.float64],
    faces: NDArray[np.int64],
    *,
    pixels: int = 320,
    vertex_colours: NDArray[np.uint8] | None = None,
) -> Picture:
    """Render a mesh from six sides at one scale, two rows of three, named, with a scale bar.

    Parameters
    ----------
    vertices_mm : ndarray of float64, shape (n, 3)
        Corners; z is up.
    faces : ndarray of int64, shape (m, 3)
        Rows of ``vertices_mm``.
    pixels : int, 16 to 4096
        Width and height of each view.
    vertex_colours : ndarray of uint8, shape (n, 3), optional
        Red, green, blue of each vertex; grey where None.

    Returns
    -------
    ndarray of uint8, shape (2 * pixels, 3 * pixels, 3)
    """
    import cv2

    tiles = []
    for view in VIEWS:
        tile = render_view(vertices_mm, faces, view, pixels=pixels, vertex_colours=vertex_colours)
        size = max(pixels / 640.0, 0.35)
        cv2.putText(tile, view, (6, int(12 + 22 * size)), cv2.FONT_HERSHEY_SIMPLEX, size, (60, 60, 60), 1, cv2.LINE_AA)
        tiles.append(tile)
    sheet = np.concatenate([np.concatenate(tiles[:3], axis=1), np.concatenate(tiles[3:], axis=1)])
    _scale_bar(sheet, pixels / shown_extent_mm(vertices_mm), pixels)
    return sheet


def _scale_bar(sheet: Picture, pixels_per_mm: float, pixels: int) -> None:
    """Draw a bar of a round length into the lower left corner."""
    import cv2

    length_mm = round_length(0.4 * pixels / pixels_per_mm)
    bottom, width = sheet.shape[0] - 10, round(length_mm * pixels_per_mm)
    cv2.rectangle(sheet, (10, bottom - 4), (10 + width, bottom), (60, 60, 60), -1)
    size = max(pixels / 640.0, 0.35)
    place = (10, bottom - 10)
    cv2.putText(sheet, f"{length_mm:g} mm", place, cv2.FONT_HERSHEY_SIMPLEX, size, (60, 60, 60), 1, cv2.LINE_AA)
