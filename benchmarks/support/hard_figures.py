"""Pictures of the ladder of difficulty: the same firearm at every level, and every score by level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ballistics.surfaces.pose import Pose
from ballistics.surfaces.preparation.preparing import prepare
from ballistics.surfaces.simulation.difficulty import DIFFICULTIES
from ballistics.surfaces.simulation.heads import SimulatedHead, simulate_head, simulate_population
from ballistics.surfaces.surface import Mark

_COLOURS_UM = 3.0
_FIELD_MM = 4.6
# What is shown enlarged, in the firearm frame: on the ring over the aperture, top, bottom, left and right in µm.
_WINDOW_UM = (-1750.0, -1050.0, -500.0, 500.0)


def draw_examples(path: Path, names: Sequence[str], seed: int) -> None:
    """Draw one firearm's marks at every level, prepared as for comparison: a whole one, and one place of two shots."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(1.9 * len(names) + 0.5, 5.0), layout="constrained")
    axes = figure.subplots(3, len(names), squeeze=False, height_ratios=(1.0, 0.7, 0.7))
    for column, name in enumerate(names):
        heads = simulate_population(1, 2, seed, breech_faces=("granular",), spacing_um=100.0, difficulty=name)
        marks = [_upright(head, name) for head in heads]
        axes[0, column].set_title(name)
        for panel, heights in zip(axes[:, column], (marks[0].heights_um, *map(_window, marks)), strict=True):
            panel.imshow(heights, cmap="gray", vmin=-_COLOURS_UM, vmax=_COLOURS_UM, interpolation="nearest")
            panel.set_xticks([])
            panel.set_yticks([])
    for panel, label in zip(axes[:, 0], ("shot 1", "shot 1, 1 mm", "shot 2, 1 mm"), strict=True):
        panel.set_ylabel(label)
    figure.savefig(path, dpi=110)


def _upright(head: SimulatedHead, name: str) -> Mark:
    """Draw a head again, not turned, and prepare its true region."""
    shot = replace(head.shot, pose=Pose(), tilt_deg=0.0)
    drawn = simulate_head(head.firearm, shot, spacing_um=DIFFICULTIES[name].spacing_um, field_mm=_FIELD_MM)
    return prepare(drawn.surface, region=drawn.region)


def _window(mark: Mark) -> NDArray[np.float32]:
    top, bottom, left, right = (500.0 * _FIELD_MM + edge for edge in _WINDOW_UM)
    y, x = mark.origin_um
    rows = slice(round((top - y) / mark.spacing_um), round((bottom - y) / mark.spacing_um))
    return mark.heights_um[rows, round((left - x) / mark.spacing_um) : round((right - x) / mark.spacing_um)]


def draw_ladder(path: Path, figures: Mapping[tuple[str, str], Mapping[str, float]]) -> None:
    """Draw AUC and Cllr of every score by level."""
    from matplotlib.figure import Figure

    names = list(dict.fromkeys(name for name, _ in figures))
    figure = Figure(figsize=(10.0, 4.2), layout="constrained")
    axes = figure.subplots(1, 2)
    for metric, panel in zip(("AUC", "Cllr"), axes, strict=True):
        for k, score in enumerate(dict.fromkeys(score for _, score in figures)):
            values = [figures[name, score][metric] for name in names]
            style = {"linewidth": 2.5, "color": "black"} if score == "similarity" else {"color": f"C{k}"}
            panel.plot(np.arange(len(names)), values, marker="o", markersize=3, label=score, **style)
        panel.set_xticks(np.arange(len(names)), names)
        panel.set_ylabel(metric if metric == "AUC" else "Cllr, source-disjoint, bit")
        panel.grid(alpha=0.3)
    axes[0].legend(fontsize=8)
    figure.savefig(path, dpi=110)
