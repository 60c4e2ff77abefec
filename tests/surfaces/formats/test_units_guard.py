"""The units guard: each rule at its edge, what the refusal says, and what an override does."""

from __future__ import annotations

import numpy as np
import pytest

from ballistics.errors import UnitsError
from ballistics.surfaces.formats.content import FileContent
from ballistics.surfaces.formats.units_guard import implausible, robust_range, settle_unit


def content(shape=(200, 200), spacing=(5e-6, 5e-6), height=1e-5, kind="topography", unit_um=1e6, **more):
    values = np.linspace(0, height, shape[0] * shape[1]).reshape(shape)
    return FileContent("X3P", values, spacing, unit_um, kind=kind, **more)


def test_a_toolmark_is_plausible():
    assert settle_unit(content(), None) == (1e6, [])


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"spacing": (0.049e-6, 5e-6)}, "pixel size 49 nm"),
        ({"spacing": (5e-6, 51e-6)}, "pixel size 51 µm"),
        ({"shape": (59, 59)}, "longer side 295 µm"),
        ({"shape": (2, 2001), "spacing": (41e-6, 41e-6)}, "longer side 82.04 mm"),
        ({"height": 0.0103}, "height range 10.09 mm"),
    ],
)
def test_each_rule(options, word):
    with pytest.raises(UnitsError, match=word):
        settle_unit(content(**options), None)


@pytest.mark.parametrize(
    "options",
    [
        {"shape": (6100, 2), "spacing": (0.05e-6, 0.05e-6)},
        {"shape": (2, 1600), "spacing": (50e-6, 50e-6)},
        {"shape": (60, 30)},
        {"height": 0.0101},  # between the 1st and 99th percentile it is below 10 mm
        {"kind": "profile", "shape": (1, 100), "spacing": (123.0, 5e-6)},
        {"kind": "reflectance", "height": 1.0, "unit_um": 1.0, "spacing": (5.0, 5.0)},
    ],
)
def test_just_inside(options):
    given = content(**options)
    assert implausible(given, given.unit_um) == []


def test_spikes_do_not_decide():
    given = content()
    given.values[0, :3] = (1e9, -1e9, np.inf)
    assert settle_unit(given, None)[0] == 1e6


def test_point_clouds_go_by_their_box():
    coordinates = np.zeros((1, 400, 2))
    coordinates[0, :, 0] = np.linspace(0, 1e-3, 400)
    cloud = content((1, 400), (np.nan, np.nan), kind="points", coordinates=coordinates)
    assert settle_unit(cloud, None)[0] == 1e6
    coordinates[0, 5] = np.nan
    assert settle_unit(cloud, None)[0] == 1e6
    with pytest.raises(UnitsError, match="longer side 100 µm"):
        settle_unit(content((1, 400), (np.nan, np.nan), kind="points", coordinates=coordinates / 10), None)


@pytest.mark.parametrize(("units", "factor"), [("micrometres", 1e6), ("millimetres", 1e3)])
def test_the_other_unit_is_named_and_can_be_chosen(units, factor):
    given = content(spacing=(5e-6 * factor, 5e-6 * factor), height=1e-5 * factor)
    with pytest.raises(UnitsError) as caught:
        settle_unit(given, None)
    assert f"if the numbers were {units} they would be (pixel 5 µm, height range 9.8 µm)" in str(caught.value)
    assert f"units='{units}'" in str(caught.value)
    unit_um, findings = settle_unit(given, units)
    assert unit_um == 1e6 / factor
    assert [(f.code, f.severity) for f in findings] == [("units-overridden", "serious")]


def test_a_wrong_override_is_refused():
    with pytest.raises(UnitsError, match="taken as micrometres"):
        settle_unit(content(), "micrometres")


def test_as_written_reads_what_is_implausible_and_says_so():
    given = content(shape=(5, 5), spacing=(1.0, 1.0), height=10.0)
    with pytest.raises(UnitsError, match="nor would they be"):
        settle_unit(given, None)
    unit_um, findings = settle_unit(given, "as written")
    assert unit_um == 1e6
    assert [(f.code, f.severity) for f in findings] == [("lengths-implausible", "serious")]
    assert settle_unit(content(), "as written") == (1e6, [])


def test_heights_in_another_unit_than_the_spacing_are_noticed():
    unit_um, findings = settle_unit(content(height=5e-11), None)
    assert unit_um == 1e6
    assert [(f.code, f.severity) for f in findings] == [("heights-tiny", "serious")]
    assert settle_unit(content(height=0.0), None) == (1e6, [])


@pytest.mark.parametrize(("height", "codes"), [(1e-8, ["heights-tiny"]), (6e-4, ["heights-steep"]), (4e-4, [])])
def test_heights_that_do_not_fit_the_spacing(height, codes):
    """The limits lie between real ratios (0.0013 to 0.07) and those a thousand times smaller or larger."""
    findings = settle_unit(content(height=height), None)[1]
    assert [f.code for f in findings] == codes
    assert all(f.severity == "serious" for f in findings)


def test_steep_slopes_are_noticed():
    rough = content(height=0.0)
    rough.values[:] = np.random.Generator(np.random.PCG64(0)).normal(scale=5e-6, size=rough.values.shape)
    assert [f.code for f in settle_unit(rough, None)[1]] == ["heights-steep"]


def test_only_the_heights_are_wrong():
    with pytest.raises(UnitsError, match="pixel and sides are: heights and spacing seem to be in different units"):
        settle_unit(content(height=10.0), None)
    with pytest.raises(UnitsError, match="heights and spacing would still be in different units"):
        settle_unit(content(spacing=(5.0, 5.0), height=1e-5), None)


def test_inches_are_named():
    with pytest.raises(UnitsError, match="if the numbers were inches"):
        settle_unit(content(spacing=(5e-6 / 0.0254,) * 2, height=1e-5 / 0.0254), None)


def test_a_field_smaller_than_a_mark():
    small = content(shape=(512, 512), spacing=(0.3125e-6, 0.3125e-6))
    assert [(f.code, f.severity) for f in settle_unit(small, None)[1]] == [("field-small", "warning")]
    with pytest.raises(UnitsError, match="longer side 160 µm"):
        settle_unit(content(shape=(128, 128), spacing=(1.25e-6, 1.25e-6)), None)


def test_robust_range():
    assert robust_range(np.full((3, 3), np.nan)) == 0.0
    assert robust_range(np.arange(101.0)) == pytest.approx(98.0)
    assert robust_range(np.arange(1_000_001.0)) == pytest.approx(980_000, rel=1e-3)
