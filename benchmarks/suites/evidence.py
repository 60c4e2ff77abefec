"""Likelihood ratios: published check values beside ours, and our own scores source-disjoint, frozen and transferred."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from rich.progress import Progress as Bar
from rich.progress import track

from ballistics.errors import ParameterError
from ballistics.evidence.crossvalidation import cross_validate
from ballistics.evidence.lr_system import FittedModel, fit_with_bounds
from ballistics.evidence.metrics import measure
from ballistics.evidence.scores import SCORE_MODELS, Floats, Score, ScoreTable
from ballistics.progress import Progress
from ballistics.studies.scan_pairs import score_all_pairs
from ballistics.studies.scan_study import HEADLINE, reference_population
from ballistics.studies.truth_table import read_truth
from ballistics.surfaces.simulation.breech_faces import BREECH_FACES, BreechFace
from ballistics.surfaces.simulation.files import write_population
from ballistics.surfaces.simulation.heads import simulate_population
from benchmarks.support.lr_trials import at_the_bounds, fused_and_first
from benchmarks.support.published_scores import published_scores
from benchmarks.support.real_sets import RealSet, fadul, own, topmatch
from benchmarks.support.record import Context, Record

DESCRIPTION = "LR check values and metrics of published scores; Cllr of our own scores, source-disjoint and frozen"

_NAME = "evidence"
_SEED = 1
# Open peers on the Fadul set, source-disjoint; the best published LRs on a set never seen.
# How far above what the bounds of a few firearms allow Cllr may lie.
_ABOVE_FLOOR = 0.03
_PEERS = "at most 0.05; open peers 0.398 and 0.194"
_EXTERNAL = "at most 0.05; best published external 0.163"
# Firearms and shots of each simulated make, and the seed, chosen before any was scored.
_SIMULATED, _SIMULATED_QUICK, _SIMULATION_SEED = (8, 3), (4, 2), 2025
_OTHER_INSTRUMENT = (
    "another instrument and ammunition than the reference's: casework refuses such a pair, and is right to do so; here "
    "it is asked how far frozen LRs would carry"
)
_WORTH = (
    "simulated heads, made and measured by our own model: tests whether frozen LRs carry over to other finishes and "
    "sizes, and says nothing about real firearms of another make"
)


@dataclass(frozen=True)
class _ScoredSet:
    """The comparisons of one set of scans by score, and how many pairs gave none."""

    name: str
    tables: Mapping[Score, ScoreTable]
    pairs: int
    without_score: int


def run(context: Context) -> Iterator[Record]:
    """Yield every record; with ``--data`` only those of the folder's scans, alone and frozen on Fadul.

    Prepared marks and compared pairs are kept in ``--output``; a stopped run goes on from them.
    """
    if context.own:
        scored = _scored(own(context), context)
        yield from _all_source_disjoint(scored)
        yield from _all_frozen(scored, _scored(fadul(context), context), "")
        return
    yield from published_scores(context)
    reference, other = _scored(fadul(context), context), _scored(topmatch(context), context)
    for scans in (reference, other):
        yield from _all_source_disjoint(scans)
    yield from _all_frozen(other, reference, f"; {_OTHER_INSTRUMENT}")
    for finish in ("milled",) if context.quick else BREECH_FACES:
        yield from _all_frozen(_simulated(finish, context), reference, f"; {_WORTH}")


def _simulated(finish: BreechFace, context: Context) -> _ScoredSet:
    """Simulate a make of firearms with one finish of the breech face and compare all pairs."""
    firearms, shots = _SIMULATED_QUICK if context.quick else _SIMULATED
    name = f"simulated {finish}, {firearms} firearms"
    folder = context.output / "evidence" / name.replace(" ", "-").replace(",", "")
    table = folder / "truth.csv"
    # The table grows with the scans: a stopped simulation begins anew.
    if not table.exists() or len(read_truth(table)) < firearms * shots:
        heads = simulate_population(firearms, shots, _SIMULATION_SEED, breech_faces=(finish,))
        for _ in track(write_population(heads, folder, overwrite=True), name, total=firearms * shots, transient=True):
            pass
    return _scored(RealSet(name, folder, read_truth(table)), context)


def _scored(scans: RealSet, context: Context) -> _ScoredSet:
    """Compare all pairs of a set; pairs that are insufficient, or may not be weighed, have no score and are counted."""
    name, folder, truths = scans.name, scans.folder, scans.truths
    if context.quick:
        kept = sorted({truth.firearm for truth in truths})[:4]
        truths = tuple(truth for truth in truths if truth.firearm in kept)
    work = context.output / "evidence" / f"work-{name.replace(' ', '-').replace(',', '')}"
    with _bar(name) as tell:
        scored = score_all_pairs(folder, truths, work, workers=os.cpu_count() or 1, progress=tell)
    tables: dict[Score, ScoreTable] = {
        score: reference_population(scored, name, score=score).table for score in SCORE_MODELS
    }
    pairs = sum(not scored.repeats(pair) for pair in scored.pairs)
    return _ScoredSet(name, tables, pairs, pairs - len(tables[HEADLINE]))


@contextmanager
def _bar(name: str) -> Iterator[Progress]:
    with Bar(transient=True) as progress:
        task = progress.add_task(name)

        def tell(stage: str, done: int, total: int, resumed: int = 0, /) -> None:
            progress.update(task, description=f"{name}: {stage}", completed=done, total=total)

        yield tell


def _all_source_disjoint(scans: _ScoredSet) -> Iterator[Record]:
    protocol = f"{scans.name}: all pairs of different cases"
    yield _record(f"{scans.name}: pairs without a score", scans.without_score, "pairs", "", protocol, scans.pairs)
    floor = _floor(scans)
    near_the_floor = (
        "" if floor is None else f"≤ {floor + _ABOVE_FLOOR:.3f}: the bounds of these firearms allow {floor:.3f}"
    )
    for score, table in scans.tables.items():
        label = f"{scans.name}, our {score}"
        protocol = f"{label}, {SCORE_MODELS[score]}, all pairs, bounded LRs, each from firearms other than its own"
        try:
            values = cross_validate(table, SCORE_MODELS[score], seed=_SEED).log10_lr
        except ParameterError as error:
            # A set too small for it can still be judged by LRs frozen elsewhere.
            yield _record(f"{label}: Cllr", float("nan"), "bit", "", f"{label}: not measured, {error}", len(table))
            continue
        yield from _merits(label, values, table, _PEERS if scans.name == "Fadul" else near_the_floor, protocol)
    if floor is not None:
        protocol = f"{scans.name}: every pair at the bound on its right side, bounds of each fold's own training pairs"
        metric = f"{scans.name}: Cllr that the bounds of these firearms allow"
        yield _record(metric, floor, "bit", "", protocol, len(scans.tables[HEADLINE]))
    yield from _fused(scans)


def _fused(scans: _ScoredSet) -> Iterator[Record]:
    """Yield Cllr of the three scores fused and of the similarity alone, on the same folds."""
    tables = [scans.tables[score] for score in SCORE_MODELS]
    label = f"{scans.name}, similarity, count and correlation fused"
    try:
        fused, alone = fused_and_first(tables, tuple(SCORE_MODELS.values()))
    except ParameterError as error:
        yield _record(f"{label}: Cllr", float("nan"), "bit", "", f"{label}: not measured, {error}", len(tables[0]))
        return
    protocol = (
        f"{label} by logistic regression of their log LRs, nested source-disjoint: LRs, fusion and bounds from "
        "firearms other than the two at hand; beside it the similarity alone on the same folds"
    )
    goal = "below the similarity alone, else left out"
    yield _record(f"{label}: Cllr", fused, "bit", goal, protocol, len(tables[0]))
    yield _record(f"{label}: Cllr of the similarity alone", alone, "bit", "", protocol, len(tables[0]))


def _floor(scans: _ScoredSet) -> float | None:
    """Return the Cllr that is left when every LR stands on its right bound; None for too few firearms."""
    try:
        return at_the_bounds(scans.tables[HEADLINE], SCORE_MODELS[HEADLINE])
    except ParameterError:
        return None


def _all_frozen(scans: _ScoredSet, reference: _ScoredSet, worth: str) -> Iterator[Record]:
    for score, table in scans.tables.items():
        frozen = fit_with_bounds(reference.tables[score], SCORE_MODELS[score], draws=0, seed=_SEED)
        yield from _frozen(scans.name, score, frozen, table, worth)


def _frozen(name: str, score: Score, frozen: FittedModel, table: ScoreTable, worth: str) -> Iterator[Record]:
    label = f"{name}, our {score}, frozen on Fadul"
    protocol = (
        f"{label}: {SCORE_MODELS[score]} and bounds fitted on all Fadul pairs, applied unchanged to all pairs; "
        f"casework declines those outside the range of the reference{worth}"
    )
    values = frozen.log10_lr(table.score, table.extent)
    yield from _merits(label, values, table, _EXTERNAL, protocol)
    covered = frozen.covers(table.score, table.extent)
    outside = int((~covered).sum())
    yield _record(f"{label}: outside the reference's range", outside, "pairs", "", protocol, len(table))
    within = table.rows(covered)
    if outside and 0 < within.same_source.sum() < len(within):
        value = measure(values[covered], within).cllr
        yield _record(f"{label}, pairs in range: Cllr", value, "bit", _EXTERNAL, protocol, len(within))


def _merits(label: str, log10_lr: Floats, table: ScoreTable, goal: str, protocol: str) -> Iterator[Record]:
    metrics = measure(log10_lr, table)
    yield _record(f"{label}: Cllr", metrics.cllr, "bit", goal, protocol, len(table))
    yield _record(f"{label}: Cllr_min", metrics.cllr_min, "bit", "", protocol, len(table))
    for kind, count in (("same", metrics.misleading_same), ("different", metrics.misleading_different)):
        n = metrics.n_same if kind == "same" else metrics.n_different
        yield _record(f"{label}: misleading, {kind} source", count, "pairs", "0", protocol, n)


def _record(metric: str, value: float, unit: str, goal: str, protocol: str, n: int) -> Record:
    return Record(_NAME, metric, float(value), unit, goal, protocol, n, _SEED)
