"""Striated marks: published check values, real tool marks and lands, likelihood ratios, speed."""

from __future__ import annotations

import csv
import gzip
import itertools
import math
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ballistics.errors import ReadError
from ballistics.evidence import ScoreTable, cllr, cross_validate, fit_with_bounds
from ballistics.evidence.metrics import auc, cllr_min
from ballistics.striations import (
    CmpsParameters,
    CorrelationParameters,
    LandEnds,
    OctaveProfiles,
    Signature,
    best_correlations,
    cmps,
    common_octaves,
    compare_bullets,
    compare_signatures,
    correlate,
    land_of,
    land_scores,
    octave_profiles,
    profile_signature,
    similarity_of,
    striated_mark_of,
)
from ballistics.surfaces import read
from benchmarks.support.lr_trials import at_the_bounds
from benchmarks.support.record import Context, Record
from benchmarks.support.simulated_barrels import DISTURBANCES, Bullet, Outcome, bullet, outcome, wrong_ends

DESCRIPTION = "striated marks: CMPS check values, screwdrivers, pliers, lands of bullets, their LRs, speed"

_NAME = "striations"
_SEED = 1
# What the evidence room takes for similarities of striae comes first.
_MODELS = ("logistic", "isotonic")
_CMPS = ((2, 5, 3, 4, 3, 2), (2, 2, 13, 1, 1, 1), (1, 1, 2, 11, 2, 2), (2, 1, 1, 1, 10, 1), (1, 2, 1, 2, 2, 15),
         (14, 2, 2, 2, 1, 1))  # fmt: skip
_SCAN_UM = 0.645
Floats = NDArray[np.float64]


def run(context: Context) -> Iterator[Record]:
    """Yield the rows: cmps, screwdrivers, pliers, lands, crosscuts, shear, barrels, scores, speed."""
    rows: dict[str, Callable[[Context], Iterator[Record]]] = {
        "cmps": _published_cmps,
        "screwdrivers": _screwdrivers,
        "pliers": _pliers,
        "lands": _lands,
        "crosscuts": _crosscuts,
        "shear": _shear,
        "barrels": _barrels,
        "scores": _scores,
        "speed": _speed,
    }
    for name, row in rows.items():
        if not context.rows or name in context.rows:
            yield from row(context)


def _record(metric: str, value: float, unit: str, goal: str, protocol: str, n: int) -> Record:
    return Record(_NAME, metric, float(value), unit, goal, protocol, n, _SEED)


def _file(context: Context, name: str) -> Path:
    path = context.data / name
    if not path.exists():
        raise ReadError(f"{path} is absent: this benchmark needs the real data")
    return path


def _published_cmps(context: Context) -> Iterator[Record]:
    lands: dict[str, list[float]] = {}
    with open(_file(context, "bullets/cmps-signatures.csv"), newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            lands.setdefault(row["land"], []).append(float(row["signature_um"]))
    p = CmpsParameters(conventions="cmpsR 2020")
    wrong = 0
    for i, j in itertools.product(range(6), range(6)):
        a, b = np.array(lands[f"1-{i + 1}"]), np.array(lands[f"2-{j + 1}"])
        wrong += cmps(*_aligned(a, b), p).count != _CMPS[i][j]
    protocol = "36 pairs of lands aligned at the best lag over 75 % of the shorter, as in the open implementation"
    yield _record("CMPS counts that differ from the published", wrong, "counts", "0 of 36", protocol, 36)


def _aligned(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    found = correlate(Signature(a, 1.0), Signature(b, 1.0), CorrelationParameters(minimum_overlap=0.75)).placement
    if found is None:
        raise ReadError("the published signatures do not correlate at all: is the file complete?")
    lag = round(found.lag_um + (len(a) - len(b)) / 2)
    start, stop = min(0, lag), max(len(a), len(b) + lag)
    x, y = np.full((2, stop - start), np.nan)
    x[-start : len(a) - start], y[lag - start : lag - start + len(b)] = a, b
    return x, y


def _all_pairs(signatures: Sequence[Signature], every: int) -> tuple[NDArray[np.int64], Floats, Floats]:
    """Return the pairs, their similarities, and their correlations over lags; only one first mark in ``every``."""
    split: dict[tuple[int, float, tuple[float, ...]], OctaveProfiles] = {}
    pairs, scores, correlations = [], [], []
    for i in range(0, len(signatures), every):
        for j in range(len(signatures)):
            if j <= i and (j == i or j % every == 0):
                continue
            grid = common_octaves(signatures[i], signatures[j])
            if grid is None:
                continue
            for k in (i, j):
                if (k, *grid) not in split:
                    split[(k, *grid)] = octave_profiles(signatures[k], *grid)
            pairs.append((i, j))
            scores.append(similarity_of(split[(i, *grid)], split[(j, *grid)]).score)
            correlations.append(correlate(signatures[i], signatures[j]).correlation)
    return np.array(pairs), np.array(scores), np.array(correlations)


def _cllrs(name: str, table: ScoreTable, goal: str, protocol: str, models: Sequence[str] = _MODELS) -> Iterator[Record]:
    for model in models:
        found = cross_validate(table, model, seed=_SEED)
        same = table.same_source
        yield _record(
            f"{name}: Cllr source-disjoint, {model}", cllr(found.log10_lr, same), "", goal, protocol, len(table)
        )
        misleading = np.where(same, found.log10_lr < 0, found.log10_lr > 0)
        for kind, chosen in (("same", same), ("different", ~same)):
            share = 100 * float(misleading[chosen].mean())
            yield _record(f"{name}: misleading, {kind} source, {model}", share, "%", "", protocol, int(chosen.sum()))


def _screwdrivers(context: Context) -> Iterator[Record]:
    with np.load(_file(context, "striations/screwdrivers.npz")) as marks:
        names = sorted(marks)
        signatures = [Signature(marks[name].astype(np.float64), 7.05) for name in names]
    edges = np.array([name.split("-")[0] for name in names])
    angles = np.array([name.split("-")[1] for name in names])
    pairs, scores, correlations = _all_pairs(signatures, 20 if context.quick else 1)
    i, j = pairs.T
    same, same_angle = edges[i] == edges[j], angles[i] == angles[j]
    protocol = "all pairs of 420 screwdriver marks; source = edge; octaves of 20 to 1280 µm, all lags, 3 % stretch"
    for name, values, goals in (
        ("similarity", scores, (".985 (Verity .9636)", ".995")),
        ("correlation over lags", correlations, ("", "")),
    ):
        yield _record(f"screwdrivers: AUC all angles, {name}", auc(values, same), "AUC", goals[0], protocol, len(same))
        at = same_angle
        yield _record(
            f"screwdrivers: AUC same angle, {name}", auc(values[at], same[at]), "AUC", goals[1], protocol, int(at.sum())
        )
    table = ScoreTable.build(scores.tolist(), edges[i].tolist(), edges[j].tolist())
    yield from _cllrs("screwdrivers", table, "≤ .15 (Verity .330)", protocol + "; 10 groups of edges")


def _pliers(context: Context) -> Iterator[Record]:
    pattern = re.compile(r"(K\d+)(Z\d+)(A\d+)N\d+(L\d+)")
    with np.load(_file(context, "striations/pliers.npz")) as marks:
        # This cut equals its neighbour in the source.
        names = [name for name in sorted(marks) if name.upper() != "K1Z2A2N02L2"]
        signatures = [
            Signature(marks[name][:, 1].astype(np.float64), float(np.diff(marks[name][:2, 0])[0])) for name in names
        ]
    parts = [match.groups() for name in names if (match := pattern.match(name.upper()))]
    source, tool = np.array(["".join(p) for p in parts]), np.array([p[0] for p in parts])
    edge = np.array([p[0] + p[2] for p in parts])
    step = 40 if context.quick else 12
    pairs, scores, correlations = _all_pairs(signatures, step)
    i, j = pairs.T
    same = source[i] == source[j]
    protocol = f"cut-wire profiles of 3 pliers; source = tool, zone, edge, region; each {step}th mark with all"
    for name, values in (("similarity", scores), ("correlation over lags", correlations)):
        for words, other, goal in (
            ("other tool", tool[i] != tool[j], "≥ .98"),
            ("another edge of the tool", (tool[i] == tool[j]) & (edge[i] != edge[j]), "≥ .97"),
        ):
            used = same | other
            yield _record(
                f"pliers: AUC against {words}, {name}", auc(values[used], same[used]), "AUC",
                goal if name == "similarity" else "", protocol, int(used.sum()),
            )  # fmt: skip
    used = same | (tool[i] != tool[j])
    table = ScoreTable.build(scores[used].tolist(), source[i][used].tolist(), source[j][used].tolist())
    yield from _cllrs("pliers", table, "≤ .2; misleading ≤ 2 %", protocol + "; against other tools; 10 groups")


def _lands(context: Context) -> Iterator[Record]:
    folder = _file(context, "bullets/hamby44-barrel1")
    surfaces = [[read(folder / f"Barrel_1-Bullet_{b}-Land_{k}.x3p") for k in range(1, 7)] for b in (1, 2)]
    land_of(surfaces[0][0])
    start = time.process_time()
    lands = [[land_of(surface) for surface in bullet] for bullet in surfaces]
    seconds = (time.process_time() - start) / 12
    first, second = ([land.signature for land in bullet] for bullet in lands)
    protocol = "12 raw scans of Hamby 44 barrel 1, automatic; band and margins were chosen looking at these scans"
    found = compare_bullets(first, second)
    in_phase = np.zeros((6, 6), np.bool_)
    if found.phase is not None:
        in_phase[range(6), [(k + found.phase) % 6 for k in range(6)]] = True
    p = CorrelationParameters(minimum_overlap=0.75)
    r = np.array([[correlate(a, b, p).correlation for b in second] for a in first])
    means = sorted(np.mean([r[k, (k + s) % 6] for k in range(6)]) for s in range(6))
    both = sum(land.left.shoulder and land.right.shoulder for bullet in lands for land in bullet)
    yield _record("lands: both shoulders found", both, "lands", "12 of 12", protocol, 12)
    yield _record("lands: lowest correlation in phase", r[in_phase].min(), "r", "≥ .85 (sketch .83)", protocol, 6)
    yield _record("lands: highest other correlation", r[~in_phase].max(), "r", "≤ .45 (sketch .49)", protocol, 30)
    yield _record("lands: margin of the phase", means[-1] - means[-2], "r", "≥ .55 (sketch .52)", protocol, 6)
    yield _record("lands: lowest similarity in phase", found.scores[in_phase].min(), "nats", "", protocol, 6)
    yield _record("lands: highest other similarity", found.scores[~in_phase].max(), "nats", "", protocol, 30)
    yield _record("lands: chance of such a phase", found.probability, "", "least possible 6/720", protocol, 720)
    yield _record("lands: raw scan to signature", seconds, "CPU s", "≤ 0.12 (Verity .22)", "12 lands, one core", 12)
    start = time.process_time()
    compare_bullets([land_of(s).signature for s in surfaces[0]], [land_of(s).signature for s in surfaces[1]])
    yield _record(
        "lands: pair of bullets", time.process_time() - start, "CPU s", "≤ 2", "12 lands and all pairs, one core", 1
    )


def _crosscuts(context: Context) -> Iterator[Record]:
    made: dict[str, tuple[Signature, LandEnds | None, float]] = {}
    with np.load(_file(context, "striations/land-crosscuts.npz")) as cuts:
        for name in sorted(cuts):
            x, z = cuts[name].astype(np.float64).T
            heights = np.full(round((x[-1] - x[0]) / _SCAN_UM) + 1, np.nan)
            heights[np.rint((x - x[0]) / _SCAN_UM).astype(int)] = z
            made[name] = (*profile_signature(heights, _SCAN_UM), len(heights) * _SCAN_UM)
    correlations: list[float] = []
    stretched: list[float] = []
    shifts: list[float] = []
    clear: list[float] = []
    repeat_scores: list[float] = []
    other_scores: list[float] = []
    for number in "123":
        first, two = (
            [made[name] for name in sorted(made) if name.startswith(f"Blue_{number}_") and name[9:10] == scan]
            for scan in "12"
        )
        scores = land_scores([m[0] for m in first], [m[0] for m in two])
        phase = int(np.argmax([np.trace(np.roll(scores, -k, axis=1)) for k in range(6)]))
        for k, m in itertools.product(range(6), range(6)):
            (repeat_scores if (k + phase) % 6 == m else other_scores).append(scores[k, m])
        for k in range(6):
            (a, a_ends, a_um), (b, b_ends, b_um) = first[k], two[(k + phase) % 6]
            found = correlate(a, b, CorrelationParameters(minimum_overlap=0.75))
            correlations.append(found.correlation)
            wide = CorrelationParameters(minimum_overlap=0.75, largest_stretch=0.01, stretch_step=0.0025)
            stretched.append(correlate(a, b, wide).correlation)
            if found.placement is None or a_ends is None or b_ends is None:
                continue
            offset = found.placement.lag_um + (a_um - b_um) / 2
            for side in ("left", "right"):
                x, y = getattr(a_ends, side), getattr(b_ends, side)
                if x.shoulder and y.shoulder:
                    shifts.append(abs(x.place_um - y.place_um - offset))
                    clear += [] if x.gap_um or y.gap_um else shifts[-1:]
    protocol = "cross-cuts of 3 bullets of one barrel, one row each, scanned twice; the second scan at its best phase"
    yield _record("cross-cuts: median r of repeats", float(np.median(correlations)), "r", "≥ .95", protocol, 18)
    # The roughness above which points are left out was chosen on the pairs 0, 2, 4 … of this list.
    yield _record("cross-cuts: median r of repeats, odd pairs", float(np.median(correlations[1::2])), "r", "≥ .95",
                  protocol, 9)  # fmt: skip
    both = protocol + "; stretched by up to 1 %"
    yield _record("cross-cuts: median r of repeats, stretched", float(np.median(stretched)), "r", "≥ .95", both, 18)
    yield _record("cross-cuts: median r of repeats, stretched, odd pairs", float(np.median(stretched[1::2])), "r",
                  "≥ .95", both, 9)  # fmt: skip
    yield _record(
        "cross-cuts: worst tenth of r", float(np.percentile(correlations, 10)), "r", "crude .50", protocol, 18
    )
    yield _record("cross-cuts: lowest similarity of repeats", min(repeat_scores), "nats", "", protocol, 18)
    yield _record("cross-cuts: highest of other lands", max(other_scores), "nats", "", protocol, 90)
    share = 100 * float(np.mean(np.array(shifts) <= 30))
    yield _record("cross-cuts: shoulders within 30 µm", share, "%", "100", protocol, len(shifts))
    share = 100 * float(np.mean(np.array(clear) <= 30))
    yield _record("cross-cuts: shoulders within 30 µm, no gap beside them", share, "%", "100", protocol, len(clear))
    yield _record("cross-cuts: median shift of a shoulder", float(np.median(shifts)), "µm", "", protocol, len(shifts))


def _shear(context: Context) -> Iterator[Record]:
    first, second = (
        striated_mark_of(
            read(_file(context, f"breech-faces/raw/K013sA{k}.x3p"), units="micrometres"), "aperture shear"
        ).signature
        for k in (1, 2)
    )
    protocol = "aperture shear found on two raw heads of one firearm; margins of the region were chosen looking at them"
    found = compare_signatures(first, second)
    turned = compare_signatures(first, second.reversed())
    if found.correlation is not None:
        yield _record("aperture shear: r of the one pair", found.correlation.correlation, "r", "", protocol, 1)
    yield _record("aperture shear: similarity of the one pair", found.score, "nats", "", protocol, 1)
    yield _record("aperture shear: similarity, one of them turned by 180°", turned.score, "nats", "", protocol, 1)


def _barrels(context: Context) -> Iterator[Record]:
    barrels, shots = (4, 3) if context.quick else (10, 4)
    made = [(bullet(n, shot), shot) for n in range(barrels) for shot in range(shots)]
    protocol = (
        f"simulated: {barrels} barrels of two makes, made one after the other, {shots} bullets each of 6 lands, "
        "scanned at 1.5625, 0.645 and 3.1 µm; all pairs"
    )
    found = outcome(made, made, once=True)
    pairs = len(found.land_score)
    yield _record("barrels: land AUC", auc(found.land_score, found.land_same), "AUC", "≥ .95", protocol, pairs)
    close = found.land_close
    yield _record(
        "barrels: land AUC, barrels of one make", auc(found.land_score[close], found.land_same[close]), "AUC", "≥ .95",
        protocol, int(close.sum()),
    )  # fmt: skip
    yield from _of_bullets("barrels", found, protocol)
    for level, table in (
        ("land", ScoreTable.build(found.land_score, *found.land_names, length_mm=found.land_length_mm)),
        ("bullet", ScoreTable.build(found.bullet_score, *found.bullet_names, length_mm=found.bullet_length_mm)),
    ):
        pairs = len(table)
        yield _record(f"barrels: {level} Cllr_min", cllr_min(table.score, table.same_source), "", "", protocol, pairs)
        value = at_the_bounds(table, "isotonic")
        yield _record(f"barrels: {level} Cllr that the bounds allow", value, "", "", protocol, pairs)
        sources = "lands" if level == "land" else "barrels"
        given_length = (*_MODELS, "log-normal over length")
        yield from _cllrs(f"barrels: {level}", table, "", f"{protocol}; 10 groups of {sources}", given_length)
    yield from _shoulders_of("barrels", [held for held, _ in made], protocol)
    disturbed = barrels if context.quick else 6
    references = [held for held in made if held[1] < 2 and held[0].barrel < disturbed]
    for words, disturbance in DISTURBANCES.items():
        questioned = [(bullet(n, shots - 1, **disturbance), shots - 1) for n in range(disturbed)]
        found = outcome(questioned, references)
        name = f"barrels, {words}"
        protocol = (
            f"simulated: the last bullet of each of {disturbed} barrels so, against the first two of all of these"
        )
        value = auc(found.land_score, found.land_same)
        yield _record(f"{name}: land AUC", value, "AUC", "", protocol, len(found.land_score))
        yield from _of_bullets(name, found, protocol)
        yield from _shoulders_of(name, [held for held, _ in questioned], protocol)


def _of_bullets(name: str, found: Outcome, protocol: str) -> Iterator[Record]:
    value = auc(found.bullet_score, found.bullet_same)
    yield _record(f"{name}: bullet AUC", value, "AUC", "1", protocol, len(found.bullet_score))
    yield _record(f"{name}: wrong phases", found.wrong_phases, "pairs", "0", protocol, found.same_pairs)


def _shoulders_of(name: str, made: Sequence[Bullet], protocol: str) -> Iterator[Record]:
    seen, wrong, unsaid = wrong_ends(made)
    yield _record(f"{name}: shoulders over 40 µm off", wrong, "shoulders", "0", protocol, seen)
    yield _record(f"{name}: of these without a finding", unsaid, "shoulders", "0", protocol, seen)


def _scores(context: Context) -> Iterator[Record]:
    forests = {
        "Hamby 44": _forest(context, "hamby44-csafe-rf.csv.gz", "rf_manual"),
        "Phoenix": _forest(context, "phoenix-csafe-rf.csv.gz", "rf_manual"),
        "Houston": _forest(context, "houston-test-csafe-rf.csv.gz", "rf_manual"),
        "Houston, automatic shoulders": _forest(context, "houston-test-csafe-rf.csv.gz", "rf_lf"),
    }
    for level, what in (
        ("land", "random-forest scores of land pairs; source = physical land; 10 groups of lands"),
        ("bullet", "mean of a bullet pair's best cyclic phase; source = barrel; 10 groups of barrels"),
    ):
        tables = {name: forest.lands if level == "land" else forest.bullets for name, forest in forests.items()}
        yield from _scored(tables, level, f"CSAFE's {what}")


def _scored(tables: dict[str, ScoreTable], level: str, protocol: str) -> Iterator[Record]:
    for name, table in tables.items():
        yield _record(f"{name}: {level} AUC", auc(table.score, table.same_source), "AUC", "", protocol, len(table))
        value = cllr_min(table.score, table.same_source)
        yield _record(f"{name}: {level} Cllr_min", value, "", "", protocol, len(table))
        for model in _MODELS:
            value = cllr(cross_validate(table, model, seed=_SEED).log10_lr, table.same_source)
            yield _record(f"{name}: {level} Cllr source-disjoint, {model}", value, "", "", protocol, len(table))
    for name, other in (("Hamby 44", "Houston"), ("Hamby 44", "Phoenix"), ("Phoenix", "Houston")):
        fitted = fit_with_bounds(tables[name], "isotonic", draws=0, seed=_SEED)
        table = tables[other]
        value = cllr(fitted.log10_lr(table.score, table.extent), table.same_source)
        frozen = "fitted on one, applied to the other"
        yield _record(f"{other}: {level} Cllr, frozen from {name}", value, "", "", frozen, len(table))


@dataclass(frozen=True, eq=False)
class _Forest:
    """Random-forest scores of the land pairs of one set, and of its bullets by their best phase."""

    lands: ScoreTable
    bullets: ScoreTable


def _forest(context: Context, file: str, column: str) -> _Forest:
    """Return the pairs of one set, within one kit where there are several."""
    score, first, second = [], [], []
    matrices: dict[tuple[str, str], Floats] = {}
    barrels: dict[str, str] = {}
    with gzip.open(_file(context, f"scores/{file}"), "rt", newline="", encoding="utf-8") as rows:
        for row in csv.DictReader(rows):
            kits = [name.split("-")[0] if name.startswith("Group") else "" for name in (row["land1"], row["land2"])]
            if kits[0] != kits[1] or row[column] in ("", "NA"):
                continue
            score.append(float(row[column]))
            first.append(f"{kits[0]} {row['physical_land1']}")
            second.append(f"{kits[1]} {row['physical_land2']}")
            (bullet_of, k), (other, m) = (_bullet_and_land(row[name]) for name in ("land1", "land2"))
            # "Land AF" is the sixth land of barrel A.
            barrels[bullet_of], barrels[other] = (f"{name[:-1]}" for name in (first[-1], second[-1]))
            if bullet_of != other:
                if (other, bullet_of) in matrices:
                    bullet_of, other, k, m = other, bullet_of, m, k
                matrices.setdefault((bullet_of, other), np.full((6, 6), np.nan))[k, m] = score[-1]
    means = {pair: _best_phase_mean(matrix) for pair, matrix in matrices.items()}
    known = [pair for pair, mean in means.items() if np.isfinite(mean)]
    return _Forest(
        ScoreTable.build(score, first, second),
        ScoreTable.build(
            [means[pair] for pair in known], [barrels[a] for a, _ in known], [barrels[b] for _, b in known]
        ),
    )


def _bullet_and_land(name: str) -> tuple[str, int]:
    match = re.fullmatch(r"(.*)-L(?:and )?(\d)", name)
    if match is None:
        raise ReadError(f"{name!r} is no land of a bullet: is the file of scores another?")
    return match[1], int(match[2]) - 1


def _best_phase_mean(matrix: Floats) -> float:
    """Return the highest mean over the known pairs of a phase; NaN without any."""
    n = len(matrix)
    phases = [matrix[range(n), [(k + phase) % n for k in range(n)]] for phase in range(n)]
    means = [float(values[np.isfinite(values)].mean()) for values in phases if np.isfinite(values).any()]
    # Equal but for the order of their terms, two means are one score.
    return round(max(means, default=math.nan), 9)


def _speed(context: Context) -> Iterator[Record]:
    rng = np.random.default_rng(_SEED)
    number = 2_000 if context.quick else 100_000
    stack = rng.normal(size=(number, 768)).astype(np.float32)
    query = Signature(rng.normal(size=768), 1.5625)
    best_correlations(query, stack[:10])
    start = time.process_time()
    best_correlations(query, stack)
    seconds = time.process_time() - start
    protocol = "a signature of 1.2 mm in points of 1.5625 µm with a stack, all lags over half of it, masked, one core"
    yield _record(
        "correlations over all lags", number / seconds, "comparisons/CPU s", "≥ 50 000 (NumPy 9 560)", protocol, number
    )
    yield _record("search of stored signatures", seconds, "CPU s", "≤ 5 for 100 000", protocol, number)
    few, wide = stack[: number // 10], CorrelationParameters(largest_stretch=0.02, stretch_step=0.01)
    start = time.process_time()
    best_correlations(query, few, wide)
    rate = len(few) / (time.process_time() - start)
    yield _record(
        "correlations over all lags and ±2 % stretch", rate, "comparisons/CPU s", "≥ 10 000",
        protocol + "; five stretches", len(few),
    )  # fmt: skip
    wave = np.convolve(rng.normal(size=1600), np.hanning(9), "same")
    a, b = Signature(wave[:1264], 1.5625), Signature(wave[300:1564], 1.5625)
    for words, stretch in (("all lags", 0.0), ("all lags and ±2 % stretch", 0.02)):
        p = CorrelationParameters(largest_stretch=stretch)
        correlate(a, b, p)
        start = time.process_time()
        for _ in range(40):
            correlate(a, b, p)
        rate = 40 / (time.process_time() - start)
        yield _record(f"single comparisons, {words}", rate, "comparisons/CPU s", "", "two signatures of 2 mm", 40)
