"""Scored lands become scored bullets: each pair of bullets from the scores of all its lands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ballistics.comparison import PairScore
from ballistics.errors import ParameterError
from ballistics.methods import BULLET, Bullets
from ballistics.striations import bullet_of_scores
from ballistics.studies.scan_pairs import NO_CORRELATION, ScannedItem, ScannedPair, ScoredScans
from ballistics.studies.truth_table import LABELS, NOT_STATED, ScanTruth

# Of lands that no barrel made both, one in some dozens agrees better another way round by chance.
_TURNED_SHARE = 0.5
_OTHER_WAYS = ("mark-turned", "mark-inverted", "mark-mirrored")


@dataclass(frozen=True)
class _Bullet:
    """A bullet, and which scan shows each of its lands; None for a land without one."""

    item: ScannedItem
    lands: tuple[int | None, ...]


def check_lands(truths: Sequence[ScanTruth]) -> None:
    """Refuse a table that does not say which land of which bullet each scan shows.

    Raises
    ------
    ParameterError
    """
    seen: dict[tuple[str, int], str] = {}
    for truth in truths:
        if truth.land is None or truth.item == f"scan {truth.scan}":
            raise ParameterError(
                f"of scan '{truth.scan}' the table does not say which land of which bullet it shows: bullets need the "
                "columns firearm (the barrel), case (the bullet) and land (its place round the bullet, from 1)"
            )
        other = seen.setdefault((truth.item, truth.land), truth.scan)
        if other != truth.scan:
            raise ParameterError(
                f"scans '{other}' and '{truth.scan}' are both said to show land {truth.land} of {truth.item}: keep one"
            )


def scored_bullets(scored: ScoredScans) -> ScoredScans:
    """Return a set of scored lands as a set of scored bullets.

    A bullet has as many lands as the highest place that the table states of its barrel; a land without a scan, or whose
    scan cannot carry a comparison, is missing. The two bullets are said to be turned (``bullet-turned``, under which no
    likelihood ratio is stated) when half as many pairs of their lands agree better another way round as each has lands.

    Parameters
    ----------
    scored : ScoredScans
        Of land engraved areas, whose table states bullet and land of each scan.

    Returns
    -------
    ScoredScans
        Its items are bullets, its firearms their barrels; ``sha256`` holds those of all scans of a bullet.

    Raises
    ------
    ParameterError
        When the table does not state them, or the scans of a bullet have different labels.
    """
    check_lands([scan.truth for scan in scored.scans])
    bullets = _bullets(scored)
    places = {scan: (k, place) for k, bullet in enumerate(bullets) for place, scan in enumerate(bullet.lands)}
    blocks: dict[tuple[int, int], list[tuple[int, int, ScannedPair]]] = {}
    for pair in scored.pairs:
        (a, i), (b, j) = places[pair.a], places[pair.b]
        if a != b:
            blocks.setdefault((min(a, b), max(a, b)), []).append((i, j, pair) if a < b else (j, i, pair))
    pairs = [
        _pair(a, b, (len(bullets[a].lands), len(bullets[b].lands)), blocks.get((a, b), []))
        for a in range(len(bullets))
        for b in range(a + 1, len(bullets))
        if not (bullets[a].item.left_out or bullets[b].item.left_out)
    ]
    provenance = Bullets().comparison(scored.provenance)
    items = tuple(bullet.item for bullet in bullets)
    return replace(scored, mark_kind=BULLET, scans=items, pairs=tuple(pairs), provenance=provenance)


def _bullets(scored: ScoredScans) -> list[_Bullet]:
    by_item: dict[str, list[int]] = {}
    most: dict[str, int] = {}
    for k, scan in enumerate(scored.scans):
        by_item.setdefault(scan.truth.item, []).append(k)
        most[scan.truth.firearm] = max(most.get(scan.truth.firearm, 0), scan.truth.land or 0)
    found = []
    for name, members in sorted(by_item.items()):
        scans = [scored.scans[k] for k in members]
        lands: list[int | None] = [None] * most[scans[0].truth.firearm]
        for k, scan in zip(members, scans, strict=True):
            if not scan.left_out and scan.truth.land is not None:
                lands[scan.truth.land - 1] = k
        found.append(_Bullet(_item(name, scans), tuple(lands)))
    return found


def _item(name: str, scans: Sequence[ScannedItem]) -> ScannedItem:
    used = [scan for scan in scans if not scan.left_out]
    labels = {}
    for label in LABELS:
        values = sorted({scan.truth.labels.get(label, NOT_STATED) for scan in used or scans})
        if len(values) > 1:
            raise ParameterError(f"the scans of {name} have different labels, {label}: {', '.join(values)}")
        labels[label] = values[0]
    barrel = scans[0].truth.firearm
    called = f"{barrel}, bullet {name.removeprefix(f'firearm {barrel}, case ')}"
    truth = replace(scans[0].truth, scan=called, item=called, labels=labels, land=None)
    left_out = "" if used else f"none of its {len(scans)} scans can be used: {scans[0].left_out}"
    codes = sorted({finding for scan in used for finding in scan.findings})
    return ScannedItem(
        truth,
        " ".join(sorted(scan.sha256 for scan in used)),
        left_out,
        None,
        used[0].preparation if used else None,
        tuple(codes),
    )


def _pair(a: int, b: int, lands: tuple[int, int], block: Sequence[tuple[int, int, ScannedPair]]) -> ScannedPair:
    scores, overlaps = np.full((2, *lands), np.nan)
    at = {}
    for i, j, pair in block:
        at[i, j] = pair
        if not pair.without_score or pair.without_score == NO_CORRELATION:
            scores[i, j], overlaps[i, j] = pair.similarity, (pair.length_mm or 0.0) * 1e3
    found = bullet_of_scores(scores, overlaps)
    phase = found.phase or 0
    in_phase = [at[key] for i in range(lands[0]) if (key := (i, (i + phase) % lands[1])) in at]
    score = Bullets().score(found, [_scores(pair) for pair in in_phase])
    turned = sum(any(code in said for code in _OTHER_WAYS for said in pair.findings) for _, _, pair in block)
    findings = {said for pair in in_phase for said in pair.findings if not any(code in said for code in _OTHER_WAYS)}
    if turned >= max(2.0, _TURNED_SHARE * max(lands)):
        findings.add("serious: bullet-turned")
    why = score.insufficient or ("" if score.accf is not None else NO_CORRELATION)
    return ScannedPair(
        a, b, score.count, score.cells, score.accf, score.similarity, None, why, tuple(sorted(findings)), None,
        score.length_mm,
    )  # fmt: skip


def _scores(pair: ScannedPair) -> PairScore:
    missing = pair.without_score if pair.similarity is None else None
    return PairScore(
        pair.count, pair.cells, pair.accf, pair.similarity, None, missing or None, length_mm=pair.length_mm
    )
