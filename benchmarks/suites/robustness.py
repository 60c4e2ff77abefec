"""How well same-source pairs are told from different-source ones when one scan of every pair is disturbed."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ballistics.evidence.metrics import equal_error_rate
from ballistics.impressions.comparing import compare
from ballistics.impressions.registration import register
from ballistics.impressions.similarity import similarity
from ballistics.surfaces.filtering.filters import high_pass, low_pass
from ballistics.surfaces.filtering.resampling import resample
from ballistics.surfaces.mark_types import mark_type
from ballistics.surfaces.simulation import disturbances as disturb
from ballistics.surfaces.surface import Mark
from ballistics_kernels.impressions.correlation import centred
from benchmarks.support.pairs import ScanSet, auc, for_all, load
from benchmarks.support.record import Context, Record

DESCRIPTION = "all same-source and 300 different-source pairs under every disturbance of one scan: AUC, EER, rank-1"

SEED = 20261124
_DIFFERENT, _DIFFERENT_QUICK = 300, 24
SCORES = ("similarity", "accf", "significance")

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Row = dict[str, float]


@dataclass(frozen=True)
class Disturbance:
    """What is done to one scan of a pair.

    Parameters
    ----------
    name : str
    apply : callable
        Takes a mark and a seed of its own for every pair.
    goal : float or None
        Least AUC that the project set itself.
    cells : bool
        Whether the cells are searched too; it triples the cost, so only for a few disturbances.
    """

    name: str
    apply: Callable[[Mark, int], Mark]
    goal: float | None = None
    cells: bool = False


def _angle(seed: int) -> float:
    return float(np.random.Generator(np.random.PCG64(seed)).uniform(0.0, 360.0))


def _filtered(mark: Mark, heights: NDArray[np.floating]) -> Mark:
    return replace(mark, heights_um=np.ascontiguousarray(heights, np.float32), region=None)


def _high_passed(mark: Mark) -> Mark:
    """Filter as preparation does after a disturbance that happens to the scan before."""
    return _filtered(mark, high_pass(mark.heights_um, (mark.spacing_um,) * 2, mark_type(mark.kind).long_cutoff_um))


def _resampled(mark: Mark, spacing_um: float) -> Mark:
    """Resample there and, from half a point on, back; before a coarser grid remove what it cannot carry."""
    own = (mark.spacing_um,) * 2
    heights = low_pass(mark.heights_um, own, 2.0 * spacing_um) if spacing_um > mark.spacing_um else mark.heights_um
    there = resample(heights, own, spacing_um)
    if spacing_um < mark.spacing_um:
        there = there[1:, 1:]
    return _filtered(mark, resample(there, (spacing_um,) * 2, mark.spacing_um))


def _smoothed(mark: Mark, seed: int) -> Mark:
    return _filtered(mark, low_pass(mark.heights_um, (mark.spacing_um,) * 2, 50.0))


DISTURBANCES = (
    Disturbance("none", lambda m, s: m, 1.0, cells=True),
    Disturbance("rotation by any angle", lambda m, s: disturb.rotate_surface(m, _angle(s)), 1.0),
    Disturbance("sector 180°", lambda m, s: disturb.keep_sector(m, 180.0, _angle(s)), 1.0),
    Disturbance("sector 90°", lambda m, s: disturb.keep_sector(m, 90.0, _angle(s)), 0.998, cells=True),
    Disturbance("sector 60°", lambda m, s: disturb.keep_sector(m, 60.0, _angle(s))),
    Disturbance("disc 50 %", lambda m, s: disturb.keep_disc(m, 0.5, s), 1.0),
    Disturbance("disc 25 %", lambda m, s: disturb.keep_disc(m, 0.25, s), 0.998, cells=True),
    Disturbance("disc 12 %", lambda m, s: disturb.keep_disc(m, 0.12, s), 0.98),
    Disturbance("white noise 25 %", lambda m, s: disturb.add_noise(m, 0.25, 0.0, s), 1.0),
    Disturbance("white noise 50 %", lambda m, s: disturb.add_noise(m, 0.5, 0.0, s), 0.99),
    Disturbance("white noise 100 %", lambda m, s: disturb.add_noise(m, 1.0, 0.0, s)),
    Disturbance("1/f noise 25 %", lambda m, s: disturb.add_noise(m, 0.25, 1.0, s), 1.0),
    Disturbance("1/f noise 50 %", lambda m, s: disturb.add_noise(m, 0.5, 1.0, s), 0.99),
    Disturbance("1/f noise 100 %", lambda m, s: disturb.add_noise(m, 1.0, 1.0, s), cells=True),
    Disturbance("dropouts 20 %", lambda m, s: disturb.drop_out(m, 0.2, 100.0, s), 1.0),
    Disturbance("dropouts 50 %", lambda m, s: disturb.drop_out(m, 0.5, 100.0, s)),
    Disturbance("resampled 3.125 µm", lambda m, s: _resampled(m, 3.125), 1.0),
    Disturbance("resampled 12.5 µm", lambda m, s: _resampled(m, 12.5), 1.0),
    Disturbance("tilt 3°", lambda m, s: _high_passed(disturb.tilt(m, 3.0, _angle(s))), 1.0),
    Disturbance("lateral scale 2 %", lambda m, s: disturb.rescale_lateral(m, 1.02)),
    Disturbance("low-pass 50 µm", _smoothed),
    Disturbance("dent 10 %", lambda m, s: _high_passed(disturb.dent(m, 0.1, 20.0, s))),
)


def rows_of(scans: ScanSet, pair: tuple[int, int]) -> list[Row]:
    """Return the scores of one pair under every disturbance of its second scan; NaN is insufficient."""
    a, b = (scans.marks[k] for k in pair)
    seeds = [SEED + 10_000 * k + 100 * pair[0] + pair[1] for k in range(len(DISTURBANCES))]
    rows = [_scores(a, d.apply(b, seed), d.cells) for d, seed in zip(DISTURBANCES, seeds, strict=True)]
    rows[0]["unmirrored found mirrored"] = _found_mirrored(a, b)
    image = disturb.mirror(b)
    rows[0]["mirrored, compared as it is"] = _scores(a, image, False)["similarity"]
    rows[0]["mirrored found mirrored"] = _found_mirrored(a, image)
    return rows


def _scores(a: Mark, b: Mark, cells: bool) -> Row:
    if cells:
        result = compare(a, b)
        pose, accf, overlap = result.pose, result.accf, result.overlap_fraction
        count = result.rules["significance"].score if "significance" in result.rules else float("nan")
    else:
        registration = register(centred(a.heights_um), centred(b.heights_um), a.spacing_um)
        count = float("nan")
        pose = None if registration is None else registration.pose
        if registration is not None:
            accf, overlap = registration.accf, registration.overlap_fraction
    if pose is None:
        return dict.fromkeys(SCORES, float("nan"))
    found = similarity(a.heights_um, b.heights_um, a.spacing_um, pose)
    poses = {"theta_deg": pose.theta_deg, "dx_um": pose.dx_um, "dy_um": pose.dy_um}
    return {"similarity": found.score, "accf": accf * overlap**0.5, "significance": float(count), **poses}


def _found_mirrored(a: Mark, b: Mark) -> float:
    """Return 1 when a comparison of the marks reports a mirrored one."""
    return float(any(finding.code == "mirrored" for finding in compare(a, b).findings))


def run(context: Context) -> Iterator[Record]:
    """Compare the pairs under every disturbance; yield AUC, EER, rank-1 and insufficient pairs of every score."""
    scans = load(context)
    pairs = _chosen(scans, _DIFFERENT_QUICK if context.quick else _DIFFERENT)
    same = scans.same_source(pairs)
    table = []
    context.output.mkdir(parents=True, exist_ok=True)
    with open(context.output / "robustness-pairs.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["scan_a", "scan_b", "same_source", "disturbance", "score", "value"])
        for pair, rows in zip(
            pairs, for_all(lambda pair: rows_of(scans, pair), pairs, "disturbing and comparing"), strict=True
        ):
            table.append(rows)
            names = scans.scans[pair[0]], scans.scans[pair[1]], int(scans.firearms[pair[0]] == scans.firearms[pair[1]])
            for disturbance, row in zip(DISTURBANCES, rows, strict=True):
                writer.writerows([*names, disturbance.name, name, f"{value:.6g}"] for name, value in row.items())
            file.flush()
    summary = {
        (d.name, name): measures(np.array([rows[k][name] for rows in table]), same, pairs)
        for k, d in enumerate(DISTURBANCES)
        for name in SCORES
        if name != "significance" or d.cells
    }
    _write(context, summary)
    _plot(context, summary)
    yield from _records(scans, same, summary, table)


def measures(scores: Floats, same: Bools, pairs: Sequence[tuple[int, int]]) -> Row:
    """Return AUC, EER, rank-1 and the number of insufficient pairs of one score under one disturbance.

    ``AUC`` and ``EER`` are over the pairs with a score; ``AUC, all pairs`` puts the insufficient ones below all
    others, as ties. ``rank-1`` is the share of scans whose best pair is a same-source one, among scans that have
    pairs of both kinds in the sample; a scan whose same-source pairs are all insufficient counts as missed.
    """
    scored = np.isfinite(scores)
    filled = np.where(scored, scores, -np.inf)
    first, counted = 0, 0
    for scan in sorted({k for pair in pairs for k in pair}):
        mine = np.array([scan in pair for pair in pairs])
        if (mine & same).any() and (mine & ~same).any():
            counted += 1
            first += bool(filled[mine & same].max() > filled[mine & ~same].max())
    both = (scored & same).any() and (scored & ~same).any()
    return {
        "AUC": auc(scores[scored & same], scores[scored & ~same]),
        "AUC, all pairs": auc(filled[same], filled[~same]),
        "EER": equal_error_rate(scores[scored], same[scored])[0] if both else float("nan"),
        "rank-1": first / counted if counted else float("nan"),
        "insufficient same-source": float((~scored & same).sum()),
        "insufficient different-source": float((~scored & ~same).sum()),
        "same-source lowest": float(scores[scored & same].min()) if both else float("nan"),
        "different-source highest": float(scores[scored & ~same].max()) if both else float("nan"),
    }


def _chosen(scans: ScanSet, n_different: int) -> tuple[tuple[int, int], ...]:
    """Return all same-source pairs and a random sample of the others, in random order."""
    pairs = scans.pairs()
    same = scans.same_source(pairs)
    rng = np.random.Generator(np.random.PCG64(SEED))
    different = np.flatnonzero(~same)
    sample = rng.choice(different, min(n_different, len(different)), replace=False)
    # Mixed, so that an interrupted run is a fair sample too.
    return tuple(pairs[k] for k in rng.permutation(np.r_[np.flatnonzero(same), sample]))


def _records(
    scans: ScanSet, same: Bools, summary: Mapping[tuple[str, str], Row], table: list[list[Row]]
) -> Iterator[Record]:
    protocol = (
        f"{scans.name}: {same.sum()} same-source and {(~same).sum()} different-source pairs; the second, prepared scan"
        " of each is disturbed with a seed of its own. A sector about the middle of the mark's bounding box holds an"
        " unequal share of its area (90°: 5 to 44 %, median 23 %). Noise is relative to the mark's own roughness;"
        " dropouts are in clusters of 100 µm; tilt and dent (20 µm deep) are left in but for the mark type's high-pass"
        " applied again; resampled there and back on shifted points; accf is weighted by the root of the overlap; cells"
        " are searched for a few disturbances only"
    )
    goals = {d.name: f"≥ {d.goal:.3f}" for d in DISTURBANCES if d.goal is not None}
    for (disturbance, name), row in summary.items():
        for metric, value in row.items():
            goal = goals.get(disturbance, "") if metric == "AUC" and name == "similarity" else ""
            unit = {"AUC": "AUC", "EER": "rate", "rank-1": "share"}.get(metric.split(",")[0], "pairs")
            unit = "score" if "est" in metric else unit
            yield Record("robustness", f"{disturbance}: {name}: {metric}", value, unit, goal, protocol, len(same), SEED)
    for what in ("mirrored found mirrored", "unmirrored found mirrored"):
        for label, chosen in (("same-source", same), ("different-source", ~same)):
            values = np.array([rows[0][what] for rows in table])[chosen]
            goal = "1" if what.startswith("mirrored") and label == "same-source" else "0"
            yield Record("robustness", f"{what}, {label}", float(values.mean()), "share", goal, protocol, len(values))


def _write(context: Context, summary: Mapping[tuple[str, str], Row]) -> None:
    with open(context.output / "robustness.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["disturbance", "score", *next(iter(summary.values()))])
        for key, row in summary.items():
            writer.writerow([*key, *(f"{value:.6g}" for value in row.values())])


def _plot(context: Context, summary: Mapping[tuple[str, str], Row]) -> None:
    """Draw the AUC of every score under every disturbance, all pairs counted."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.0, 6.5), layout="constrained")
    axes = figure.subplots()
    places = {d.name: -k for k, d in enumerate(DISTURBANCES)}
    for name, symbol in zip(SCORES, ("o", "x", "s"), strict=True):
        chosen = [key for key in summary if key[1] == name]
        values = [summary[key]["AUC, all pairs"] for key in chosen]
        axes.plot(values, [places[key[0]] for key in chosen], symbol, label=name, fillstyle="none")
    goals = [(d.goal, places[d.name]) for d in DISTURBANCES if d.goal is not None]
    axes.plot(*zip(*goals, strict=True), "|", color="black", markersize=12, label="goal")
    axes.set_yticks(list(places.values()), list(places))
    axes.set_xlabel("AUC, insufficient pairs counted as lowest")
    axes.legend()
    axes.grid(axis="x", alpha=0.3)
    figure.savefig(context.output / "robustness.png", dpi=150)
