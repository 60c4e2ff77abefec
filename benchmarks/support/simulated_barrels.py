"""Simulated bullets of consecutively made barrels: their lands' signatures, and what disturbances do to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ballistics.striations import BulletComparison, Land, Signature, bullet_of_scores, land_of
from ballistics.striations.bullets import similarities_of_lands
from ballistics.surfaces import LandShot, LandSource, simulate_land

# Two makes of five barrels made one after the other: width of a land, slant of the striae, radius.
_MAKES = ((1900.0, 3.0, 4.5), (1500.0, -4.0, 5.7))
# Each barrel's bullets were scanned by these: the last is the questioned one.
_SPACINGS_UM = (1.5625, 0.645, 3.1, 1.5625)
# The scans of the finest instrument are shorter, as they are.
_LENGTHS_UM = (400.0, 250.0, 400.0, 400.0)
# How much of the striae no other shot repeats: with this, about every tenth land is hardly to be told.
_OWN_SHARE = 0.5
# A shoulder is wrong that was taken farther from the true one.
_WRONG_END_UM = 40.0

DISTURBANCES: dict[str, dict[str, object]] = {
    "as they are": {},
    "25 % of each land missing": {"missing": 0.25},
    "50 % of each land missing": {"missing": 0.5},
    "pitting over 20 %": {"pitting": 0.2},
    "stretched by 3 %": {"stretch": 1.03},
    "shrunk by 3 %": {"stretch": 0.97},
    "noise of half the roughness": {"noise_um": 0.55},
    "one shoulder missing": {"shoulders": (True, False)},
    "one shoulder wrong": {"false_shoulder_um": 250.0},
}


@dataclass(frozen=True)
class Bullet:
    """One simulated bullet.

    Parameters
    ----------
    barrel, make : int
    lands : tuple of Land
    true_ends_um : tuple of (float, float)
        Where the shoulders of each land truly are.
    on_scan : tuple of (bool, bool)
        Whether they are on the scan.
    """

    barrel: int
    make: int
    lands: tuple[Land, ...]
    true_ends_um: tuple[tuple[float, float], ...]
    on_scan: tuple[bool, bool]

    @property
    def signatures(self) -> list[Signature]:
        """Signatures of the lands, in their order round the bullet."""
        return [land.signature for land in self.lands]


def barrel(number: int, lands: int = 6) -> LandSource:
    """Return one of the barrels: even numbers are of one make, odd ones of the other."""
    make = number % len(_MAKES)
    width, slant, radius = _MAKES[make]
    return LandSource(1000 + number, 500 + make, lands, width, slant, radius, own_um=0.8, shared_um=0.8)


def bullet(number: int, shot: int, **disturbance: object) -> Bullet:
    """Simulate one bullet of a barrel: its scans, with a phase of its own, and its lands' signatures."""
    source = barrel(number)
    made = LandShot(100 * number + shot, wear=0.05 * shot, own_share=_OWN_SHARE)
    made = replace(made, **disturbance)  # type: ignore[arg-type]  # fields by name, of several types
    k = shot % len(_SPACINGS_UM)
    phase = (number + 2 * shot) % source.lands
    scans = [
        simulate_land(source, made, land + phase, spacing_um=_SPACINGS_UM[k], length_um=_LENGTHS_UM[k])
        for land in range(source.lands)
    ]
    lands = tuple(land_of(scan.surface) for scan in scans)
    return Bullet(number, number % len(_MAKES), lands, tuple(scan.ends_um for scan in scans), made.shoulders)


def true_phase(a: Bullet, shot_a: int, b: Bullet, shot_b: int) -> int:
    """Return the phase in which the lands of two bullets of one barrel truly lie."""
    n = len(a.lands)
    return (2 * shot_a - 2 * shot_b) % n


@dataclass(frozen=True, eq=False)
class Trials:
    """All lands of some bullets against all of others.

    Parameters
    ----------
    scores, overlaps_um : ndarray of float64, shape (bullets A, bullets B, lands, lands)
        In nats, and the common length that each stands on.
    comparisons : tuple of tuple of BulletComparison
    """

    scores: NDArray[np.float64]
    overlaps_um: NDArray[np.float64]
    comparisons: tuple[tuple[BulletComparison, ...], ...]


def compared(first: Sequence[Bullet], second: Sequence[Bullet], *, once: bool = False) -> Trials:
    """Compare all bullets of one list with all of another; ``once``: of one list, each pair once."""
    n = len(first[0].lands)
    scores, overlaps = np.full((2, len(first), len(second), n, n), np.nan)
    for i, bullet in enumerate(first):
        start = i + 1 if once else 0
        others = [signature for made in second[start:] for signature in made.signatures]
        if others:
            for into, flat in zip((scores, overlaps), similarities_of_lands(bullet.signatures, others), strict=True):
                into[i, start:] = flat.reshape(n, len(second) - start, n).transpose(1, 0, 2)
    comparisons = tuple(
        tuple(bullet_of_scores(*both) for both in zip(*row, strict=True)) for row in zip(scores, overlaps, strict=True)
    )
    return Trials(scores, overlaps, comparisons)


def wrong_ends(made: Sequence[Bullet]) -> tuple[int, int, int]:
    """Return how many shoulders are on the scans, how many were taken at a wrong place, and how many of these unsaid.

    A wrong shoulder is said by a finding of the land, or of its width beside its siblings'.
    """
    from ballistics.striations import land_width_findings

    seen = wrong = unsaid = 0
    for bullet in made:
        widths = land_width_findings(bullet.lands)
        for land, ends, extra in zip(bullet.lands, bullet.true_ends_um, widths, strict=True):
            said = {f.code for f in (*land.signature.findings, *extra)}
            told = said & {"shoulder-uncertain", "shoulder-absent", "shoulder-far-inside", "land-width-differs"}
            for side, end in enumerate((land.left, land.right)):
                if not bullet.on_scan[side] or land.signature.insufficient:
                    continue
                seen += 1
                if abs(end.place_um - ends[side]) > _WRONG_END_UM:
                    wrong += 1
                    unsaid += not told
    return seen, wrong, unsaid


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a set of bullet pairs shows.

    Parameters
    ----------
    land_score, land_same : ndarray, shape (land pairs,)
        Scores of all pairs of lands that can be compared, and whether one land made both.
    land_names : tuple of (sequence of str, sequence of str)
        The physical lands of each pair.
    land_close : ndarray of bool
        Whether both are of one make.
    land_length_mm : ndarray of float64
        Their common length.
    bullet_score, bullet_same : ndarray, shape (bullet pairs,)
        Scores of all pairs of bullets, 0 for insufficient ones, and whether one barrel fired both.
    bullet_names, bullet_length_mm
        Their barrels, and the common length of the best phase, NaN for insufficient ones.
    wrong_phases, same_pairs : int
        Of the pairs of one barrel: how many are in a wrong phase or insufficient, of how many.
    """

    land_score: NDArray[np.float64]
    land_same: NDArray[np.bool_]
    land_names: tuple[list[str], list[str]]
    land_close: NDArray[np.bool_]
    land_length_mm: NDArray[np.float64]
    bullet_score: NDArray[np.float64]
    bullet_same: NDArray[np.bool_]
    bullet_names: tuple[list[str], list[str]]
    bullet_length_mm: NDArray[np.float64]
    wrong_phases: int
    same_pairs: int


def outcome(
    first: Sequence[tuple[Bullet, int]], second: Sequence[tuple[Bullet, int]], *, once: bool = False
) -> Outcome:
    """Compare bullets, given with their number of the shot, and sort the scores by the truth; ``once``: i before j."""
    trials = compared([made for made, _ in first], [made for made, _ in second], once=once)
    n = len(first[0][0].lands)
    score: list[float] = []
    same: list[bool] = []
    close: list[bool] = []
    names: tuple[list[str], list[str]] = ([], [])
    length: list[float] = []
    bullet_score, bullet_same, bullet_length, wrong, pairs = [], [], [], 0, 0
    barrels: tuple[list[str], list[str]] = ([], [])
    for i, (a, shot_a) in enumerate(first):
        for j, (b, shot_b) in enumerate(second):
            if once and j <= i:
                continue
            same_barrel = a.barrel == b.barrel
            found = trials.comparisons[i][j]
            bullet_score.append(found.score if found.insufficient is None else 0.0)
            bullet_same.append(same_barrel)
            bullet_length.append(found.overlap_um / 1000.0)
            for barrels_of, made in zip(barrels, (a, b), strict=True):
                barrels_of.append(f"{made.barrel}")
            if same_barrel:
                pairs += 1
                wrong += found.phase != true_phase(a, shot_a, b, shot_b)
            for x in range(n):
                for y in range(n):
                    value = trials.scores[i, j, x, y]
                    if np.isnan(value):
                        continue
                    lands = ((a.barrel + 2 * shot_a + x) % n, (b.barrel + 2 * shot_b + y) % n)
                    score.append(value)
                    length.append(trials.overlaps_um[i, j, x, y] / 1000.0)
                    same.append(same_barrel and lands[0] == lands[1])
                    close.append(a.make == b.make)
                    for names_of, made, land in zip(names, (a, b), lands, strict=True):
                        names_of.append(f"{made.barrel}-{land}")
    return Outcome(
        np.array(score), np.array(same), names, np.array(close), np.array(length), np.array(bullet_score),
        np.array(bullet_same), barrels, np.array(bullet_length), wrong, pairs,
    )  # fmt: skip
