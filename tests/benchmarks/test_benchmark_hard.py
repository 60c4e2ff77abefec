"""The ladder of difficulty: which number of a row each score takes, and what is made of it."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import numpy as np
import pytest

from ballistics.evidence.scores import SCORE_MODELS
from ballistics.impressions.congruence import RULES
from ballistics.pairs.rows import empty_row
from ballistics.surfaces.preparation.preparing import prepare
from ballistics.surfaces.simulation.heads import simulate_population
from ballistics.surfaces.surface import Mark
from benchmarks.suites.hard import SEED, Level, _judged, scores
from benchmarks.support.hard_figures import draw_examples, draw_ladder
from benchmarks.support.hard_fit import Likeness, likeness, roughness_um


def level(separated: bool) -> Level:
    """Eight firearms with three shots each; all scores separate them, or none does."""
    shots = list(itertools.product("ABCDEFGH", range(3)))
    rng = np.random.default_rng(1)
    rows, firearms = [], []
    for (a, _), (b, _) in itertools.combinations(shots, 2):
        good = a == b if separated else rng.random() < 0.5
        count = int(rng.integers(20, 26) if good else rng.integers(0, 3))
        row = empty_row("breech face") | {"cells_a_in_b": 30, "cells_b_in_a": 28, "overlap_um2": 4e6}
        row |= {"similarity": 20.0 * count + rng.random(), "accf": 0.02 * count + 0.1 * rng.random()}
        for rule in RULES:
            name = rule.replace(" ", "_")
            row |= {f"{name}_count": count, f"{name}_a_in_b": count + 1, f"{name}_b_in_a": count}
        rows.append(row)
        firearms.append((a, b))
    return Level("test", tuple(rows), tuple(firearms), len(rows), 0, 0, Likeness(()))


def test_each_score_is_weighed_by_the_model_of_its_kind() -> None:
    ladder = level(separated=True)
    for score in scores():
        table, model = ladder.table(score)
        assert len(table) == 276
        if score == "similarity":
            assert model == SCORE_MODELS["similarity"]
            assert table.area_mm2 is not None
            np.testing.assert_allclose(table.area_mm2, 4.0)
        elif score in ("accf", "ncma", "cmcR pooled"):
            assert (model, table.cells) == (SCORE_MODELS["correlation"], None)
        else:
            # The smaller count of the two directions, with its own number of cells.
            assert model == SCORE_MODELS["count"]
            assert table.cells is not None
            assert set(table.cells.tolist()) == {28}
            assert table.score.max() <= 25


def test_separated_scores_cost_what_their_bounds_allow_and_useless_ones_a_bit() -> None:
    good, useless = (_judged(level(separated), "similarity") for separated in (True, False))
    assert good["AUC"] == 1.0
    assert good["misleading same"] == good["misleading different"] == 0.0
    assert good["Cllr"] == pytest.approx(good["Cllr the bounds allow"], abs=0.01)
    assert 0.0 < good["Cllr the bounds allow"] < 0.1
    assert 0.3 < useless["AUC"] < 0.7
    assert useless["Cllr"] == pytest.approx(1.0, abs=0.1)


@pytest.mark.slow
def test_likeness_tells_firearms_apart_and_names_its_figures() -> None:
    heads = simulate_population(2, 2, SEED, breech_faces=("granular",), spacing_um=12.5, field_mm=5.0)
    marks = [prepare(head.surface) for head in heads]
    found = likeness(marks, ["a", "a", "b", "b"], 1, "test")
    assert sum(pair.same for pair in found.pairs) == 2
    figures = {metric: (value, n) for metric, value, _, n in found.figures()}
    assert figures["same source: nats per mm², median"][0] > 20 * figures["different source: nats per mm², median"][0]
    assert 0.5 < figures["same source: correlation 62–125 µm"][0] < 1.0
    assert figures["roughness 62–125 µm"][1] == 4


def test_roughness_of_a_wave_lies_in_its_octave() -> None:
    for wave, octave in ((22.0, 0), (44.0, 1), (88.0, 2), (177.0, 3)):
        heights = np.sqrt(2.0) * np.sin(2.0 * math.pi * np.arange(600) * 6.25 / wave) * np.ones((600, 1))
        found = roughness_um(Mark("breech face", heights.astype(np.float32), 6.25))
        assert int(np.argmax(found)) == octave
        assert 0.3 < found[octave] < 0.6  # Gaussian octaves pass at most half of an amplitude


@pytest.mark.slow
def test_pictures_are_drawn(tmp_path: Path) -> None:
    draw_examples(tmp_path / "levels.png", ["easy"], SEED)
    figures = {
        (name, score): {"AUC": 0.9, "Cllr": 0.1} for name in ("easy", "good") for score in ("similarity", "accf")
    }
    draw_ladder(tmp_path / "ladder.png", figures)
    assert all((tmp_path / name).stat().st_size > 5000 for name in ("levels.png", "ladder.png"))
