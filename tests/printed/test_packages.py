"""Packages: jobs in 3MF, UFP, zip and gzip; binary G-code; names in any spelling; meshes that are no solid part."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import struct
import zipfile
import zlib

import mesh_samples as samples
import numpy as np
import pytest
from job_samples import codes, is_the_box, job

from ballistics.errors import CorruptFileError, HostileFileError, UnsupportedFormatError
from ballistics.printed.files.reading import read_parts
from ballistics.printed.jobs.unpacking import heatshrink, meatpack
from ballistics.printed.shape_class.features import joined
from ballistics_kernels.meshes.surface_moments import area_and_centroid

WEDGE = samples.wedge()
FAR = samples.wedge((200.0, 0, 0))
JOB = "\n".join([*job(skirt=False), "M84", ""]).encode()
RELATIONS = b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">%s</Relationships>'


def read(tmp_path, data, name="seized.3mf", **options):
    path = tmp_path / name
    path.write_bytes(data)
    return read_parts(path, **options)


def roles(found):
    return [part.metadata.get("role", "") for part in found.parts]


TEXT = (
    b"; TYPE:Perimeter\nG1 X50.675 Y50.675 F6000\nG1 X79.325 Y50.675 E.96977\nG1 X79.325 Y69.325 E.63128\n"
    b"G1 X50.675 Y69.325 E.96977\nG1 X50.675 Y50.675 E.63128\n"
)
SHRUNK = {
    11: "ncgqlZqFFnVQstytNtst0styhVHmMgrE1mEum03msgrIA7UabTCYTABhJvOZdM5kAxNFl05m05m83AaybADrRZdNpnMZlOATsAagDWQaeA1c"
    "JXwK/CV8JXwlfCV8JXwlfCV8DVYBEZFM6JVbNd8RmdVu+Z3fd/w=",
    12: "ncgqlZqFFnVQstytNtst0styhVHmMgrE1mEum03msgrIAdqNNphMJgAYSbzmXTOZAGJosunM2nM3m4BrJsAHWiy6bTOYzKcATsANQA1kDTwD"
    "VwSvgK/BK+CV8Er4JXwSvglfBK+A1WARGRTOiVWzXfEZnVbvmd33f8A=",
}
PACKED = [
    255, 255, 251, 255, 255, 247, 255, 255, 250, 59, 32, 10, 255, 255, 251, 127, 77, 243, 32, 15, 80, 255, 32, 82, 195,
    127, 77, 243, 32, 15, 81, 255, 32, 83, 195, 47, 77, 16, 239, 32, 4, 0, 255, 32, 89, 4, 0, 255, 32, 90, 2, 240, 32,
    43, 5, 192, 47, 77, 48, 239, 32, 3, 240, 32, 63, 89, 0, 255, 32, 90, 4, 191, 32, 1, 192, 47, 77, 64, 255, 32, 80,
    4, 0, 255, 32, 82, 33, 0, 255, 32, 84, 4, 0,
]  # fmt: skip


# --- print jobs ----------------------------------------------------------------------------------


def test_plates_of_a_sliced_3mf(tmp_path):
    members = {f"Metadata/plate_{k}.gcode": JOB for k in (10, 2)}
    members["Metadata/plate_2.gcode.md5"] = hashlib.md5(JOB).hexdigest().upper().encode()
    members["Metadata/plate_2.png"] = b"\x89PNG\r\n\x1a\n"
    found = read(tmp_path, samples.three_mf(samples.model_xml(""), members), "plate.gcode.3mf")
    assert found.format == "G-code"
    assert [part.name for part in found.parts] == ["plate_2", "plate_10"]
    assert not {"extension-disagrees", "checksum-differs"} & codes(found)
    assert "thumbnail-present" in codes(found)
    for part in found.parts:
        assert np.ptp(part.vertices_mm, axis=0) == pytest.approx([20, 20, 4], abs=0.05)
    members["Metadata/plate_2.gcode.md5"] = b"0" * 32
    found = read(tmp_path, samples.three_mf(samples.model_xml(""), members), "plate.gcode.3mf")
    assert "checksum-differs" in codes(found)


def test_a_model_beside_a_job_is_read_and_the_job_named(tmp_path):
    model = samples.model_xml(f'<object id="1">{samples.mesh_xml(WEDGE)}</object>', '<item objectid="1"/>')
    found = read(tmp_path, samples.three_mf(model, {"Metadata/plate_1.gcode": JOB}))
    assert (found.format, len(found.parts)) == ("3MF", 1)
    (finding,) = [f for f in found.findings if f.code == "job-beside-model"]
    assert "Metadata/plate_1.gcode" in finding.message


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("job.ufp", samples.archive({"3D/model.gcode": JOB, "_rels/.rels": RELATIONS % b""})),
        ("job.zip", samples.archive({"my job.GCODE": JOB})),
        ("job.gcode.gz", gzip.compress(JOB)),
        ("job.gz", gzip.compress(JOB[:700]) + gzip.compress(JOB[700:])),
    ],
)
def test_packed_jobs(tmp_path, name, data):
    found = read(tmp_path, data, name)
    is_the_box(found)
    assert "extension-disagrees" not in codes(found)


def test_gzip_of_any_mesh_and_its_limits(tmp_path):
    found = read(tmp_path, gzip.compress(samples.stl_binary(WEDGE)), "wedge.stl.gz")
    assert "packed-by-gzip" in codes(found)
    assert area_and_centroid(found.parts[0].vertices_mm, found.parts[0].faces)[4] == pytest.approx(4000)
    with pytest.raises(HostileFileError, match="bomb"):
        read(tmp_path, gzip.compress(b" " * 200_000_000), "bomb.stl.gz")
    with pytest.raises(HostileFileError, match="twice"):
        read(tmp_path, gzip.compress(gzip.compress(JOB)), "twice.gz")
    with pytest.raises(CorruptFileError, match="gzip"):
        read(tmp_path, b"\x1f\x8b" + b"\x55" * 100, "broken.gz")
    cut = read(tmp_path, gzip.compress(JOB)[: len(gzip.compress(JOB)) * 2 // 3], "cut.gcode.gz")
    assert {"packed-cut-off", "ends-in-the-middle"} <= codes(cut)


SETTINGS = samples.block(2, b"filament_diameter=1.75\n", packing=1)
ABOUT = samples.block(0, b"Producer=a slicer 2.7\n")


@pytest.mark.parametrize("packing", [0, 1])
def test_binary_gcode(tmp_path, packing):
    parts = [samples.block(1, JOB[k : k + 1000], packing=packing) for k in range(0, len(JOB), 1000)]
    found = read(tmp_path, samples.bgcode(ABOUT, samples.block(5, b"\x89PNG"), SETTINGS, *parts), "job.bgcode")
    is_the_box(found)
    assert found.metadata["generated by"] == "a slicer 2.7"
    assert found.metadata["filament_diameter"] == "1.75"
    assert [thumbnail.data for thumbnail in found.thumbnails] == [b"\x89PNG"]
    assert not {"block-damaged", "filament-diameter-assumed", "extension-disagrees"} & codes(found)
    plain = [samples.block(1, JOB, packing=packing, checked=False)]
    is_the_box(read(tmp_path, samples.bgcode(*plain, checked=False), "job.bgcode"))


def test_heatshrink_and_meatpack_of_others():
    """What the reference programs made of known texts (heatshrink2 0.15; an example of the crate meatpack)."""
    text = TEXT * 2 + bytes(range(0, 256, 17))
    for bits, packed in SHRUNK.items():
        data = base64.b64decode(packed)
        assert heatshrink(data, len(text), bits, 4) == text
        with pytest.raises(CorruptFileError, match="ends after"):
            heatshrink(data, len(text) + 500, bits, 4)
    assert heatshrink(b"\xb0\x80\x07\x80", 17, 11, 4) == b"a" * 17
    with pytest.raises(CorruptFileError, match="before its start"):
        heatshrink(b"\x00\x20\x00\x00", 9, 11, 4)
    assert meatpack(bytes(PACKED)) == (
        b"; \nM73 P0 R3\nM73 Q0 S3\nM201 X4000 Y4000 Z200 E2500\nM203 X300 Y300 Z40 E100\nM204 P4000 R1200 T4000"
    )


def shrunk(data, bits):
    """Pack by heatshrink, as it is specified, with the longest earlier text of up to 16 bytes."""
    out, at = "", 0
    while at < len(data):
        start = max(0, at - (1 << bits))
        for length in range(min(16, len(data) - at), 3, -1):
            found = data.rfind(data[at : at + length], start, at + length - 1)
            if found >= 0:
                out += f"0{at - found - 1:0{bits}b}{length - 1:04b}"
                at += length
                break
        else:
            out += f"1{data[at]:08b}"
            at += 1
    out += "0" * (-len(out) % 8)
    return int(out, 2).to_bytes(len(out) // 8, "big")


def meatpacked(text, spaces):
    """Pack by MeatPack as libbgcode does: comments plain, and without blanks in moves if so wished."""
    out = b"" if spaces else b"\xff\xff\xf7"
    letters = b"0123456789. \nGX" if spaces else b"0123456789.E\nGX"
    for line in text.splitlines(keepends=True):
        if line.startswith(b";"):
            out += b"\xff\xff\xfa" + line
            continue
        line = line if spaces else line.rstrip(b"\n").replace(b" ", b"") + b"\n"
        line += b"\n" * (len(line) % 2)
        out += b"\xff\xff\xfb"
        for a, b in zip(line[::2], line[1::2], strict=True):
            halves = [letters.find(c) if c in letters else 15 for c in (a, b)]
            out += bytes([halves[0] | halves[1] << 4, *(c for c, h in zip((a, b), halves, strict=True) if h == 15)])
    return out


@pytest.mark.parametrize("bits", [0, 11, 12])
@pytest.mark.parametrize("spaces", [None, True, False])
def test_binary_gcode_as_prusaslicer_packs_it(tmp_path, bits, spaces):
    blocks = []
    lines = JOB.splitlines(keepends=True)
    for k in range(0, len(lines), 60):
        data = text = b"".join(lines[k : k + 60])
        data = data if spaces is None else meatpacked(text, spaces)
        packed = shrunk(data, bits) if bits else data
        head = struct.pack("<HHL", 1, max(bits - 9, 0), len(data)) + (struct.pack("<L", len(packed)) if bits else b"")
        whole = head + struct.pack("<H", 0 if spaces is None else 2) + packed
        blocks.append(whole + struct.pack("<L", zlib.crc32(whole)))
    found = read(tmp_path, samples.bgcode(ABOUT, SETTINGS, *blocks), "job.bgcode")
    is_the_box(found)
    assert "block-damaged" not in codes(found)


@pytest.mark.parametrize(("packing", "encoding"), [(4, 0), (0, 3)])
def test_binary_gcode_whose_packing_is_not_read_is_refused_by_name(tmp_path, packing, encoding):
    data = samples.bgcode(ABOUT, samples.block(1, JOB, packing=packing, encoding=encoding))
    with pytest.raises(UnsupportedFormatError, match=f"method {packing} and encoded by method {encoding}") as refused:
        read(tmp_path, data, "job.bgcode")
    assert "print job by a slicer 2.7" in str(refused.value)
    with pytest.raises(HostileFileError, match="heatshrink cannot"):
        read(tmp_path, samples.bgcode(struct.pack("<HHLLH", 1, 3, 1 << 20, 100, 0) + b"\0" * 104), "job.bgcode")


def test_damaged_binary_gcode(tmp_path):
    whole = samples.bgcode(ABOUT, SETTINGS, *(samples.block(1, JOB[k : k + 1000]) for k in range(0, len(JOB), 1000)))
    cut = read(tmp_path, whole[: len(whole) * 2 // 3], "job.bgcode")
    assert [f.severity for f in cut.findings if f.code == "ends-in-the-middle"] == ["warning", "serious"]
    changed = whole.replace(b";TYPE:Perimeter", b";TYPE:perimeter", 1)
    assert "block-damaged" in codes(read(tmp_path, changed, "job.bgcode"))
    unknown = samples.bgcode(ABOUT, SETTINGS, samples.block(99, b"of a later version"), samples.block(1, JOB))
    found = read(tmp_path, unknown, "job.bgcode")
    is_the_box(found)
    assert "block-unknown" in codes(found)
    with pytest.raises(CorruptFileError, match="kind 99"):
        read(tmp_path, unknown.replace(b"of a later", b"of a Later"), "job.bgcode")
    with pytest.raises(UnsupportedFormatError, match="version 7"):
        read(tmp_path, samples.bgcode(ABOUT, version=7), "job.bgcode")
    with pytest.raises(HostileFileError, match="block"):
        read(tmp_path, samples.bgcode(struct.pack("<HHLL", 1, 1, 1 << 31, 10) + b"\0" * 100), "job.bgcode")


# --- names ---------------------------------------------------------------------------------------


def placed_in(path):
    resources = f'<object id="1"><components><component objectid="7" p:path="{path}"/></components></object>'
    return samples.model_xml(resources, '<item objectid="1"/>')


OTHER = samples.model_xml(f'<object id="7">{samples.mesh_xml(WEDGE)}</object>')


@pytest.mark.parametrize(
    ("said", "stored"),
    [
        ("/3D/Objects/part%201.model", "3D/Objects/part 1.model"),
        ("/3D/Objects/part 1.model", "3D/Objects/part%201.model"),
        ("/3D/Objects/part%201.model", "3D/Objects/part%201.model"),
        ("/3D/Objects/Würfel.model", "3D/Objects/W%C3%BCrfel.model"),
        ("/3D/Objects/W%C3%BCrfel.model", "3D/Objects/Würfel.model"),
        ("/3D/Objects/Wu\u0308rfel.model", "3D/Objects/Würfel.model"),
        ("/3d/objects/PART.model", "3D/Objects/part.model"),
        ("Objects/part.model", "3D/Objects/part.model"),
        ("\\3D\\Objects\\part.model", "3D/Objects/part.model"),
    ],
)
def test_members_named_in_another_spelling(tmp_path, said, stored):
    found = read(tmp_path, samples.three_mf(placed_in(said), {stored: OTHER}))
    assert [len(part.faces) for part in found.parts] == [4]
    assert "model-not-placed" not in codes(found)


def raw_named(said, raw, extra=b"", flags=0):
    """Return a 3MF whose second model has a name of these bytes."""
    whole = samples.three_mf(placed_in(said), {"3D/Objects/" + "n" * len(raw) + ".model": OTHER})
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole)) as source, zipfile.ZipFile(out, "w") as target:
        for info in source.infolist():
            new = zipfile.ZipInfo(info.filename)
            if "nnn" in info.filename:
                new.extra = extra
            target.writestr(new, source.read(info))
    data = out.getvalue().replace(b"n" * len(raw), raw)
    assert len(data) == len(out.getvalue())
    if flags:
        at = data.rfind(b"PK\x01\x02", 0, data.rfind(raw))
        data = data[: at + 8] + struct.pack("<H", flags) + data[at + 10 :]
    return data


@pytest.mark.parametrize("page", ["cp437", "cp850", "cp1252", "utf-8"])
def test_member_names_in_code_pages(tmp_path, page):
    found = read(tmp_path, raw_named("/3D/Objects/Würfel.model", "Würfel".encode(page)))
    assert [len(part.faces) for part in found.parts] == [4]
    assert "model-not-placed" not in codes(found)


def test_member_names_in_macedonian_code_pages(tmp_path):
    for page in ("cp866", "cp1251", "utf-8"):
        found = read(tmp_path, raw_named("/3D/Objects/коцка.model", "коцка".encode(page)))
        assert [len(part.faces) for part in found.parts] == [4]


def test_the_unicode_path_of_a_member(tmp_path):
    raw, name = b"W\xfcrfel", "3D/Objects/Куб.model"
    stored = b"3D/Objects/" + raw + b".model"

    def extra(checksum, text):
        field = b"\1" + struct.pack("<L", checksum) + text
        return struct.pack("<HH", 0x7075, len(field)) + field

    found = read(tmp_path, raw_named("/" + name, raw, extra(zlib.crc32(stored), name.encode())))
    assert [len(part.faces) for part in found.parts] == [4]
    # A field for another name (a program renamed the member) does not count.
    found = read(tmp_path, raw_named("/3D/Objects/Würfel.model", raw, extra(1, name.encode())))
    assert [len(part.faces) for part in found.parts] == [4]
    with pytest.raises(HostileFileError, match="leaves the archive"):
        read(tmp_path, raw_named("/" + name, raw, extra(zlib.crc32(stored), b"../../x.model")))


# --- what is no solid part ------------------------------------------------------------------------


def two_volumes(config, name="Metadata/Slic3r_PE_model.config", both=None):
    mesh = samples.mesh_xml(both or samples.together(WEDGE, FAR))
    model = samples.model_xml(f'<object id="1" type="model">{mesh}</object>', '<item objectid="1"/>')
    return samples.three_mf(model, {name: config.encode()})


PRUSA = (
    '<config><object id="1"><volume firstid="0" lastid="3">'
    '<metadata type="volume" key="volume_type" value="ModelPart"/></volume>'
    '<volume firstid="4" lastid="7"><metadata type="volume" key="name" value="cutter"/>'
    '<metadata type="volume" key="{}" value="{}"/></volume></object></config>'
)


@pytest.mark.parametrize(
    ("key", "word", "role"),
    [
        ("volume_type", "NegativeVolume", "negative volume"), ("volume_type", "ParameterModifier", "modifier"),
        ("volume_type", "SupportBlocker", "support blocker"), ("volume_type", "SupportEnforcer", "support enforcer"),
        ("modifier", "1", "modifier"), ("modifier", "0", ""), ("volume_type", "ModelPart", ""),
    ],
)  # fmt: skip
def test_volumes_of_prusaslicer(tmp_path, key, word, role):
    found = read(tmp_path, two_volumes(PRUSA.format(key, word)))
    assert roles(found) == ["", role]
    assert ("not-a-solid-part" in codes(found)) == bool(role)
    assert ("not-a-solid-part" in codes(found.parts[1])) == bool(role)
    if role:
        assert found.parts[1].name == "cutter"
        assert found.parts[1].vertices_mm[:, 0].min() == pytest.approx(200.0)


def test_a_volume_that_overlaps_the_part_is_not_joined_with_it(tmp_path):
    inside = samples.box((10, 10, 10), (5, 5, 5))
    whole = samples.together(samples.box(), inside)
    config = PRUSA.replace('"3"', '"11"').replace('"4"', '"12"').replace('"7"', '"23"')
    found = read(tmp_path, two_volumes(config.format("volume_type", "NegativeVolume"), both=whole))
    assert [area_and_centroid(p.vertices_mm, p.faces)[4] for p in found.parts] == pytest.approx([24000.0, 1000.0])


@pytest.mark.parametrize(
    ("word", "role"),
    [
        ("negative_part", "negative volume"), ("modifier_part", "modifier"), ("support_blocker", "support blocker"),
        ("support_enforcer", "support enforcer"), ("normal_part", ""),
    ],
)  # fmt: skip
def test_parts_of_bambu_studio_and_orcaslicer(tmp_path, word, role):
    resources = (
        '<object id="9"><components><component objectid="1" p:path="/3D/Objects/o.model"/>'
        '<component objectid="2" p:path="/3D/Objects/o.model"/></components></object>'
    )
    meshes = f'<object id="1">{samples.mesh_xml(WEDGE)}</object><object id="2">{samples.mesh_xml(FAR)}</object>'
    config = (
        '<config><object id="9"><metadata key="name" value="a"/><part id="1" subtype="normal_part"/>'
        f'<part id="2" subtype="{word}"><metadata key="name" value="b"/></part></object></config>'
    )
    members = {"3D/Objects/o.model": samples.model_xml(meshes), "Metadata/model_settings.config": config.encode()}
    found = read(tmp_path, samples.three_mf(samples.model_xml(resources, '<item objectid="9"/>'), members))
    assert roles(found) == ["", role]


@pytest.mark.parametrize(
    ("attribute", "role"),
    [("support", "support"), ("solidsupport", "support"), ("surface", "surface"), ("other", "other"), ("model", "")],
)
@pytest.mark.parametrize("way", ["item", "component"])
def test_types_of_objects(tmp_path, attribute, role, way):
    resources = (
        f'<object id="1">{samples.mesh_xml(WEDGE)}</object>'
        f'<object id="2" type="{attribute}">{samples.mesh_xml(FAR)}</object>'
        '<object id="3"><components><component objectid="1"/><component objectid="2"/></components></object>'
    )
    build = '<item objectid="3"/>' if way == "component" else '<item objectid="1"/><item objectid="2"/>'
    found = read(tmp_path, samples.three_mf(samples.model_xml(resources, build)))
    assert roles(found)[:2] == ["", role]
    assert ("not-a-solid-part" in codes(found)) == bool(role)


def test_a_cutter_is_no_part_of_what_is_classified(tmp_path):
    found = read(tmp_path, two_volumes(PRUSA.format("volume_type", "NegativeVolume")))
    assert len(joined(found.parts).faces) == 4
    assert len(joined(found.parts[1:]).faces) == 4
    plain = read(tmp_path, two_volumes(PRUSA.format("volume_type", "ModelPart")))
    assert len(joined(plain.parts).faces) == 8


def test_decimal_commas_in_xml_are_named(tmp_path):
    for name, data in (("a.3mf", samples.simple_3mf(WEDGE)), ("a.amf", samples.amf(WEDGE))):
        if name == "a.3mf":
            mesh = samples.mesh_xml(WEDGE).replace("30.0", "30,0")
            data = samples.three_mf(samples.model_xml(f'<object id="1">{mesh}</object>', '<item objectid="1"/>'))
        with pytest.raises(CorruptFileError, match="decimal comma"):
            read(tmp_path, data.replace(b"30.0", b"30,0"), name)


def test_what_lies_in_a_support_is_support(tmp_path):
    resources = (
        f'<object id="1">{samples.mesh_xml(WEDGE)}</object>'
        '<object id="2" type="support"><components><component objectid="1"/></components></object>'
        '<object id="3"><components><component objectid="1" transform="1 0 0 0 1 0 0 0 1 90 0 0"/>'
        '<component objectid="2"/></components></object>'
    )
    found = read(tmp_path, samples.three_mf(samples.model_xml(resources, '<item objectid="3"/>')))
    assert roles(found) == ["", "support"]


def test_items_that_are_not_printed(tmp_path):
    resources = f'<object id="1">{samples.mesh_xml(WEDGE)}</object>'
    place = 'transform="1 0 0 0 1 0 0 0 1 90 0 0"'
    build = f'<item objectid="1"/><item objectid="1" printable="0" {place}/>'
    found = read(tmp_path, samples.three_mf(samples.model_xml(resources, build)))
    assert roles(found) == ["", "not printed"]
    assert "not-a-solid-part" in codes(found)


@pytest.mark.parametrize("word", ["cutting_mesh", "infill_mesh", "anti_overhang_mesh", "support_mesh"])
@pytest.mark.parametrize("way", ["metadatagroup", "settings"])
def test_meshes_of_cura(tmp_path, word, way):
    said = f'<metadata name="cura:{word}" type="xs:boolean">True</metadata>'
    said = f"<metadatagroup>{said}</metadatagroup>"
    if way == "settings":
        said = f'<settings><setting key="{word}">True</setting></settings>'
    resources = (
        f'<object id="1">{samples.mesh_xml(WEDGE)}</object><object id="2">{said}{samples.mesh_xml(FAR)}</object>'
    )
    found = read(tmp_path, samples.three_mf(samples.model_xml(resources, '<item objectid="1"/><item objectid="2"/>')))
    assert roles(found)[0] == ""
    assert roles(found)[1] in ("modifier", "support blocker", "support")


def test_settings_that_cannot_be_read_are_said(tmp_path):
    found = read(tmp_path, two_volumes("<config><object id='1'>"))
    assert "settings-unreadable" in codes(found)
    assert roles(found) == ["", ""]


AMF_VOLUME = '<volume><metadata type="name">cutter</metadata><metadata type="{}">{}</metadata>'


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("key", "word", "role"),
    [
        ("slic3r.modifier", "1", "modifier"), ("slic3r.volume_type", "NegativeVolume", "negative volume"),
        ("slic3r.volume_type", "SupportBlocker", "support blocker"), ("slic3r.modifier", "0", ""),
        ("slic3r.volume_type", "ModelPart", ""),
    ],
)  # fmt: skip
def test_volumes_of_amf(tmp_path, key, word, role, packed):
    vertices, faces = samples.together(WEDGE, FAR)
    text = samples.amf((vertices, faces)).decode()
    fourth = "<triangle><v1>4</v1>"
    assert text.count(fourth)
    text = text.replace(fourth, "</volume>" + AMF_VOLUME.format(key, word) + fourth, 1)
    data = samples.archive({"x.amf": text.encode()}) if packed else text.encode()
    found = read(tmp_path, data, "x.amf")
    assert roles(found) == ["", role]
    assert ("not-a-solid-part" in codes(found)) == bool(role)


# --- what is not read is named -------------------------------------------------------------------


def test_encrypted_models(tmp_path):
    secret = b"%3McF\0\1" + bytes(range(200))
    with pytest.raises(UnsupportedFormatError, match=r"encrypted \(3MF secure content\)"):
        read(tmp_path, samples.three_mf(placed_in("/3D/Objects/s.model"), {"3D/Objects/s.model": secret}))
    with pytest.raises(UnsupportedFormatError, match="encrypted"):
        read(tmp_path, samples.three_mf(secret))
    resources = (
        f'<object id="2">{samples.mesh_xml(WEDGE)}</object><object id="1"><components><component objectid="7" '
        'p:path="/3D/Objects/s.model"/><component objectid="2"/></components></object>'
    )
    model = samples.model_xml(resources, '<item objectid="1"/>')
    found = read(tmp_path, samples.three_mf(model, {"3D/Objects/s.model": secret}))
    assert [f.severity for f in found.findings if f.code == "encrypted-content"] == ["serious"]
    assert len(found.parts) == 1


@pytest.mark.parametrize(
    ("element", "words"),
    [
        ("<beamlattice radius='1'><beams><beam v1='0' v2='1'/></beams></beamlattice>", "beam lattice"),
        ("<slicestack/>", "slices"), ("<levelset/>", "volumetric"), ("<booleanshape/>", "boolean"),
    ],
)  # fmt: skip
def test_shapes_by_extensions(tmp_path, element, words):
    points = samples.mesh_xml(WEDGE).partition("<triangles>")[0] + "<triangles/>"
    build = '<item objectid="1"/>'
    with pytest.raises(UnsupportedFormatError, match=words):
        read(tmp_path, samples.three_mf(samples.model_xml(f'<object id="1">{points}{element}</mesh></object>', build)))
    mesh = samples.mesh_xml(WEDGE).replace("</mesh>", element + "</mesh>")
    found = read(tmp_path, samples.three_mf(samples.model_xml(f'<object id="1">{mesh}</object>', build)))
    (finding,) = [f for f in found.findings if f.code == "extension-not-read"]
    assert words in finding.message


def test_a_second_model_that_nothing_places_is_listed(tmp_path):
    model = samples.model_xml(f'<object id="1">{samples.mesh_xml(WEDGE)}</object>', '<item objectid="1"/>')
    inches = WEDGE[0] / 25.4, WEDGE[1]
    second = samples.model_xml(
        f'<object id="1" name="hidden">{samples.mesh_xml(inches)}</object>',
        '<item objectid="1" transform="1 0 0 0 1 0 0 0 1 10 0 0"/>',
        "inch",
    )
    found = read(tmp_path, samples.three_mf(model, {"3D/other.model": second, "3D/broken.model": b"<model>"}))
    assert [f.severity for f in found.findings if f.code == "model-not-placed"] == ["serious", "warning"]
    assert [part.name for part in found.parts] == ["seized", "hidden"]
    hidden = found.parts[1]
    assert np.ptp(hidden.vertices_mm, axis=0) == pytest.approx([40, 30, 20])
    assert hidden.vertices_mm[:, 0].min() == pytest.approx(254.0)
    assert hidden.metadata["model"] == "3D/other.model"
    assert not hidden.metadata["on_plate"]
