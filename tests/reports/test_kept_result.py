"""The kept result of striated marks gives its key figures; one without scans gives no hash to hold against records."""

from __future__ import annotations

import json

import pytest
from striation_cases import striation_case

from ballistics.reports.contents.kept_result import _read
from ballistics.reports.schemas.striation_json import striation_json


@pytest.mark.parametrize("kind", ["in-phase", "insufficient"])
def test_striated_marks(kind):
    comparison, a, b = striation_case(kind)
    found = _read(json.loads(striation_json(comparison, a, b)))
    assert found.insufficient == (comparison.insufficient or "")
    assert found.marks[0].file_sha256 == a.surface.provenance.inputs["file"]
    assert found.pose is None
    assert found.weight is None
    figures = dict(found.figures)
    if kind == "in-phase":
        assert figures["Similarity"] == f"{comparison.similarity.score:.1f} nats"
        counts = comparison.a_in_b, comparison.b_in_a
        shown = "; ".join(f"{each.count} / {each.segments}" for each in counts)
        assert figures["Congruent segments, A in B and B in A"] == shown
        assert figures["Common length"].endswith(" mm")
    else:
        assert found.marks[1].file_sha256 == ""
