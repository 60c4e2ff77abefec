"""From the comparison of two impressed marks to what the evidence room weighs: a score and its conditions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ballistics.errors import ParameterError
from ballistics.evidence.conditions import Conditions
from ballistics.evidence.lr_system import Questioned
from ballistics.evidence.preconditions import reason_withheld
from ballistics.evidence.scores import SCORE_TEXTS, Score
from ballistics.impressions import HEADLINE_RULE, ImpressionComparison
from ballistics.provenance import Provenance
from ballistics.surfaces import Mark, flat, mark_type, preparation_parameters


@dataclass(frozen=True)
class PairScore:
    """What one comparison contributes: a similarity with its area, a count with its N, a correlation; or why none.

    Parameters
    ----------
    count : int or None
        Congruent cells under the significance rule, the smaller of the two directions.
    cells : int or None
        Number of cells searched in the direction that gave the count; on a tie the larger number.
    accf : float or None
        Areal correlation at the global pose, −1 to 1.
    similarity : float or None
        Evidence of all octaves less the cost of the search, in nats.
    area_mm2 : float or None
        Common area on which it stands.
    insufficient : str or None
        Why the comparison states no score; None when it does.
    """

    count: int | None
    cells: int | None
    accf: float | None
    similarity: float | None
    area_mm2: float | None
    insufficient: str | None = None

    def value(self, score: Score) -> float | None:
        """Return one of the scores; None when there is none."""
        found = {"similarity": self.similarity, "count": self.count, "correlation": self.accf}[score]
        return None if found is None else float(found)


def pair_score(comparison: ImpressionComparison) -> PairScore:
    """Return the scores of a comparison; an insufficient one has none, and says why.

    Raises
    ------
    ParameterError
        When the comparison has no similarity, or no verdict of the headline rule.

    Examples
    --------
    >>> pair_score(ImpressionComparison("breech face", insufficient="no overlap"))
    PairScore(count=None, cells=None, accf=None, similarity=None, area_mm2=None, insufficient='no overlap')
    """
    if comparison.insufficient is not None:
        return PairScore(None, None, None, None, None, comparison.insufficient)
    rule, a_in_b, b_in_a = comparison.rules.get(HEADLINE_RULE), comparison.a_in_b, comparison.b_in_a
    if rule is None or a_in_b is None or b_in_a is None:
        raise ParameterError(f"the comparison has no result of the {HEADLINE_RULE} rule: compare the marks again")
    alike = comparison.similarity
    if alike is None:
        raise ParameterError("the comparison has no similarity: compare the marks again")
    directions = ((rule.a_in_b.count, a_in_b.n_cells), (rule.b_in_a.count, b_in_a.n_cells))
    # More cells searched for the same count is the weaker finding, so a tie goes against common source.
    count, cells = min(directions, key=lambda direction: (direction[0], -direction[1]))
    area_mm2 = float(comparison.overlap_um2) * 1e-6
    return PairScore(int(count), int(cells), float(comparison.accf), float(alike.score), area_mm2)


def questioned(
    comparison: ImpressionComparison,
    marks: Sequence[Mark],
    score: Score = "similarity",
    calibres: Iterable[str] = (),
    instrument_classes: Iterable[str] = (),
    ammunition: Iterable[str] = (),
    scans: Sequence[str] = (),
) -> Questioned:
    """Return a case's comparison in the form that an `LRSystem` evaluates.

    Parameters
    ----------
    comparison : ImpressionComparison
        Of the two marks.
    marks : sequence of Mark, length 2
        The marks, for how they were prepared.
    score : {"similarity", "count", "correlation"}
        Which score is to be weighed.
    calibres, instrument_classes, ammunition : iterable of str
        Those of the two items; an LR is refused when calibre or instrument class is not stated.
    scans : sequence of str
        SHA-256 of the two files.

    Raises
    ------
    ParameterError
        When comparison or marks carry no provenance.
    """
    found = pair_score(comparison)
    conditions = comparison_conditions(comparison, marks, score, calibres, instrument_classes, ammunition)
    cells = found.cells if score == "count" else None
    area_mm2 = found.area_mm2 if score == "similarity" else None
    withheld = reason_withheld((*comparison.findings, *(finding for mark in marks for finding in mark.findings)))
    return Questioned(found.value(score), conditions, cells, found.insufficient, tuple(scans), area_mm2, withheld)


def comparison_conditions(
    comparison: ImpressionComparison,
    marks: Sequence[Mark],
    score: Score = "similarity",
    calibres: Iterable[str] = (),
    instrument_classes: Iterable[str] = (),
    ammunition: Iterable[str] = (),
) -> Conditions:
    """Return under which conditions a comparison was made.

    Parameters
    ----------
    comparison : ImpressionComparison
        Of the two marks.
    marks : sequence of Mark
        The two, for how they were prepared.
    score : {"similarity", "count", "correlation"}
        Which of the comparison's scores is to be weighed.
    calibres, instrument_classes, ammunition : iterable of str
        Those of the two items; empty where not known.

    Returns
    -------
    Conditions

    Raises
    ------
    ParameterError
        When comparison or marks carry no provenance.
    """
    if comparison.provenance is None:
        raise ParameterError("the comparison has no provenance: an LR needs to know its method and parameters")
    return conditions_of(
        comparison.mark_kind,
        comparison.provenance,
        [preparation_parameters(mark) for mark in marks],
        score,
        calibres,
        instrument_classes,
        ammunition,
    )


def conditions_of(
    mark_kind: str,
    provenance: Provenance,
    preparations: Sequence[Mapping[str, Any]],
    score: Score,
    calibres: Iterable[str] = (),
    instrument_classes: Iterable[str] = (),
    ammunition: Iterable[str] = (),
) -> Conditions:
    """Return conditions from what is recorded of a comparison and of the preparation of its marks.

    Parameters
    ----------
    mark_kind : str
        The mark type, e.g. ``"breech face"``; its standard spacing is one of the parameters.
    provenance : Provenance
        Of the comparison, or of all comparisons of a population: method, version, parameters.
    preparations : sequence of mapping
        `preparation_parameters` of the marks. Where marks differ, the parameter holds all their values.
    score : {"similarity", "count", "correlation"}
        Which score is to be weighed.
    calibres, instrument_classes, ammunition : iterable of str
        Those of the items; empty where not known.

    Returns
    -------
    Conditions
    """
    parameters = dict(flat("", {**provenance.parameters, "spacing_um": mark_type(mark_kind).spacing_um}))
    for name in sorted({name for preparation in preparations for name in preparation}):
        values = [preparation.get(name, "absent") for preparation in preparations]
        distinct = {json.dumps(value, sort_keys=True): value for value in values}
        # Two marks that were not prepared alike have two values here: no population covers them.
        parameters[name] = values[0] if len(distinct) == 1 else [distinct[key] for key in sorted(distinct)]
    return Conditions(
        mark_kind,
        _distinct(calibres),
        _distinct(instrument_classes),
        f"{provenance.method}; score: {SCORE_TEXTS[score]}",
        provenance.version,
        parameters,
        _distinct(ammunition),
    )


def _distinct(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(values)))
