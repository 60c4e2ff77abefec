"""The method of impressed marks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ballistics.comparison import PairScore, Score
from ballistics.errors import ParameterError
from ballistics.impressions import HEADLINE_RULE, ImpressionComparison, MarkParameters, parameters_of, with_settings
from ballistics.impressions import compare as compare_impressions
from ballistics.methods.method import Family, Method, Region, fewer, nothing_of
from ballistics.provenance import Provenance
from ballistics.surfaces import PREPARATION, PREPARATION_VERSION, Mark, Surface, mark_type
from ballistics.surfaces import prepare as prepare_impression


@dataclass(frozen=True)
class Impressed(Method):
    """Method of one kind of impressed mark; its preparation has no parameters but those of the kind."""

    kind: str
    family: Family = "impressed"
    score_texts: Mapping[Score, str] = field(
        default_factory=lambda: {
            "similarity": "similarity of the whole marks in nats, over their common area",
            "count": "congruent matching cells by the significance rule, smaller of two directions",
            "correlation": "areal correlation of the whole marks (ACCF)",
        }
    )
    score_names: Mapping[Score, str] = field(
        default_factory=lambda: {
            "similarity": "similarity (nats)",
            "count": "congruent cells",
            "correlation": "correlation (ACCF)",
        }
    )

    def parameters(
        self, surface_kind: str = "topography", settings: Mapping[str, str] | None = None
    ) -> MarkParameters | None:
        usual = parameters_of(nothing_of(self.kind, surface_kind))
        return usual if usual is None or not settings else with_settings(usual, settings)

    def preparation(self, parameters: Any = None) -> Provenance:
        return Provenance(PREPARATION, PREPARATION_VERSION, asdict(mark_type(self.kind)))

    def prepare(self, surface: Surface, region: Region | None = None, parameters: Any = None) -> Mark:
        return prepare_impression(surface, self.kind, region)

    def compare(self, a: Mark, b: Mark, parameters: MarkParameters | None = None) -> ImpressionComparison:
        return compare_impressions(a, b, parameters)

    def scores(self, comparison: ImpressionComparison) -> PairScore:
        if comparison.insufficient is not None:
            return PairScore(None, None, None, None, None, comparison.insufficient)
        rule, a_in_b, b_in_a = comparison.rules.get(HEADLINE_RULE), comparison.a_in_b, comparison.b_in_a
        if rule is None or a_in_b is None or b_in_a is None:
            raise ParameterError(f"the comparison has no result of the {HEADLINE_RULE} rule: compare the marks again")
        alike = comparison.similarity
        if alike is None:
            raise ParameterError("the comparison has no similarity: compare the marks again")
        count, cells = fewer((rule.a_in_b.count, a_in_b.n_cells), (rule.b_in_a.count, b_in_a.n_cells))
        area_mm2 = float(comparison.overlap_um2) * 1e-6
        return PairScore(int(count), int(cells), float(comparison.accf), float(alike.score), area_mm2)
