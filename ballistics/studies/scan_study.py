"""From scored pairs of scans to reference populations and to a lab's own validation study."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

from ballistics.errors import ParameterError
from ballistics.evidence import ReferencePopulation, Score, ScoreTable, Study, conditions_of, run_study, score_models
from ballistics.methods import scored_as
from ballistics.studies.criteria import Acceptance
from ballistics.studies.flagged_pairs import FlaggedPairs, flagged_pairs, withheld_codes
from ballistics.studies.scan_pairs import ScannedPair, ScoredScans
from ballistics.studies.truth_table import LABELS, NOT_STATED, ScanTruth

_SCHEMA = "ballistics/scan-study/2"
HEADLINE: Score = "similarity"
_FEWEST_FIREARMS = 4


@dataclass(frozen=True)
class Outcomes:
    """How many pairs of one kind there were, and what became of them.

    Parameters
    ----------
    pairs : int
        Pairs of different cartridge cases whose scans take part.
    scored, withheld, insufficient : int
        Of these, with a score and an LR, with a score but a finding for which casework states no LR, and without a
        score.
    """

    pairs: int
    scored: int
    withheld: int
    insufficient: int


@dataclass(frozen=True)
class ScanStudy:
    """A validation study of a set of scans.

    Parameters
    ----------
    name, source : str
        What the set is called, and where it comes from.
    scored : ScoredScans
        Every scan and every pair.
    studies : mapping of score to Study
        The study of each score, the headline first.
    truth_sha256 : str
        Of the truth table's file.
    flagged : FlaggedPairs
        Pairs with serious findings, and the headline's figures with and without them.
    acceptance : Acceptance or None
        What became of the criteria that were stated beforehand; None when none were.
    """

    name: str
    source: str
    scored: ScoredScans
    studies: Mapping[Score, Study]
    truth_sha256: str
    flagged: FlaggedPairs
    acceptance: Acceptance | None = None

    @property
    def headline(self) -> Study:
        """The study of the score that carries the evidence."""
        return self.studies[HEADLINE]

    def outcomes(self, same_source: bool) -> Outcomes:
        """Return how many pairs of one kind gave a score."""
        scored = self.scored
        pairs = [
            pair
            for pair in scored.pairs
            if not scored.repeats(pair) and (len({*scored.firearms(pair)}) == 1) == same_source
        ]
        insufficient = sum(bool(pair.without_score) for pair in pairs)
        part = sum(takes_part(scored, pair) for pair in pairs)
        return Outcomes(len(pairs), part, len(pairs) - insufficient - part, insufficient)

    @cached_property
    def repeat_pairs(self) -> tuple[ScannedPair, ...]:
        """Pairs of two scans of one cartridge case: not part of any error rate."""
        return tuple(pair for pair in self.scored.pairs if self.scored.repeats(pair))

    def to_json(self) -> bytes:
        """Return everything as JSON; the same study gives the same bytes."""
        scored = self.scored
        content: dict[str, Any] = {
            "schema": _SCHEMA,
            "name": self.name,
            "source": self.source,
            "truth_sha256": self.truth_sha256,
            "versions": dict(scored.provenance.versions),
            "references": list(scored.provenance.references),
            "scans": [
                {
                    "scan": scan.truth.scan,
                    "sha256": scan.sha256,
                    "firearm": scan.truth.firearm,
                    "item": scan.truth.item,
                    **scan.truth.labels,
                    "left_out": scan.left_out,
                    "insufficient": scan.insufficient,
                    "findings": list(scan.findings),
                }
                for scan in scored.scans
            ],
            "pairs": [
                {
                    "scan_a": scored.scans[pair.a].truth.scan,
                    "scan_b": scored.scans[pair.b].truth.scan,
                    "similarity": pair.similarity,
                    "area_mm2": pair.area_mm2,
                    **({} if pair.length_mm is None else {"length_mm": pair.length_mm}),
                    "count": pair.count,
                    "cells": pair.cells,
                    "accf": pair.accf,
                    "findings": list(pair.findings),
                    "pose": None if pair.pose is None else asdict(pair.pose),
                    "without_score": pair.without_score,
                    "one_case_scanned_twice": scored.repeats(pair),
                }
                for pair in scored.pairs
            ],
            "flagged_pairs": self.flagged.to_dict(scored),
            "acceptance": asdict(self.acceptance) | {"met": self.acceptance.met} if self.acceptance else None,
            "studies": {score: json.loads(study.to_json()) for score, study in self.studies.items()},
        }
        return (json.dumps(content, sort_keys=True, ensure_ascii=False, allow_nan=False, indent=1) + "\n").encode()


def with_labels(truths: Iterable[ScanTruth], labels: Mapping[str, str]) -> tuple[ScanTruth, ...]:
    """Return the table with values for all scans, where its own columns do not state them."""

    def stated(truth: ScanTruth) -> dict[str, str]:
        own = {name: value for name, value in truth.labels.items() if value != NOT_STATED}
        return dict(truth.labels) | dict(labels) | own

    return tuple(replace(truth, labels=stated(truth)) for truth in truths)


def refuse_hopeless(truths: Iterable[ScanTruth], fewest_firearms: int = _FEWEST_FIREARMS) -> None:
    """Say before hours of work, not after, that a table cannot give an answer.

    Raises
    ------
    ParameterError
        With too few firearms, or no firearm with two cases.
    """
    items: dict[str, set[str]] = {}
    for truth in truths:
        items.setdefault(truth.firearm, set()).add(truth.item)
    if len(items) < fewest_firearms:
        raise ParameterError(f"the table has {len(items)} firearm(s); at least {fewest_firearms} are needed")
    repeated = sum(len(cases) > 1 for cases in items.values())
    if repeated == 0:
        raise ParameterError("no firearm of the table has two cartridge cases: there is no same-source pair")


def reference_population(
    scored: ScoredScans, name: str, source: str = "", score: Score = HEADLINE
) -> ReferencePopulation:
    """Return the scores of all pairs of different cartridge cases as a reference population.

    Not part of it are pairs without a score, two scans of one cartridge case, and pairs with a finding under which no
    likelihood ratio would be stated (`ballistics.evidence.preconditions`): casework gives none for their like.

    Parameters
    ----------
    scored : ScoredScans
        Every scan and every pair of a set.
    name : str
        What reports call the population.
    source : str
        Where the scans come from: study, laboratory, licence.
    score : {"similarity", "count", "correlation"}
        Which score of each pair is taken.

    Returns
    -------
    ReferencePopulation

    Raises
    ------
    ParameterError
        When no pair gave a score.
    """
    scans = scored.scans
    pairs = [pair for pair in scored.pairs if takes_part(scored, pair)]
    if not pairs:
        reasons = [scan.left_out or scan.insufficient for scan in scans if scan.left_out or scan.insufficient]
        raise ParameterError(
            f"no pair of scans gave a score that counts{_withheld_note(scored)}; "
            f"{reasons[0] if reasons else 'too few scans take part'}"
        )
    used = sorted({index for pair in pairs for index in (pair.a, pair.b)})
    values = {label: [_label(scans[i].truth, label) for i in used] for label in LABELS}
    table = _table(scored, pairs, score)
    conditions = conditions_of(
        scored.mark_kind,
        scored.provenance,
        [scored.preparation],
        score,
        filter(None, values["calibre"]),
        filter(None, values["instrument"]),
        filter(None, values["ammunition"]),
    )
    return ReferencePopulation(name, table, conditions, source)


def takes_part(scored: ScoredScans, pair: ScannedPair) -> bool:
    """Return whether a pair is one whose likelihood ratio casework would state."""
    return not (pair.without_score or scored.repeats(pair) or withheld_codes(scored, pair))


def _table(scored: ScoredScans, pairs: Sequence[ScannedPair], score: Score) -> ScoreTable:
    """Return one of the scores of some pairs that have one."""
    scans = scored.scans
    areas, lengths = [pair.area_mm2 for pair in pairs], [pair.length_mm for pair in pairs]
    striated = scored_as(scored.mark_kind).family == "striated"
    columns: Mapping[Score, list[float | int | None]] = {
        "similarity": [pair.similarity for pair in pairs],
        "count": [pair.count for pair in pairs],
        "correlation": [pair.accf for pair in pairs],
    }
    return ScoreTable.build(
        [_number(value) for value in columns[score]],
        [scans[pair.a].truth.firearm for pair in pairs],
        [scans[pair.b].truth.firearm for pair in pairs],
        [int(_number(pair.cells)) for pair in pairs] if score == "count" else None,
        [scans[pair.a].sha256 for pair in pairs],
        [scans[pair.b].sha256 for pair in pairs],
        [_number(area) for area in areas] if score == "similarity" and not striated else None,
        [_number(length) for length in lengths] if score == "similarity" and striated else None,
    )


def study_of_scans(scored: ScoredScans, name: str, source: str, truth_sha256: str) -> ScanStudy:
    """Run the validation study of every score, source-disjoint, with results by every label given.

    Parameters
    ----------
    scored : ScoredScans
        Every scan and every pair of the set.
    name, source : str
        What the set is called, and where it comes from.
    truth_sha256 : str
        Of the truth table's file; kept with the study.

    Returns
    -------
    ScanStudy

    Raises
    ------
    ParameterError
        When the pairs cannot carry a study: too few firearms, one kind of pair absent.
    """
    labels = {
        label: {scan.sha256: scan.truth.labels.get(label, NOT_STATED) for scan in scored.scans if not scan.left_out}
        for label in LABELS
        if len({_label(scan.truth, label) for scan in scored.scans}) > 1
    }
    items = {scan.sha256: scan.truth.item for scan in scored.scans if not scan.left_out}
    studies: dict[Score, Study] = {}
    for score, model in score_models(scored.mark_kind).items():
        population = reference_population(scored, name, source, score)
        if population.insufficient:
            raise ParameterError(population.insufficient + _withheld_note(scored))
        studies[score] = run_study(population, model, labels=labels, items=items)
    withheld = _withheld(scored)
    flagged = flagged_pairs(scored, studies[HEADLINE], _table(scored, withheld, HEADLINE) if withheld else None)
    return ScanStudy(name, source, scored, studies, truth_sha256, flagged)


def _withheld(scored: ScoredScans) -> list[ScannedPair]:
    return [
        pair
        for pair in scored.pairs
        if not pair.without_score and not scored.repeats(pair) and withheld_codes(scored, pair)
    ]


def _withheld_note(scored: ScoredScans) -> str:
    """Say which findings took pairs out of a study that then could not be made."""
    withheld = _withheld(scored)
    codes = sorted({code for pair in withheld for code in withheld_codes(scored, pair)})
    return f" ({len(withheld)} pairs are withheld: {', '.join(codes)})" if withheld else ""


def _label(truth: ScanTruth, label: str) -> str:
    value = truth.labels.get(label, NOT_STATED)
    return "" if value == NOT_STATED else value


def _number(value: float | None) -> float:
    if value is None:
        raise ParameterError("a scored pair has no value: the file of earlier results was changed; delete it")
    return float(value)
