"""Regular manufacturing marks: are congruent cells of firearms that share a cutter flagged, and no granular ones?"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from rich.progress import track

from ballistics.impressions.comparing import compare
from ballistics.impressions.congruence import RULES
from ballistics.surfaces.preparation.preparing import prepare
from ballistics.surfaces.simulation.breech_faces import BreechFace
from ballistics.surfaces.simulation.fields import generator
from ballistics.surfaces.simulation.heads import simulate_firearm, simulate_head, simulate_shot
from ballistics.surfaces.surface import Mark
from benchmarks.support.pairs import for_all, load
from benchmarks.support.record import Context, Record

DESCRIPTION = "subclass warning: congruent cells explained by regular marks, by finish, and with a shared cutter"

# The thresholds were chosen on seeds below 100 and on a dozen Fadul scans; a quick run is one of those.
_SEED, _QUICK_SEED = 30_011, 17
_PAIRS = 12
RULE = "significance"


@dataclass(frozen=True)
class Condition:
    """Pairs of simulated heads: finish, and whether they come from one firearm or from two that share a cutter."""

    finish: BreechFace
    same_firearm: bool

    @property
    def name(self) -> str:
        return f"simulated {self.finish}, " + ("one firearm" if self.same_firearm else "one cutter, two firearms")


CONDITIONS = (
    Condition("granular", True),
    Condition("milled", True),
    Condition("filed", True),
    Condition("milled", False),
    Condition("filed", False),
)


def heads(condition: Condition, seed: int, pair: int) -> tuple[Mark, Mark]:
    """Simulate and prepare one pair."""
    rng = generator(seed, f"{condition.name} {pair}")
    numbers = [int(n) for n in rng.integers(2**62, size=5)]
    marks = []
    for k in range(2):
        firearm = numbers[0] if condition.same_firearm else numbers[k]
        cutter = None if condition.same_firearm else numbers[4]
        drawn = simulate_firearm(firearm, condition.finish, cutter_seed=cutter)
        marks.append(prepare(simulate_head(drawn, simulate_shot(numbers[2 + k]), field_mm=5.0).surface))
    return marks[0], marks[1]


def counts(pair: tuple[Mark, Mark]) -> dict[str, float]:
    """Return congruent and explained cells, both directions together, and what the comparison says of them."""
    result = compare(*pair)
    row: dict[str, float] = {}
    searches = result.a_in_b, result.b_in_a
    for name in RULES:
        row[f"{name}, congruent"] = row[f"{name}, explained"] = 0.0
        for search, attribute in zip(searches, ("a_in_b", "b_in_a"), strict=True):
            if search is not None and name in result.rules:
                verdict = getattr(result.rules[name], attribute)
                row[f"{name}, congruent"] += verdict.count
                row[f"{name}, explained"] += search.explained_count(verdict)
    found = [f.severity for f in result.findings if f.code == "regular-manufacturing-marks"]
    row["warned"], row["noted"] = float("serious" in found), float("note" in found)
    odds = [p.odds for s in searches if s is not None and s.regular is not None for p in s.regular.patterns]
    row["highest odds"] = max(odds, default=float("nan"))
    return row


def run(context: Context) -> Iterator[Record]:
    """Count flagged cells on real granular scans and on every simulated condition."""
    context.output.mkdir(parents=True, exist_ok=True)
    seed, pairs = (_QUICK_SEED, 2) if context.quick else (_SEED, _PAIRS)
    with open(context.output / "subclass.csv", "w", newline="", encoding="utf-8") as file:
        writer: csv.DictWriter[str] | None = None
        for name, protocol, table, used in _sets(context, seed, pairs):
            for row in table:
                if writer is None:
                    writer = csv.DictWriter(file, ["set", *row], lineterminator="\n")
                    writer.writeheader()
                writer.writerow({"set": name, **{k: f"{v:.6g}" for k, v in row.items()}})
            yield from _records(name, protocol, table, used)


_Set = tuple[str, str, list[dict[str, float]], int | None]


def _sets(context: Context, seed: int, pairs: int) -> Iterator[_Set]:
    scans = load(context)
    numbers = scans.pairs()
    chosen = [n for n, s in zip(numbers, scans.same_source(numbers), strict=True) if s]
    table = list(for_all(partial(_of_scans, scans.marks), chosen, f"comparing, {scans.name}"))
    yield f"{scans.name}, one firearm", f"{scans.name}, real scans, all same-source pairs", table, None
    if context.own:
        return
    for condition in CONDITIONS:
        drawn = [heads(condition, seed, k) for k in track(range(pairs), f"simulating, {condition.name}")]
        protocol = f"{condition.name}: {pairs} pairs at random turns, each of other firearms"
        both = [(k, k) for k in range(pairs)]
        yield (
            condition.name,
            protocol,
            list(for_all(partial(_of_drawn, drawn), both, f"comparing, {condition.name}")),
            seed,
        )


def _of_scans(marks: tuple[Mark, ...], pair: tuple[int, int]) -> dict[str, float]:
    return counts((marks[pair[0]], marks[pair[1]]))


def _of_drawn(drawn: list[tuple[Mark, Mark]], pair: tuple[int, int]) -> dict[str, float]:
    return counts(drawn[pair[0]])


def _records(name: str, protocol: str, table: list[dict[str, float]], seed: int | None) -> Iterator[Record]:
    shared = "one cutter" in name
    granular = "granular" in name or "Fadul" in name

    def record(metric: str, value: float, unit: str, goal: str, n: int) -> Record:
        return Record("subclass", f"{name}: {metric}", float(value), unit, goal, protocol, n, seed)

    for rule in (RULE, "consensus"):
        congruent = sum(row[f"{rule}, congruent"] for row in table)
        explained = sum(row[f"{rule}, explained"] for row in table)
        goal = "near 1" if shared else "near 0" if granular else ""
        yield record(f"congruent cells, {rule}", congruent, "cells", "", len(table))
        if congruent:
            yield record(
                f"of them explained by regular marks, {rule}", explained / congruent, "share", goal, int(congruent)
            )
    yield record("pairs with a serious finding", sum(r["warned"] for r in table), "pairs", "", len(table))
    yield record("pairs with a note", sum(r["noted"] for r in table), "pairs", "", len(table))
    odds = np.array([row["highest odds"] for row in table])
    if np.isfinite(odds).any():
        yield record("lowest odds of a pattern found", float(np.nanmin(odds)), "ratio", "", len(table))
