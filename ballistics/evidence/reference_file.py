"""The file of a reference: the comparisons of one set of scans, from which one population for each score is read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ballistics.errors import CorruptFileError, ParameterError
from ballistics.evidence.conditions import Conditions
from ballistics.evidence.population import ReferencePopulation
from ballistics.evidence.scores import Score, ScoreTable
from ballistics.files import SEAL, load_json, seal_fault, sealed
from ballistics.methods import Family, scored_as

_SCHEMA, _ONE_SCORE = "ballistics/reference-population/2", "ballistics/reference-population/1"
_JOINT = "; score: "
_COLUMNS: Mapping[Family, Mapping[Score, tuple[str, str | None]]] = {
    "impressed": {
        "similarity": ("similarity", "area_mm2"),
        "count": ("count", "cells"),
        "correlation": ("accf", None),
    },
    "striated": {
        "similarity": ("similarity", "length_mm"),
        "count": ("count", "segments"),
        "correlation": ("ccf", None),
    },
}
# What the table calls a column of the file that has a name of its own.
_EXTENTS = {"segments": "cells"}
_MARKS = ("firearm_a", "firearm_b", "scan_a", "scan_b")


@dataclass(frozen=True)
class ReferenceFile:
    """Every score of the same comparisons, as one file.

    Parameters
    ----------
    populations : tuple of ReferencePopulation
        One for each score, of the same pairs in the same order; they have name, source and, but for the score that
        their method names, conditions in common.

    Raises
    ------
    ParameterError
        When they are not of the same comparisons.
    """

    populations: tuple[ReferencePopulation, ...]

    def __post_init__(self) -> None:
        if not self.populations:
            raise ParameterError("a reference without a score")
        first = self.populations[0]
        for other in self.populations[1:]:
            alike = (other.name, other.source, _base(other.conditions)) == (
                first.name,
                first.source,
                _base(first.conditions),
            )
            if not alike or _marks(other) != _marks(first):
                raise ParameterError("the populations of one file must be of the same comparisons")

    def to_json(self) -> bytes:
        """Return the file's bytes; the same reference gives the same bytes, and they hold their own hash."""
        first = self.populations[0]
        rows: dict[str, Any] = dict(zip(_MARKS, map(list, _marks(first)), strict=True))
        columns = _columns(first.conditions)
        for population in self.populations:
            score, extent = columns[population.score]
            rows[score] = population.table.score.tolist()
            if extent is not None and population.table.extent is not None:
                rows[extent] = population.table.extent.tolist()
        content: dict[str, Any] = {
            "schema": _SCHEMA,
            "name": first.name,
            "source": first.source,
            "conditions": _base(first.conditions).to_dict(),
            "size": {
                "same_source_pairs": first.n_same,
                "different_source_pairs": first.n_different,
                "firearms": first.n_firearms,
            },
            "comparisons": rows,
        }
        text = json.dumps(sealed(content), sort_keys=True, ensure_ascii=False, allow_nan=False, indent=1)
        return f"{text}\n".encode()


def load_reference(path: str | Path) -> tuple[ReferencePopulation, ...]:
    """Read the populations of a file that `ReferenceFile.to_json` wrote, one for each score.

    A file of an earlier version holds one score, and gives one population.

    Raises
    ------
    ReadError
        When it cannot be opened.
    CorruptFileError
        When the file is not such a JSON file, was altered, or contradicts itself.
    """
    content = load_json(Path(path), "a reference population")
    try:
        if content["schema"] == _ONE_SCORE:
            return (_one_score(content),)
        if content["schema"] != _SCHEMA:
            raise CorruptFileError(f"{path}: schema '{content['schema']}' is not '{_SCHEMA}'")
        fault = seal_fault(content) if SEAL in content else "it does not hold the hash of its content"
        if fault is not None:
            raise CorruptFileError(f"{path} is not a reference population as it was built: {fault}")
        rows, conditions = content["comparisons"], _conditions(content["conditions"])
        populations = tuple(
            _population(content, conditions, rows, score)
            for score, (column, _) in _columns(conditions).items()
            if column in rows
        )
        reference = ReferenceFile(populations)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise CorruptFileError(f"{path} is not a reference population: {error!r}") from error
    if json.loads(reference.to_json())["size"] != content.get("size"):
        raise CorruptFileError(f"{path}: the stated size {content.get('size')} is not that of its comparisons")
    return populations


def _population(
    content: Mapping[str, Any], conditions: Conditions, rows: Mapping[str, Sequence[Any]], score: Score
) -> ReferencePopulation:
    name, extent = _columns(conditions)[score]
    marks = _names(rows)
    sizes = {} if extent is None else {_EXTENTS.get(extent, extent): rows[extent]}
    table = ScoreTable.build(rows[name], **marks, **sizes)
    method = f"{conditions.method}{_JOINT}{scored_as(conditions.mark_kind).score_texts[score]}"
    return ReferencePopulation(
        _word(content["name"]), table, replace(conditions, method=method), _word(content["source"])
    )


def _one_score(content: Mapping[str, Any]) -> ReferencePopulation:
    """Return the population of a file of one score, after the schema that came before this one."""
    rows, conditions = content["comparisons"], _conditions(content["conditions"])
    table = ScoreTable.build(**{**rows, **_names(rows)})
    population = ReferencePopulation(_word(content["name"]), table, conditions, _word(content["source"]), unproven=True)
    if json.loads(population.to_json())["size"] != content.get("size"):
        raise ValueError(f"the stated size {content.get('size')} is not that of its comparisons")
    return population


def _conditions(stored: Mapping[str, Any]) -> Conditions:
    lists = {name: tuple(_words(stored[name])) for name in ("calibres", "instrument_classes", "ammunition")}
    words = {name: _word(stored[name]) for name in ("mark_kind", "method", "version")}
    return Conditions(**(dict(stored) | lists | words | {"parameters": dict(stored["parameters"])}))


def _names(rows: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    return {mark: _words(rows[mark]) for mark in _MARKS}


def _words(values: Any) -> list[str]:
    if not isinstance(values, list):
        raise ValueError(f"{values!r} is no list of names")
    return [_word(value) for value in values]


def _word(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no text")
    return value


def _columns(conditions: Conditions) -> Mapping[Score, tuple[str, str | None]]:
    """Return in which columns each score and its extent stand."""
    return _COLUMNS[scored_as(conditions.mark_kind).family]


def _base(conditions: Conditions) -> Conditions:
    """Return conditions without the score that their method names."""
    return replace(conditions, method=conditions.method.partition(_JOINT)[0])


def _marks(population: ReferencePopulation) -> tuple[tuple[str, ...], ...]:
    return tuple(getattr(population.table, name) for name in _MARKS)
