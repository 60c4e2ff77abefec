"""What the shape class of a part is learned from: distances, proportions, outlines and edge directions of its views."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ballistics.printed.content.part import Part
from ballistics.printed.describe.axes import principal_axes
from ballistics.printed.describe.canonical_views import (
    PIXELS,
    VIEWS,
    CanonicalView,
    along_axes,
    canonical_axes,
    canonical_view,
)
from ballistics.printed.describe.sampling import EvenSample, sample_surface
from ballistics.printed.describe.signature import whole_descriptors

#: Changes whenever the same mesh could give other values.
FEATURES_VERSION = "1"
_TRIPLES = 60_000
_CELLS = 4
_DIRECTIONS = 9
#: Length of each group of features.
GROUPS = {
    "pair distances": 64,
    "centre distances": 32,
    "angles": 32,
    "proportions": 12,
    "outlines": 131,
    "edges side": _CELLS * _CELLS * _DIRECTIONS,
    "edges top": _CELLS * _CELLS * _DIRECTIONS,
    "edges front": _CELLS * _CELLS * _DIRECTIONS,
    "signature": 72,
}

ShapeFeatures = Mapping[str, NDArray[np.float32]]


def shape_features(part: Part) -> ShapeFeatures:
    """Describe the shape of a part without its place, turn, size or handedness.

    Parameters
    ----------
    part : Part

    Returns
    -------
    mapping of str to ndarray of float32
        By the names in `GROUPS`. "pair distances", "centre distances" and "angles" are the shape distributions D2, D1
        and A3; "proportions" are moments and boxes along the principal axes; "outlines" measures of the silhouettes
        from the side, from above and from the front; "edges …" histograms of edge directions in 4 × 4 fields of a
        silhouette, up to the two flips of the view (see `flipped_edges`); "signature" the descriptors of the whole.

    Raises
    ------
    ParameterError
        The part has no surface.

    Notes
    -----
    Shape distributions: Osada et al. 2002, doi:10.1145/571647.571648. Histograms of edge directions: Dalal & Triggs
    2005, doi:10.1109/CVPR.2005.177. No mesh can be made from them. Cost: about 0.1 CPU s.

    Examples
    --------
    >>> corners = np.array([[0.0, 0, 0], [40, 0, 0], [0, 30, 0], [0, 0, 20]])
    >>> wedge = Part(corners, np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]]))
    >>> features = shape_features(wedge)
    >>> {name: len(values) for name, values in features.items()} == GROUPS
    True
    """
    sample = sample_surface(part.vertices_mm, part.faces)
    axes = canonical_axes(part.vertices_mm, part.faces, sample)
    views = {view: canonical_view(part.vertices_mm, part.faces, axes, view) for view in VIEWS}
    out = _distributions(sample)
    out["proportions"] = _proportions(sample)
    extents = np.ptp(along_axes(sample.points_mm, axes), axis=0)
    outlines = [value for view in views.values() for value in _outline(view)]
    out["outlines"] = np.array([*outlines, *(extents[1:] / extents[0])])
    for name, view in views.items():
        out[f"edges {name}"] = _edges(view.inside)
    out["signature"] = whole_descriptors(sample).ravel().astype(np.float64)
    return {name: out[name].astype(np.float32) for name in GROUPS}


def joined(parts: Sequence[Part]) -> Part:
    """Return several parts as one thing: what a file shows is often modelled in separate bodies.

    Cutters, modifiers and supports are left out where there are solid parts.
    """
    parts = [part for part in parts if not part.metadata.get("role")] or parts
    starts = np.cumsum([0, *(len(part.vertices_mm) for part in parts)])
    faces = [part.faces + start for part, start in zip(parts, starts, strict=False)]
    return Part(np.vstack([part.vertices_mm for part in parts]), np.vstack(faces))


def flipped_edges(edges: NDArray[Any]) -> NDArray[Any]:
    """Return edge histograms of the four ways in which a view can be flipped, shape (4, …, 144)."""
    shape = edges.shape
    fields = edges.reshape(-1, _DIRECTIONS, _CELLS, _CELLS)
    mirrored_directions = fields[:, (-np.arange(_DIRECTIONS)) % _DIRECTIONS]
    four = (
        fields,
        mirrored_directions[..., ::-1],
        mirrored_directions[:, :, ::-1],
        fields[:, :, ::-1, ::-1],
    )
    return np.stack([turned.reshape(shape) for turned in four])


def _distributions(sample: EvenSample) -> dict[str, NDArray[np.float64]]:
    """Return histograms of distances and angles of points of the surface, in units of the mean distance."""
    points = sample.points_mm
    centre = points.mean(axis=0)
    rows = np.random.Generator(np.random.PCG64(1)).integers(0, len(points), (_TRIPLES, 3))
    a, b, c = (points[rows[:, k]] for k in range(3))
    pairs = np.linalg.norm(a - b, axis=1)
    radii = np.linalg.norm(points - centre, axis=1)
    lengths = np.maximum(pairs * np.linalg.norm(c - a, axis=1), 1e-12)
    angles = np.arccos(np.clip(((b - a) * (c - a)).sum(axis=1) / lengths, -1.0, 1.0))
    return {
        "pair distances": np.histogram(pairs / pairs.mean(), 64, (0.0, 3.0))[0] / _TRIPLES,
        "centre distances": np.histogram(radii / radii.mean(), 32, (0.0, 3.0))[0] / len(points),
        "angles": np.histogram(angles, 32, (0.0, np.pi))[0] / _TRIPLES,
    }


def _proportions(sample: EvenSample) -> NDArray[np.float64]:
    """Return ratios of spreads and of sides, fill and area of the hull, skewness and kurtosis along the axes."""
    from scipy.spatial import ConvexHull, QhullError

    axes, spread = principal_axes(sample.points_mm)
    placed = along_axes(sample.points_mm - sample.points_mm.mean(axis=0), axes)
    sides = np.ptp(placed, axis=0)
    try:
        hull = ConvexHull(placed)
        volume, area = float(hull.volume), float(hull.area)
    except QhullError:
        # A flat sheet: its hull has two faces and no volume.
        volume, area = 0.0, 2.0 * sample.area_mm2
    safe = np.maximum(spread, 1e-6 * max(float(spread[0]), 1e-12))
    return np.array(
        [
            *np.log(spread[1:] / spread[0] + 1e-3),
            *np.log(sides[1:] / sides[0] + 1e-3),
            volume / float(np.prod(np.maximum(sides, 1e-6 * sides[0]))),
            np.log(sample.area_mm2 / area),
            *np.abs((placed**3).mean(axis=0) / safe**3),
            *((placed**4).mean(axis=0) / safe**4),
        ]
    )


def _outline(view: CanonicalView) -> list[float]:
    """Return 43 measures of a silhouette and its depth, the same for all four flips."""
    inside = view.inside.copy()
    if not inside.any():  # thinner than a pixel
        inside[PIXELS // 2, PIXELS // 2] = True
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    box = inside[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    values = [box.shape[0] / box.shape[1], float(box.mean()), *_border(inside)]
    for flipped in (box[:, ::-1], box[::-1], box[::-1, ::-1]):
        values.append(float((box & flipped).sum() / (box | flipped).sum()))
    widths = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 5)[inside]
    values += [float(v) / PIXELS for v in np.percentile(widths, (25, 50, 75, 90, 100))]
    for lengths in (box.sum(axis=0) / PIXELS, box.sum(axis=1) / PIXELS):
        steps = np.abs(np.diff(lengths))
        values += [
            float(lengths.std() / max(lengths.mean(), 1e-9)),
            float(lengths.max() / max(float(np.median(lengths)), 1.0 / PIXELS)),
            float(steps.sum()),
            float(steps.max(initial=0.0)),
            float(np.percentile(lengths, 10) / lengths.max()),
        ]
    padded = np.pad(box.astype(np.int64), 1)
    for axis in (0, 1):
        pieces = np.abs(np.diff(padded, axis=axis)).sum(axis=axis) / 2.0
        pieces = pieces[pieces > 0]
        values += [float(pieces.mean()), float((pieces > 1.5).mean())]
    thickness = np.maximum(view.near + view.far, 0.0)[inside]
    mean = float(thickness.mean())
    # Where the middle of the thickness lies: level if the part is the same on both sides.
    middle = ((view.near - view.far) / 2.0)[inside]
    values += [mean, float(thickness.std() / max(mean, 1e-9))]
    values += [float(v) for v in np.percentile(thickness, (10, 50, 90))]
    values += [float(middle.std()), float(middle.std() / max(mean, 1e-9))]
    return [*values, *_slopes(inside)]


def _border(inside: NDArray[np.bool_]) -> list[float]:
    """Return two solidities, number and area of holes, and two lengths of the border against area and hull."""
    contours, tree = cv2.findContours(inside.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    outer = [contour for contour, links in zip(contours, tree[0], strict=True) if links[3] < 0]
    holes = [contour for contour, links in zip(contours, tree[0], strict=True) if links[3] >= 0]
    filled = np.zeros(inside.shape, np.uint8)
    cv2.drawContours(filled, outer, -1, 1, -1)
    hull = cv2.convexHull(np.vstack(outer))
    hull_area = max(cv2.contourArea(hull), 1.0)
    area, whole = float(inside.sum()), float(filled.sum())
    length = cv2.arcLength(max(outer, key=len), True)
    return [
        min(area / hull_area, 1.5),
        min(whole / hull_area, 1.5),
        float(sum(cv2.contourArea(hole) > 3.0 for hole in holes)),
        (whole - area) / area,
        length / float(np.sqrt(whole)),
        length / max(cv2.arcLength(hull, True), 1.0),
    ]


def _gradients(inside: NDArray[np.bool_]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    smooth = cv2.GaussianBlur(inside.astype(np.float32), (0, 0), 1.0)
    down, right = np.gradient(smooth)
    return down, right


def _slopes(inside: NDArray[np.bool_]) -> list[float]:
    """Return the shares of the border in six classes of slope, from upright to level."""
    down, right = _gradients(inside)
    slope = np.arctan2(np.abs(down), np.abs(right))
    shares = np.histogram(slope, 6, (0.0, np.pi / 2.0), weights=np.hypot(down, right))[0]
    return [float(v) for v in shares / max(float(shares.sum()), 1e-9)]


def _edges(inside: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return directions of the border in 4 × 4 fields, each against the strength of its neighbourhood."""
    down, right = _gradients(inside)
    strength = np.hypot(down, right).astype(np.float64)
    turn = np.mod(np.arctan2(down, right).astype(np.float64), np.pi) / np.pi * _DIRECTIONS
    lower = np.floor(turn).astype(np.int64)
    share = turn - lower
    size = PIXELS // _CELLS
    fields = np.zeros((_DIRECTIONS, _CELLS, _CELLS))
    for direction in range(_DIRECTIONS):
        here = strength * ((lower % _DIRECTIONS == direction) * (1.0 - share))
        here += strength * (((lower + 1) % _DIRECTIONS == direction) * share)
        fields[direction] = here.reshape(_CELLS, size, _CELLS, size).sum(axis=(1, 3))
    padded = np.pad((fields**2).sum(axis=0), 1)
    around = sum(padded[i : i + _CELLS, j : j + _CELLS] for i in range(3) for j in range(3))
    return np.asarray((fields / np.sqrt(around + 0.5)).ravel())
