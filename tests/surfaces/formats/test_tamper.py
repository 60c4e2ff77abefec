"""The tamper matrix: altered and hostile files give a finding or a clear refusal, and cost no memory."""

from __future__ import annotations

import hashlib
import struct
import tracemalloc
import zipfile

import cv2
import numpy as np
import pytest
from x3p_samples import axis, link, main_xml, matrix, pack, sample_heights, write_x3p_sample

import ballistics
from ballistics.errors import CorruptFileError, HostileFileError, ReadError, UnsupportedFormatError

MEMORY_LIMIT = 32 << 20
RNG_IMAGE = np.random.Generator(np.random.PCG64(5)).integers(0, 256, (70, 80, 3), np.uint8)


@pytest.fixture
def little_memory():
    """Fail a test in which reading took more memory than a refusal may."""
    ballistics.read  # noqa: B018 - imports are not part of the measure
    tracemalloc.start()
    yield
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < MEMORY_LIMIT, f"{peak / 2**20:.0f} MiB"


def codes(surface):
    return {finding.code: finding.severity for finding in surface.findings}


# --- altered after it was written -------------------------------------------------------------


def test_one_flipped_bit_in_the_data_with_a_new_archive_around_it(tmp_path):
    data = sample_heights().tobytes()
    flipped = bytearray(data)
    flipped[4321] ^= 1
    path = write_x3p_sample(tmp_path / "a.x3p", bytes(flipped), data=link(data))
    surface = ballistics.read(path)
    assert codes(surface) == {"checksum-wrong": "serious"}
    assert "bindata/data.bin" in surface.findings[0].message


def test_one_flipped_bit_in_the_archive(tmp_path):
    path = write_x3p_sample(tmp_path / "a.x3p", method=zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    data[data.find(sample_heights().tobytes()) + 4321] ^= 1
    path.write_bytes(data)
    with pytest.raises(CorruptFileError, match="CRC"):
        ballistics.read(path)


def test_altered_document(tmp_path):
    data = sample_heights().tobytes()
    good, altered = (
        main_xml(data=link(data)),
        main_xml(data=link(data)).replace(b"made by a test", b"made by a Test"),
    )
    digest = hashlib.md5(good).hexdigest().encode()
    path = pack(tmp_path / "a.x3p", {"main.xml": altered, "md5checksum.hex": digest, "bindata/data.bin": data})
    assert codes(ballistics.read(path)) == {"checksum-wrong": "serious"}


def test_altered_validity(tmp_path):
    valid = np.packbits(np.ones(5600, bool), bitorder="little").tobytes()
    changed = bytearray(valid)
    changed[3] ^= 2
    data = sample_heights().tobytes()
    path = write_x3p_sample(tmp_path / "a.x3p", data, valid=bytes(changed), data=link(data, valid))
    assert codes(ballistics.read(path)) == {"checksum-wrong": "serious", "points-marked-missing": "note"}


@pytest.mark.parametrize("share", [0.0, 0.001, 0.1, 0.5, 0.9, 0.99, 0.9999])
def test_truncation(tmp_path, share):
    path = write_x3p_sample(tmp_path / "a.x3p")
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(ReadError):
        ballistics.read(path)


# --- names ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "../evil",
        "a/../../evil",
        "/etc/evil",
        "C:/evil",
        "c:evil",
        "..\\evil",
        "\\\\server\\evil",
        "bindata/..",
    ],
)
def test_names_that_leave_the_archive(tmp_path, name, little_memory):
    with pytest.raises(HostileFileError, match=r"leaves|absolute"):
        ballistics.read(write_x3p_sample(tmp_path / "a.x3p", extra={name: b"x"}))


def test_symbolic_link(tmp_path):
    members = {"main.xml": main_xml(data=link(b"")), "bindata/data.bin": b"/etc/passwd"}
    infos = {"bindata/data.bin": {"create_system": 3, "external_attr": 0o120777 << 16}}
    with pytest.raises(HostileFileError, match="symbolic link"):
        ballistics.read(pack(tmp_path / "a.x3p", members, infos=infos))


def test_duplicate_names(tmp_path):
    path = write_x3p_sample(tmp_path / "a.x3p")
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("bindata/data.bin", b"other")
    with pytest.raises(HostileFileError, match="twice"):
        ballistics.read(path)


def test_nul_in_a_name(tmp_path):
    path = write_x3p_sample(tmp_path / "a.x3p", extra={"evilX.bin": b"x"})
    path.write_bytes(path.read_bytes().replace(b"evilX.bin", b"evil\x00.bin"))
    with pytest.raises(HostileFileError, match="NUL"):
        ballistics.read(path)


def test_encrypted_member(tmp_path):
    path = write_x3p_sample(tmp_path / "a.x3p")
    data = bytearray(path.read_bytes())
    at = data.find(b"PK\x01\x02")
    while at >= 0:  # set the flag in every directory entry
        data[at + 8] |= 1
        at = data.find(b"PK\x01\x02", at + 4)
    path.write_bytes(data)
    with pytest.raises(UnsupportedFormatError, match="encrypted"):
        ballistics.read(path)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_packing(tmp_path, method):
    with pytest.raises(UnsupportedFormatError, match="packed by method"):
        ballistics.read(write_x3p_sample(tmp_path / "a.x3p", method=method))


def test_two_documents_side_by_side(tmp_path):
    members = {"one/main.xml": main_xml(), "two/main.xml": main_xml()}
    with pytest.raises(CorruptFileError, match="side by side"):
        ballistics.read(pack(tmp_path / "a.x3p", members))


def test_archive_without_a_document(tmp_path):
    with pytest.raises(UnsupportedFormatError, match=r"without main\.xml"):
        ballistics.read(pack(tmp_path / "a.x3p", {"x": b"y"}))


# --- XML --------------------------------------------------------------------------------------

LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    "doctype",
    [
        LAUGHS + "]>",
        '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE x SYSTEM "http://example.org/x.dtd">',
        '<!DOCTYPE x [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]>',
        "<!DOCTYPE x>",
    ],
)
def test_entities_and_document_types(tmp_path, doctype, little_memory):
    record2 = "<Record2><Comment>x</Comment></Record2>"
    with pytest.raises(HostileFileError, match="document type or entities"):
        ballistics.read(write_x3p_sample(tmp_path / "a.x3p", doctype=doctype, record2=record2))


@pytest.mark.parametrize(
    "record2",
    ["<a>" * 100_000 + "</a>" * 100_000, "<a/>" * 100_000, "x" * (5 << 20)],
    ids=["depth", "elements", "bytes"],
)
def test_absurd_documents(tmp_path, record2, little_memory):
    with pytest.raises(HostileFileError):
        ballistics.read(write_x3p_sample(tmp_path / "a.x3p", record2=f"<Record2>{record2}</Record2>"))


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"\x00" * 100,
        b"<a",
        b"<?xml version='1.0' encoding='no-such-code'?><a/>",
        b"\xff\xfe<\x00a",
        b"<a>\x00</a>",
    ],
)
def test_documents_that_are_no_xml(tmp_path, document):
    with pytest.raises((CorruptFileError, UnsupportedFormatError)):
        ballistics.read(pack(tmp_path / "a.x3p", {"main.xml": document}))


# --- sizes that lie ---------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [2 << 30, 1 << 40])
def test_dimensions_that_lie(tmp_path, limit, little_memory):
    path = write_x3p_sample(tmp_path / "a.x3p", size=matrix(40_000, 40_000))
    with pytest.raises((HostileFileError, CorruptFileError), match="12800000000"):
        ballistics.read(path, height_limit_bytes=limit)


def test_size_in_the_directory_that_lies_too(tmp_path, little_memory):
    path = write_x3p_sample(tmp_path / "a.x3p", size=matrix(10_000, 10_000))
    data = bytearray(path.read_bytes())
    real = struct.pack("<L", 70 * 80 * 8)
    data = data.replace(real, struct.pack("<L", 800_000_000))
    path.write_bytes(data)
    with pytest.raises(CorruptFileError, match="claims 800000000"):
        ballistics.read(path)


def test_dimensions_of_the_document_list_that_lie(tmp_path, little_memory):
    document = main_xml(size=matrix(40_000, 40_000), data="<DataList><Datum>1</Datum></DataList>")
    with pytest.raises(HostileFileError, match="height_limit_bytes"):
        ballistics.read(pack(tmp_path / "a.x3p", {"main.xml": document}))


def test_large_scan_needs_a_raised_limit(tmp_path):
    path = write_x3p_sample(tmp_path / "a.x3p")
    with pytest.raises(HostileFileError, match="raise height_limit_bytes"):
        ballistics.read(path, height_limit_bytes=70 * 80 * 8 - 8)
    assert ballistics.read(path, height_limit_bytes=70 * 80 * 8).heights_um.shape == (70, 80)


@pytest.mark.parametrize(
    "member", ["bindata/data.bin", "main.xml", "md5checksum.hex", "bindata/mask.png", "bindata/valid.bin"]
)
def test_decompression_bombs(tmp_path, member, little_memory):
    data = sample_heights().tobytes()
    members = {
        "main.xml": main_xml(data=link(data, b"")),
        "md5checksum.hex": b"0",
        "bindata/data.bin": data,
        "bindata/valid.bin": b"",
    }
    path = tmp_path / "a.x3p"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**members, member: b""}.items():
            if name != member:
                archive.writestr(name, content)
        with archive.open(member, "w") as stream:
            for _ in range(100):
                stream.write(b" " * (1 << 20))
    assert path.stat().st_size < 1 << 20
    with pytest.raises((HostileFileError, CorruptFileError)):
        ballistics.read(path)


def test_directory_of_many_members(tmp_path, little_memory):
    path = tmp_path / "a.x3p"
    entry = struct.pack("<4s6H3L5H2L", b"PK\x01\x02", 20, 20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"a"
    directory = entry * 120_000
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 60_000, 60_000, len(directory), 4, 0)
    path.write_bytes(b"PK\x03\x04" + directory + end)
    with pytest.raises(HostileFileError, match="directory"):
        ballistics.read(path)


# --- anything ---------------------------------------------------------------------------------


def _samples(folder):
    """Return small files of every format of our own readers, by name."""
    heights = sample_heights(12, 60)
    datums = "".join(f"<Datum>{h:.3g}</Datum>" for h in heights.ravel())
    mask = cv2.imencode(".png", np.zeros((70, 80), np.uint8))[1].tobytes()
    valid = np.packbits(np.ones(5600, bool), bitorder="little").tobytes()
    image = (np.random.Generator(np.random.PCG64(0)).random((60, 60)) * 255).astype(np.uint8)
    points = "".join(axis(name, "A", "D", None) for name in ("CX", "CY", "CZ"))
    tmd = b"Binary TrueMap Data File v2.0\r\n\x00by a test\x00" + struct.pack("<IIffff", 60, 12, 0.6, 0.12, 0, 0)
    x3p = {
        "stored.x3p": write_x3p_sample(folder / "1", method=zipfile.ZIP_STORED, extra={"mask.png": mask}),
        "deflated.x3p": write_x3p_sample(folder / "2", valid=valid),
        "list.x3p": pack(
            folder / "3",
            {"main.xml": main_xml(size=matrix(60, 12), data=f"<DataList>{datums}</DataList>")},
            zipfile.ZIP_STORED,
        ),
        "points.x3p": write_x3p_sample(
            folder / "4",
            (np.random.Generator(np.random.PCG64(1)).random((50, 3)) * 1e-3).tobytes(),
            method=zipfile.ZIP_STORED,
            feature="PCL",
            size="<ListDimension>50</ListDimension>",
            axes=points,
        ),
    }
    samples = {name: path.read_bytes() for name, path in x3p.items()}
    samples["a.tmd"] = tmd + (heights * 1e3).astype("<f4").tobytes()
    for suffix in (".png", ".jpg", ".tif", ".bmp"):
        samples["a" + suffix] = cv2.imencode(suffix, image)[1].tobytes()
    return samples


@pytest.mark.slow
def test_random_damage_gives_a_surface_or_a_refusal(tmp_path, formats, capfd):
    rng = np.random.Generator(np.random.PCG64(20240607))
    samples = _samples(tmp_path)
    samples["circle.al3d"] = (formats / "circle.al3d").read_bytes()
    read = 0
    for name, data in samples.items():
        spacing = 10.0 if name.endswith((".png", ".jpg", ".tif", ".bmp")) else None
        path = tmp_path / name
        for _ in range(150):
            damaged = bytearray(data)
            header = min(len(data), 4096)
            for _ in range(rng.integers(1, 6)):
                # Headers are short beside the data: half of the damage goes there.
                where = rng.integers(header) if rng.random() < 0.5 else rng.integers(len(data))
                damaged[where] ^= 1 << rng.integers(8)
            if rng.random() < 0.3:
                damaged = damaged[: rng.integers(len(data))]
            path.write_bytes(damaged)
            try:
                surface = ballistics.read(path, spacing_um=spacing)
            except ReadError:
                continue
            read += 1
            assert not np.isinf(surface.heights_um).any()
    assert read > 0
    assert capfd.readouterr() == ("", "")


WEIRD = [
    b"",
    b"-1",
    b"0",
    b"1e400",
    b"nan",
    b"99999999999999999999",
    b"\xc3\x28",
    b"<",
    b"&#0;",
    b"A",
    b"I",
    b"L",
    b"70 80",
]


@pytest.mark.slow
def test_random_damage_inside_the_archive(tmp_path, capfd):
    """The archive is whole, so that the damage reaches the parser of the document and of the data."""
    rng = np.random.Generator(np.random.PCG64(7))
    mask = cv2.imencode(".png", RNG_IMAGE)[1].tobytes()
    valid = np.packbits(np.ones(5600, bool), bitorder="little").tobytes()
    path = tmp_path / "a.x3p"
    write_x3p_sample(
        path, valid=valid, extra={"bindata/mask.png": mask}, mask="<Mask><Background>#fff</Background></Mask>"
    )
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    outcomes = {"read": 0, "refused": 0}
    for _ in range(500):
        damaged = {name: bytearray(data) for name, data in members.items()}
        name = rng.choice(list(damaged), p=[0.6, 0.1, 0.1, 0.1, 0.1])
        target = damaged[name]
        if name == "main.xml" and rng.random() < 0.5:  # another text in some element
            starts = [i + 1 for i, c in enumerate(target) if c == ord(">")][:-1]
            start = int(rng.choice(starts))
            end = target.find(b"<", start)
            target[start:end] = WEIRD[rng.integers(len(WEIRD))]
        elif rng.random() < 0.2:
            del target[int(rng.integers(len(target))) :]
        else:
            for _ in range(rng.integers(1, 4)):
                target[rng.integers(len(target))] ^= 1 << rng.integers(8)
        pack(path, {key: bytes(data) for key, data in damaged.items()}, zipfile.ZIP_STORED)
        try:
            surface = ballistics.read(path)
        except ReadError:
            outcomes["refused"] += 1
        else:
            outcomes["read"] += 1
            assert not np.isinf(surface.heights_um).any()
            if name in ("main.xml", "bindata/data.bin", "bindata/valid.bin") and target != members[name]:
                assert {"checksum-wrong", "checksum-missing"} & set(codes(surface))
    assert min(outcomes.values()) > 50
    assert capfd.readouterr() == ("", "")
