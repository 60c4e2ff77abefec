"""Firing-pin impressions of simulated heads: is the region right, and how well does every rule tell pins apart?"""

from __future__ import annotations

import csv
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from rich.progress import track

from ballistics.impressions.comparing import compare
from ballistics.impressions.mark_parameters import MARK_PARAMETERS
from ballistics.surfaces.pose import Pose
from ballistics.surfaces.preparation.preparing import prepare
from ballistics.surfaces.simulation.fields import generator
from ballistics.surfaces.simulation.heads import Label, simulate_firearm, simulate_head, simulate_shot
from ballistics.surfaces.simulation.parameters import FIRING_PINS
from ballistics.surfaces.surface import Mark
from benchmarks.support.pairs import auc, for_all
from benchmarks.support.record import Context, Record

DESCRIPTION = "firing-pin impressions of simulated heads, turned by any angle: region, and counts, gap and AUC by rule"

# The thresholds come from the literature; region, trim, registration scale and when a cell has settled were chosen
# while looking at seeds below 100, and a quick run is one of those.
_SEED, _QUICK_SEED = 20_013, 31
_FIREARMS, _SHOTS = 10, 3
_EVERY = 3  # of the different-source pairs
# Zhang 2021, real pins, is printed beside the rule that follows it; simulated pins are easier.
_PUBLISHED = {"clusters": "Zhang 2021, 60/720 real pairs: 9–31, 0–4; NFI 2023, other rule: AUC 0.998"}


@dataclass(frozen=True)
class Condition:
    """How the heads of one set were fired and measured; ``contact`` is the range of the share that took the tip."""

    name: str
    spacing_um: float
    contact: tuple[float, float]


CONDITIONS = (
    Condition("3.125 µm", 3.125, (0.70, 0.97)),
    Condition("6.25 µm", 6.25, (0.70, 0.97)),
    Condition("3.125 µm, poor contact", 3.125, (0.15, 0.50)),
)


@dataclass(frozen=True)
class Impression:
    """One prepared impression, and the truth: its firearm, its pose, and how well its region fits."""

    firearm: int
    pose: Pose
    mark: Mark
    within: float
    covered: float


def impression(condition: Condition, seed: int, firearm_id: int, shot_id: int) -> Impression:
    """Simulate and prepare one impression; firearms and shots are the same under every condition."""
    firearm = simulate_firearm(
        int(generator(seed, f"pin {firearm_id}").integers(2**62)),
        firing_pin=FIRING_PINS[firearm_id % len(FIRING_PINS)],
    )
    rng = generator(seed, f"pin {firearm_id} shot {shot_id}")
    shot = replace(simulate_shot(int(rng.integers(2**62))), contact=float(rng.uniform(*condition.contact)))
    head = simulate_head(firearm, shot, spacing_um=condition.spacing_um, field_mm=4.0)
    mark = prepare(head.surface, "firing pin")
    true = head.labels == Label.FIRING_PIN
    found = mark.region if mark.region is not None else np.zeros_like(true)
    both = float((found & true).sum())
    # Without the region's mask the workers have less to carry.
    mark = replace(mark, region=None)
    return Impression(
        firearm_id, head.pose, mark, both / found.sum() if found.any() else math.nan, both / float(true.sum())
    )


def scores_of(impressions: list[Impression], pair: tuple[int, int]) -> dict[str, float]:
    """Return every rule's score, the correlation, and how far the turn is from the truth; NaN if insufficient."""
    a, b = impressions[pair[0]], impressions[pair[1]]
    result = compare(a.mark, b.mark)
    rules = MARK_PARAMETERS["firing pin"].rules
    scores = {name: result.rules[name].score if name in result.rules else math.nan for name in rules}
    error = math.nan
    if result.pose is not None:
        truth = a.pose.after(b.pose.inverse())
        error = abs((result.pose.theta_deg - truth.theta_deg + 180.0) % 360.0 - 180.0)
    return {**scores, "accf": result.accf if result.insufficient is None else math.nan, "turn error": error}


def run(context: Context) -> Iterator[Record]:
    """Yield the figures of every condition; there is nothing to measure on a lab's own folder."""
    if context.own:
        return
    firearms, shots = (3, 2) if context.quick else (_FIREARMS, _SHOTS)
    seed = _QUICK_SEED if context.quick else _SEED
    context.output.mkdir(parents=True, exist_ok=True)
    with open(context.output / "firing_pin.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(
            ["condition", "firearm_a", "firearm_b", *MARK_PARAMETERS["firing pin"].rules, "accf", "turn_error_deg"]
        )
        for condition in CONDITIONS[1:2] if context.quick else CONDITIONS:
            heads = list(itertools.product(range(firearms), range(shots)))
            impressions = [impression(condition, seed, *head) for head in track(heads, f"simulating, {condition.name}")]
            pairs = _pairs([x.firearm for x in impressions])
            table = list(for_all(partial(scores_of, impressions), pairs, f"comparing, {condition.name}"))
            for (i, j), row in zip(pairs, table, strict=True):
                owners = impressions[i].firearm, impressions[j].firearm
                writer.writerow([condition.name, *owners, *(f"{value:.6g}" for value in row.values())])
            file.flush()
            yield from _region_records(condition, impressions, seed)
            same = np.array([impressions[i].firearm == impressions[j].firearm for i, j in pairs])
            yield from _score_records(condition, table, same, seed)


def _pairs(firearms: list[int]) -> list[tuple[int, int]]:
    """Return all same-source pairs, then every third different-source pair."""
    every = list(itertools.combinations(range(len(firearms)), 2))
    different = [(i, j) for i, j in every if firearms[i] != firearms[j]]
    return [(i, j) for i, j in every if firearms[i] == firearms[j]] + different[::_EVERY]


def _region_records(condition: Condition, impressions: list[Impression], seed: int) -> Iterator[Record]:
    protocol = (
        f"{condition.name}: automatic region of {len(impressions)} simulated heads, {', '.join(FIRING_PINS)} pins in "
        "turn, against the true impression; the region is meant to be its floor only"
    )
    found = [x for x in impressions if x.mark.insufficient is None]

    def record(metric: str, value: float, unit: str, goal: str) -> Record:
        name = f"{condition.name}, region: {metric}"
        return Record("firing_pin", name, value, unit, goal, protocol, len(impressions), seed)

    yield record("insufficient", len(impressions) - len(found), "heads", "")
    if found:
        yield record("lowest share that is impression", min(x.within for x in found), "of region", "≥ 0.99")
        yield record("median share of impression", float(np.median([x.covered for x in found])), "of impression", "")


def _score_records(
    condition: Condition,
    table: list[dict[str, float]],
    same: np.ndarray[tuple[int], np.dtype[np.bool_]],
    seed: int,
) -> Iterator[Record]:
    protocol = (
        f"{condition.name}: simulated firearms with three shots (quick: two) each, at random turns, "
        f"all {same.sum()} same-source and {(~same).sum()} different-source pairs (every third), "
        f"contact {condition.contact[0]:g} to {condition.contact[1]:g} of the tip; thresholds of the cited papers"
    )

    def record(metric: str, value: float, unit: str, goal: str, n: int) -> Record:
        return Record("firing_pin", f"{condition.name}, {metric}", float(value), unit, goal, protocol, n, seed)

    rules = MARK_PARAMETERS["firing pin"].rules
    for name in (*rules, "accf"):
        values = np.array([row[name] for row in table])
        a, b = values[same & np.isfinite(values)], values[~same & np.isfinite(values)]
        unit = rules[name].unit if name in rules else "correlation"
        if len(a) and len(b):
            yield record(f"{name}: same-source lowest", a.min(), unit, _PUBLISHED.get(name, ""), len(a))
            yield record(f"{name}: same-source median", np.median(a), unit, "", len(a))
            yield record(f"{name}: different-source highest", b.max(), unit, "", len(b))
            yield record(f"{name}: gap", a.min() - b.max(), unit, "> 0", len(a) + len(b))
            yield record(f"{name}: AUC", auc(a, b), "AUC", "1.000", len(a) + len(b))
    missing = np.isnan([row["accf"] for row in table])
    yield record("insufficient", missing.sum(), "pairs", "", len(table))
    errors = np.array([row["turn error"] for row in table])[same & ~missing]
    if len(errors):
        yield record("turn found within 1°", (errors <= 1.0).mean(), "of same-source pairs", "1", len(errors))
