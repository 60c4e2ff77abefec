"""Stage 1, describe: a query taken apart into bodies, and each described."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from ballistics.errors import ParameterError
from ballistics.printed.content.part import Part
from ballistics.printed.describe.geometry_hashes import GeometryKeys, geometry_keys
from ballistics.printed.describe.query import Query, query_of_sample, query_of_signature
from ballistics.printed.describe.sampling import EvenSample, sample_surface
from ballistics.printed.describe.signature import Signature, coarse_points
from ballistics.printed.identify.parameters import DEFAULT, IdentificationParameters


@dataclass(frozen=True)
class Piece:
    """What is searched for by itself: a body, or −1, all bodies together."""

    component: int
    source: EvenSample | Signature
    keys: GeometryKeys | None
    below_mm: float = math.inf

    @cached_property
    def points(self) -> NDArray[np.float64]:
        """Coarse points of its surface, millimetres."""
        return self.source.points_mm() if isinstance(self.source, Signature) else coarse_points(self.source)[0]

    def query(self, parameters: IdentificationParameters) -> Query:
        """Describe it."""
        if isinstance(self.source, Signature):
            return query_of_signature(self.source, parameters.surface)
        return query_of_sample(self.source, parameters.query_keypoints, parameters.surface, self.below_mm)


@dataclass(frozen=True)
class _Body:
    """Triangles of a part that belong together, and which of them are where a print stopped."""

    vertices: NDArray[np.float64]
    faces: NDArray[np.int64]
    is_cut: NDArray[np.bool_]
    below_mm: float

    def piece(self, component: int) -> Piece:
        """Sample the surface: a cut is none, unless it is all there is."""
        surface = self.faces if self.is_cut.all() else self.faces[~self.is_cut]
        keys = geometry_keys(self.vertices, self.faces)
        return Piece(component, sample_surface(self.vertices, surface), keys, self.below_mm)


def _below_mm(part: Part, is_cut: NDArray[np.bool_]) -> float:
    """Return the height at which the printing of a body stopped; infinite for one that was finished."""
    return math.inf if part.cut_mm is None or not is_cut.any() else part.cut_mm[0]


def pieces_of(query: Part | Sequence[Part] | Signature, parameters: IdentificationParameters) -> list[Piece]:
    """Return all of the query together and, when it has several, its bodies.

    Raises
    ------
    ParameterError
        There is no surface.
    """
    if isinstance(query, Signature):
        return [Piece(0, query, query.keys)]
    parts = [query] if isinstance(query, Part) else list(query)
    bodies = _bodies(parts, parameters)
    if not bodies:
        raise ParameterError("the query has no surface; there is nothing to search for")
    starts = np.cumsum([0, *(len(part.vertices_mm) for part in parts[:-1])])
    vertices = np.vstack([part.vertices_mm for part in parts])
    faces = np.vstack([part.faces + start for part, start in zip(parts, starts, strict=True)])
    # Bodies of which one was finished, or that stopped at other heights, have no height together.
    heights = {body.below_mm for body in bodies}
    below_mm = heights.pop() if len(heights) == 1 else math.inf
    whole = _Body(vertices, faces, np.concatenate([part.is_cut for part in parts]), below_mm)
    if len(bodies) == 1:
        return [whole.piece(0)]
    return [whole.piece(-1), *(body.piece(number) for number, body in enumerate(bodies))]


def separate_bodies(
    parts: Sequence[Part], parameters: IdentificationParameters = DEFAULT
) -> list[tuple[NDArray[np.float64], NDArray[np.int64]]]:
    """Return the bodies of parts as meshes, largest surface first.

    Triangles that share a corner are one body, and so are bodies of one part whose bounding boxes meet: an assembly
    stays together, the items of a build plate come apart. At most ``parameters.bodies_at_most``, none with less than
    ``parameters.body_least_share`` of all the surface.

    Parameters
    ----------
    parts : sequence of Part
    parameters : IdentificationParameters

    Returns
    -------
    list of (vertices, faces)
        As in `Part`; only the vertices that are used.
    """
    return [(body.vertices, body.faces) for body in _bodies(parts, parameters)]


def _bodies(parts: Sequence[Part], parameters: IdentificationParameters) -> list[_Body]:
    """Return the bodies of parts, largest surface first."""
    bodies: list[tuple[float, _Body]] = []
    for part in parts:
        if not len(part.faces):
            continue
        label = _groups(part.vertices_mm, part.faces, parameters.fragments_above)
        order = np.argsort(label, kind="stable")
        is_cut = part.is_cut
        for own in np.split(order, np.flatnonzero(np.diff(label[order])) + 1):
            used, rows = np.unique(part.faces[own], return_inverse=True)
            vertices = part.vertices_mm[used]
            rows = rows.reshape(-1, 3)
            a, b, c = (vertices[rows[:, k]] for k in range(3))
            area = float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2)
            bodies.append((area, _Body(vertices, rows, is_cut[own], _below_mm(part, is_cut[own]))))
    total = sum(area for area, _ in bodies)
    bodies = [(area, body) for area, body in bodies if area > 0 and area >= parameters.body_least_share * total]
    bodies.sort(key=lambda sized: -sized[0])
    return [body for _, body in bodies[: parameters.bodies_at_most]]


def _groups(vertices: NDArray[np.float64], faces: NDArray[np.int64], fragments_above: int) -> NDArray[np.int64]:
    """Return the body of each triangle."""
    n = len(vertices)
    # Triangle soups repeat each position; what lies at one place is one vertex.
    _, same = np.unique(vertices, axis=0, return_inverse=True)
    corner = same.reshape(-1)[faces]
    links = np.concatenate([corner[:, :2], corner[:, 1:]])
    ones = np.ones(len(links), dtype=np.int8)
    _, body = connected_components(coo_matrix((ones, (links[:, 0], links[:, 1])), shape=(n, n)), directed=False)
    names, label = np.unique(body[corner[:, 0]], return_inverse=True)
    label = label.reshape(-1)
    if len(names) > fragments_above:  # a cloud of fragments, not a plate
        return np.zeros(len(faces), dtype=np.int64)
    low = np.full((len(names), 3), np.inf)
    high = np.full((len(names), 3), -np.inf)
    for k in range(3):
        np.minimum.at(low, label, vertices[faces[:, k]])
        np.maximum.at(high, label, vertices[faces[:, k]])
    # Joined boxes may meet further ones: repeat until nothing changes.
    group = np.arange(len(names))
    while True:
        meet = ((low[:, None] <= high[None]) & (low[None] <= high[:, None])).all(axis=2)
        count, joined = connected_components(coo_matrix(meet), directed=False)
        group = joined[group]
        if count == len(low):
            return np.asarray(group[label], dtype=np.int64)
        new_low, new_high = np.full((count, 3), np.inf), np.full((count, 3), -np.inf)
        np.minimum.at(new_low, joined, low)
        np.maximum.at(new_high, joined, high)
        low, high = new_low, new_high
