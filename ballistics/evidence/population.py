"""A reference population: scores with known truth, and all that they stand for."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from ballistics.errors import CorruptFileError, ParameterError, WriteError
from ballistics.evidence.conditions import Conditions
from ballistics.evidence.scores import ScoreTable

_SCHEMA = "ballistics/reference-population/1"


@dataclass(frozen=True)
class ReferencePopulation:
    """Scores of comparisons with known truth, from which the weight of a case's score is judged.

    The rows are kept in one fixed order, so that nothing depends on the order they came in.

    Parameters
    ----------
    name : str
        How reports call it.
    table : ScoreTable
        The comparisons.
    conditions : Conditions
        Kind of mark, calibres, ammunition, instrument classes, method and parameters.
    source : str
        Where the scans come from: study, laboratory, licence.
    """

    name: str
    table: ScoreTable
    conditions: Conditions
    source: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "table", self.table.canonical())

    @property
    def n_same(self) -> int:
        """Number of same-source pairs."""
        return int(self.table.same_source.sum())

    @property
    def n_different(self) -> int:
        """Number of different-source pairs."""
        return len(self.table) - self.n_same

    @property
    def n_firearms(self) -> int:
        """Number of firearms."""
        return len(self.table.firearms)

    @property
    def insufficient(self) -> str | None:
        """Why no model can be fitted on this population; None when one can."""
        if self.n_firearms < 2:
            return f"the reference population '{self.name}' has {self.n_firearms} firearm(s), needs 2"
        if not self.n_same:
            return f"the reference population '{self.name}' has no same-source pair"
        if not self.n_different:
            return f"the reference population '{self.name}' has no different-source pair"
        return None

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the saved form: two populations with one hash give the same LRs."""
        return sha256(self.to_json()).hexdigest()

    def to_json(self) -> bytes:
        """Return the population as JSON; the same population gives the same bytes."""
        table = self.table
        content: dict[str, Any] = {
            "schema": _SCHEMA,
            "name": self.name,
            "source": self.source,
            "conditions": self.conditions.to_dict(),
            "size": {
                "same_source_pairs": self.n_same,
                "different_source_pairs": self.n_different,
                "firearms": self.n_firearms,
            },
            "comparisons": {
                "score": table.score.tolist(),
                "cells": None if table.cells is None else table.cells.tolist(),
                "firearm_a": list(table.firearm_a),
                "firearm_b": list(table.firearm_b),
                "scan_a": list(table.scan_a),
                "scan_b": list(table.scan_b),
            },
        }
        return (json.dumps(content, sort_keys=True, ensure_ascii=False, allow_nan=False, indent=1) + "\n").encode()

    def save(self, path: str | Path, overwrite: bool = False) -> None:
        """Write the population as JSON.

        Raises
        ------
        WriteError
            When the file exists and ``overwrite`` is False.
        """
        try:
            with open(path, "wb" if overwrite else "xb") as file:
                file.write(self.to_json())
        except FileExistsError:
            raise WriteError(f"{path} exists; give another name, or overwrite=True") from None
        except OSError as error:
            raise WriteError(f"{path} cannot be written: {error.strerror}") from error

    @classmethod
    def load(cls, path: str | Path) -> ReferencePopulation:
        """Read a population that `save` wrote.

        Raises
        ------
        CorruptFileError
            When the file is not such a JSON file, or contradicts itself.
        """
        try:
            content = json.loads(Path(path).read_bytes())
            if content["schema"] != _SCHEMA:
                raise CorruptFileError(f"{path}: schema '{content['schema']}' is not '{_SCHEMA}'")
            rows, conditions = content["comparisons"], dict(content["conditions"])
            for name in ("calibres", "instrument_classes", "ammunition"):
                conditions[name] = tuple(conditions[name])
            population = cls(content["name"], ScoreTable.build(**rows), Conditions(**conditions), content["source"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise CorruptFileError(f"{path} is not a reference population: {error!r}") from error
        if json.loads(population.to_json())["size"] != content.get("size"):
            raise CorruptFileError(f"{path}: the stated size {content.get('size')} is not that of its comparisons")
        return population


def select_population(
    populations: Iterable[ReferencePopulation], questioned: Conditions
) -> tuple[ReferencePopulation | None, tuple[str, ...]]:
    """Return the population with most firearms that covers a comparison, or None with every reason.

    Parameters
    ----------
    populations : iterable of ReferencePopulation
        Those at hand.
    questioned : Conditions
        Of the comparison.

    Returns
    -------
    population : ReferencePopulation or None
        The one to use.
    reasons : tuple of str
        Why each of the others was not: refusals, or fewer firearms.
    """
    candidates = sorted(populations, key=lambda p: (-p.n_firearms, -len(p.table), p.name))
    if len({p.name for p in candidates}) < len(candidates):
        raise ParameterError("two reference populations have the same name; rename one")
    chosen: ReferencePopulation | None = None
    reasons = []
    for population in candidates:
        refusals = population.conditions.refusals(questioned)
        if population.insufficient:
            reasons.append(population.insufficient)
        elif refusals:
            reasons.append(f"{population.name}: {'; '.join(refusals)}")
        elif chosen is None:
            chosen = population
        else:
            reasons.append(f"{population.name}: covers the comparison too, but has no more firearms")
    return chosen, tuple(reasons)
