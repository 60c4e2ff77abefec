"""From the comparison of two impressed marks to what the evidence room weighs: a score and its conditions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ballistics.comparison import Comparison, Score
from ballistics.errors import ParameterError
from ballistics.evidence.conditions import Conditions
from ballistics.evidence.lr_system import Questioned
from ballistics.evidence.preconditions import reason_withheld
from ballistics.methods import Bullets, pair_score, scored_as
from ballistics.provenance import Provenance
from ballistics.surfaces import Mark, flat, mark_type, preparation_parameters


def questioned(
    comparison: Comparison,
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
    comparison : Comparison
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
    area_mm2, length_mm = (found.area_mm2, found.length_mm) if score == "similarity" else (None, None)
    withheld = reason_withheld((*comparison.findings, *(finding for mark in marks for finding in mark.findings)))
    return Questioned(
        found.value(score), conditions, cells, found.insufficient, tuple(scans), area_mm2, withheld, length_mm
    )


def comparison_conditions(
    comparison: Comparison,
    marks: Sequence[Mark],
    score: Score = "similarity",
    calibres: Iterable[str] = (),
    instrument_classes: Iterable[str] = (),
    ammunition: Iterable[str] = (),
) -> Conditions:
    """Return under which conditions a comparison was made.

    Parameters
    ----------
    comparison : Comparison
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
    scored = scored_as(mark_kind)
    marks = mark_type(scored.mark_kind if isinstance(scored, Bullets) else mark_kind)
    parameters = dict(flat("", {**provenance.parameters, "spacing_um": marks.spacing_um}))
    for name in sorted({name for preparation in preparations for name in preparation}):
        values = [preparation.get(name, "absent") for preparation in preparations]
        distinct = {json.dumps(value, sort_keys=True): value for value in values}
        # Two marks that were not prepared alike have two values here: no population covers them.
        parameters[name] = values[0] if len(distinct) == 1 else [distinct[key] for key in sorted(distinct)]
    return Conditions(
        mark_kind,
        _distinct(calibres),
        _distinct(instrument_classes),
        f"{provenance.method}; score: {scored.score_texts[score]}",
        provenance.version,
        parameters,
        _distinct(ammunition),
    )


def _distinct(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(values)))
