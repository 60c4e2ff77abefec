"""The numbers of an identification: all recorded by name, and none that no search can be made with."""

from __future__ import annotations

import json
from dataclasses import fields, replace

import pytest

from ballistics.errors import ParameterError
from ballistics.printed.describe.cloud import SurfaceParameters
from ballistics.printed.identify.parameters import IdentificationParameters


def test_every_number_is_recorded_by_its_name():
    surface = SurfaceParameters(along_spacings=0.8)
    told = replace(IdentificationParameters(), threshold=0.5, surface=surface).recorded()
    names = {field.name for kind in (IdentificationParameters, SurfaceParameters) for field in fields(kind)}
    assert set(told) == names - {"surface"}
    assert (told["threshold"], told["along_spacings"]) == (0.5, 0.8)
    assert not any(isinstance(value, dict) for value in told.values())
    assert json.loads(json.dumps(told))["tolerances_share_of_size"] == [0.006, 0.01, 0.015, 0.025]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("threshold", -0.1),
        ("threshold", float("nan")),
        ("decisive", float("inf")),
        ("usual_rank", 0),
        ("rounds", 0),
        ("tolerances_share_of_size", ()),
        ("tolerances_share_of_size", (0.02, 0.01)),
        ("reported_tolerance", 4),
    ],
)
def test_a_number_that_no_search_can_be_made_with_is_refused(name: str, value: object):
    with pytest.raises(ParameterError, match=name):
        replace(IdentificationParameters(), **{name: value})


def test_counterparts_are_looked_for_within_a_cell():
    with pytest.raises(ParameterError, match="counterpart"):
        SurfaceParameters(counterpart_share=0.05)
    with pytest.raises(ParameterError, match="positive"):
        SurfaceParameters(cell_share=0.0)
