"""What is done to a mesh to hide where it came from: cuts, dummy material, coarsening, noise, plates, slicing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import manifold3d as m3
import numpy as np
from numpy.typing import NDArray

from reference_meshes.solids import Generator, Mesh, from_manifold, placed, random_primitive, random_turn


def diagonal(mesh: Mesh) -> float:
    """Return the diagonal of the bounding box of the vertices in use."""
    used = mesh.vertices[mesh.faces.ravel()]
    return float(np.linalg.norm(used.max(axis=0) - used.min(axis=0)))


def similarity(rng: Generator, scaled: bool, mirrored: bool, reach: float) -> NDArray[np.float64]:
    """Return a random 4 × 4 similarity: any turn, a shift of about ``reach``, scale 0.5–2 and a reflection if asked."""
    pose = np.eye(4)
    factor = 2.0 ** rng.uniform(-1.0, 1.0) if scaled else 1.0
    pose[:3, :3] = factor * random_turn(rng)
    if mirrored:
        pose[:3, 0] = -pose[:3, 0]
    pose[:3, 3] = rng.normal(size=3) * reach
    return pose


def posed(mesh: Mesh, pose: NDArray[np.float64]) -> Mesh:
    """Return the mesh under a similarity; under a reflection the triangles turn over, so that they still face out."""
    faces = mesh.faces if np.linalg.det(pose[:3, :3]) > 0 else mesh.faces[:, ::-1].copy()
    return Mesh(mesh.vertices @ pose[:3, :3].T + pose[:3, 3], faces)


def random_points(mesh: Mesh, count: int, rng: Generator) -> NDArray[np.float64]:
    """Return points drawn evenly from the surface."""
    corners = mesh.vertices[mesh.faces]
    areas = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    drawn = rng.choice(len(areas), count, p=areas / areas.sum())
    return np.asarray((corners[drawn] * rng.dirichlet(np.ones(3), count)[:, :, None]).sum(axis=1))


def welded(mesh: Mesh) -> Mesh:
    """Return the mesh with equal vertices made one and triangles without area left out."""
    step = 1e-7 * diagonal(mesh)
    _, first, row = np.unique(np.round(mesh.vertices / step), axis=0, return_index=True, return_inverse=True)
    faces = row.reshape(-1)[mesh.faces]
    distinct = (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 2] != faces[:, 0])
    return Mesh(mesh.vertices[first], faces[distinct])


def as_solid(mesh: Mesh) -> m3.Manifold | None:
    """Return the solid of a closed mesh, or None when it is not closed."""
    mesh = welded(mesh)
    vertices = mesh.vertices.astype(np.float32)
    made = m3.Manifold(m3.Mesh(vertices, mesh.faces.astype(np.uint32)))
    return None if made.status() != m3.Error.NoError or made.is_empty() or made.volume() <= 0 else made


def joined(*meshes: Mesh) -> Mesh:
    """Return several meshes as one, each at its place."""
    starts = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes[:-1])])
    faces = np.vstack([mesh.faces + start for mesh, start in zip(meshes, starts, strict=True)])
    return Mesh(np.vstack([mesh.vertices for mesh in meshes]), faces)


def decimate(mesh: Mesh, share: float) -> Mesh:
    """Reduce the number of triangles by quadric edge collapse, never below 60."""
    import fast_simplification

    mesh = welded(mesh)
    target = max(60, int(len(mesh.faces) * share))
    if target >= len(mesh.faces):
        return mesh
    vertices, faces = fast_simplification.simplify(
        mesh.vertices.astype(np.float32), mesh.faces.astype(np.int32), target_count=target
    )
    return Mesh(vertices.astype(np.float64), faces.astype(np.int64))


def refined(mesh: Mesh, edge: float, most: int = 400_000) -> Mesh:
    """Split triangles until no edge is longer than ``edge``, or there are ``most`` triangles."""
    vertices, faces = mesh.vertices, mesh.faces
    while True:
        corner = vertices[faces]
        lengths = np.linalg.norm(corner - np.roll(corner, -1, axis=1), axis=2)
        longest = lengths.argmax(axis=1)
        long = lengths[np.arange(len(faces)), longest] > edge
        if not long.any() or len(faces) > most:
            return Mesh(vertices, faces)
        chosen = faces[long]
        k = longest[long]
        rows = np.arange(len(chosen))
        a, b, c = chosen[rows, k], chosen[rows, (k + 1) % 3], chosen[rows, (k + 2) % 3]
        pair = np.sort(np.column_stack([a, b]), axis=1)
        _, first, row = np.unique(pair, axis=0, return_index=True, return_inverse=True)
        middle = len(vertices) + row.reshape(-1)
        vertices = np.vstack([vertices, 0.5 * (vertices[pair[first, 0]] + vertices[pair[first, 1]])])
        faces = np.vstack([faces[~long], np.column_stack([a, middle, c]), np.column_stack([middle, b, c])])


def noise(mesh: Mesh, share: float, rng: Generator) -> Mesh:
    """Move each vertex at random, normal with a standard deviation of a share of the diagonal, after refining.

    Refined to edges of 1/40 of the diagonal: on a plate of two triangles noise would be a bend, not noise.
    """
    size = diagonal(mesh)
    fine = refined(welded(mesh), size / 40.0)
    return Mesh(fine.vertices + rng.normal(size=fine.vertices.shape) * share * size, fine.faces)


def remesh(mesh: Mesh, rng: Generator) -> Mesh:
    """Triangulate anew: split to a random edge length, then collapse to 30–70 % of the triangles."""
    fine = refined(welded(mesh), diagonal(mesh) / rng.uniform(25.0, 60.0))
    return decimate(fine, rng.uniform(0.3, 0.7))


def cut(mesh: Mesh, share: float, rng: Generator) -> Mesh:
    """Keep the part on one side of a random plane that has about a share of the area; closed parts stay closed."""
    return halves(mesh, share, rng)[0]


def halves(mesh: Mesh, share: float, rng: Generator) -> tuple[Mesh, Mesh]:
    """Return both sides of a random plane, the first with about a share of the area."""
    normal = random_turn(rng)[0]
    offset = float(np.quantile(random_points(mesh, 20_000, rng) @ normal, 1.0 - share))
    solid = as_solid(mesh)
    if solid is not None:
        kept, rest = solid.split_by_plane(normal.tolist(), offset)
        if not kept.is_empty() and not rest.is_empty():
            return from_manifold(kept), from_manifold(rest)
    return clipped(mesh, normal, offset), clipped(mesh, -normal, -offset)


def clipped(mesh: Mesh, normal: NDArray[np.float64], offset: float) -> Mesh:
    """Return the triangles beyond a plane, those on it cut; the cut stays open."""
    import trimesh

    vertices, faces, _ = trimesh.intersections.slice_faces_plane(mesh.vertices, mesh.faces, normal, normal * offset)
    return Mesh(np.asarray(vertices), np.asarray(faces, dtype=np.int64))


def dummy(mesh: Mesh, rng: Generator) -> Mesh:
    """Bury part of the surface in 3–6 foreign primitives; 40–70 % of it stays visible.

    A closed mesh is united with them, another one lies among them.
    """
    size = diagonal(mesh)
    points = random_points(mesh, 3000, rng)
    visible = np.ones(len(points), dtype=bool)
    tools: list[m3.Manifold] = []
    for _ in range(40):
        primitive = random_primitive(rng, size * rng.uniform(0.25, 0.6))
        turn, shift = random_turn(rng), points[rng.integers(len(points))] + rng.normal(size=3) * 0.05 * size
        buried = inside_hull(primitive, (points - shift) @ turn)
        if (visible & ~buried).mean() < 0.4:
            continue
        visible &= ~buried
        tools.append(placed(primitive, turn, shift))
        if len(tools) >= 6 or (len(tools) >= 3 and visible.mean() <= 0.7):
            break
    solid = as_solid(mesh)
    if solid is not None:
        return from_manifold(m3.Manifold.batch_boolean([solid, *tools], m3.OpType.Add))
    return joined(mesh, from_manifold(m3.Manifold.batch_boolean(tools, m3.OpType.Add)))


def inside_hull(convex: m3.Manifold, points: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which points lie inside a convex solid."""
    mesh = from_manifold(convex)
    corners = mesh.vertices[mesh.faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    return np.asarray(((points @ normals.T) <= (normals * corners[:, 0]).sum(axis=1) + 1e-9).all(axis=1))


def holes_and_struts(mesh: Mesh, rng: Generator) -> Mesh:
    """Drill 4–8 holes and add 4–8 struts between points of the surface; an open mesh gets the struts only."""
    size = diagonal(mesh)
    points = random_points(mesh, 40, rng)

    def rod(a: NDArray[np.float64], b: NDArray[np.float64], radius: float) -> m3.Manifold:
        axis = (b - a) / np.linalg.norm(b - a)
        turn = np.linalg.qr(np.column_stack([axis, random_turn(rng)[:, :2]]))[0][:, [1, 2, 0]]
        turn[:, 2] = axis
        if np.linalg.det(turn) < 0:
            turn[:, 0] = -turn[:, 0]
        return placed(m3.Manifold.cylinder(float(np.linalg.norm(b - a)), radius, -1.0, 20), turn, a)

    struts = [
        rod(points[2 * k], points[2 * k + 1], size * rng.uniform(0.008, 0.02)) for k in range(int(rng.integers(4, 9)))
    ]
    solid = as_solid(mesh)
    if solid is None:
        return joined(mesh, from_manifold(m3.Manifold.batch_boolean(struts, m3.OpType.Add)))
    drills = []
    for k in range(int(rng.integers(4, 9))):
        way = random_turn(rng)[0] * size
        drills.append(rod(points[20 + k] - way, points[20 + k] + way, size * rng.uniform(0.008, 0.02)))
    drilled = solid - m3.Manifold.batch_boolean(drills, m3.OpType.Add)
    return from_manifold(drilled + m3.Manifold.batch_boolean(struts, m3.OpType.Add))


def split(mesh: Mesh, rng: Generator) -> Mesh:
    """Cut in two at 40–60 % of the area and place the pieces apart, each turned, in one file."""
    pieces = halves(mesh, rng.uniform(0.4, 0.6), rng)
    return plate([posed(piece, similarity(rng, False, False, 0.0)) for piece in pieces])


def plate(meshes: list[Mesh]) -> Mesh:
    """Place meshes on a grid with gaps of 5 % of the largest, in one file."""
    side = int(np.ceil(np.sqrt(len(meshes))))
    pitch = 1.05 * max(diagonal(mesh) for mesh in meshes)
    placed = []
    for k, mesh in enumerate(meshes):
        used = mesh.vertices[mesh.faces.ravel()]
        centre = 0.5 * (used.min(axis=0) + used.max(axis=0))
        placed.append(Mesh(mesh.vertices - centre + pitch * np.array([k % side, k // side, 0.0]), mesh.faces))
    return joined(*placed)


def sliced(mesh: Mesh) -> Mesh:
    """Rebuild from layers of 1/250 of the diagonal: cells that the outside cannot reach, and their surface again."""
    from scipy import ndimage

    step = diagonal(mesh) / 250.0
    fine = refined(mesh, step * 0.9)
    corners = fine.vertices[fine.faces]
    points = np.vstack([fine.vertices, corners.mean(axis=1)])
    low = points.min(axis=0) - 2.0 * step
    cells = np.floor((points - low) / step).astype(np.int64)
    solid = np.zeros(cells.max(axis=0) + 3, dtype=bool)
    solid[tuple(cells.T)] = True
    outside, _ = ndimage.label(~solid)
    solid = outside != outside[0, 0, 0]
    quads = []
    for axis in range(3):
        for sign in (0, 1):
            bare = solid & ~np.roll(solid, 1 - 2 * sign, axis=axis)
            at = np.argwhere(bare)
            u, v = (axis + 1) % 3, (axis + 2) % 3
            corner = np.repeat(at[:, None, :], 4, axis=1)
            corner[:, :, axis] += sign
            corner[:, 1, u] += 1
            corner[:, 2, u] += 1
            corner[:, 2, v] += 1
            corner[:, 3, v] += 1
            quads.append(corner if sign else corner[:, ::-1])
    corner = np.vstack(quads)
    flat = corner.reshape(-1, 3)
    unique, row = np.unique(flat, axis=0, return_inverse=True)
    row = row.reshape(-1, 4)
    faces = np.vstack([row[:, [0, 1, 2]], row[:, [0, 2, 3]]])
    return Mesh(unique * step + low, faces)


@dataclass(frozen=True)
class Disturbance:
    """A way to hide where a mesh came from: a similarity, then a change of the geometry."""

    change: Callable[[Mesh, Generator], Mesh]
    scaled: bool = False
    mirrored: bool = False

    def apply(self, mesh: Mesh, rng: Generator) -> tuple[Mesh, NDArray[np.float64]]:
        """Return the mesh turned, shifted and disturbed, and the 4 × 4 similarity from the old to the new."""
        pose = similarity(rng, self.scaled, self.mirrored, diagonal(mesh))
        return self.change(posed(mesh, pose), rng), pose


DISTURBANCES: dict[str, Disturbance] = {
    "rotation": Disturbance(lambda m, _: m),
    "scale 0.5–2": Disturbance(lambda m, _: m, scaled=True),
    "decimation to 20 %": Disturbance(lambda m, _: decimate(m, 0.2)),
    "decimation to 5 %": Disturbance(lambda m, _: decimate(m, 0.05)),
    "noise 0.5 %": Disturbance(lambda m, r: noise(m, 0.005, r)),
    "noise 1 %": Disturbance(lambda m, r: noise(m, 0.01, r)),
    "re-mesh": Disturbance(remesh),
    "mirror": Disturbance(lambda m, _: m, mirrored=True),
    "cut to 50 %": Disturbance(lambda m, r: cut(m, 0.5, r)),
    "cut to 25 %": Disturbance(lambda m, r: cut(m, 0.25, r)),
    "dummy material": Disturbance(dummy),
    "holes and struts": Disturbance(holes_and_struts),
    "split bodies": Disturbance(split),
    "dummy + mirror + scale": Disturbance(dummy, scaled=True, mirrored=True),
    "cut + scale + noise": Disturbance(lambda m, r: noise(cut(m, 0.5, r), 0.005, r), scaled=True),
    "sliced and reconstructed": Disturbance(lambda m, _: sliced(m)),
}
