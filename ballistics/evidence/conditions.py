"""The conditions under which scores were obtained: kind of mark, items, instrument, exact method."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ballistics.evidence.calibres import calibre_named


@dataclass(frozen=True)
class Conditions:
    """Under which conditions scores were obtained; of a reference population or of one comparison.

    Parameters
    ----------
    mark_kind : str
        The mark type, e.g. ``"breech face"``.
    calibres, ammunition, instrument_classes : tuple of str
        All that occur. For one comparison: those of its two marks. Calibres may have any of their names
        (`ballistics.evidence.calibres`).
    method, version : str
        The method that gave the score (with the rule, where it has several), and its version.
    parameters : mapping
        Every parameter of preparation and comparison, also those at their default.
    """

    mark_kind: str
    calibres: tuple[str, ...]
    instrument_classes: tuple[str, ...]
    method: str
    version: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    ammunition: tuple[str, ...] = ()

    def refusals(self, questioned: Conditions) -> tuple[str, ...]:
        """Return why a comparison under other conditions cannot be judged by these; empty when it can.

        Examples
        --------
        >>> reference = Conditions("breech face", ("9 mm",), ("confocal",), "CMC", "1", {"cell_um": 469})
        >>> case = Conditions("breech face", ("9 mm",), ("confocal",), "CMC", "1", {"cell_um": 500})
        >>> reference.refusals(case)
        ("parameter 'cell_um' is 500 in the comparison but 469 in the reference population",)
        """
        reasons = []
        for name, there, here in (
            ("kind of mark", self.mark_kind, questioned.mark_kind),
            ("method", self.method, questioned.method),
            ("version of the method", self.version, questioned.version),
        ):
            if there != here:
                reasons.append(f"{name} is '{here}' in the comparison but '{there}' in the reference population")
        for name in sorted({*self.parameters, *questioned.parameters}):
            there, here = (_text(values, name) for values in (self.parameters, questioned.parameters))
            if there != here:
                reasons.append(
                    f"parameter '{name}' is {here} in the comparison but {there} in the reference population"
                )
        for name, covered, wanted, meaning in (
            ("calibre", self.calibres, questioned.calibres, calibre_named),
            ("instrument class", self.instrument_classes, questioned.instrument_classes, str),
        ):
            if not wanted:
                reasons.append(f"the {name} of the comparison is not stated")
            reasons.extend(
                f"{name} '{value}' is not covered by the reference population ({', '.join(covered)})"
                for value in wanted
                if meaning(value) not in map(meaning, covered)
            )
        return tuple(reasons)

    def cautions(self, questioned: Conditions) -> tuple[str, ...]:
        """Return what differs without ruling the comparison out: ammunition that is not covered.

        Ammunition changes the rate of misleading evidence by up to two orders of magnitude
        (Riva et al. 2020), so it is always said.
        """
        if not questioned.ammunition or not self.ammunition:
            return ("the ammunition of the comparison or of the reference population is not stated",)
        return tuple(
            f"ammunition '{value}' is not in the reference population (it has: {', '.join(self.ammunition)})"
            for value in questioned.ammunition
            if value not in self.ammunition
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "mark_kind": self.mark_kind,
            "calibres": list(self.calibres),
            "instrument_classes": list(self.instrument_classes),
            "ammunition": list(self.ammunition),
            "method": self.method,
            "version": self.version,
            "parameters": dict(self.parameters),
        }


def _text(parameters: Mapping[str, Any], name: str) -> str:
    """Return a parameter as canonical JSON, so that 3 and 3.0, tuple and list, compare as they read."""
    if name not in parameters:
        return "absent"
    value = parameters[name]
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        value = int(value)
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
