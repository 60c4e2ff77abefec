"""How far the surface read from a print job lies from the mesh that was sliced, point to triangle, both ways."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ballistics.printed.content.part import Part
from ballistics.printed.files.reading import read_parts
from reference_meshes.disturbances import joined, random_points
from reference_meshes.solids import Mesh

_POINTS, _DENSE = 15_000, 400_000
_NEIGHBOURS = 6
# Of the points of a job, the share that each round of registration looks at: first nearly all, so that no side of a box
# is left out; then what is surely not off the mesh.
_KEPT_SHARES = (0.97,) * 40 + (0.7,) * 10


@dataclass(frozen=True)
class SurfaceError:
    """Distances in mm between two surfaces.

    Parameters
    ----------
    there, back : ndarray of float64
        From points of the job's surface to the mesh; from points of the mesh to the job's surface.
    """

    there: NDArray[np.float64]
    back: NDArray[np.float64]

    @property
    def median(self) -> float:
        """The larger median of the two ways."""
        return float(max(np.median(self.there), np.median(self.back)))

    @property
    def p95(self) -> float:
        """The larger 95 % quantile of the two ways."""
        return float(max(np.quantile(self.there, 0.95), np.quantile(self.back, 0.95)))


def mesh_of_file(path: Path) -> Mesh:
    """Read a file as a single mesh."""
    return mesh_of_parts(read_parts(path).parts)


def mesh_of_parts(parts: tuple[Part, ...]) -> Mesh:
    """Return parts as a single mesh."""
    return joined(*(Mesh(part.vertices_mm, part.faces) for part in parts))


def outside_of(mesh: Mesh) -> Mesh:
    """Return the surface of a mesh of overlapping bodies that is not within one of them: slicers print no other.

    A mesh of a single body, or with a body that is not closed, is returned as it is.
    """
    import trimesh

    bodies = trimesh.Trimesh(mesh.vertices, mesh.faces).split(only_watertight=False)
    if len(bodies) < 2 or not all(body.is_volume for body in bodies):
        return mesh
    union = trimesh.boolean.union(bodies, engine="manifold")
    return Mesh(np.asarray(union.vertices, np.float64), np.asarray(union.faces, np.int64))


class _Surface:
    """A mesh that is asked how far points lie from it."""

    def __init__(self, mesh: Mesh, seed: int) -> None:
        from scipy.spatial import cKDTree

        rng = np.random.Generator(np.random.PCG64(seed))
        corners = mesh.vertices[mesh.faces]
        areas = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
        self._corners = corners
        self._triangle = rng.choice(len(areas), _DENSE, p=areas / areas.sum())
        weights = rng.dirichlet(np.ones(3), _DENSE)
        self._tree = cKDTree((corners[self._triangle] * weights[:, :, None]).sum(axis=1))

    def nearest(self, points: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the distance of each point, and the place of the surface that is nearest."""
        from trimesh.triangles import closest_point

        _, rows = self._tree.query(points, k=_NEIGHBOURS)
        again = np.repeat(points, _NEIGHBOURS, axis=0)
        places = closest_point(self._corners[self._triangle[rows.ravel()]], again)
        apart = np.linalg.norm(places - again, axis=1).reshape(-1, _NEIGHBOURS)
        best = apart.argmin(axis=1)
        return apart.min(axis=1), places.reshape(-1, _NEIGHBOURS, 3)[np.arange(len(points)), best]


def surface_error(job: Mesh, source: Mesh, pose: NDArray[np.float64] | None = None) -> SurfaceError:
    """Measure how far the surface of a job lies from the mesh it was made of.

    Parameters
    ----------
    job, source : Mesh
        In millimetres; of the source, what lies within another of its bodies counts for nothing.
    pose : ndarray of float64, shape (4, 4), optional
        Similarity from the job to the source, as an identification finds it; registered rigidly up to its scale and
        reflection here. None: they lie on each other already.
    """
    source = outside_of(source)
    target = _Surface(source, 5)
    rng = np.random.Generator(np.random.PCG64(1))
    scale = 1.0
    placed = job
    if pose is not None:
        scale = float(abs(np.linalg.det(pose[:3, :3])) ** (1 / 3))
        placed = Mesh(job.vertices @ pose[:3, :3].T + pose[:3, 3], job.faces)
        few = random_points(placed, 3000, rng)
        turn, shift = np.eye(3), np.zeros(3)
        for share in _KEPT_SHARES:
            now = few @ turn.T + shift
            apart, places = target.nearest(now)
            kept = apart <= np.quantile(apart, share)
            step, off = _rigid(now[kept], places[kept])
            turn, shift = step @ turn, step @ shift + off
        placed = Mesh(placed.vertices @ turn.T + shift, placed.faces)
    there, _ = target.nearest(random_points(placed, _POINTS, rng))
    back, _ = _Surface(placed, 6).nearest(random_points(source, _POINTS, rng))
    return SurfaceError(there / scale, back / scale)


def _rigid(points: NDArray[np.float64], places: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the turn and shift that bring points nearest to places (Kabsch 1976, doi:10.1107/S0567739476001873)."""
    here, there = points.mean(axis=0), places.mean(axis=0)
    u, _, v = np.linalg.svd((points - here).T @ (places - there))
    turn = (u @ np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ v))]) @ v).T
    return turn, there - turn @ here
