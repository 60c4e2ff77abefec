"""A query taken apart: its bodies, and what remains when a part of its surface is explained."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from ballistics.printed.content.part import Part

# Bodies of less than this share of the surface are searched only together with the rest.
_LEAST_AREA = 0.01
_MOST_PIECES = 40


def separate_bodies(parts: Sequence[Part]) -> list[tuple[NDArray[np.float64], NDArray[np.int64]]]:
    """Return the bodies of parts as meshes, largest surface first.

    Triangles that share a corner are one body, and so are bodies of one part whose bounding boxes meet: an assembly
    stays together, the items of a build plate come apart. At most 40, none with less than 1 % of all the surface.

    Parameters
    ----------
    parts : sequence of Part

    Returns
    -------
    list of (vertices, faces)
        As in `Part`; only the vertices that are used.
    """
    bodies: list[tuple[float, NDArray[np.float64], NDArray[np.int64]]] = []
    for part in parts:
        if not len(part.faces):
            continue
        label = _groups(part.vertices_mm, part.faces)
        order = np.argsort(label, kind="stable")
        for faces in np.split(part.faces[order], np.flatnonzero(np.diff(label[order])) + 1):
            used, rows = np.unique(faces, return_inverse=True)
            vertices = part.vertices_mm[used]
            rows = rows.reshape(-1, 3)
            a, b, c = (vertices[rows[:, k]] for k in range(3))
            area = float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2)
            bodies.append((area, vertices, rows))
    total = sum(area for area, _, _ in bodies)
    bodies = [body for body in bodies if body[0] > 0 and body[0] >= _LEAST_AREA * total]
    bodies.sort(key=lambda body: -body[0])
    return [(vertices, faces) for _, vertices, faces in bodies[:_MOST_PIECES]]


def _groups(vertices: NDArray[np.float64], faces: NDArray[np.int64]) -> NDArray[np.int64]:
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
    if len(names) > 400:  # a cloud of fragments, not a plate
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
