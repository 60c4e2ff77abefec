"""Where each score breaks: simulated granular heads from easy to nearly nothing in common, all scores at all levels."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import numpy as np
from rich.progress import Progress as Bar
from rich.progress import track

from ballistics.errors import ParameterError
from ballistics.evidence.crossvalidation import cross_validate
from ballistics.evidence.metrics import auc, measure
from ballistics.evidence.scores import SCORE_MODELS, Booleans, Floats, ScoreTable
from ballistics.impressions.comparison import HEADLINE_RULE
from ballistics.impressions.congruence import RULES
from ballistics.pairs.prepared_scans import Method, prepare_scans
from ballistics.pairs.rows import Row
from ballistics.progress import Progress
from ballistics.studies.scan_pairs import score_all_pairs
from ballistics.studies.scan_study import takes_part
from ballistics.studies.truth_table import read_truth
from ballistics.surfaces.simulation.difficulty import DIFFICULTIES
from ballistics.surfaces.simulation.files import write_population
from ballistics.surfaces.simulation.heads import simulate_population
from benchmarks.support.hard_figures import draw_examples, draw_ladder
from benchmarks.support.hard_fit import Alike, Likeness, likeness, likeness_of_real
from benchmarks.support.lr_trials import GROUPS, at_the_bounds, fused_and_first
from benchmarks.support.lr_trials import SEED as LR_SEED
from benchmarks.support.record import Context, Record

DESCRIPTION = "simulated heads by difficulty: AUC, Cllr and misleading rates of every score; fit to real marks"

_NAME = "hard"
# Chosen before any score was looked at; the levels were fitted on other seeds (docs/simulation.md).
SEED = 30_016
_FIREARMS, _SHOTS, _QUICK_FIREARMS, _QUICK_SHOTS = 6, 3, 5, 2
_QUICK_LEVELS = ("ordinary", "faint")
_FIELD_MM = 5.0
# The levels that were fitted to real marks, and are held against them octave by octave.
_FITTED = ("good", "ordinary")
# Rules whose score is no count of a pair's own cells get the model of a plain score.
_NO_COUNT = ("ncma", "cmcR pooled")


@dataclass(frozen=True)
class Level:
    """All pairs of one difficulty.

    Parameters
    ----------
    name : str
        Of the difficulty.
    rows : tuple of Row
        One for each pair that has a score. Casework withholds the LR of some of them, by a finding; here they count, so
        that a finding does not hide where a score breaks.
    firearms : tuple of tuples of str
        The two firearms of each pair.
    pairs, insufficient, withheld : int
        Of all; without a score; with a score, and a finding under which casework states no LR.
    likeness : Likeness
        The figures by which they are compared with real marks.
    """

    name: str
    rows: tuple[Row, ...]
    firearms: tuple[tuple[str, str], ...]
    pairs: int
    insufficient: int
    withheld: int
    likeness: Likeness

    @property
    def same(self) -> Booleans:
        """Which pairs come from one firearm."""
        return np.array([a == b for a, b in self.firearms], bool)

    def table(self, score: str) -> tuple[ScoreTable, str]:
        """Return one score of all pairs, and the model that weighs it."""
        a, b = zip(*self.firearms, strict=True)
        if score == "similarity":
            areas = [row["overlap_um2"] * 1e-6 for row in self.rows]
            return ScoreTable.build(_column(self.rows, score), a, b, area_mm2=areas), SCORE_MODELS["similarity"]
        if score == "accf" or score in _NO_COUNT:
            name = score if score == "accf" else _count_column(score)
            return ScoreTable.build(_column(self.rows, name), a, b), SCORE_MODELS["correlation"]
        counted = [_counted(row, score) for row in self.rows]
        counts, cells = zip(*counted, strict=True)
        return ScoreTable.build(counts, a, b, cells), SCORE_MODELS["count"]


def scores() -> tuple[str, ...]:
    """Return the names of all scores, the headline first."""
    return ("similarity", "accf", *RULES)


def run(context: Context) -> Iterator[Record]:
    """Simulate, compare and judge every level; what is finished is kept in ``--output`` and not done again."""
    firearms, shots = (_QUICK_FIREARMS, _QUICK_SHOTS) if context.quick else (_FIREARMS, _SHOTS)
    names = _QUICK_LEVELS if context.quick else tuple(DIFFICULTIES)
    context.output.mkdir(parents=True, exist_ok=True)
    draw_examples(context.output / "hard-levels.png", names, SEED)
    figures: dict[tuple[str, str], dict[str, float]] = {}
    for name in names:
        level = _compared(name, firearms, shots, context)
        protocol = (
            f"{firearms} simulated granular firearms with {shots} shots each, difficulty '{name}': all pairs that have"
            " a score, those that casework withholds too; bounded LRs, from firearms other than the pair's own"
        )
        for what, number in (("insufficient", level.insufficient), ("LR withheld in casework", level.withheld)):
            yield Record(_NAME, f"{name}: {what}", number, "pairs", "", protocol, level.pairs, SEED)
        yield from _fit(name, level.likeness, protocol)
        for score in scores():
            figures[name, score] = found = _judged(level, score)
            for metric, value in found.items():
                unit = {"AUC": "AUC", "Cllr": "bit"}.get(metric.split()[0], "share")
                yield Record(_NAME, f"{name}: {score}: {metric}", value, unit, "", protocol, len(level.rows), SEED)
        yield from _fused(level, protocol)
    for name, real in likeness_of_real(context):
        yield from _fit(name, real, f"{name}: given real scans, all same-source pairs that are not mirrored")
    _write(context.output / "hard.csv", figures)
    draw_ladder(context.output / "hard.png", figures)


def _compared(name: str, firearms: int, shots: int, context: Context) -> Level:
    """Simulate one level and compare all its pairs."""
    # Scans of other ranges are other scans.
    ranges = sha256(repr(DIFFICULTIES[name]).encode()).hexdigest()[:8]
    folder = context.output / "hard" / f"{name}-{firearms}x{shots}-{ranges}"
    table, work = folder / "truth.csv", folder / "work"
    # The table grows with the scans: a stopped simulation begins anew.
    if not table.exists() or len(read_truth(table)) < firearms * shots:
        heads = simulate_population(
            firearms, shots, SEED, breech_faces=("granular",), field_mm=_FIELD_MM, difficulty=name
        )
        for _ in track(write_population(heads, folder, overwrite=True), name, total=firearms * shots, transient=True):
            pass
    rows: dict[tuple[int, int], Row] = {}
    truths, workers = read_truth(table), context.workers or os.cpu_count() or 1
    with _bar(name) as tell:
        scored = score_all_pairs(
            folder,
            truths,
            work,
            workers=workers,
            progress=tell,
            each_row=lambda i, j, row: rows.__setitem__((i, j), row),
        )
    judged = [pair for pair in scored.pairs if not pair.without_score]
    kept = tuple(rows[pair.a, pair.b] for pair in judged)
    firearms_of = tuple(scored.firearms(pair) for pair in judged)
    found = Likeness(
        tuple(
            Alike(a == b, row["similarity"] / (row["overlap_um2"] * 1e-6))
            for row, (a, b) in zip(kept, firearms_of, strict=True)
        )
    )
    if name in _FITTED:
        # Kept already: the marks are only looked up.
        listed = [(truth.scan, folder / truth.scan) for truth in truths]
        (prepared,), store = prepare_scans([listed], work, Method(), workers)
        marks = [store.load(scan.sha256) for scan in prepared]
        octaves = likeness(marks, [truth.firearm for truth in truths], None, f"octaves, {name}")
        found = replace(octaves, pairs=found.pairs)
    withheld = sum(not takes_part(scored, pair) for pair in judged)
    return Level(name, kept, firearms_of, len(scored.pairs), len(scored.pairs) - len(judged), withheld, found)


@contextmanager
def _bar(name: str) -> Iterator[Progress]:
    with Bar(transient=True) as progress:
        task = progress.add_task(name)

        def tell(stage: str, done: int, total: int, resumed: int = 0, /) -> None:
            progress.update(task, description=f"{name}: {stage}", completed=done, total=total)

        yield tell


def _judged(level: Level, score: str) -> dict[str, float]:
    """Return the figures of merit of one score; those of LRs are NaN where too few firearms are left to fit on."""
    table, model = level.table(score)
    found = {"AUC": auc(table.score, table.same_source)}
    try:
        log10_lr = cross_validate(table, model, GROUPS, LR_SEED).log10_lr
    except ParameterError:
        return found | dict.fromkeys(
            ("Cllr", "Cllr the bounds allow", "misleading same", "misleading different"), np.nan
        )
    metrics = measure(log10_lr, table)
    return found | {
        "Cllr": metrics.cllr,
        "Cllr the bounds allow": at_the_bounds(table, model),
        "misleading same": metrics.misleading_same_rate,
        "misleading different": metrics.misleading_different_rate,
    }


def _fused(level: Level, protocol: str) -> Iterator[Record]:
    """Yield the Cllr of the three scores of the evidence room fused; beside it stands that of the similarity."""
    tables, models = zip(*(level.table(score) for score in ("similarity", HEADLINE_RULE, "accf")), strict=True)
    try:
        value, _ = fused_and_first(tables, models)
    except ParameterError:
        value = np.nan
    what = "similarity, count and correlation fused: Cllr"
    yield Record(
        _NAME, f"{level.name}: {what}", value, "bit", "below the similarity's", protocol, len(level.rows), SEED
    )


def _fit(name: str, found: Likeness, protocol: str) -> Iterator[Record]:
    """Yield the figures by which simulated and real marks are compared."""
    for metric, value, unit, n in found.figures():
        yield Record(_NAME, f"{name}: {metric}", value, unit, "", protocol, n, SEED)


def _column(rows: tuple[Row, ...], name: str) -> Floats:
    return np.array([row[name] for row in rows], np.float64)


def _count_column(rule: str) -> str:
    return f"{rule.replace(' ', '_')}_count"


def _counted(row: Row, rule: str) -> tuple[int, int]:
    """Return the smaller count of the two directions with its cells; on a tie more cells, the weaker finding."""
    name = rule.replace(" ", "_")
    directions = [(int(row[f"{name}_{side}"]), int(row[f"cells_{side}"])) for side in ("a_in_b", "b_in_a")]
    return min(directions, key=lambda direction: (direction[0], -direction[1]))


def _write(path: Path, figures: Mapping[tuple[str, str], Mapping[str, float]]) -> None:
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["difficulty", "score", *next(iter(figures.values()))])
        for key, row in figures.items():
            writer.writerow([*key, *(f"{value:.6g}" for value in row.values())])
