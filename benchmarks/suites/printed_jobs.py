"""Do print jobs name the mesh they were sliced from, how true is their surface, and what if they stop early?"""

from __future__ import annotations

import csv
import math
import re
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import Progress

from ballistics.errors import ParameterError, ReadError
from ballistics.printed.collection.collection import Collection
from ballistics.printed.files.reading import read_parts
from ballistics.printed.identify.identification import identify
from ballistics.printed.jobs.layer_solid import LAYER_SOLID_VERSION
from benchmarks.support.printed_items import Item, Store, collection_of, items, same_reference
from benchmarks.support.printed_slicing import Slicing, installed, make_job
from benchmarks.support.printed_surface_error import mesh_of_file, mesh_of_parts, surface_error
from benchmarks.support.record import Context, Record
from reference_meshes.disturbances import welded
from reference_meshes.solids import Mesh

DESCRIPTION = "print jobs: right first and accepted, given and freshly sliced; surface error; jobs stopped early"
ROWS = ("given", "fresh", "plates", "stopped")
# Changed with every rule that was written after failures of freshly sliced jobs were seen: the jobs of 8101 are seen.
_SEED = 8201
# Sizes in mm that a bed holds and a slicer can print; meshes without a unit are brought to the third.
_SMALLEST_MM, _LARGEST_MM, _WITHOUT_UNIT_MM = 12.0, 110.0, 60.0
_SHARES = (0.3, 0.5, 0.7)
#: How objects are sliced, in turn: what slicers do on their own, then what hides the part.
HOW = (
    Slicing("PrusaSlicer", 0.2), Slicing("Slic3r", 0.2), Slicing("CuraEngine", 0.2),
    Slicing("PrusaSlicer", 0.1), Slicing("Slic3r", 0.3), Slicing("CuraEngine", 0.3),
    Slicing("PrusaSlicer", 0.2, ("support",)), Slicing("Slic3r", 0.2, ("support",)),
    Slicing("CuraEngine", 0.2, ("support", "brim")),
    Slicing("PrusaSlicer", 0.2, ("raft",)), Slicing("Slic3r", 0.2, ("raft",)), Slicing("CuraEngine", 0.2, ("raft",)),
    Slicing("PrusaSlicer", 0.2, ("brim",)), Slicing("Slic3r", 0.2, ("brim",)), Slicing("CuraEngine", 0.2, ("thick",)),
    Slicing("PrusaSlicer", 0.2, ("relative", "sparse")), Slicing("Slic3r", 0.2, ("relative", "sparse")),
    Slicing("CuraEngine", 0.2, ("relative", "sparse")),
)  # fmt: skip
#: The same where no comment says what a track is.
BARE = (
    Slicing("PrusaSlicer", 0.2, (), True), Slicing("CuraEngine", 0.2, (), True),
    Slicing("PrusaSlicer", 0.2, ("brim",), True), Slicing("CuraEngine", 0.2, ("raft",), True),
    Slicing("PrusaSlicer", 0.2, ("support",), True), Slicing("CuraEngine", 0.2, ("support",), True),
)  # fmt: skip
VASE = tuple(Slicing(name, 0.2, ("vase",)) for name in ("PrusaSlicer", "Slic3r", "CuraEngine"))


def sliceable(listed: Sequence[Item]) -> list[Item]:
    """Return the ordinary closed meshes that are large enough to slice, in a fixed random order."""
    found = []
    for item in listed:
        if item.path is None or item.path.parent.name != "ordinary":
            continue
        if not item.path.name.startswith(("mech", "household_print", "robot", "bench", "cg")):
            continue
        mesh = welded(item.mesh())
        edges = np.sort(mesh.faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
        closed = len(edges) and (np.unique(edges, axis=0, return_counts=True)[1] == 2).all()
        extent = np.ptp(mesh.vertices, axis=0)
        if closed and extent.min() > 0.05 * extent.max():
            found.append(item)
    order = np.random.Generator(np.random.PCG64(_SEED)).permutation(len(found))
    return [found[k] for k in order]


def on_the_bed(mesh: Mesh, turn_deg: float, at: tuple[float, float] = (125.0, 125.0), most: float = 1.0) -> Mesh:
    """Return a mesh in mm, turned about the upright, standing on the bed at a place."""
    size = float(np.ptp(mesh.vertices, axis=0).max())
    largest = most * _LARGEST_MM
    scale = _WITHOUT_UNIT_MM * most / size if size < _SMALLEST_MM else min(1.0, largest / size)
    angle = math.radians(turn_deg)
    turn = np.array(
        [[math.cos(angle), -math.sin(angle), 0.0], [math.sin(angle), math.cos(angle), 0.0], [0.0, 0.0, 1.0]]
    )
    vertices = scale * mesh.vertices @ turn.T
    middle = (vertices.min(axis=0) + vertices.max(axis=0)) / 2.0
    return Mesh(vertices - [middle[0] - at[0], middle[1] - at[1], vertices[:, 2].min()], mesh.faces)


def identified(path: Path, item: Item, collection: Collection, source: Mesh | None) -> dict[str, Any]:
    """Identify a job; with a source mesh, also measure how far the surfaces lie apart."""
    start = time.process_time()
    try:
        parts = read_parts(path).parts
    except ReadError as error:
        return {"first": False, "accepted": False, "score": 0.0, "strangers": 0, "error": str(error)[:200]}
    reading = time.process_time() - start
    found = identify(list(parts), collection)
    own = [same_reference(collection, c.row, item.name) for c in found.candidates]
    hits = [same_reference(collection, c.row, item.name) for c in found.accepted]
    row = {
        "first": bool(own) and own[0],
        "accepted": any(hits),
        "score": float(max((c.score for c, o in zip(found.candidates, own, strict=True) if o), default=0.0)),
        "strangers": int(len(hits) - sum(hits)),
        "reading": reading,
        "seconds": time.process_time() - start,
    }
    if source is not None and row["first"]:
        apart = surface_error(mesh_of_parts(parts), source, found.candidates[0].pose)
        row |= {"median_mm": apart.median, "p95_mm": apart.p95}
    return row


def given_jobs(data: Path, listed: Sequence[Item]) -> list[tuple[Path, Item]]:
    """Return the jobs of the data folder and what each was sliced from."""
    by_path = {item.name: item for item in listed}
    with open(data / "meshes" / "gcode.csv", encoding="utf-8", newline="") as file:
        return [(data / "meshes" / row["path"], by_path[row["source_mesh"]]) for row in csv.DictReader(file)]


def stopped(path: Path, share: float, to: Path) -> bool:
    """Write the beginning of a job, to the end of a layer; False where it has too few layers."""
    lines = path.read_bytes().splitlines(keepends=True)
    height = 0.0
    # Where the head first extrudes at a greater height than before; slicers lift it between tracks too.
    starts: list[int] = []
    highest, last = 0.0, 0
    for k, line in enumerate(lines):
        if found := re.match(rb"G[01]\b.*?\bZ(-?[\d.]+)", line):
            height, last = float(found[1]), k
        if height > highest + 0.004 and re.match(rb"G1\b.*[XY][-\d.]+.*E-?[\d.]+", line):
            highest = height
            starts.append(last)
    at = round(share * len(starts))
    if at < 3 or at >= len(starts):
        return False
    to.write_bytes(b"".join(lines[: starts[at]]))
    return True


def _rates(rows: list[dict[str, Any]], words: str, protocol: str, goal: tuple[str, str]) -> Iterator[Record]:
    n = len(rows)
    if n:
        yield _record(
            f"right first, {words}", float(np.mean([r["first"] for r in rows])), "share", goal[0], protocol, n
        )
        accepted = float(np.mean([r["accepted"] for r in rows]))
        yield _record(f"right and accepted, {words}", accepted, "share", goal[1], protocol, n)
        strangers = float(np.mean([r["strangers"] > 0 for r in rows]))
        yield _record(f"others accepted too, {words}", strangers, "share", "", protocol, n)
    measured = [r for r in rows if "median_mm" in r]
    if measured:
        text = protocol + "; distances point to triangle, the larger of both ways; those right first"
        medians, tails = ([r[key] for r in measured] for key in ("median_mm", "p95_mm"))
        yield _record(f"surface error, median, {words}", float(np.median(medians)), "mm", "≤ 0.2", text, len(measured))
        yield _record(f"surface error, largest median, {words}", max(medians), "mm", "≤ 0.2", text, len(measured))
        yield _record(f"surface error, 95 %, {words}", float(np.median(tails)), "mm", "≤ 0.4", text, len(measured))
        yield _record(f"surface error, largest 95 %, {words}", max(tails), "mm", "≤ 0.4", text, len(measured))


def _record(metric: str, value: float, unit: str, goal: str, protocol: str, n: int) -> Record:
    return Record("printed_jobs", metric, value, unit, goal, protocol, n, _SEED)


class _Bench:
    """The jobs, what is kept of them, and the collection that they are asked in."""

    def __init__(self, context: Context, progress: Progress) -> None:
        self.context = context
        self.listed = items(context.data, 0)
        self.store = Store(context.output)
        self.progress = progress
        self.collection = collection_of(self.listed[:: 8 if context.quick else 1], self.store, progress)
        if context.quick:
            names = {reference.name for reference in self.collection.references}
            self.listed = [item for item in self.listed if item.name in names]

    def asked(self, key: str, path: Path, item: Item, source: Mesh | None) -> dict[str, Any]:
        """Identify a job, once."""
        whole = f"job {LAYER_SOLID_VERSION} {key} of {len(self.collection)}"
        kept = self.store.get(whole)
        return kept or self.store.put(whole, identified(path, item, self.collection, source))

    def sliced(self, key: str, meshes: Sequence[Mesh], how: Slicing) -> Path | None:
        """Slice objects, once; None where the slicer makes nothing of them."""
        path = self.store.path(f"sliced {key} {how}", ".gcode")
        return path if path.is_file() or make_job(meshes, how, path) else None

    def given(self) -> Iterator[Record]:
        """Yield what the jobs of the data folder name."""
        known = {item.name for item in self.listed}
        rows = []
        everything = given_jobs(self.context.data, items(self.context.data, 0))
        for path, item in self.progress.track(everything, description="given jobs"):
            if item.name in known:
                rows.append(self.asked(path.name, path, item, mesh_of_file(item.path) if item.path else None))
        protocol = f"the jobs of meshes/gcode.csv against {len(self.collection)} references"
        yield from _rates(rows, "given jobs", protocol, (">= 34 of 36", ">= 33 of 36"))

    def fresh(self) -> Iterator[Record]:
        """Yield what freshly sliced jobs name, with and without comments."""
        there = installed()
        objects = sliceable(self.listed)
        for words, ways, each, goal in (
            ("freshly sliced", HOW, 2, "≥ 0.97"), ("no comments", BARE, 2, ""), ("vase mode", VASE, 2, ""),
        ):  # fmt: skip
            rows = []
            for number, how in enumerate(self.progress.track(ways, description=words)):
                if how.slicer not in there:
                    continue
                for k in range(1 if self.context.quick else each):
                    item = objects[(number * 3 + k) % len(objects)]
                    mesh = on_the_bed(item.mesh(), 37.0 * (number + k))
                    key = f"{words} {item.name} {how.name} {number} {k}"
                    path = self.sliced(key, [mesh], how)
                    if path is not None:
                        rows.append(self.asked(key, path, item, item.mesh()) | {"how": how.name, "item": item.name})
            protocol = (
                f"ordinary closed meshes of the collection, turned on the bed, sliced by {', '.join(there)}, against "
                f"{len(self.collection)} references"
            )
            yield from _rates(rows, words, protocol, (goal, ""))
            for slicer in there if words == "freshly sliced" else ():
                own = [row for row in rows if row["how"].startswith(slicer)]
                share = float(np.mean([row["first"] for row in own]))
                yield _record(f"right first, {slicer}", share, "share", goal, protocol, len(own))

    def plates(self) -> Iterator[Record]:
        """Yield whether every object of a plate is found among the accepted."""
        objects = sliceable(self.listed)[-36:]
        found: list[bool] = []
        strangers: list[bool] = []
        for number, slicer in enumerate(self.progress.track(installed(), description="plates")):
            for k in range(1 if self.context.quick else 2):
                chosen = objects[(number * 2 + k) * 3 :][:3]
                places = ((70.0, 70.0), (170.0, 70.0), (120.0, 170.0))
                pairs = zip(chosen, places, strict=True)
                meshes = [on_the_bed(item.mesh(), 20.0 * k, at, 0.7) for item, at in pairs]
                path = self.sliced(f"plate {[item.name for item in chosen]}", meshes, Slicing(slicer))
                if path is None:
                    continue
                accepted = identify(list(read_parts(path).parts), self.collection).accepted
                owns = [[same_reference(self.collection, c.row, item.name) for c in accepted] for item in chosen]
                found += [any(own) for own in owns]
                strangers.append(any(not any(own[j] for own in owns) for j in range(len(accepted))))
        protocol = f"three objects on a plate in one job, against {len(self.collection)} references"
        yield _record("objects of a plate accepted", float(np.mean(found)), "share", "", protocol, len(found))
        share = float(np.mean(strangers))
        yield _record("others accepted too, plates", share, "share", "", protocol, len(strangers))

    def stopped(self) -> Iterator[Record]:
        """Yield what the beginnings of jobs name."""
        known = {item.name for item in self.listed}
        everything = given_jobs(self.context.data, items(self.context.data, 0))
        for share in _SHARES:
            rows = []
            for path, item in self.progress.track(everything[::2], description=f"first {share:.0%}"):
                if item.name not in known:
                    continue
                with tempfile.TemporaryDirectory() as folder:
                    begun = Path(folder) / path.name
                    if stopped(path, share, begun):
                        rows.append(self.asked(f"first {share} of {path.name}", begun, item, None))
            protocol = "every second job of meshes/gcode.csv, cut off behind this share of their layers, against "
            protocol += f"{len(self.collection)} references"
            yield from _rates(rows, f"the first {share:.0%} of the layers", protocol, ("", ""))


def run(context: Context) -> Iterator[Record]:
    """Yield what print jobs name, given, fresh, on plates and stopped early; each row with its surface error."""
    unknown = [name for name in context.rows if name not in ROWS]
    if unknown:
        raise ParameterError(f"no rows named {', '.join(unknown)}; there are: {', '.join(ROWS)}")
    with Progress() as progress:
        bench = _Bench(context, progress)
        for name in context.rows or ROWS:
            yield from getattr(bench, name)()
