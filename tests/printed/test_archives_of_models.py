"""Zip archives of models, archives in archives, archives cut off, and models of formats that are not read."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile

import mesh_samples as samples
import pytest
from conftest import DATA
from job_samples import codes, job

from ballistics.errors import CorruptFileError, HostileFileError, UnknownFormatError, UnsupportedFormatError
from ballistics.printed.collection.enrolment import enrol_files
from ballistics.printed.disk.batch import run_printed_batch
from ballistics.printed.files.reading import read_parts
from ballistics.reports.figures.printed import thumbnail_of
from ballistics.reports.pages.printed_sheet import contact_sheet

WEDGE = samples.stl_binary(samples.wedge())
JOB = "\n".join([*job(skirt=False), "M84", ""]).encode()


def zipped(members, packing=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", packing) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, packing)
    return out.getvalue()


def read(tmp_path, data, name="box.zip"):
    path = tmp_path / name
    path.write_bytes(data)
    return read_parts(path)


MEMBERS = {
    "wedge.stl": WEDGE,
    "sub/job.gcode": JOB,
    "sub/notes.txt": b"nothing to print",
    "plate.3mf": samples.simple_3mf(samples.box((9.0, 11.0, 5.0))),
    "more.zip": zipped({"lid.stl": WEDGE, "packed.gcode.gz": gzip.compress(JOB)}),
    "unnamed": WEDGE,
}


def test_the_models_of_an_archive_have_its_name_before_theirs(tmp_path):
    found = read(tmp_path, zipped(MEMBERS))
    assert {part.metadata["member"] for part in found.parts} == {
        "box.zip/wedge.stl", "box.zip/sub/job.gcode", "box.zip/plate.3mf", "box.zip/more.zip/lid.stl",
        "box.zip/more.zip/packed.gcode.gz", "box.zip/unnamed",
    }  # fmt: skip
    assert found.parts[-1].name == "box.zip/wedge.stl"
    assert found.parts[-1].size_mm == pytest.approx((30.0, 20.0, 10.0), abs=30)
    assert set(found.provenance.inputs) == {"file"} | {part.metadata["member"] for part in found.parts}
    assert "item-unreadable" not in codes(found)


def test_what_cannot_be_read_in_an_archive_is_said(tmp_path):
    found = read(tmp_path, zipped({**MEMBERS, "bad.stl": WEDGE[:90], "part.sldprt": b"\xd0\xcf\x11\xe0 closed"}))
    said = [finding.message for finding in found.findings if finding.code == "item-unreadable"]
    assert len(said) == 2
    assert "box.zip/part.sldprt: a model or job of the format SolidWorks" in said[1]


def test_archives_nested_too_deep_and_bombs_are_refused(tmp_path):
    inner = zipped({"a.stl": WEDGE})
    for _ in range(2):
        inner = zipped({"in.zip": inner})
    assert read(tmp_path, inner).parts
    with pytest.raises(HostileFileError, match="3 deep"):
        read(tmp_path, zipped({"in.zip": inner}))
    with pytest.raises(HostileFileError, match="bomb"):
        read(tmp_path, zipped({"zeros.stl": bytes(40 << 20)}))


def test_an_archive_without_models_is_of_no_kind(tmp_path):
    with pytest.raises(UnknownFormatError, match=r"notes\.txt"):
        read(tmp_path, zipped({"notes.txt": b"nothing to print"}))


@pytest.mark.parametrize("packing", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
@pytest.mark.parametrize("share", [0.5, 0.9, 0.999])
def test_an_archive_that_is_cut_gives_what_its_local_headers_lead_to(tmp_path, packing, share):
    members = {"a.stl": WEDGE, "job.gcode": JOB, "z.stl": WEDGE * 3}
    data = zipped(members, packing)
    found = read(tmp_path, data[: int(share * len(data))])
    said = [finding for finding in found.findings if finding.code == "ends-in-the-middle"]
    assert said[0].severity == "serious"
    assert "directory" in said[0].message
    assert "box.zip/a.stl" in {part.metadata["member"] for part in found.parts}
    if share == 0.5:
        assert "'job.gcode' is cut off" in said[0].message


def test_members_written_as_a_stream_are_found_without_a_directory(tmp_path):
    """Their sizes stand behind them (APPNOTE 4.4.4)."""

    class Stream(io.BytesIO):
        def seekable(self):
            return False

        def seek(self, *_):
            raise io.UnsupportedOperation

    out = Stream()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.stl", WEDGE)
        archive.writestr("b.stl", WEDGE)
    data = out.getvalue()
    found = read(tmp_path, data[: data.index(b"PK\x01\x02")])
    assert [part.metadata["member"] for part in found.parts] == ["box.zip/a.stl", "box.zip/b.stl"]


@pytest.mark.parametrize("share", [0.75, 0.9])
def test_a_3mf_and_an_amf_that_are_cut_give_their_whole_triangles(tmp_path, share):
    mesh = samples.together(*(samples.wedge((50.0 * k, 0, 0)) for k in range(5)))
    xml = samples.model_xml(f'<object id="1">{samples.mesh_xml(mesh)}</object>', '<item objectid="1"/>')
    start, end = xml.index(b"<triangle "), xml.index(b"</triangles>")
    cut = xml[: start + int(share * (end - start))]
    found = read(tmp_path, samples.three_mf(cut, {}), "cut.3mf")
    assert 0 < sum(len(part.faces) for part in found.parts) < len(mesh[1])
    assert {"ends-in-the-middle", "object-not-on-plate"} <= codes(found)
    vertices = "".join(
        f"<vertex><coordinates><x>{x}</x><y>{y}</y><z>{z}</z></coordinates></vertex>" for x, y, z in mesh[0]
    )
    triangles = [f"<triangle><v1>{a}</v1><v2>{b}</v2><v3>{c}</v3></triangle>" for a, b, c in mesh[1]]
    head = f'<amf unit="millimeter"><object id="1"><mesh><vertices>{vertices}</vertices><volume>'
    found = read(tmp_path, (head + "".join(triangles[:-1]) + "<triangle><v1>1").encode(), "cut.amf")
    assert sum(len(part.faces) for part in found.parts) == len(mesh[1]) - 1
    assert "ends-in-the-middle" in codes(found)
    with pytest.raises(CorruptFileError, match="before its first triangle"):
        read(tmp_path, head[: head.index("</vertices>")].encode(), "cut.amf")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.fbx", b"Kaydara FBX Binary  \0"), ("a.bin", b"BLENDER-v300"), ("part.step", b"nothing"),
        ("models.rar", b"Rar!\x1a\x07\0"), ("a.ctb", b"\x86\x00\xfd\x12"), ("seized.3mf", zipped({"a.txt": b"a"})),
        ("models.tar.gz", gzip.compress(bytes(257) + b"ustar" + bytes(300), mtime=0)),
    ],
)  # fmt: skip
def test_models_of_other_formats_are_named_and_are_no_junk(tmp_path, name, data):
    with pytest.raises(UnsupportedFormatError) as error:
        read(tmp_path, data, name)
    assert not isinstance(error.value, UnknownFormatError)


@pytest.mark.slow
def test_a_disk_with_archives_has_a_row_for_each_of_their_models(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    (disk / "box.zip").write_bytes(zipped({**MEMBERS, "bad.stl": WEDGE[:90]}))
    (disk / "wedge.stl").write_bytes(WEDGE)
    (disk / "part.sldprt").write_bytes(b"\xd0\xcf\x11\xe0 closed")
    (disk / "notes.txt").write_bytes(b"nothing to print")
    (disk / "cut.zip").write_bytes(zipped({"a.stl": WEDGE, "b.stl": WEDGE})[:-60])
    list(enrol_files([("wedge.stl", disk / "wedge.stl")], tmp_path / "lab", category="accessory"))
    out = tmp_path / "table.csv"
    found = run_printed_batch([disk], tmp_path / "lab", out, thumbnail_of)
    with open(out, encoding="utf-8", newline="") as file:
        rows = {row["file"]: row for row in csv.DictReader(file)}
    assert {name: row["verdict"] for name, row in rows.items() if row["verdict"] != "in the collection"} == {
        "box.zip": "archive", "box.zip/bad.stl": "refused", "box.zip/plate.3mf": "nothing in the collection",
        "box.zip/more.zip/packed.gcode.gz": "nothing in the collection", "cut.zip": "archive",
        "box.zip/sub/job.gcode": "nothing in the collection", "part.sldprt": "unreadable model",
        "notes.txt": "not a mesh",
    }  # fmt: skip
    copies = {name for name, row in rows.items() if row["verdict"] == "in the collection"}
    assert copies == {
        "box.zip/wedge.stl", "box.zip/more.zip/lid.stl", "box.zip/unnamed", "wedge.stl", "cut.zip/a.stl",
        "cut.zip/b.stl",
    }  # fmt: skip
    assert len({rows[name]["family"] for name in copies}) == 1
    assert "truncated" in rows["cut.zip"]["error"]
    assert found.counts()["unreadable model"] == 1
    assert "part.sldprt" in contact_sheet(found)
    assert not (tmp_path / "table.csv.work" / "unpacked").exists()
    again = tmp_path / "again.csv"
    run_printed_batch([disk], tmp_path / "lab", again, thumbnail_of, workers=2)
    assert again.read_bytes() == out.read_bytes()


def test_the_given_jobs_are_read():
    for name in ("plate.gcode.3mf", "job.bgcode", "truncated.gcode", "truncated.stl"):
        assert read_parts(DATA / "faults/printed" / name).parts
