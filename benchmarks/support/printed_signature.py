"""What a signature of a printed part gives away of its surface, and what it costs."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator

import manifold3d as m3
import numpy as np

from ballistics.printed.describe.cloud import Cloud
from ballistics.printed.describe.sampling import sample_surface
from ballistics.printed.describe.signature import signature_of
from benchmarks.support.printed_items import Item, Store, part_of
from benchmarks.support.record import Context, Record
from reference_meshes.disturbances import refined
from reference_meshes.solids import Mesh, from_manifold


def given_away(context: Context, listed: list[Item], store: Store) -> Iterator[Record]:
    """Yield how exactly a surface could be rebuilt from a signature, and its size."""
    chosen = [item for item in listed if item.reported][:: 40 if context.quick else 8]
    middle, high, spacing, size = [], [], [], []
    for item in chosen:
        signature = store.signature(item)
        mesh = item.mesh()
        sample = sample_surface(mesh.vertices, mesh.faces)
        cloud = Cloud(signature.points_mm(), signature.size_mm, signature.area_mm2, signature.spacing_mm)
        row, _ = cloud.nearest(sample.points_mm, math.inf)
        # The best guess from points alone: the plane through a point and its neighbours.
        off = np.abs(((sample.points_mm - cloud.points[row]) * cloud.normals[row]).sum(axis=1)) / signature.size_mm
        middle.append(float(np.median(off)))
        high.append(float(np.quantile(off, 0.95)))
        spacing.append(signature.spacing_mm / signature.size_mm)
        size.append(signature.nbytes)
    protocol = "distance of the surface from the planes that the signature's own points suggest, in % of the size"
    n = len(chosen)
    yield Record("printed", "rebuilt surface, median error", 100 * float(np.median(middle)), "%", "", protocol, n)
    yield Record("printed", "rebuilt surface, 95 % error, median", 100 * float(np.median(high)), "%", "", protocol, n)
    yield Record("printed", "distance of stored points", 100 * float(np.median(spacing)), "%", "", protocol, n)
    yield Record("printed", "largest signature", max(size) / 1024, "KiB", "≤ 256", protocol, n)


def speed(context: Context) -> Iterator[Record]:
    """Yield the CPU seconds of signatures of large meshes."""
    base = from_manifold(m3.Manifold.sphere(30.0, 200) - m3.Manifold.cube([40.0, 40.0, 40.0]))
    sizes = ((100_000, "≤ 1"),) if context.quick else ((100_000, "≤ 1"), (1_000_000, "≤ 5"))
    for faces, goal in sizes:
        mesh = base
        while len(mesh.faces) < faces:
            edge = float(
                np.linalg.norm(mesh.vertices[mesh.faces[:, 0]] - mesh.vertices[mesh.faces[:, 1]], axis=1).max()
            )
            mesh = refined(mesh, 0.7 * edge, most=4 * faces)
        part = part_of(Mesh(mesh.vertices, mesh.faces[:faces]))
        signature_of(part)
        start = time.process_time()
        signature_of(part)
        seconds = time.process_time() - start
        protocol = "a ball with a corner cut out, its triangles split"
        yield Record("printed", f"signature of {faces} faces", seconds, "CPU s", goal, protocol, 1)
