"""Plain bodies made by rule: boxes, bars, plates, rods, prisms, wedges, frusta, blades, and round ones."""

from __future__ import annotations

from collections.abc import Callable

import manifold3d as m3
import numpy as np
from numpy.typing import NDArray

from reference_meshes.solids import Generator, Mesh, from_manifold

#: No body of these families has more triangles.
MOST_FACES = 24


def _sides(rng: Generator, thin: float) -> NDArray[np.float64]:
    """Return three lengths in millimetres, the shorter two down to a share of the longest."""
    return np.asarray(rng.uniform(15.0, 150.0) * np.array([thin ** rng.random(), thin ** rng.random(), 1.0]))


def _regular(rng: Generator, corners: int, width: float) -> m3.CrossSection:
    turn = 2.0 * np.pi * (np.arange(corners) / corners + rng.random())
    return m3.CrossSection([0.5 * width * np.column_stack([np.cos(turn), np.sin(turn)])])


def box(rng: Generator) -> m3.Manifold:
    """Return a box with sides up to 1 : 4."""
    return m3.Manifold.cube(_sides(rng, 0.25).tolist())


def bar(rng: Generator) -> m3.Manifold:
    """Return a long box, sides from 1 : 4 to 1 : 40."""
    length = rng.uniform(30.0, 200.0)
    return m3.Manifold.cube([*(length / 4.0 / 10.0 ** rng.random(2)), length])


def plate(rng: Generator) -> m3.Manifold:
    """Return a flat box, as thick as 1/40 to 1/8 of its length."""
    a, b = rng.uniform(20.0, 150.0, 2)
    return m3.Manifold.cube([a, b, max(a, b) / rng.uniform(8.0, 40.0)])


def rod(rng: Generator) -> m3.Manifold:
    """Return a long prism over a polygon of 5 or 6 corners, as a coarse round rod."""
    length = rng.uniform(30.0, 200.0)
    return _regular(rng, int(rng.integers(5, 7)), length / 3.0 / 10.0 ** rng.random()).extrude(length)


def prism(rng: Generator) -> m3.Manifold:
    """Return a prism over a polygon of 3 to 6 corners, its sides not all equal."""
    width = rng.uniform(10.0, 80.0)
    outline = _regular(rng, int(rng.integers(3, 7)), width).scale([1.0, rng.uniform(0.4, 1.0)])
    return outline.extrude(width * 4.0 ** rng.uniform(-1.0, 1.0))


def wedge(rng: Generator) -> m3.Manifold:
    """Return a box of which the upper side is shorter or gone, as a wedge or a trapezium."""
    a, b, c = _sides(rng, 0.15)
    outline = np.array([[0.0, 0.0], [a, 0.0], [a * rng.choice([0.0, rng.uniform(0.2, 0.9)]), c], [0.0, c]])
    return m3.CrossSection([outline]).extrude(b)


def frustum(rng: Generator) -> m3.Manifold:
    """Return a pyramid over 3 to 6 corners, often cut off."""
    width = rng.uniform(10.0, 80.0)
    share = float(rng.choice([0.0, rng.uniform(0.2, 0.9)]))
    outline = _regular(rng, int(rng.integers(3, 7)), width)
    return outline.extrude(width * 4.0 ** rng.uniform(-1.0, 1.5), scale_top=(share, share))


def blade(rng: Generator) -> m3.Manifold:
    """Return a thin strip that narrows towards its end, bent once, as a leaf or a knife."""
    length, wide = rng.uniform(30.0, 200.0), rng.uniform(0.06, 0.2)
    thick, end, bend = rng.uniform(0.1, 0.5) * wide, rng.uniform(0.05, 0.8), rng.uniform(-0.15, 0.15)
    points = []
    for along, share, aside in ((0.0, 1.0, 0.0), (rng.uniform(0.4, 0.7), rng.uniform(0.7, 1.1), 0.0), (1.0, end, bend)):
        for x, y in ((-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)):
            points.append([0.5 * wide * share * x, aside + 0.5 * thick * share * y, along])
    quads = [(0, 3, 2, 1), (8, 9, 10, 11)]
    for start in (0, 4):
        corners = [(start + i, start + (i + 1) % 4) for i in range(4)]
        quads += [(a, b, b + 4, a + 4) for a, b in corners]
    faces = np.array([(q[0], q[i], q[i + 1]) for q in quads for i in (1, 2)], dtype=np.uint32)
    return m3.Manifold(m3.Mesh((length * np.array(points)).astype(np.float32), faces))


#: Families of at most `MOST_FACES` triangles.
PLAIN_FAMILIES: tuple[Callable[[Generator], m3.Manifold], ...] = (
    box, bar, plate, rod, prism, wedge, frustum, blade,
)  # fmt: skip


def round_body(rng: Generator) -> m3.Manifold:
    """Return a cylinder or disk, cone, tube or ring, ball or half a cylinder, finely faceted."""
    width = rng.uniform(10.0, 60.0)
    length = width * 30.0 ** rng.uniform(-1.0, 1.0)
    kind = rng.integers(5)
    if kind == 3:
        return m3.Manifold.sphere(0.5 * width, 48).scale([1.0, rng.uniform(0.3, 1.0), rng.uniform(0.3, 2.0)])
    top = width * float(rng.choice([0.0, rng.uniform(0.2, 0.8)])) if kind == 1 else width
    made = m3.Manifold.cylinder(length, 0.5 * width, max(0.5 * top, 1e-3), 64)
    if kind == 2:
        return made - m3.Manifold.cylinder(3.0 * length, 0.5 * width * rng.uniform(0.3, 0.95), -1.0, 64, True)
    return made.split_by_plane([1.0, 0.0, 0.0], 0.0)[0] if kind == 4 else made


def plain_body(seed: int, *, rounded: bool = False) -> Mesh:
    """Return the plain body of a seed; consecutive seeds go through the families in turn."""
    families = (*PLAIN_FAMILIES, round_body, round_body) if rounded else PLAIN_FAMILIES
    rng = np.random.Generator(np.random.PCG64([seed, 20_066]))
    return from_manifold(families[seed % len(families)](rng))
