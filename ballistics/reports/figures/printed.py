"""Pictures of an identification: the query from six sides, what a reference explains of it, and how far it deviates."""

from __future__ import annotations

import base64
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ballistics.printed import (
    Candidate,
    Collection,
    Identification,
    Part,
    PartFile,
    deviations_of,
    moved,
    render_view,
    separate_bodies,
    six_views,
)
from ballistics.reports.figures.pictures import palette_of

Points = NDArray[np.float64]
Faces = NDArray[np.int64]

EXPLAINED = (58, 124, 190)
UNEXPLAINED = (214, 188, 150)
ABSENT = (196, 30, 120)
NO_COUNTERPART = (150, 150, 150)
DEVIATION_COLOURS = "YlOrRd"
# Triangles are cut to this share of the size before they are coloured by corner, up to this number of triangles.
_FINE, _MOST_FACES = 1.0 / 70.0, 300_000
# The reference's points are drawn as beads of this share of its size.
_BEAD = 1.0 / 110.0
_PIXELS = 360
_THUMBNAIL = 160
_OBLIQUE = np.array([[0.8192, -0.5736, 0.0], [0.3287, 0.4695, -0.8195], [0.4700, 0.6713, 0.5731]])


@dataclass(frozen=True)
class Mesh:
    """All of a file in one mesh, millimetres."""

    vertices: Points
    faces: Faces


@dataclass(frozen=True)
class CandidateFigures:
    """The pictures of one candidate, and what their colours mean.

    Parameters
    ----------
    overlay, deviation : str
        ``data:image/png;base64,…``
    limit_mm : float
        Deviation at the end of the colour scale.
    resolution_mm : float
        Deviations below this are of the coarse points that stand for the reference, not of the query.
    median_mm, high_mm : float
        Median and 95 % quantile of the deviations where the query has a counterpart.
    without : float
        Share of the query's points, 0–1, that have no counterpart.
    """

    overlay: str
    deviation: str
    limit_mm: float
    resolution_mm: float
    median_mm: float
    high_mm: float
    without: float


def whole_mesh(parts: tuple[Part, ...]) -> Mesh:
    """Return the parts of a file as one mesh."""
    starts = np.cumsum([0, *(len(part.vertices_mm) for part in parts)])
    faces = [part.faces + start for part, start in zip(parts, starts, strict=False)]
    return Mesh(np.concatenate([part.vertices_mm for part in parts]), np.concatenate(faces))


def views_of(mesh: Mesh) -> str:
    """Return the six views of a mesh."""
    return png_uri(six_views(mesh.vertices, mesh.faces, pixels=_PIXELS))


def thumbnail_of(file: PartFile) -> bytes:
    """Return one oblique view of a file as PNG, for a contact sheet."""
    mesh = whole_mesh(file.parts)
    return _png(render_view(mesh.vertices @ _OBLIQUE.T, mesh.faces, "top", pixels=_THUMBNAIL))


def searched_mesh(parts: tuple[Part, ...], candidate: Candidate) -> Mesh:
    """Return the body of a file that a candidate was found with; of a build plate, one item."""
    bodies = separate_bodies(parts)
    if candidate.component < 0 or len(bodies) <= 1:
        return whole_mesh(parts)
    return Mesh(*bodies[candidate.component])


def candidate_figures(
    mesh: Mesh, found: Identification, candidate: Candidate, collection: Collection
) -> CandidateFigures:
    """Draw a query with what a candidate explains of it.

    Parameters
    ----------
    mesh : Mesh
        From `searched_mesh`.
    found : Identification
    candidate : Candidate
    collection : Collection
        The one that was searched.
    """
    cloud = collection.cloud(candidate.row)
    signature = collection.signature(candidate.row)
    fine = finer(mesh, _FINE * _extent(mesh.vertices))
    off = deviations_of(fine.vertices, cloud, candidate.pose)
    limit = 2.0 * candidate.tolerance_mm
    explained = np.where((off <= candidate.tolerance_mm)[:, None], EXPLAINED, UNEXPLAINED).astype(np.uint8)
    absent = beads(_absent(fine, candidate, signature.points_mm()), _BEAD * cloud.size * candidate.scale)
    overlay = six_uri(
        Mesh(np.concatenate([fine.vertices, absent.vertices]), np.concatenate([fine.faces, absent.faces + len(off)])),
        np.concatenate([explained, np.tile(np.array(ABSENT, np.uint8), (len(absent.vertices), 1))]),
    )
    palette = palette_of(DEVIATION_COLOURS)
    level = np.rint(np.clip(np.where(np.isfinite(off), off, limit) / limit, 0.0, 1.0) * 254.0).astype(np.int64)
    colours = np.where(np.isfinite(off)[:, None], palette[level], np.array(NO_COUNTERPART, np.uint8)).astype(np.uint8)
    points = candidate.deviations_mm[own_points(found, candidate)]
    known = points[np.isfinite(points)]
    return CandidateFigures(
        overlay,
        six_uri(fine, colours),
        limit,
        0.5 * signature.step_mm * candidate.scale,
        float(np.median(known)) if known.size else float("nan"),
        float(np.quantile(known, 0.95)) if known.size else float("nan"),
        1.0 - known.size / max(points.size, 1),
    )


def own_points(found: Identification, candidate: Candidate) -> NDArray[np.bool_]:
    """Return which of the query's points are of the body that a candidate was found with."""
    if candidate.component < 0:
        return np.ones(len(found.points_mm), dtype=bool)
    return np.asarray(found.components == candidate.component)


def reference_points_mm(candidate: Candidate, collection: Collection) -> Points:
    """Return the coarse points of a candidate's reference in the frame of the query."""
    return _in_query_frame(candidate, collection.signature(candidate.row).points_mm())


def present(mesh: Mesh, candidate: Candidate, points_mm: Points) -> NDArray[np.bool_]:
    """Return which points of a reference lie on the query's surface.

    Parameters
    ----------
    mesh : Mesh
        The query.
    candidate : Candidate
        Its tolerance counts.
    points_mm : ndarray of float64, shape (points, 3)
        Points of the reference in the query's frame.

    Returns
    -------
    ndarray of bool, shape (points,)
        True within the tolerance of the surface, which is sampled: the distance between its points is allowed for.
    """
    from scipy.spatial import cKDTree

    from ballistics.printed import sample_surface

    sample = sample_surface(mesh.vertices, mesh.faces)
    # The surface continues between the points of the sample: half their distance is not an absence.
    reach = float(np.hypot(candidate.tolerance_mm, sample.distances_mm[-1]))
    distance, _ = cKDTree(sample.points_mm).query(points_mm, distance_upper_bound=reach)
    return np.asarray(np.isfinite(distance))


def _in_query_frame(candidate: Candidate, points_mm: Points) -> Points:
    inverse: Points = np.linalg.inv(candidate.pose).astype(np.float64)
    return moved(points_mm, inverse)


def _absent(mesh: Mesh, candidate: Candidate, points_mm: Points) -> Points:
    moved_mm = _in_query_frame(candidate, points_mm)
    return moved_mm[~present(mesh, candidate, moved_mm)]


def finer(mesh: Mesh, longest_mm: float) -> Mesh:
    """Halve the longest edge of triangles until none is longer than asked for, or there are many triangles.

    Colours stand at corners; a plate of two triangles has too few of them to show where it deviates.

    Examples
    --------
    >>> corners = np.array([[0.0, 0, 0], [4, 0, 0], [0, 3, 0]])
    >>> len(finer(Mesh(corners, np.array([[0, 1, 2]])), 1.5).faces)
    12
    """
    vertices, faces = mesh.vertices, mesh.faces
    while len(faces) <= _MOST_FACES:
        corners = vertices[faces]
        lengths = np.linalg.norm(corners - np.roll(corners, -1, axis=1), axis=2)
        longest = lengths.argmax(axis=1)
        rows = np.arange(len(faces))
        cut = lengths[rows, longest] > longest_mm
        if not cut.any() or len(faces) + cut.sum() > _MOST_FACES:
            break
        a, b, c = (faces[rows, (longest + k) % 3][cut] for k in range(3))
        middle = np.arange(len(a)) + len(vertices)
        vertices = np.concatenate([vertices, 0.5 * (vertices[a] + vertices[b])])
        halves = [np.stack([a, middle, c], axis=1), np.stack([middle, b, c], axis=1)]
        faces = np.concatenate([faces[~cut], *halves])
    return Mesh(vertices, faces)


def beads(points_mm: Points, size_mm: float) -> Mesh:
    """Return an octahedron around each point: so a renderer of meshes hides what lies behind the surface."""
    tips = size_mm * np.array([[1.0, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]])
    sides = np.array([[0, 2, 4], [2, 1, 4], [1, 3, 4], [3, 0, 4], [2, 0, 5], [1, 2, 5], [3, 1, 5], [0, 3, 5]])
    vertices = (points_mm[:, None] + tips).reshape(-1, 3)
    faces = (6 * np.arange(len(points_mm))[:, None, None] + sides).reshape(-1, 3)
    return Mesh(vertices, faces.astype(np.int64))


def scale_uri() -> str:
    """Return the bar of the deviation scale, from 0 on the left."""
    return png_uri(np.tile(palette_of(DEVIATION_COLOURS)[None], (8, 1, 1)))


def png_uri(picture: NDArray[np.uint8]) -> str:
    """Return a picture as a data URI."""
    return "data:image/png;base64," + base64.b64encode(_png(picture)).decode("ascii")


def six_uri(mesh: Mesh, colours: NDArray[np.uint8]) -> str:
    """Return the six views of a mesh with a colour for each corner."""
    return png_uri(six_views(mesh.vertices, mesh.faces, pixels=_PIXELS, vertex_colours=colours))


def _png(picture: NDArray[np.uint8]) -> bytes:
    import cv2

    bgr = np.ascontiguousarray(picture[:, :, ::-1])
    return bytes(cv2.imencode(".png", bgr, [cv2.IMWRITE_PNG_COMPRESSION, 9])[1].tobytes())


def _extent(vertices: Points) -> float:
    return float(np.ptp(vertices, axis=0).max())
