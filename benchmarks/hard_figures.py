"""Pictures of the ladder of difficulty: the same firearm at every level, and every score by level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ballistics.surfaces.pose import Pose
from ballistics.surfaces.preparation import prepare
from ballistics.surfaces.simulation import simulate_head, simulate_population
from ballistics.surfaces.simulation_difficulty import DIFFICULTIES

_COLOURS_UM = 3.0


def draw_examples(path: Path, names: Sequence[str], seed: int) -> None:
    """Draw two shots of one firearm at every level, prepared as for comparison and turned alike."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(1.9 * len(names) + 0.5, 4.1), layout="constrained")
    axes = figure.subplots(2, len(names), squeeze=False)
    for column, name in enumerate(names):
        heads = simulate_population(1, 2, seed, breech_faces=("granular",), spacing_um=100.0, difficulty=name)
        for row, head in enumerate(heads):
            shot = replace(head.shot, pose=Pose(), tilt_deg=0.0)
            drawn = simulate_head(head.firearm, shot, spacing_um=DIFFICULTIES[name].spacing_um, field_mm=4.6)
            mark = prepare(drawn.surface, region=drawn.region)
            panel = axes[row, column]
            panel.imshow(mark.heights_um, cmap="gray", vmin=-_COLOURS_UM, vmax=_COLOURS_UM, interpolation="nearest")
            panel.set_xticks([])
            panel.set_yticks([])
            if row == 0:
                panel.set_title(name)
    for row in range(2):
        axes[row, 0].set_ylabel(f"shot {row + 1}")
    figure.savefig(path, dpi=110)


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
