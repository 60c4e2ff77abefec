"""Stage 1, describe: a query taken apart into bodies, and each described."""

from __future__ import annotations

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

    @cached_property
    def points(self) -> NDArray[np.float64]:
        """Coarse points of its surface, millimetres."""
        return self.source.points_mm() if isinstance(self.source, Signature) else coarse_points(self.source)[0]

    def query(self, parameters: IdentificationParameters) -> Query:
        """Describe it."""
        if isinstance(self.source, Signature):
            return query_of_signature(self.source, parameters.surface)
        return query_of_sample(self.source, parameters.query_keypoints, parameters.surface)


def _piece(component: int, vertices: NDArray[np.float64], faces: NDArray[np.int64]) -> Piece:
    return Piece(component, sample_surface(vertices, faces), geometry_keys(vertices, faces))


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
    bodies = separate_bodies(parts, parameters)
    if not bodies:
        raise ParameterError("the query has no surface; there is nothing to search for")
    starts = np.cumsum([0, *(len(part.vertices_mm) for part in parts[:-1])])
    vertices = np.vstack([part.vertices_mm for part in parts])
    faces = np.vstack([part.faces + start for part, start in zip(parts, starts, strict=True)])
    if len(bodies) == 1:
        return [_piece(0, vertices, faces)]
    return [_piece(-1, vertices, faces), *(_piece(number, *body) for number, body in enumerate(bodies))]


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
    bodies: list[tuple[float, NDArray[np.float64], NDArray[np.int64]]] = []
    for part in parts:
        if not len(part.faces):
            continue
        label = _groups(part.vertices_mm, part.faces, parameters.fragments_above)
        order = np.argsort(label, kind="stable")
        for faces in np.split(part.faces[order], np.flatnonzero(np.diff(label[order])) + 1):
            used, rows = np.unique(faces, return_inverse=True)
            vertices = part.vertices_mm[used]
            rows = rows.reshape(-1, 3)
            a, b, c = (vertices[rows[:, k]] for k in range(3))
            area = float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2)
            bodies.append((area, vertices, rows))
    total = sum(area for area, _, _ in bodies)
    bodies = [body for body in bodies if body[0] > 0 and body[0] >= parameters.body_least_share * total]
    bodies.sort(key=lambda body: -body[0])
    return [(vertices, faces) for _, vertices, faces in bodies[: parameters.bodies_at_most]]


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
