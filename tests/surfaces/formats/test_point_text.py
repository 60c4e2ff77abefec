"""Text lists of points: any order, separator and unit that is stated; what is not stated is asked for."""

from __future__ import annotations

import numpy as np
import pytest

import ballistics
from ballistics.errors import BallisticsError, CorruptFileError, ParameterError, UnitsError, UnsupportedFormatError

ROWS, COLUMNS, STEP = 60, 80, 6.25
UM = np.cumsum(np.random.Generator(np.random.PCG64(0)).normal(size=(ROWS, COLUMNS)), axis=1).round(4)


def listed(*, scale=1.0, separator=" ", order="xyz", comma=False, head="", digits=7, steps=(STEP, STEP), shuffle=None,
           missing="", origin=0.0, z_scale=None):  # fmt: skip
    """Return the text of a list; numbers in µm times ``scale``."""
    lines = []
    for i in range(ROWS):
        for j in range(COLUMNS):
            z = f"{UM[i, j] * (scale if z_scale is None else z_scale):.{digits}f}"
            if missing and (i + j) % 7 == 0:
                z = missing
            values = {
                "x": f"{(origin + j * steps[1]) * scale:.{digits}f}",
                "y": f"{i * steps[0] * scale:.{digits}f}",
                "z": z,
            }
            line = separator.join(values[axis] for axis in order)
            lines.append(line.replace(".", ",") if comma else line)
    if shuffle is not None:
        lines = [lines[k] for k in np.random.Generator(np.random.PCG64(shuffle)).permutation(len(lines))]
    return head + "\n".join(lines) + "\n"


def read(tmp_path, text, name="a.xyz", **options):
    (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return ballistics.read(tmp_path / name, **options)


def codes(surface):
    return [finding.code for finding in surface.findings]


@pytest.mark.parametrize("separator", [" ", "   ", "\t", ";", "; ", ",", ", "])
def test_separators(tmp_path, separator):
    surface = read(tmp_path, listed(separator=separator), spacing_um=STEP)
    np.testing.assert_allclose(surface.heights_um, UM, atol=1e-6)
    assert surface.spacing_um == pytest.approx((STEP, STEP))
    assert codes(surface) == ["unit-from-spacing"]


@pytest.mark.parametrize(("scale", "unit"), [(1e-6, "m"), (1e-3, "mm"), (1.0, "µm"), (1e3, "nm"), (1 / 25400, "in")])
def test_the_unit_follows_from_the_spacing(tmp_path, scale, unit):
    surface = read(tmp_path, listed(scale=scale, digits=12), spacing_um=STEP)
    np.testing.assert_allclose(surface.heights_um, UM, atol=1e-4)
    assert f"they are {unit}" in surface.findings[0].action


@pytest.mark.parametrize("order", ["xyz", "yxz", "zxy"])
@pytest.mark.parametrize("shuffle", [None, 1])
def test_order_of_columns_and_of_points(tmp_path, order, shuffle):
    head = " ".join(f"{axis}[um]" for axis in order) + "\n"
    surface = read(tmp_path, listed(order=order, head=head, shuffle=shuffle, steps=(12.5, STEP)))
    np.testing.assert_allclose(surface.heights_um, UM, atol=1e-6)
    assert surface.spacing_um == pytest.approx((12.5, STEP))
    assert codes(surface) == []


@pytest.mark.parametrize(
    ("head", "scale", "z_scale"),
    [
        ("# X [mm], Y [mm], Z [µm]\n", 1e-3, 1.0),
        ("x (mm)\ty (mm)\tz (nm)\n", 1e-3, 1e3),
        ("made by a test\nunit: mm\n", 1e-3, 1e-3),
        ("x/µm y/µm z/µm\n", 1.0, 1.0),
        ("# all values in µm\n# X Y Z\n", 1.0, 1.0),
        ("\ufeffx [µm] y [µm] z [µm]\r\n", 1.0, 1.0),
    ],
)
def test_units_that_the_list_states(tmp_path, head, scale, z_scale):
    surface = read(tmp_path, listed(head=head, scale=scale, z_scale=z_scale))
    np.testing.assert_allclose(surface.heights_um, UM, atol=1e-3)
    assert surface.spacing_um == pytest.approx((STEP, STEP))
    with pytest.raises(ParameterError, match="leave it out"):
        read(tmp_path, listed(head=head, scale=scale, z_scale=z_scale), spacing_um=5.0)


def test_decimal_commas(tmp_path):
    for separator in (";", " ", "\t"):
        surface = read(tmp_path, listed(separator=separator, comma=True), spacing_um=STEP)
        np.testing.assert_allclose(surface.heights_um, UM, atol=1e-6)
        assert codes(surface) == ["decimal-comma", "unit-from-spacing"]
    with pytest.raises(UnsupportedFormatError, match="commas between the numbers and inside"):
        read(tmp_path, listed(separator=",", comma=True), spacing_um=STEP)


@pytest.mark.parametrize("missing", ["nan", "NaN", "***", "-", "n/a", "-nan(ind)"])
def test_missing_points(tmp_path, missing):
    surface = read(tmp_path, listed(missing=missing, separator=";"), spacing_um=STEP)
    absent = np.add.outer(np.arange(ROWS), np.arange(COLUMNS)) % 7 == 0
    np.testing.assert_array_equal(np.isnan(surface.heights_um), absent)
    np.testing.assert_allclose(surface.heights_um[~absent], UM[~absent], atol=1e-6)


def test_points_that_are_not_listed(tmp_path):
    lines = listed().splitlines()
    del lines[100:150]
    surface = read(tmp_path, "\n".join(lines), spacing_um=STEP)
    assert np.isnan(surface.heights_um).sum() == 50
    assert codes(surface) == ["points-not-listed", "unit-from-spacing"]


def test_rounded_positions(tmp_path):
    surface = read(tmp_path, listed(scale=1e-3, digits=3, z_scale=1e-3, steps=(STEP, STEP)), spacing_um=STEP)
    assert "grid-rounded" in codes(surface)
    assert surface.heights_um.shape == (ROWS, COLUMNS)
    assert surface.spacing_um == pytest.approx((STEP, STEP), rel=0.01)


def test_counted_positions_need_a_unit_for_the_heights(tmp_path):
    text = listed(steps=(1, 1))
    with pytest.raises(UnsupportedFormatError, match="give units as well"):
        read(tmp_path, text, spacing_um=STEP)
    surface = read(tmp_path, text, spacing_um=STEP, units="micrometres")
    assert surface.spacing_um == pytest.approx((STEP, STEP))
    np.testing.assert_allclose(surface.heights_um, UM, atol=1e-6)
    surface = read(tmp_path, listed(steps=(1000, 1000), scale=1e-3, digits=9), spacing_um=STEP, units="millimetres")
    assert surface.spacing_um == pytest.approx((STEP, STEP))
    np.testing.assert_allclose(surface.heights_um, UM, atol=1e-4)


def test_a_spacing_that_the_list_states(tmp_path):
    for head in ("# spacing: 6.25 µm\n", "grid step = 0.00625 mm\nX Y Z\n"):
        surface = read(tmp_path, listed(head=head, scale=1e-3, digits=9), name="a.dat")
        np.testing.assert_allclose(surface.heights_um, UM, atol=1e-4)
        assert surface.spacing_um == pytest.approx((STEP, STEP))
        assert codes(surface) == ["unit-from-spacing"]


def test_what_is_not_stated_is_asked_for(tmp_path):
    with pytest.raises(UnsupportedFormatError, match="give its spacing as spacing_um"):
        read(tmp_path, listed())
    assert "unit-stated-by-caller" in codes(read(tmp_path, listed(), units="micrometres"))
    with pytest.raises(ParameterError, match="in no unit is that"):
        read(tmp_path, listed(), spacing_um=5.0)
    with pytest.raises(UnitsError):
        read(tmp_path, listed(), units="millimetres")


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("hello world\n" * 50, UnsupportedFormatError, "no list of points"),
        ("1 2 3 4\n5 6 7 8\n", UnsupportedFormatError, "the lines hold 4 numbers"),
        ("0 0 1\n1 0 two\n", CorruptFileError, "line 2"),
        ("0 0 1\n1 0\n0 1 3 9 9\n", CorruptFileError, "line 3"),
        ("0 0 1\n0 1 2\n0 0 3\n1 1 1\n1 0 1\n", CorruptFileError, "same position"),
        ("0 0 1\n0 1 2\n0 2 3\n", UnsupportedFormatError, "same x"),
        ("0 0 1\n1 0 1\n2.5 0 1\n3.1 1 1\n7.7 1 2\n9.2 3 1\n", UnsupportedFormatError, "regular grid"),
        ("0 0 1\n1 nan 1\n", CorruptFileError, "point 2 has no position"),
        ("0 0 1\n1000000 1 1\n1 1000000 1\n", BallisticsError, "in no unit"),
        ("0 0 1\n0 1 1_0\n1 0 1\n", CorruptFileError, "line 2"),
        (b"\x00\x01\x02\x03 1 2 3", UnsupportedFormatError, "no text"),
        ("", UnsupportedFormatError, "no list of points"),
    ],
)
def test_what_is_no_list_is_refused(tmp_path, text, error, words):
    with pytest.raises(error, match=words):
        read(tmp_path, text, name="a.txt", spacing_um=1.0)


def test_inspection_gives_the_spacing(tmp_path):
    (tmp_path / "a.csv").write_text(listed(separator=","))
    (row,) = ballistics.inspect(tmp_path, spacing_um=STEP)
    assert (row.verdict, row.format) == ("readable with findings", "point text")


@pytest.mark.parametrize(
    ("head", "line", "options"),
    [
        ("x [mm]; z [µm]\n", "{x_mm:.6f};{z:.5f}", {}),
        ("z [µm], x [mm]\n", "{z:.5f},{x_mm:.6f}", {}),
        ("Position in mm\n", "{x_mm:.6f}\t{z_mm:.8f}", {}),
        ("", "{x:.4f} {z:.5f}", {"units": "micrometres"}),
        ("", "{x:.4f} 0.0 {z:.5f}", {"units": "micrometres"}),
        ("", "{x:.4f} {z:.5f}", {"spacing_um": 0.645}),
    ],
)
def test_a_list_of_x_and_z_is_a_profile(tmp_path, head, line, options):
    x, z = np.arange(600) * 0.645, UM.ravel()[:600]
    lines = [line.format(x=a, x_mm=a / 1000, z=b, z_mm=b / 1000) for a, b in zip(x, z, strict=True)]
    found = read(tmp_path, head + "\n".join(lines) + "\n", **options)
    assert found.kind == "profile"
    assert found.heights_um.shape == (1, 600)
    np.testing.assert_allclose(found.heights_um[0], z, atol=1e-4)
    assert found.spacing_um == pytest.approx((0.645, 0.645), rel=1e-4)


def test_a_profile_has_gaps_and_states_its_unit(tmp_path):
    text = "x [µm] z [µm]\n" + "".join(f"{k * 0.5} {'NaN' if k == 7 else k % 5}\n" for k in range(800) if k != 20)
    found = read(tmp_path, text)
    assert np.flatnonzero(np.isnan(found.heights_um[0])).tolist() == [7, 20]
    with pytest.raises(UnsupportedFormatError, match="unit"):
        read(tmp_path, text.split("\n", 1)[1])
    with pytest.raises(UnsupportedFormatError, match="regular grid"):
        read(tmp_path, "x [µm] z [µm]\n0 1\n1 2\n1.4 3\n9 1\n11.7 2\n")
