"""A reference population: scores with known truth, and all that they stand for."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from typing import Any

import numpy as np

from ballistics.errors import ParameterError
from ballistics.evidence.conditions import Conditions
from ballistics.evidence.scores import Score, ScoreTable

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
    unproven : bool
        Read from a file without a SHA-256 of its own content.
    """

    name: str
    table: ScoreTable
    conditions: Conditions
    source: str = ""
    unproven: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "table", self.table.canonical())

    def __repr__(self) -> str:
        return (
            f"<ReferencePopulation {self.name!r}: {self.score} of {self.conditions.mark_kind} marks, "
            f"{self.n_same} same-source and {self.n_different} different-source pairs of {self.n_firearms} firearms>"
        )

    @property
    def score(self) -> Score:
        """Which score of a comparison it consists of."""
        if self.table.cells is not None:
            return "count"
        return "correlation" if self.table.extent is None else "similarity"

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

    @property
    def cautions(self) -> tuple[str, ...]:
        """What to say of every weight that this population gives."""
        if not self.unproven:
            return ()
        return (
            f"the file of the reference population '{self.name}' carries no SHA-256 of its content: that no score was "
            "altered cannot be told; build it again",
        )

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the saved form: two populations with one hash give the same LRs."""
        return sha256(self.to_json()).hexdigest()

    def to_json(self) -> bytes:
        """Return the population as JSON, of which the hash is taken; the same population gives the same bytes."""
        table = self.table
        lengths = {} if table.length_mm is None else {"length_mm": table.length_mm.tolist()}
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
                "area_mm2": None if table.area_mm2 is None else table.area_mm2.tolist(),
                **lengths,
                "firearm_a": list(table.firearm_a),
                "firearm_b": list(table.firearm_b),
                "scan_a": list(table.scan_a),
                "scan_b": list(table.scan_b),
            },
        }
        return (json.dumps(content, sort_keys=True, ensure_ascii=False, allow_nan=False, indent=1) + "\n").encode()

    def without_scans(self, scans: Iterable[str]) -> tuple[ReferencePopulation, tuple[str, ...]]:
        """Return the population without the firearms of some scans, and these firearms.

        A score may not be weighed by a population that holds the exhibits themselves, nor other marks of their
        firearms: it would be compared with itself.
        """
        asked = frozenset(scans)
        marks = (
            *zip(self.table.scan_a, self.table.firearm_a, strict=False),
            *zip(self.table.scan_b, self.table.firearm_b, strict=False),
        )
        # Of a bullet all its scans stand there, with spaces between them.
        held = (firearm for scans, firearm in marks if scans in asked or not asked.isdisjoint(scans.split()))
        firearms = tuple(sorted({*held}))
        if not firearms:
            return self, ()
        kept = [
            a not in firearms and b not in firearms
            for a, b in zip(self.table.firearm_a, self.table.firearm_b, strict=True)
        ]
        return replace(self, table=self.table.rows(np.array(kept, dtype=np.bool_))), firearms


def select_population(
    populations: Iterable[ReferencePopulation], questioned: Conditions
) -> tuple[ReferencePopulation | None, tuple[str, ...]]:
    """Return the population with most firearms that covers a comparison, or None with every reason.

    Parameters
    ----------
    populations : iterable of ReferencePopulation
        Those to choose from.
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
