"""Every real file gives the right surface or the right refusal, and other readers agree with it."""

from __future__ import annotations

import numpy as np
import pytest
import verity_x3p
import x3pio

import ballistics
from ballistics.errors import UnitsError

NAN = float("nan")

# The heights of the ISO samples 1 to 3, as the standard's authors list them, in metres.
ISO_HEIGHTS = np.array(
    [
        [4.86219120804151e-1, 3.46341436648013e-3, -8.08368571682830e-1, -5.79793099037002e-1],
        [8.57622027393310e-1, 1.04759602566142e0, 1.01879225277798e0, NAN],
        [8.23683772970184e-1, 7.97872489327661e-1, -5.57459388341694e-1, -2.33247858849220e-1],
        [6.75397146760858e-1, 4.20737549074718e-1, 6.42069248110950e-1, -2.15696638464903e-1],
    ]
)
ISO_INTEGERS = np.array(
    [[986, 503, -308, -80], [1358, 1548, 1519, NAN], [1324, 1298, -57, 267], [1175, 921, 1142, 284]]
)

# file: (units with which it can be read, kind, shape, spacing in µm, findings); everything else is refused.
# The ISO samples are arithmetic examples metres wide and pyramid.x3p is five points: no toolmarks in any
# unit. circle is a drawing of 0.23 mm whose heights are grey values. testing.x3p fits millimetres.
FILES = {
    "ISO5436-sample1.x3p": ("as written", "topography", (4, 4), 16016.0, set()),
    "ISO5436-sample1_bin.x3p": ("as written", "topography", (4, 4), 16016.0, {"points-marked-missing"}),
    "ISO5436-sample2.x3p": ("as written", "points", (1, 16), NAN, set()),
    "ISO5436-sample3.x3p": ("as written", "topography", (4, 4), 16016.0, {"axis-absolute"}),
    "ISO5436-sample4.x3p": ("as written", "topography", (4, 4), 16016.0, set()),
    "ISO5436-sample4_bin.x3p": ("as written", "topography", (4, 4), 16016.0, {"points-marked-missing"}),
    "circle.al3d": ("as written", "topography", (259, 259), 0.87654321, {"rows-not-padded"}),
    "circle.x3p": ("as written", "topography", (259, 259), 0.87654321, {"revision-unusual"}),
    "csafe-logo.x3p": (
        None,
        "topography",
        (419, 741),
        0.645,
        {"checksum-wrong", "root-nested", "root-not-namespaced", "increment-not-applied"},
    ),
    "micrometres-as-metres.x3p": ("micrometres", "topography", (85, 303), 7.8125, set()),
    "pyramid.x3p": ("as written", "topography", (5, 5), 1e6, {"revision-unusual", "date-free-text"}),
    "testing.x3p": ("millimetres", "topography", (20, 30), 27.5, {"revision-unusual", "date-free-text"}),
}
RAW = {"K013sA1.x3p": ((749, 769), 7.37468), "K013sA2.x3p": ((674, 769), 7.37364)}
EVERY_UNIT = (None, "micrometres", "millimetres")


def test_the_table_names_every_file(formats):
    assert {p.name for p in formats.iterdir()} == set(FILES)


@pytest.mark.parametrize("name", FILES)
def test_every_format_file(formats, name):
    units, kind, shape, spacing, expected = FILES[name]
    surface = ballistics.read(formats / name, units=units)
    assert surface.kind == kind
    assert surface.heights_um.shape == shape
    np.testing.assert_allclose(surface.spacing_um[1], spacing, rtol=1e-7)
    decided = {None: set(), "as written": {"lengths-implausible"}}.get(units, {"units-overridden"})
    assert {finding.code for finding in surface.findings} == expected | decided
    for refused in EVERY_UNIT:
        if refused != units:
            with pytest.raises(UnitsError):
                ballistics.read(formats / name, units=refused)


def test_iso_samples_hold_what_the_standard_lists(formats):
    def read(number):
        return ballistics.read(formats / f"ISO5436-sample{number}.x3p", units="as written")

    np.testing.assert_array_equal(read("1").heights_um, ISO_HEIGHTS * 1e6)
    np.testing.assert_array_equal(read("1_bin").heights_um, ISO_HEIGHTS * 1e6)
    # Samples 2 and 3 shift the heights by an offset of two metres; sample 2 fills the missing point.
    cloud = read("2")
    listed = ISO_HEIGHTS.copy()
    listed[1, 3] = 3.46341436648013e-3
    np.testing.assert_allclose(cloud.heights_um[0], (listed.ravel() + 2) * 1e6, rtol=1e-15)
    np.testing.assert_allclose(cloud.coordinates_um[0, :, 0], np.tile([0, 1, 2, 3], 4) + 0.1e6, rtol=1e-15)
    np.testing.assert_allclose(cloud.coordinates_um[0, :, 1], np.repeat([0, 1, 2, 3], 4) + 2e6, rtol=1e-15)
    irregular = read("3")
    np.testing.assert_allclose(irregular.heights_um, (ISO_HEIGHTS + 2) * 1e6, rtol=1e-15)
    # Absolute 16-bit y: integer times increment 2 plus offset 1.
    expected_y = np.broadcast_to(np.array([[1], [2], [3], [4]]) * 2.0 + 1.0, (4, 4)) * 1e6
    given = np.isfinite(irregular.coordinates_um[..., 1])
    assert given.sum() == 15
    np.testing.assert_allclose(irregular.coordinates_um[..., 1][given], expected_y[given])
    for number in ("4", "4_bin"):
        np.testing.assert_allclose(read(number).heights_um, (ISO_INTEGERS * 0.001 - 0.5) * 1e6, rtol=1e-15)


@pytest.mark.parametrize("name", RAW)
def test_raw_scans(raw_scans, name):
    shape, spacing = RAW[name]
    with pytest.raises(UnitsError, match="units='micrometres'"):
        ballistics.read(raw_scans / name)
    surface = ballistics.read(raw_scans / name, units="micrometres")
    assert surface.heights_um.shape == shape
    assert surface.spacing_um == (spacing, spacing)
    assert surface.metadata["mask"].shape == (*shape, 3)
    override = next(f for f in surface.findings if f.code == "units-overridden")
    assert override.severity == "serious"


def _agree(path, units):
    """Compare with x3pio and Verity; return which of them could read the file."""
    ours = ballistics.read(path, units=units)
    scale = 1.0 if units == "micrometres" else {"millimetres": 1e3}.get(units, 1e6)
    read_by = []
    try:
        theirs = x3pio.read(path)
    except x3pio.X3pError:
        pass
    else:
        heights = np.asarray(theirs.layers[0].z).reshape(ours.heights_um.shape) + theirs.placement.offset[2]
        np.testing.assert_allclose(ours.heights_um, heights * scale, rtol=1e-14)
        read_by.append("x3pio")
    try:
        rust = verity_x3p.read_x3p(str(path), verify_checksums=False)
    except ValueError:
        pass
    else:
        given = np.isfinite(ours.heights_um)  # Verity reads the points that valid.bin marks as missing
        if "bin" not in path.name:
            np.testing.assert_array_equal(given, np.isfinite(rust.data))
        np.testing.assert_allclose(ours.heights_um[given], rust.data[given] * scale, rtol=1e-14)
        spacing = (rust.increment_y * scale, rust.increment_x * scale)
        np.testing.assert_allclose(ours.spacing_um, spacing, rtol=1e-14)
        read_by.append("verity")
    return read_by


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith(".x3p")])
def test_other_readers_agree_on_formats(formats, name):
    read_by = _agree(formats / name, FILES[name][0])
    # x3pio knows two revisions and no wrong checksum, Verity no data in the document.
    if "sample" not in name or "bin" in name:
        assert "verity" in read_by
    if name not in ("circle.x3p", "csafe-logo.x3p"):
        assert "x3pio" in read_by


def test_other_readers_agree_on_scans(fadul, raw_scans):
    for path in sorted(fadul.glob("*.x3p"))[::8]:
        assert _agree(path, None) == ["x3pio", "verity"]
    for path in sorted(raw_scans.glob("*.x3p")):
        assert "verity" in _agree(path, "micrometres")


def test_every_fadul_scan(fadul):
    paths = sorted(fadul.glob("*.x3p"))
    assert len(paths) == 40
    for path in paths:
        surface = ballistics.read(path)
        assert surface.spacing_um == (6.25, 6.25)
        assert 0.1 < surface.valid_fraction < 0.9
        assert not np.isinf(surface.heights_um).any()
        assert not any(finding.severity == "serious" for finding in surface.findings)
