"""Revisions of a solid as designers make them: a hole moved, a handle made longer, text embossed, the other hand."""

from __future__ import annotations

from collections.abc import Callable

import manifold3d as m3
import numpy as np

from reference_meshes.disturbances import as_solid
from reference_meshes.solids import Generator, Mesh, from_manifold


def _solid(mesh: Mesh) -> m3.Manifold:
    made = as_solid(mesh)
    if made is None:
        raise ValueError("the mesh is not closed: no revision can be made of it")
    return made


def _drilled(mesh: Mesh, at: tuple[float, float]) -> Mesh:
    """Return a mesh with a hole along its shortest side, at shares of the other two."""
    low, high = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
    extent = high - low
    short = int(np.argmin(extent))
    across = [k for k in range(3) if k != short]
    radius = 0.06 * float(extent[across].max())
    rod = m3.Manifold.cylinder(3.0 * float(extent.max()), radius, radius, 48, True)
    turn = {0: (0.0, 90.0, 0.0), 1: (90.0, 0.0, 0.0), 2: (0.0, 0.0, 0.0)}[short]
    place = (low + high) / 2.0
    for k, share in zip(across, at, strict=True):
        place[k] = low[k] + share * extent[k]
    return from_manifold(_solid(mesh) - rod.rotate(turn).translate(tuple(place)))


def moved_hole(mesh: Mesh, rng: Generator) -> tuple[Mesh, Mesh]:
    """Return a solid with a hole, and the same with the hole elsewhere."""
    x, y = rng.uniform(0.25, 0.42, 2)
    return _drilled(mesh, (x, y)), _drilled(mesh, (x + 0.25, y + 0.2))


def longer(mesh: Mesh, rng: Generator) -> tuple[Mesh, Mesh]:
    """Return a solid and the same stretched on one side of a plane across its longest side: a longer handle."""
    low, extent = mesh.vertices.min(axis=0), np.ptp(mesh.vertices, axis=0)
    long = int(np.argmax(extent))
    at = low[long] + rng.uniform(0.5, 0.65) * extent[long]
    vertices = mesh.vertices.copy()
    beyond = vertices[:, long] > at
    vertices[beyond, long] = at + rng.uniform(1.3, 1.5) * (vertices[beyond, long] - at)
    return mesh, Mesh(vertices, mesh.faces)


def mirrored(mesh: Mesh, rng: Generator) -> tuple[Mesh, Mesh]:
    """Return a solid and its mirror image."""
    flip = np.ones(3)
    flip[int(rng.integers(3))] = -1.0
    return mesh, Mesh(mesh.vertices * flip, mesh.faces[:, ::-1].copy())


def embossed(mesh: Mesh, rng: Generator) -> tuple[Mesh, Mesh]:
    """Return a solid and the same with bars of letters standing on it."""
    low, high = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
    extent = high - low
    middle = (low + high) / 2.0
    size = float(extent.max())
    made = _solid(mesh)
    short = int(np.argmin(extent))
    sides = np.full(3, 0.02 * size)
    long = int(np.argmax(extent))
    for k in range(6):
        bar = sides.copy()
        bar[3 - short - long if short != long else (long + 1) % 3] = (0.08 + 0.04 * rng.random()) * size
        # Deep enough to stand on whatever surface there is.
        bar[short] = float(extent[short]) / 2.0 + 0.015 * size
        place = middle.copy()
        place[long] += (k - 2.5) * 0.05 * size
        place[short] += bar[short] / 2.0
        made += m3.Manifold.cube(tuple(bar), True).translate(tuple(place))
    return mesh, from_manifold(made)


#: What is done, by name: a solid becomes two revisions of each other.
REVISIONS: dict[str, Callable[[Mesh, Generator], tuple[Mesh, Mesh]]] = {
    "moved hole": moved_hole,
    "longer handle": longer,
    "mirrored": mirrored,
    "embossed text": embossed,
}
