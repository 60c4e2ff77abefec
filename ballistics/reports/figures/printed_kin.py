"""Pictures of kin: families as graphs, and two references side by side with what is changed between them."""

from __future__ import annotations

import math

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ballistics.printed import Collection, Family, Kin, Kinship, moved, render_view
from ballistics.reports.figures.printed import EXPLAINED, beads, png_uri

CHANGED = (214, 96, 30)
#: Families that are drawn, and members beyond which names would not be read.
DRAWN = 12
_NAMED, _LONGEST_NAME, _COLUMNS = 10, 24, 2
_FONT = {"font.family": "DejaVu Sans", "svg.fonttype": "path", "svg.hashsalt": "ballistics"}
_BEAD = 1.0 / 70.0
_PIXELS = 320
_OBLIQUE = np.array([[0.8192, -0.5736, 0.0], [0.3287, 0.4695, -0.8195], [0.4700, 0.6713, 0.5731]])


def kin_figure(kin: Kin) -> Figure:
    """Draw the largest families: circles are references, lines are kinships with the shared share of the surface.

    An arrow leads from the earlier to the later, where the files tell. The same kin give the same picture.
    """
    drawn = kin.families[:DRAWN]
    rows, columns = max(1, math.ceil(len(drawn) / _COLUMNS)), max(1, min(_COLUMNS, len(drawn)))
    with matplotlib.rc_context(_FONT):
        # Two references are a line; more need room.
        high = 3.6 if any(len(family.members) > 2 for family in drawn) else 1.5
        figure = Figure(figsize=(5.6 * columns, high * rows), layout="constrained")
        FigureCanvasAgg(figure)
        grid = figure.subplots(rows, columns, squeeze=False)
        for axes in grid.flat:
            axes.set_axis_off()
        for number, (axes, family) in enumerate(zip(grid.flat, drawn, strict=False), 1):
            _draw(axes, family, number, kin)
        if not drawn:
            grid[0, 0].text(0.5, 0.5, "no kin", ha="center", va="center", fontsize=12)
    return figure


def _draw(axes: matplotlib.axes.Axes, family: Family, number: int, kin: Kin) -> None:
    count = len(family.members)
    angles = 2.0 * math.pi * np.arange(count) / count + (0.0 if count == 2 else 0.5)
    places = {row: (math.cos(t), 0.75 * math.sin(t)) for row, t in zip(family.members, angles, strict=True)}
    axes.set_title(f"family {number}: {count} references", fontsize=10)
    axes.set_xlim(-1.9, 1.9)
    axes.set_ylim(*((-1.15, 1.15) if count > 2 else (-0.5, 0.5)))
    for kinship in family.kinships:
        (ax, ay), (bx, by) = places[kinship.a], places[kinship.b]
        arrow = {"arrowstyle": "-|>" if kinship.order else "-", "linewidth": 0.6 + 2.4 * kinship.shared, "shrinkB": 9}
        arrow |= {"color": "#0b5fa5", "shrinkA": 9, "linestyle": "--" if kinship.shared < 0.5 else "-"}
        axes.annotate("", (bx, by), (ax, ay), arrowprops=arrow, zorder=2)
        if len(family.kinships) <= _NAMED:
            box = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}
            at = 0.56 * ax + 0.44 * bx, 0.56 * ay + 0.44 * by
            axes.text(*at, f"{kinship.shared:.0%}", ha="center", va="center", fontsize=8, bbox=box, zorder=4)
    xs, ys = zip(*places.values(), strict=True)
    axes.scatter(xs, ys, s=110, color="white", edgecolors="#1b2430", linewidths=1.2, zorder=5)
    for place, row in enumerate(family.members, 1):
        x, y = places[row]
        axes.text(x, y, str(place), ha="center", va="center", fontsize=7, zorder=6)
        if count <= _NAMED:
            name = kin.names[row]
            name = name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"
            above = y + math.copysign(0.17, y if abs(y) > 1e-9 else 1.0)
            axes.text(x, above, name, ha="center", va="center", fontsize=7, parse_math=False, zorder=6)


def kinship_uris(kinship: Kinship, collection: Collection) -> tuple[str, str]:
    """Return the two references of a kinship as pictures, one on the other's place: shared blue, changed orange."""
    points_a = moved(collection.signature(kinship.a).points_mm(), kinship.pose)
    points_b = collection.signature(kinship.b).points_mm()
    both = np.concatenate([points_a, points_b]) @ _OBLIQUE.T
    middle, size = (both.min(axis=0) + both.max(axis=0)) / 2.0, float(np.ptp(both, axis=0).max())
    uris = []
    for points, changed in ((points_a, kinship.changed_a), (points_b, kinship.changed_b)):
        uris.append(_beads_uri(points @ _OBLIQUE.T - middle, changed, size))
    return uris[0], uris[1]


def _beads_uri(points: NDArray[np.float64], changed: NDArray[np.bool_], size: float) -> str:
    drawn = beads(points, _BEAD * size)
    colours = np.where(changed[:, None], CHANGED, EXPLAINED).astype(np.uint8)
    picture = render_view(
        drawn.vertices, drawn.faces, "top", pixels=_PIXELS, vertex_colours=np.repeat(colours, 6, axis=0),
        extent_mm=1.15 * size,
    )  # fmt: skip
    return png_uri(picture)
