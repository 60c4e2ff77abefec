"""Meshes as text as people have them: comments, line ends, encodings, spellings, cut off: right, or a clear word."""

from __future__ import annotations

import importlib.util

import mesh_samples as samples
import numpy as np
import pytest

from ballistics.errors import CorruptFileError, UnsupportedFormatError
from ballistics.printed.files.reading import read_parts
from ballistics_kernels.meshes.surface_moments import area_and_centroid

BOX = samples.box((30.0, 20.0, 10.0))
TEXTS = {
    "box.obj": samples.obj(BOX),
    "box.ply": samples.ply(BOX),
    "box.off": samples.off(BOX),
    "box.stl": samples.stl_ascii(BOX, "box"),
}


def read(tmp_path, data, name):
    path = tmp_path / name
    path.write_bytes(data)
    return read_parts(path)


def codes(found):
    return {finding.code for finding in found.findings}


def is_the_box(found):
    (part,) = found.parts
    assert np.ptp(part.vertices_mm, axis=0) == pytest.approx([30, 20, 10])
    assert area_and_centroid(part.vertices_mm, part.faces)[4] == pytest.approx(6000)
    assert not part.findings


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("end", [b"\r", b"\r\n", b"\n\n", b" \n", b"\t\r\n"])
def test_line_ends(tmp_path, name, end):
    found = read(tmp_path, TEXTS[name].replace(b"\n", end), name)
    is_the_box(found)
    assert "ends-in-the-middle" not in codes(found)


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("end", ["\n", "\r"])
def test_encodings(tmp_path, name, encoding, end):
    found = read(tmp_path, TEXTS[name].decode().replace("\n", end).encode(encoding), name)
    is_the_box(found)
    assert ("text-encoding" in codes(found)) == (encoding != "utf-8-sig")
    assert found.format.lower() == name[-3:]
    assert found.parts[0].name == "box"


def test_an_xml_document_in_utf_16(tmp_path):
    text = samples.amf(BOX).decode().replace('<?xml version="1.0"?>', '<?xml version="1.0" encoding="utf-16"?>')
    is_the_box(read(tmp_path, text.encode("utf-16"), "box.amf"))
    is_the_box(read(tmp_path, text.replace("utf-16", "utf-8").encode("utf-8-sig"), "box.amf"))


# --- OBJ -----------------------------------------------------------------------------------------

COMMENTS = {
    "before all": lambda t: b"# made from C:\\models\\\n" + t,
    "before a face": lambda t: t.replace(b"f 1", b"# surfaces of C:\\cad\\\nf 1", 1),
    "between vertices": lambda t: t.replace(b"\nv ", b"\n# C:\\cad\\ \nv ", 3),
    "behind a face": lambda t: t.replace(b"\n", b" # a remark\n"),
    "behind everything, with a backslash": lambda t: t.replace(b"\n", b" # C:\\x\\\n"),
    "without a blank": lambda t: t.replace(b"\n", b"#remark\n"),
    "indented": lambda t: t.replace(b"\n", b"\n   # C:\\x\\\n"),
    "a folder as material": lambda t: b"mtllib C:\\models\\\n" + t.replace(b"f 1", b"usemtl C:\\m\\\nf 1", 1),
    "a folder as object": lambda t: b"o C:\\models\\\ng C:\\models\\\n" + t,
    "continued": lambda t: t.replace(b"f 1", b"f \\\n1"),
    "continued with blanks": lambda t: t.replace(b"f 1", b"f \\  \r\n1"),
    "continued, with a comment between": lambda t: t.replace(b"f 1", b"f \\\n# C:\\x\\\n1"),
    "continued at the end": lambda t: t + b" \\",
}


@pytest.mark.parametrize("way", COMMENTS)
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_comments_and_backslashes_of_obj(tmp_path, way, end):
    found = read(tmp_path, COMMENTS[way](TEXTS["box.obj"]).replace(b"\r", b"").replace(b"\n", end), "box.obj")
    (part,) = found.parts
    assert len(part.faces) == 12
    assert not part.findings
    assert area_and_centroid(part.vertices_mm, part.faces)[4] == pytest.approx(6000)


def test_names_of_obj_keep_their_signs(tmp_path):
    assert read(tmp_path, b"o lid#2\n" + TEXTS["box.obj"], "box.obj").parts[0].name == "lid#2"


def test_a_face_of_obj_cut_off(tmp_path):
    assert "faces-short" in codes(read(tmp_path, TEXTS["box.obj"] + b"\nf 1 2", "box.obj"))


# --- numbers -------------------------------------------------------------------------------------

MANY = samples.together(*(samples.box((30.0, 20.0, 10.0), (300.0 * k, 0, 0)) for k in range(20)))


@pytest.mark.parametrize(
    "word", ["nan", "-nan(ind)", "1.#QNAN", "-1.#IND", "1.#INF", "-1.#IND00", "inf", "nan(0x8000)"]
)
@pytest.mark.parametrize("name", ["m.obj", "m.ply", "m.off", "m.stl"])
def test_missing_numbers(tmp_path, word, name):
    vertices, faces = samples.together(
        MANY, (np.array([[0.0, 0, 0], [5, 0, 0], [77.5, 99.25, 1]]), np.array([[0, 1, 2]]))
    )
    make = {"obj": samples.obj, "ply": samples.ply, "off": samples.off, "stl": samples.stl_ascii}[name[2:]]
    found = read(tmp_path, make((vertices, faces)).replace(b"99.25", word.encode()), name)
    assert len(found.parts) == 20
    assert all("vertices-not-finite" in codes(part) for part in found.parts)
    text = make(BOX).replace(b"30.0", word.encode())
    with pytest.raises(CorruptFileError, match="not numbers"):
        read(tmp_path, text, name)


@pytest.mark.parametrize("name", TEXTS)
def test_decimal_commas_are_refused_by_name(tmp_path, name):
    with pytest.raises(CorruptFileError, match="decimal comma"):
        read(tmp_path, TEXTS[name].replace(b"30.0", b"30,0"), name)


# --- STL -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"endloop", b"end loop"), (b"endloop", b"ENDLOOP"), (b"endloop", b"End Loop"), (b"endfacet", b"end facet"),
        (b"endfacet", b""), (b"endsolid", b"end solid"), (b"outer loop", b"outer  loop"), (b"outer loop", b"OuterLoop"),
        (b"solid box\n facet", b"\n facet"), (b"   vertex", b"\tVERTEX\t"), (b"facet normal 0 0 0", b"facet"),
    ],
)  # fmt: skip
def test_spellings_of_stl(tmp_path, old, new):
    found = read(tmp_path, TEXTS["box.stl"].replace(old, new), "seized.stl")
    is_the_box(found)
    assert "ends-in-the-middle" not in codes(found)


def test_text_stl_is_known_by_its_words(tmp_path):
    for head in (b"", b"\n\n  ", b"\xef\xbb\xbf  "):
        found = read(tmp_path, head + TEXTS["box.stl"].partition(b"\n")[2], "seized")
        assert found.format == "STL"
        is_the_box(found)


def test_solids_of_a_text_with_cr(tmp_path):
    text = TEXTS["box.stl"] + samples.stl_ascii(samples.wedge((200.0, 0, 0)), "wedge")
    for end in (b"\r", b"\r\n", b"\n"):
        assert [part.name for part in read(tmp_path, text.replace(b"\n", end), "a.stl").parts] == ["box", "wedge"]


def test_text_without_loops_is_refused_with_the_reason(tmp_path):
    with pytest.raises(CorruptFileError, match="no facet with 'outer loop'"):
        read(tmp_path, TEXTS["box.stl"].replace(b"outer loop", b"").replace(b"endloop", b""), "a.stl")


@pytest.mark.parametrize("missing", [1, 49, 50, 51, 333])
def test_binary_stl_that_was_cut_off(tmp_path, missing):
    whole = samples.stl_binary(BOX)
    found = read(tmp_path, whole[: len(whole) - missing], "a.stl")
    assert len(found.parts[0].faces) == 12 - -(-missing // 50)
    (finding,) = [f for f in found.findings if f.code == "ends-in-the-middle"]
    assert finding.severity == "serious"
    assert "12 triangles" in finding.message


def test_text_stl_that_was_cut_off(tmp_path):
    text = TEXTS["box.stl"]
    between = text[: text.rfind(b"endfacet") + len(b"endfacet")]
    assert "ends-in-the-middle" in codes(read(tmp_path, between, "a.stl"))
    inside = text[: text.rfind(b"outer loop") + 20]
    assert {"ends-in-the-middle", "facet-cut-off"} <= codes(read(tmp_path, inside, "a.stl"))


# --- PLY, OFF ------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["ascii", "binary_little_endian", "binary_big_endian"])
@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n", b" \n"])
def test_headers_of_ply(tmp_path, encoding, end):
    whole = samples.ply(BOX, encoding)
    at = whole.index(b"end_header\n") + len(b"end_header\n")
    head = whole[:at].replace(b"comment by a test", b"comment no end_header yet")
    found = read(tmp_path, head.replace(b"\n", end) + whole[at:], "box.ply")
    is_the_box(found)


def test_a_binary_ply_with_cr_whose_first_byte_is_lf(tmp_path):
    vertices = BOX[0].copy()
    vertices[0, 0] = np.frombuffer(b"\x0a\0\0\0", "<f4")[0]
    whole = samples.ply((vertices, BOX[1]), "binary_little_endian")
    at = whole.index(b"end_header\n") + len(b"end_header\n")
    assert whole[at : at + 1] == b"\n"
    for end in (b"\n", b"\r", b"\r\n"):
        found = read(tmp_path, whole[:at].replace(b"\n", end) + whole[at:], "box.ply")
        assert np.ptp(found.parts[0].vertices_mm, axis=0) == pytest.approx([30, 20, 10])


@pytest.mark.parametrize("encoding", ["ascii", "binary_little_endian", "binary_big_endian"])
@pytest.mark.parametrize("mixed", [False, True])
def test_ply_that_was_cut_off(tmp_path, encoding, mixed):
    whole = samples.ply(MANY, encoding)
    if mixed and encoding == "ascii":
        whole = whole.replace(b"\n3 0 1 3\n", b"\n4 0 1 3 2\n")
    cut = whole[: len(whole) - len(whole) // 10]
    found = read(tmp_path, cut, "m.ply")
    assert [f.severity for f in found.findings if f.code == "ends-in-the-middle"] == ["serious"]
    assert 100 < sum(len(part.faces) for part in found.parts) < 240
    with pytest.raises(CorruptFileError):
        read(tmp_path, whole[: len(whole) // 3], "m.ply")


def test_off_that_was_cut_off(tmp_path):
    whole = samples.off(MANY)
    found = read(tmp_path, whole[: -len(whole) // 10], "m.off")
    assert "ends-in-the-middle" in codes(found)
    with pytest.raises(CorruptFileError, match="truncated"):
        read(tmp_path, whole[: len(whole) // 3], "m.off")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"OFF\n8 12 0", b"\t    OFF8 12 0 # or not"), (b"OFF\n8 12 0", b"OFF # a\n# b\n\n8 12 0"), (b"OFF", b"off"),
        (b"OFF\n8 12 0", b"OFF\n8\n12\n0"), (b"OFF\n8 12 0", b"OFF 8 12"), (b"OFF\n8 12 0", b"OFF\n8 12"),
        (b"OFF\n8 12 0", b"OFF\n8\n12"), (b"OFF\n8 12 0", b"8 12 0"), (b"30.0 20.0 10.0", b"30.0\n20.0\n10.0"),
        (b"3 0 1 3", b"3\n0 1\n3"), (b"\n3 0", b"\n  3   0"), (b"OFF\n", b"COFF\n"), (b"10.0\n", b"10.0 255 0 0\n"),
    ],
)  # fmt: skip
def test_blanks_and_comments_of_off(tmp_path, old, new):
    assert old in TEXTS["box.off"]
    is_the_box(read(tmp_path, TEXTS["box.off"].replace(old, new), "box.off"))


def test_off_with_a_number_missing_is_not_shifted(tmp_path):
    with pytest.raises(CorruptFileError, match="too few numbers"):
        read(tmp_path, TEXTS["box.off"].replace(b"30.0 20.0 10.0", b"30.0 20.0"), "box.off")
    with pytest.raises(UnsupportedFormatError, match="three dimensions"):
        read(tmp_path, TEXTS["box.off"].replace(b"OFF", b"4OFF"), "box.off")


# --- STEP ----------------------------------------------------------------------------------------

# Every file is converted by a process of its own.
_SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    ("unit", "body", "mm"),
    [
        pytest.param("millimetre", "(LENGTH_UNIT()NAMED_UNIT(*)SI_UNIT(.MILLI.,.METRE.))", 1.0, marks=_SLOW),
        pytest.param(
            "centimetre", "(LENGTH_UNIT()NAMED_UNIT(*)SI_UNIT(.CENTI.,.METRE.))", 10.0, marks=pytest.mark.slow
        ),
        pytest.param("metre", "( LENGTH_UNIT() NAMED_UNIT(*) SI_UNIT($,.METRE.) )", 1000.0, marks=_SLOW),
        pytest.param("inch", "(CONVERSION_BASED_UNIT('INCH',#60)LENGTH_UNIT()NAMED_UNIT(#61))", 25.4, marks=_SLOW),
        pytest.param("foot", "(CONVERSION_BASED_UNIT('FOOT',#63)LENGTH_UNIT()NAMED_UNIT(#61))", 304.8, marks=_SLOW),
    ],
)
def test_the_unit_that_a_step_file_announces(tmp_path, unit, body, mm):
    if importlib.util.find_spec("cascadio") is None:
        pytest.skip("the extra 'step' is not installed")
    more = (
        "#60=LENGTH_MEASURE_WITH_UNIT(LENGTH_MEASURE(25.4),#62);\n"
        "#61=DIMENSIONAL_EXPONENTS(1.,0.,0.,0.,0.,0.,0.);\n#62=(LENGTH_UNIT()NAMED_UNIT(*)SI_UNIT(.MILLI.,.METRE.));\n"
        "#63=LENGTH_MEASURE_WITH_UNIT(LENGTH_MEASURE(0.3048),#64);\n#64=(LENGTH_UNIT()NAMED_UNIT(*)SI_UNIT($,.METRE.));"
    )
    text = samples.STEP_CYLINDER.replace(
        "#8=(LENGTH_UNIT()NAMED_UNIT(*)SI_UNIT(.MILLI.,.METRE.));", f"#8={body};\n{more}"
    )
    path = tmp_path / "can.step"
    path.write_text(text)
    found = read_parts(path)
    assert found.unit == unit
    assert np.ptp(found.parts[0].vertices_mm, axis=0) == pytest.approx([20 * mm, 20 * mm, 30 * mm], rel=0.01)
    taken = read_parts(path, unit="millimetre")
    assert np.ptp(taken.parts[0].vertices_mm, axis=0) == pytest.approx([20, 20, 30], rel=0.01)
    assert ("unit-overridden" in codes(taken)) == (unit != "millimetre")
