"""Images of simulated heads under a ring light: how rules tell firearms apart, by light and orientation."""

from __future__ import annotations

import csv
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from ballistics.impressions.comparing import compare
from ballistics.impressions.mark_parameters import OPTICAL_PARAMETERS
from ballistics.surfaces.pose import Pose
from ballistics.surfaces.preparation.preparing import prepare
from ballistics.surfaces.regions.image_region import find_face_on_image
from ballistics.surfaces.simulation.breech_faces import BREECH_FACES
from ballistics.surfaces.simulation.fields import generator
from ballistics.surfaces.simulation.heads import Firearm, Shot, simulate_firearm, simulate_head, simulate_shot
from ballistics.surfaces.simulation.optical import RingLight, simulate_image, simulate_light
from ballistics.surfaces.surface import Mark
from benchmarks.support.pairs import auc, for_all
from benchmarks.support.record import Context, Record

DESCRIPTION = "images of simulated heads under a ring light: counts, gap and AUC by rule, light and orientation; region"

# Thresholds and cut-offs come from the literature. The light's usual settings and the region finder were chosen while
# looking at seeds below 100, and a quick run is one of those.
_SEED, _QUICK_SEED = 40_009, 23
_FIREARMS, _SHOTS = 9, 2
_PUBLISHED = {
    "original": "Tong 2014, 63/717 real granular pairs: 6–28, 0–5",
    "high": "Tong 2015, the same pairs: 11–, all told apart",
}


@dataclass(frozen=True)
class Condition:
    """How far heads are turned under the microscope, at most, and how uneven its ring light is."""

    name: str
    turn_deg: float
    unevenness: float | None  # None for a topography, the same heads, for comparison

    def light(self, seed: int) -> RingLight:
        """Return one microscope's light with one image's exposure and noise."""
        assert self.unevenness is not None
        return replace(simulate_light(seed), unevenness=self.unevenness, bright_side_deg=90.0)


CONDITIONS = (
    Condition("laid alike within 15°, ring even to 5 %", 15.0, 0.05),
    Condition("any turn, ring even to 5 %", 180.0, 0.05),
    Condition("any turn, ring 20 % brighter on one side", 180.0, 0.20),
    Condition("topographies of the same heads, any turn", 180.0, None),
)


@dataclass(frozen=True)
class Prepared:
    """One prepared mark, and the truth; share of the found region that is face, and share of the face found."""

    firearm: int
    finish: str
    pose: Pose
    mark: Mark
    within: float
    covered: float


def drawn(condition: Condition, seed: int, firearm_id: int, shot_id: int) -> tuple[Firearm, Shot, int]:
    """Draw one shot; firearms and shots are the same under every condition, but for their turns."""
    firearm = simulate_firearm(
        int(generator(seed, f"face {firearm_id}").integers(2**62)), BREECH_FACES[firearm_id % len(BREECH_FACES)]
    )
    rng = generator(seed, f"face {firearm_id} shot {shot_id}")
    shot = simulate_shot(int(rng.integers(2**62)))
    turn = float(rng.uniform(-1.0, 1.0)) * condition.turn_deg
    return firearm, replace(shot, pose=replace(shot.pose, theta_deg=turn)), int(rng.integers(2**62))


def prepared(condition: Condition, seed: int, firearm_id: int, shot_id: int) -> Prepared:
    """Simulate and prepare one head, on its true region: the region finder is measured by itself."""
    firearm, shot, number = drawn(condition, seed, firearm_id, shot_id)
    within = covered = math.nan
    if condition.unevenness is None:
        head = simulate_head(firearm, shot, spacing_um=6.25, field_mm=5.6)
    else:
        head = simulate_image(firearm, shot, condition.light(number), pixel_um=5.0, field_mm=5.6)
        found = find_face_on_image(head.surface).mask
        both = float((found & head.region).sum())
        within = both / found.sum() if found.any() else math.nan
        covered = both / float(head.region.sum())
    mark = replace(prepare(head.surface, region=head.region), region=None, steps=())
    return Prepared(firearm_id, firearm.breech_face, shot.pose, mark, within, covered)


def scores_of(heads: list[Prepared], pair: tuple[int, int]) -> dict[str, float]:
    """Return every rule's score, the correlation, the similarity, and how far the turn is from the truth."""
    a, b = heads[pair[0]], heads[pair[1]]
    result = compare(a.mark, b.mark)
    rules = OPTICAL_PARAMETERS["breech face"].rules
    scores = {name: result.rules[name].score if name in result.rules else math.nan for name in rules}
    error = math.nan
    if result.pose is not None:
        truth = a.pose.after(b.pose.inverse())
        error = abs((result.pose.theta_deg - truth.theta_deg + 180.0) % 360.0 - 180.0)
    alike = math.nan if result.similarity is None else result.similarity.score
    return {**scores, "accf": result.accf, "similarity": alike, "turn error": error}


def run(context: Context) -> Iterator[Record]:
    """Yield the figures of every condition; there is nothing to measure on a lab's own folder."""
    if context.own:
        return
    firearms = 3 if context.quick else _FIREARMS
    seed = _QUICK_SEED if context.quick else _SEED
    context.output.mkdir(parents=True, exist_ok=True)
    rules = OPTICAL_PARAMETERS["breech face"].rules
    with open(context.output / "optical.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["condition", "finish_a", "firearm_a", "firearm_b", *rules, "accf", "similarity", "turn_error"])
        for condition in CONDITIONS[:1] if context.quick else CONDITIONS:
            numbers = list(itertools.product(range(firearms), range(_SHOTS)))
            heads = [prepared(condition, seed, *n) for n in track(numbers, f"simulating, {condition.name}")]
            pairs = list(itertools.combinations(range(len(heads)), 2))
            table = list(for_all(partial(scores_of, heads), pairs, f"comparing, {condition.name}"))
            for (i, j), row in zip(pairs, table, strict=True):
                owners = heads[i].finish, heads[i].firearm, heads[j].firearm
                writer.writerow([condition.name, *owners, *(f"{value:.6g}" for value in row.values())])
            if condition.unevenness is not None:
                yield from _region_records(condition, heads, seed)
            same = np.array([heads[i].firearm == heads[j].firearm for i, j in pairs])
            yield from _score_records(condition, table, same, seed)


def _region_records(condition: Condition, heads: list[Prepared], seed: int) -> Iterator[Record]:
    protocol = (
        f"{condition.name}: automatic region of {len(heads)} simulated images, {', '.join(BREECH_FACES)} in turn, "
        "against the true face; dragged and sheared areas are not told from it"
    )
    found = [head for head in heads if math.isfinite(head.within)]

    def record(metric: str, value: float, unit: str) -> Record:
        return Record("optical", f"{condition.name}, region: {metric}", value, unit, "", protocol, len(heads), seed)

    yield record("not found", len(heads) - len(found), "images")
    if found:
        yield record("lowest share that is face", min(head.within for head in found), "of region")
        yield record("median share that is face", float(np.median([head.within for head in found])), "of region")
        yield record("median share of the face", float(np.median([head.covered for head in found])), "of face")


def _score_records(
    condition: Condition, table: list[dict[str, float]], same: NDArray[np.bool_], seed: int
) -> Iterator[Record]:
    protocol = (
        f"{condition.name}: simulated firearms, {', '.join(BREECH_FACES)} in turn, two shots each, true regions; "
        f"{same.sum()} same-source and {(~same).sum()} different-source pairs; thresholds of the cited papers"
    )
    rules = OPTICAL_PARAMETERS["breech face"].rules

    def record(metric: str, value: float, unit: str, goal: str, n: int) -> Record:
        return Record("optical", f"{condition.name}, {metric}", float(value), unit, goal, protocol, n, seed)

    for name in (*rules, "accf", "similarity"):
        values = np.array([row[name] for row in table])
        a, b = values[same & np.isfinite(values)], values[~same & np.isfinite(values)]
        unit = rules[name].unit if name in rules else "nats" if name == "similarity" else "correlation"
        published = _PUBLISHED.get(name, "") if condition.unevenness is not None else ""
        if len(a) and len(b):
            yield record(f"{name}: same-source lowest", a.min(), unit, published, len(a))
            yield record(f"{name}: same-source median", np.median(a), unit, "", len(a))
            yield record(f"{name}: different-source highest", b.max(), unit, "", len(b))
            yield record(f"{name}: AUC", auc(a, b), "AUC", "", len(a) + len(b))
    errors = np.array([row["turn error"] for row in table])[same]
    errors = errors[np.isfinite(errors)]
    if len(errors):
        yield record("turn found within 2°", (errors <= 2.0).mean(), "of same-source pairs", "", len(errors))
