"""X3P in every spelling: features, types, layouts, checksums, masks."""

from __future__ import annotations

import zipfile

import cv2
import numpy as np
import pytest
import x3pio
from x3p_samples import axis, grid_axes, link, main_xml, matrix, pack, sample_heights, write_x3p_sample

import ballistics
from ballistics.errors import CorruptFileError, ParameterError, UnsupportedFormatError

NAN = float("nan")


def codes(surface):
    return [finding.code for finding in surface.findings]


def severity(surface, code):
    return next(finding.severity for finding in surface.findings if finding.code == code)


def test_plain_file_has_no_findings(tmp_path):
    surface = ballistics.read(write_x3p_sample(tmp_path / "a.x3p"))
    np.testing.assert_array_equal(surface.heights_um, sample_heights() * 1e6)
    assert surface.findings == ()
    assert surface.kind == "topography"
    assert surface.spacing_um == (5.0, 5.0)
    assert surface.metadata["date"] == "2020-01-02T03:04:05"
    assert surface.heights_um.flags.c_contiguous


@pytest.mark.parametrize(("code", "dtype"), [("I", "<i2"), ("L", "<i4"), ("F", "<f4"), ("D", "<f8")])
def test_data_types(tmp_path, code, dtype):
    integers = code in "IL"
    values = np.arange(70 * 80).reshape(70, 80) - 2000
    raw = (values if integers else values * 1e-9).astype(dtype)
    axes = axis("CX", "I") + axis("CY", "I") + axis("CZ", "A", code, "1e-9", "2e-6")
    surface = ballistics.read(write_x3p_sample(tmp_path / "a.x3p", raw.tobytes(), axes=axes))
    expected = (raw.astype(float) * (1e-9 if integers else 1.0) + 2e-6) * 1e6
    np.testing.assert_array_equal(surface.heights_um, expected)
    assert codes(surface) == ([] if integers else ["increment-not-applied"])


def test_anisotropic_spacing_is_row_then_column(tmp_path):
    surface = ballistics.read(write_x3p_sample(tmp_path / "a.x3p", axes=grid_axes("D", "5e-6", "10e-6")))
    assert surface.spacing_um == pytest.approx((10.0, 5.0))
    assert surface.extent_um == pytest.approx((700.0, 400.0))


def test_x_runs_fastest(tmp_path):
    heights = np.zeros((70, 80))
    heights[0, 1] = 1e-6
    surface = ballistics.read(write_x3p_sample(tmp_path / "a.x3p", heights.tobytes()))
    assert surface.heights_um[0, 1] == pytest.approx(1.0)


def test_layers(tmp_path):
    data = np.stack([sample_heights(seed=1), sample_heights(seed=2)])
    path = write_x3p_sample(tmp_path / "a.x3p", data.tobytes(), size=matrix(80, 70, 2))
    for layer in (0, 1):
        surface = ballistics.read(path, layer=layer)
        np.testing.assert_array_equal(surface.heights_um, data[layer] * 1e6)
        assert codes(surface) == ["several-layers"]
    with pytest.raises(ParameterError, match="the file has 2"):
        ballistics.read(path, layer=2)


def test_x3pio_orders_layers_and_listed_axes_likewise(tmp_path):
    data = np.stack([sample_heights(seed=1), sample_heights(seed=2)])
    path = write_x3p_sample(tmp_path / "a.x3p", data.tobytes(), size=matrix(80, 70, 2))
    theirs = x3pio.read(path)
    for layer in (0, 1):
        np.testing.assert_allclose(ballistics.read(path, layer=layer).heights_um, theirs.layers[layer].z * 1e6)
    rng = np.random.Generator(np.random.PCG64(3))
    record = np.zeros(200, dtype=[("x", "<f4"), ("y", "<f8"), ("z", "<f4")])
    record["x"], record["y"], record["z"] = rng.random((3, 200)) * [[1e-3], [1e-3], [1e-5]]
    axes = axis("CX", "A", "F", "1") + axis("CY", "A", "D", "1") + axis("CZ", "A", "F", "1")
    size = "<ListDimension>200</ListDimension>"
    path = write_x3p_sample(tmp_path / "b.x3p", record.tobytes(), feature="PCL", size=size, axes=axes)
    ours, cloud = ballistics.read(path), x3pio.read(path).layers[0]
    np.testing.assert_allclose(ours.heights_um[0], cloud.z * 1e6)
    np.testing.assert_allclose(ours.coordinates_um[0], np.stack([cloud.x, cloud.y], axis=-1) * 1e6)


def test_valid_bits_mark_missing_points(tmp_path):
    values = np.arange(70 * 80, dtype="<i2").reshape(70, 80)
    valid = np.ones(70 * 80, dtype=bool)
    valid[[7, 100, 5599]] = False
    bits = np.packbits(valid, bitorder="little").tobytes()
    path = write_x3p_sample(tmp_path / "a.x3p", values.tobytes(), valid=bits, axes=grid_axes("I", z_increment="1e-9"))
    surface = ballistics.read(path)
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(surface.heights_um)), [7, 100, 5599])
    assert codes(surface) == ["points-marked-missing"]


def test_profile_with_listed_positions(tmp_path):
    n = 500
    record = np.zeros(n, dtype=[("x", "<f8"), ("z", "<f4")])
    record["x"], record["z"] = np.arange(n) * 2e-6 + 1e-4, np.sin(np.arange(n)) * 1e-6
    axes = axis("CX", "A", "D", None) + axis("CY", "I") + axis("CZ", "A", "F", None)
    path = write_x3p_sample(tmp_path / "a.x3p", record.tobytes(), feature="PRF", size=matrix(n, 1), axes=axes)
    surface = ballistics.read(path)
    assert surface.kind == "profile"
    assert surface.heights_um.shape == (1, n)
    np.testing.assert_allclose(surface.coordinates_um[0, :, 0], record["x"] * 1e6, rtol=1e-15)
    assert surface.spacing_um[1] == pytest.approx(2.0)
    assert codes(surface) == ["axis-absolute"]


def test_uneven_positions_are_a_serious_finding(tmp_path):
    n = 500
    record = np.zeros(n, dtype=[("x", "<f8"), ("z", "<f8")])
    record["x"] = np.cumsum(np.where(np.arange(n) % 7 == 0, 4e-6, 2e-6))
    axes = axis("CX", "A", "D", None) + axis("CY", "I") + axis("CZ", "A", "D", None)
    path = write_x3p_sample(tmp_path / "a.x3p", record.tobytes(), feature="PRF", size=matrix(n, 1), axes=axes)
    assert severity(ballistics.read(path), "grid-irregular") == "serious"


def test_point_cloud(tmp_path):
    rng = np.random.Generator(np.random.PCG64(3))
    record = (rng.random((200, 3)) * [1e-3, 1e-3, 1e-5]).astype("<f8")
    axes = "".join(axis(name, "A", "D", None) for name in ("CX", "CY", "CZ"))
    size = "<ListDimension>200</ListDimension>"
    surface = ballistics.read(
        write_x3p_sample(tmp_path / "a.x3p", record.tobytes(), feature="PCL", size=size, axes=axes)
    )
    assert surface.kind == "points"
    np.testing.assert_array_equal(surface.coordinates_um[0], record[:, :2] * 1e6)
    np.testing.assert_array_equal(surface.heights_um[0], record[:, 2] * 1e6)


def test_data_in_the_document(tmp_path):
    heights = sample_heights(3, 120)
    datums = "".join("<Datum/>" if np.isnan(h) else f"<Datum>{h!r}</Datum>" for h in heights.ravel().tolist())
    document = main_xml(size=matrix(120, 3), data=f"<DataList>{datums}</DataList>")
    surface = ballistics.read(pack(tmp_path / "a.x3p", {"main.xml": document}))
    np.testing.assert_array_equal(surface.heights_um, heights * 1e6)
    assert codes(surface) == ["checksum-missing"]


@pytest.mark.parametrize(
    ("datums", "words"),
    [
        ("<Datum>1e-6</Datum>", "holds 1 points"),
        ("<Datum>1e-6</Datum>" * 361, "more than the 360"),
        ("<Datum>1;2</Datum>" * 360, "1 numbers are needed"),
        ("<Datum>abc</Datum>" * 360, "not a number"),
        ("<Other/>", "only Datum"),
    ],
)
def test_data_in_the_document_that_do_not_fit(tmp_path, datums, words):
    document = main_xml(size=matrix(120, 3), data=f"<DataList>{datums}</DataList>")
    with pytest.raises(CorruptFileError, match=words):
        ballistics.read(pack(tmp_path / "a.x3p", {"main.xml": document}))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ISO5436 - 2000", []),
        ("ISO25178-72:2017/DAM1", []),
        ("ISO5436-2000", ["revision-unusual"]),
        ("ISO5436 – 2000", ["revision-unusual"]),
        ("ISO5436—2000", ["revision-unusual"]),
        ("ISO5436 -2000", ["revision-unusual"]),
        ("ISO9999", ["revision-unknown"]),
    ],
)
def test_revisions(tmp_path, text, expected):
    surface = ballistics.read(write_x3p_sample(tmp_path / "a.x3p", revision=f"<Revision>{text}</Revision>"))
    assert codes(surface) == expected
    assert surface.metadata["revision"] == text


@pytest.mark.parametrize(
    ("parts", "code", "level"),
    [
        ({"folder": "scan one/"}, "root-nested", "note"),
        ({"root": "ISO5436_2", "xmlns": ""}, "root-not-namespaced", "note"),
        ({"root": "p:ISO5436"}, "root-unusual", "warning"),
        ({"xmlns": 'xmlns:p="urn:else"'}, "namespace-unusual", "note"),
        ({"revision": ""}, "revision-missing", "note"),
        ({"record2": "<Record2><Date>last Tuesday</Date></Record2>"}, "date-free-text", "note"),
        ({"rotation": "<Rotation><r11>0</r11><r12>1</r12></Rotation>"}, "rotation-not-identity", "warning"),
        ({"axes": grid_axes("D", "-5e-6")}, "increment-negative", "serious"),
        ({"feature": "PRF"}, "feature-type-disagrees", "warning"),
        ({"feature": "PCL"}, "feature-type-disagrees", "warning"),
        ({"checksum": None}, "checksum-missing", "warning"),
        ({"checksum": "0" * 32}, "checksum-wrong", "serious"),
        ({"checksum": ""}, "checksum-missing", "warning"),
    ],
)
def test_oddities_are_findings_and_the_heights_stay(tmp_path, parts, code, level):
    surface = ballistics.read(write_x3p_sample(tmp_path / "a.x3p", **parts))
    np.testing.assert_array_equal(surface.heights_um, sample_heights() * 1e6)
    assert codes(surface) == [code]
    assert severity(surface, code) == level


def test_identity_rotation_is_no_finding(tmp_path):
    rotation = "<Rotation><r11>1.0</r11><r12>0</r12><r22>1</r22><r33>1</r33></Rotation>"
    assert ballistics.read(write_x3p_sample(tmp_path / "a.x3p", rotation=rotation)).findings == ()


def test_free_text_date_is_kept(tmp_path):
    record2 = "<Record2><Date>Date of Calibration</Date></Record2>"
    assert (
        ballistics.read(write_x3p_sample(tmp_path / "a.x3p", record2=record2)).metadata["date"] == "Date of Calibration"
    )


@pytest.mark.parametrize(("dtype", "code", "bits"), [("<f8", "D", 0x7FF00000000007A2), ("<f4", "F", 0x7F8007A2)])
def test_signalling_nan_becomes_quiet_and_infinities_missing(tmp_path, dtype, code, bits):
    raw = np.zeros((70, 80), dtype=dtype)
    unsigned = raw.view(f"<u{raw.itemsize}")
    unsigned[1, 2] = bits  # R's NA
    raw[3, 4], raw[5, 6], raw[7, 8] = np.inf, -np.inf, np.nan
    surface = ballistics.read(write_x3p_sample(tmp_path / "a.x3p", raw.tobytes(), axes=grid_axes(code)))
    missing = surface.heights_um[np.isnan(surface.heights_um)]
    assert missing.size == 4
    assert set(missing.view(np.uint64).tolist()) == {0x7FF8000000000000}
    messages = {finding.code: finding.message for finding in surface.findings}
    assert set(messages) == {"signalling-nan", "infinite-made-missing"}
    assert messages["signalling-nan"].startswith("1 ")
    assert messages["infinite-made-missing"].startswith("2 ")
    assert np.nanmin(surface.heights_um) == 0.0


def test_all_missing_is_a_serious_finding(tmp_path):
    path = write_x3p_sample(tmp_path / "a.x3p", np.full((70, 80), np.nan).tobytes())
    assert severity(ballistics.read(path), "no-valid-points") == "serious"


def _png(image):
    return cv2.imencode(".png", image)[1].tobytes()


def test_label_mask(tmp_path):
    image = np.zeros((70, 80, 3), np.uint8)
    image[10:20, 30:60] = (0x11, 0x22, 0xEE)  # blue, green, red
    mask = (
        '<Mask><Background>#CD7F32</Background><Annotations><Annotation color="#EE2211FF">'
        "breech face</Annotation></Annotations></Mask>"
    )
    path = write_x3p_sample(tmp_path / "a.x3p", mask=mask, extra={"bindata/mask.png": _png(image)})
    surface = ballistics.read(path)
    assert codes(surface) == ["mask-present"]
    np.testing.assert_array_equal(surface.metadata["mask"], image[..., ::-1])
    assert surface.metadata["mask_annotations"] == {"#ee2211": "breech face"}
    assert surface.metadata["mask_background"] == "#cd7f32"


def test_cadre_mask_runs_backwards(tmp_path):
    image = np.zeros((70, 80), np.uint8)
    image[:, :10] = 255
    surface = ballistics.read(write_x3p_sample(tmp_path / "a.x3p", extra={"bindata/mask.bin": _png(image)}))
    np.testing.assert_array_equal(surface.metadata["mask"][..., 0], image[:, ::-1])


@pytest.mark.parametrize(
    ("content", "code"),
    [(_png(np.zeros((3, 4), np.uint8)), "mask-size-differs"), (b"no image", "mask-unreadable")],
)
def test_masks_that_cannot_be_used(tmp_path, content, code):
    surface = ballistics.read(write_x3p_sample(tmp_path / "a.x3p", extra={"mask.png": content}))
    assert codes(surface) == [code]
    assert "mask" not in surface.metadata


def test_damaged_mask_is_silent_and_ignored(tmp_path, capfd):
    data = bytearray(_png(np.random.Generator(np.random.PCG64(0)).integers(0, 255, (70, 80), np.uint8)))
    data[60] ^= 0xFF
    surface = ballistics.read(write_x3p_sample(tmp_path / "a.x3p", extra={"mask.png": bytes(data)}))
    assert codes(surface) == ["mask-unreadable"]
    assert capfd.readouterr() == ("", "")


def test_mask_part_that_claims_gigabytes_never_reaches_the_decoder(tmp_path, monkeypatch):
    data = bytearray(_png(np.zeros((70, 80), np.uint8)))
    data[33:37] = b"\x65\x00\x00\x00"  # the length of the image part
    monkeypatch.setattr("ballistics.surfaces.formats.x3p.extras.decode_image", pytest.fail)
    surface = ballistics.read(write_x3p_sample(tmp_path / "a.x3p", extra={"mask.png": bytes(data)}))
    assert codes(surface) == ["mask-unreadable"]


@pytest.mark.parametrize(
    ("parts", "error", "words"),
    [
        ({"root": "Other"}, UnsupportedFormatError, "root element"),
        ({"feature": "XYZ"}, UnsupportedFormatError, "FeatureType"),
        ({"axes": grid_axes("Q")}, UnsupportedFormatError, "DataType"),
        ({"axes": axis("CX", "I") + axis("CY", "I") + axis("CZ", "I")}, UnsupportedFormatError, "CZ"),
        ({"axes": axis("CX", "I") + axis("CY", "I")}, CorruptFileError, "CZ is missing"),
        ({"axes": grid_axes("D", "0")}, CorruptFileError, "Increment"),
        ({"axes": grid_axes("D", "nan")}, CorruptFileError, "Increment"),
        ({"axes": grid_axes("D", "five")}, CorruptFileError, "Increment"),
        ({"axes": grid_axes("D", "1e999")}, CorruptFileError, "Increment"),
        ({"size": matrix(0, 70)}, CorruptFileError, "SizeX"),
        ({"size": matrix(-5, 70)}, CorruptFileError, "SizeX"),
        ({"size": "<MatrixDimension><SizeX>80</SizeX></MatrixDimension>"}, CorruptFileError, "SizeY"),
        ({"size": ""}, CorruptFileError, "neither MatrixDimension"),
        ({"size": matrix(81, 70)}, CorruptFileError, "need 45360"),
        ({"data": ""}, CorruptFileError, "neither a DataLink"),
        (
            {"data": "<DataLink><PointDataLink>other.bin</PointDataLink></DataLink>"},
            CorruptFileError,
            "does not hold",
        ),
        (
            {"data": "<DataLink><PointDataLink>../x</PointDataLink></DataLink>"},
            CorruptFileError,
            "not inside",
        ),
        ({"data": "<DataLink/>"}, CorruptFileError, "PointDataLink"),
    ],
)
def test_documents_that_cannot_be_read(tmp_path, parts, error, words):
    with pytest.raises(error, match=words):
        ballistics.read(write_x3p_sample(tmp_path / "a.x3p", **parts))


def test_backslash_member_names(tmp_path):
    data = sample_heights().tobytes()
    document = main_xml(data=link(data).replace("bindata/", "bindata\\"))
    path = pack(tmp_path / "a.x3p", {"main.xml": document, "bindata\\data.bin": data})
    assert codes(ballistics.read(path)) == ["names-with-backslash", "checksum-missing"]


def test_stored_members_read_like_deflated_ones(tmp_path):
    a = ballistics.read(write_x3p_sample(tmp_path / "a.x3p", method=zipfile.ZIP_STORED))
    b = ballistics.read(write_x3p_sample(tmp_path / "b.x3p"))
    assert a.provenance.inputs["array"] == b.provenance.inputs["array"]
    assert a.provenance.inputs["file"] != b.provenance.inputs["file"]


@pytest.mark.parametrize(
    ("name", "units", "shape", "spacing_um"),
    [
        ("root-ISO5436.x3p", "micrometres", None, 7.377),
        ("s01_root_ISO5436.x3p", None, (150, 200), 3.125),
    ],
)
def test_the_root_element_that_x3p_js_writes_is_read(formats, name, units, shape, spacing_um):
    surface = ballistics.read(formats.parent / "faults" / "files" / name, units=units)
    assert {"root-unusual", "root-not-namespaced"} <= set(codes(surface))
    assert severity(surface, "root-unusual") == "warning"
    assert shape in (None, surface.heights_um.shape)
    assert surface.spacing_um == pytest.approx((spacing_um, spacing_um), rel=1e-3)


def test_another_root_element_is_refused(tmp_path):
    with pytest.raises(UnsupportedFormatError, match="'sheet', not 'ISO5436_2'"):
        ballistics.read(write_x3p_sample(tmp_path / "a.x3p", root="p:sheet"))
