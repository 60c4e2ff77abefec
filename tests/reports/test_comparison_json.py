"""The JSON of a comparison follows its schema, holds what was measured, and is the same every time."""

from __future__ import annotations

import json
import math

import jsonschema
import pytest
from report_cases import case, hostile_case

from ballistics.reports.schemas.comparison_json import SCHEMA, comparison_json, comparison_schema

KINDS = ["same-source", "different-source", "insufficient"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.slow
def test_follows_the_schema(kind: str) -> None:
    schema = comparison_schema()
    validator = jsonschema.Draft202012Validator
    validator.check_schema(schema)
    document = json.loads(comparison_json(*case(kind)))
    validator(schema).validate(document)
    assert document["schema"] == SCHEMA == schema["properties"]["schema"]["const"]


def test_the_schema_refuses_what_it_does_not_name() -> None:
    document = json.loads(comparison_json(*case("same-source")))
    document["comparison"]["opinion"] = "identified"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(comparison_schema()).validate(document)


@pytest.mark.parametrize("kind", KINDS)
def test_same_comparison_same_bytes_and_no_nan(kind: str) -> None:
    text = comparison_json(*case(kind))
    assert text == comparison_json(*case(kind))

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    json.loads(text, parse_constant=refuse)


def test_every_number_of_the_comparison_is_there() -> None:
    comparison, a, b = case("different-source")
    document = json.loads(comparison_json(comparison, a, b))["comparison"]
    assert comparison.pose is not None
    assert document["pose"] == {
        "theta_deg": comparison.pose.theta_deg,
        "dx_um": comparison.pose.dx_um,
        "dy_um": comparison.pose.dy_um,
    }
    for direction, search in (("a_in_b", comparison.a_in_b), ("b_in_a", comparison.b_in_a)):
        assert search is not None
        cells = document["cells"][direction]
        assert len(cells) == search.n_cells
        for k, cell in enumerate(cells):
            r = float(search.correlations[k])
            assert cell["correlation"] == (r if math.isfinite(r) else None)
        for name, rule in comparison.rules.items():
            verdict = getattr(rule, direction)
            written = document["rules"][name][direction]
            assert written["count"] == verdict.count == sum(cell["congruent"] for cell in written["cells"])


def test_arrays_of_metadata_are_named_not_written() -> None:
    document = json.loads(comparison_json(*hostile_case()))
    mask = document["scans"]["a"]["surface"]["metadata"]["mask"]
    assert mask["shape"] == [50, 50]
    assert len(mask["sha256"]) == 64
