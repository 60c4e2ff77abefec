"""Harmless solids made by rule: assemblies of primitives, gears, brackets, turned and free forms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import manifold3d as m3
import numpy as np
from numpy.typing import NDArray

Generator = np.random.Generator


@dataclass(frozen=True)
class Mesh:
    """A triangle mesh: ``vertices`` (n, 3) float64 in millimetres, ``faces`` (m, 3) int64."""

    vertices: NDArray[np.float64]
    faces: NDArray[np.int64]


def from_manifold(solid: m3.Manifold) -> Mesh:
    """Return the mesh of a solid."""
    mesh = solid.to_mesh()
    vertices = np.asarray(mesh.vert_properties, dtype=np.float64)[:, :3]
    return Mesh(vertices, np.asarray(mesh.tri_verts, dtype=np.int64))


def random_turn(rng: Generator) -> NDArray[np.float64]:
    """Return a uniformly random rotation matrix (QR of a normal matrix)."""
    q, r = np.linalg.qr(rng.normal(size=(3, 3)))
    q = q * np.sign(np.diag(r))
    if np.linalg.det(q) < 0:
        q[:, 0] = -q[:, 0]
    return np.asarray(q)


def placed(solid: m3.Manifold, turn: NDArray[np.float64], shift: NDArray[np.float64]) -> m3.Manifold:
    """Return a solid turned and shifted."""
    return solid.transform(np.column_stack([turn, shift]).tolist())


def random_primitive(rng: Generator, size: float) -> m3.Manifold:
    """Return a box, cylinder, cone, ball or prism of about a size, centred."""
    kind = rng.integers(5)
    a, b, c = size * rng.uniform(0.35, 1.0, 3)
    if kind == 0:
        return m3.Manifold.cube([a, b, c], True)
    if kind == 1:
        return m3.Manifold.cylinder(a, b / 2, -1.0, 48, True)
    if kind == 2:
        return m3.Manifold.cylinder(a, b / 2, b * rng.uniform(0.1, 0.4), 48, True)
    if kind == 3:
        return m3.Manifold.sphere(a / 2, 40).scale([1.0, b / a, c / a])
    return m3.Manifold.cylinder(a, b / 2, -1.0, int(rng.integers(3, 8)), True)


def assembly(rng: Generator) -> m3.Manifold:
    """Return a union and difference of 4–9 primitives."""
    solid = random_primitive(rng, 60.0)
    for _ in range(int(rng.integers(3, 9))):
        vertices = np.asarray(solid.to_mesh().vert_properties)
        at = vertices[rng.integers(len(vertices))] * rng.uniform(0.4, 1.0, 3)
        turn = random_turn(rng) if rng.random() < 0.4 else np.eye(3)
        tool = placed(random_primitive(rng, rng.uniform(15.0, 45.0)), turn, at)
        changed = solid + tool if rng.random() < 0.6 else solid - tool
        if not changed.is_empty():
            solid = changed
    return solid


def gear(rng: Generator) -> m3.Manifold:
    """Return a toothed wheel with a bore, a hub and spokes or holes."""
    teeth = int(rng.integers(9, 40))
    radius = rng.uniform(15.0, 35.0)
    depth = rng.uniform(1.2, 2.5) * 2.0 * radius / teeth
    angle = np.arange(teeth * 4) * 2 * np.pi / (teeth * 4)
    width = np.tile([0.0, 0.0, 1.0, 1.0], teeth)
    lean = rng.uniform(-0.3, 0.3) * np.pi / teeth
    reach = radius - depth * (1 - width)
    contour = np.column_stack([reach * np.cos(angle + lean * width), reach * np.sin(angle + lean * width)])
    thick = rng.uniform(3.0, 25.0)
    solid = m3.CrossSection([contour]).extrude(thick, 8, float(rng.choice([0.0, rng.uniform(-30, 30)])))
    bore = rng.uniform(0.1, 0.3) * radius
    hub = bore * rng.uniform(1.4, 2.0)
    solid = solid + m3.Manifold.cylinder(thick * rng.uniform(1.1, 2.0), hub, -1.0, 40)
    solid = solid - m3.Manifold.cylinder(thick * 3, bore, -1.0, 40).translate([0, 0, -thick * 0.5])
    holes = int(rng.integers(0, 7))
    middle = 0.5 * (hub + radius - depth)
    hole_radius = min(0.4 * (radius - depth - hub), middle * np.sin(np.pi / max(holes, 2)) * 0.8)
    for k in range(holes):
        turn = 2 * np.pi * k / holes
        tool = m3.Manifold.cylinder(thick * 3, hole_radius, -1.0, 24)
        solid = solid - tool.translate([middle * np.cos(turn), middle * np.sin(turn), -thick * 0.5])
    return solid


def bracket(rng: Generator) -> m3.Manifold:
    """Return two or three plates at right angles with holes, slots and a rib."""
    a, b, c = rng.uniform(25.0, 70.0, 3)
    thick = rng.uniform(2.5, 8.0)
    solid = m3.Manifold.cube([a, b, thick]) + m3.Manifold.cube([a, thick, c])
    if rng.random() < 0.4:
        solid = solid + m3.Manifold.cube([thick, b * rng.uniform(0.4, 1), c * rng.uniform(0.4, 1)])
    if rng.random() < 0.6:
        rib = m3.CrossSection([np.array([[0, 0], [b * rng.uniform(0.4, 0.9), 0], [0, c * rng.uniform(0.4, 0.9)]])])
        place = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
        solid = solid + placed(rib.extrude(thick), place, np.array([rng.uniform(0, a - thick), 0.0, 0.0]))
    for _ in range(int(rng.integers(2, 7))):
        radius = rng.uniform(1.5, 6.0)
        tool = m3.Manifold.cylinder(40.0, radius, -1.0, 28, True)
        if rng.random() < 0.3:
            tool = tool + m3.Manifold.cube([rng.uniform(6, 18), 2 * radius, 40.0], True)
        if rng.random() < 0.5:
            solid = solid - tool.translate([rng.uniform(0, a), rng.uniform(thick * 2, b), 0.0])
        else:
            solid = solid - tool.rotate([90.0, 0.0, 0.0]).translate([rng.uniform(0, a), 0.0, rng.uniform(thick * 2, c)])
    return solid


def turned(rng: Generator) -> m3.Manifold:
    """Return a turned part of random profile with flats, cross holes or a slot."""
    steps = int(rng.integers(4, 10))
    heights = np.cumsum(rng.uniform(3.0, 14.0, steps))
    radii = rng.uniform(5.0, 25.0, steps)
    points = [[0.0, 0.0]]
    low = 0.0
    for height, radius in zip(heights, radii, strict=True):
        points += [[radius, low], [radius * rng.choice([1.0, rng.uniform(0.6, 1.0)]), height]]
        low = height
    points.append([0.0, low])
    solid = m3.CrossSection([np.array(points)]).revolve(64)
    if rng.random() < 0.6:
        solid = solid - m3.Manifold.cylinder(low * rng.uniform(0.3, 2.0), rng.uniform(1.5, 5.0), -1.0, 32)
    for _ in range(int(rng.integers(1, 5))):
        at = [rng.uniform(-20, 20), rng.uniform(-20, 20), rng.uniform(0, low)]
        tool = random_primitive(rng, rng.uniform(8.0, 22.0)).translate(at)
        changed = solid - tool if rng.random() < 0.7 else solid + tool
        solid = changed if not changed.is_empty() else solid
    return solid


def free_form(rng: Generator) -> m3.Manifold:
    """Return a smooth closed form: a superquadric with waves, bent and twisted, sometimes with a second one."""

    def form() -> m3.Manifold:
        ball = np.asarray(m3.Manifold.sphere(1.0, 96).to_mesh().vert_properties, dtype=np.float64)[:, :3]
        faces = m3.Manifold.sphere(1.0, 96).to_mesh().tri_verts
        exponents = rng.uniform(0.4, 1.6, 3)
        points = np.sign(ball) * np.abs(ball) ** exponents * rng.uniform(10.0, 35.0, 3)
        for _ in range(int(rng.integers(3, 8))):
            wave = rng.normal(size=3) * rng.uniform(1.0, 3.5)
            points = points * (1 + rng.uniform(0.03, 0.15) * np.sin(ball @ wave + rng.uniform(0, 6.28)))[:, None]
        twist = rng.uniform(-0.03, 0.03) * points[:, 2]
        x = points[:, 0] * np.cos(twist) - points[:, 1] * np.sin(twist)
        y = points[:, 0] * np.sin(twist) + points[:, 1] * np.cos(twist) + rng.uniform(-0.008, 0.008) * points[:, 2] ** 2
        mesh = m3.Mesh(np.column_stack([x, y, points[:, 2]]).astype(np.float32), np.asarray(faces, dtype=np.uint32))
        return m3.Manifold(mesh)

    solid = form()
    if rng.random() < 0.6:
        solid = solid + placed(form(), random_turn(rng), rng.normal(size=3) * 15.0)
    if rng.random() < 0.4:
        solid = solid - placed(random_primitive(rng, 30.0), random_turn(rng), rng.normal(size=3) * 15.0)
    return solid


FAMILIES: tuple[Callable[[Generator], m3.Manifold], ...] = (assembly, gear, bracket, turned, free_form)


def solid(seed: int) -> Mesh:
    """Return the solid of a seed; consecutive seeds go through the families in turn."""
    rng = np.random.Generator(np.random.PCG64([seed, 20_061]))
    make = FAMILIES[seed % len(FAMILIES)]
    while True:
        made = make(rng)
        if not made.is_empty() and made.num_tri() > 40:
            return from_manifold(made)
