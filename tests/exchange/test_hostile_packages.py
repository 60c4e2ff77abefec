"""Packages that are not what they say: each is refused with the reason, and nothing has changed."""

from __future__ import annotations

import json
import struct
import zlib
from zipfile import ZIP_DEFLATED

import pytest
from forged_packages import Scene
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from laboratories import TERMS, acquainted, enrol_shots, files_of, introduce, n_entries, new_desk
from property_tests import examples

from ballistics.errors import (
    BallisticsError,
    CorruptFileError,
    HostileFileError,
    ParameterError,
    UnsupportedFormatError,
)
from ballistics.exchange import MarkSelection, Outgoing, export_package, import_package, revoke_partner
from ballistics.records import RefusedError


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """Two laboratories, a package that waits to be taken in, and how to try another in its place."""
    folder = tmp_path_factory.mktemp("hostile")
    skopje, sarajevo = acquainted(folder)
    good = folder / "good.package"
    selection = MarkSelection(enrol_shots(skopje, (1, 2)))
    export_package(skopje, good, "Sarajevo", TERMS, Outgoing(selection), encrypted=False)
    yield Scene(folder, skopje, sarajevo, good)
    skopje.library.close()
    sarajevo.library.close()


def test_a_forged_package_of_the_partner_s_own_key_is_taken_in(scene):
    """What the forgeries below are made of is sound: each is refused for what it changes, and nothing else."""
    package, _ = import_package(scene.sarajevo, scene.forged())
    assert package.manifest.contents == {"marks": 2, "scans": 0}


@pytest.mark.parametrize("name", ["manifest.json", "marks/rows.jsonl", "marks/polar-2.stack"])
def test_altered(scene, name):
    members = dict(scene.members)
    data = bytearray(members[name])
    data[len(data) // 2] ^= 1
    members[name] = bytes(data)
    scene.refused(scene.zipped(members.items()), CorruptFileError, "altered|not a signed file|is not|does not")


def test_a_member_more_or_less(scene):
    scene.refused(
        scene.zipped([*scene.members.items(), ("marks/more.bin", b"1")]), CorruptFileError, "not in its manifest"
    )
    scene.refused(scene.zipped(list(scene.members.items())[:-1]), CorruptFileError, "is missing")


def test_replayed(scene):
    package, _ = import_package(scene.sarajevo, scene.good)
    scene.refused(scene.good, RefusedError, "taken in already.*serial number .* was seen")
    scene.refused(scene.forged(serial=package.manifest.envelope.serial), RefusedError, "was seen")


def test_expired(scene):
    expired = scene.forged(created="2020-01-01T00:00:00Z", expires="2020-02-01T00:00:00Z")
    scene.refused(expired, RefusedError, "has expired, on 2020-02-01")
    scene.refused(scene.forged(created="2999-01-01T00:00:00Z"), RefusedError, "made in the future")


def test_of_an_unknown_key(scene):
    stranger = new_desk(scene.folder / "stranger", "Skopje")
    scene.refused(scene.forged(key=stranger.key), RefusedError, "unknown key")
    # A key that is known, but of another partner than the package says.
    introduce(stranger, scene.sarajevo, scene.folder)
    scene.refused(scene.forged(key=stranger.key), RefusedError, "unknown key")
    revoke_partner(scene.sarajevo, stranger.identifier, "closed")
    scene.refused(scene.forged(key=stranger.key, library=stranger.identifier), RefusedError, "were revoked")


def test_for_another_laboratory(scene):
    scene.refused(scene.forged(recipient="0" * 32), RefusedError, "for another laboratory")


def test_of_an_unknown_schema_or_a_later_version(scene):
    scene.refused(scene.forged(schema="ballistics/else"), UnsupportedFormatError, "unknown schema, 'ballistics/else'")
    scene.refused(scene.forged(version=2), UnsupportedFormatError, "of version 2 .* update the program")
    scene.refused(scene.forged(schema="ballistics/withdrawal"), CorruptFileError, "is a withdrawal, not a package")


def test_a_zip_bomb(scene):
    zeros = bytes(64 << 20)
    members = [("marks/rows.jsonl", zeros)]
    bomb = scene.zipped([("manifest.json", scene.manifest(members)), *members], ZIP_DEFLATED)
    scene.refused(bomb, HostileFileError, "compressed.*zip bomb")


def test_a_member_that_claims_a_gigabyte(scene):
    path = scene.forged()
    data = bytearray(path.read_bytes())
    directory = data.rindex(b"PK\x01\x02")
    struct.pack_into("<L", data, directory + 24, 1 << 30)
    path.write_bytes(data)
    scene.refused(path, BallisticsError, "claims 1073741824 bytes|zip bomb")


@pytest.mark.parametrize("name", ["../outside.txt", "/etc/passwd", "marks/../../x.y", "C:/x.y", "marks\\..\\..\\x.y"])
def test_path_traversal(scene, name):
    members = [(name, b"1")]
    outside = scene.sarajevo.folder.parent / "outside.txt"
    scene.refused(
        scene.zipped([*scene.members.items(), *members]), HostileFileError, "leaves the archive|absolute path"
    )
    # Signed by the partner, too.
    scene.refused(scene.forged(members), HostileFileError, "leaves the archive|absolute path")
    assert not outside.exists()


@pytest.mark.parametrize(
    "name", ["exchange.txt", "marks/.hidden.x", "other/x.y", "marks/con", "marks/A.x", "marks/a b.x"]
)
def test_names_that_no_package_has(scene, name):
    scene.refused(scene.forged([(name, b"1")]), HostileFileError, "not a name that members of packages have")


@pytest.mark.parametrize(
    "cell", ['=HYPERLINK("http://x")', "@SUM(A1)", "+cmd|' /C calc'!A0", "-1+cmd|x!A", "  =1+1", "\t=1", "＝1+1"]
)
def test_formulas_in_cells(scene, cell):
    line = json.dumps({"make": "Zastava", "serial": cell}).encode() + b"\n"
    path = scene.forged([("extracts/firearms.jsonl", line)], contents={"rows of firearms": 1})
    scene.refused(path, HostileFileError, "row 1: the field 'serial' begins as a formula")


def test_a_field_of_a_gigabyte(scene):
    # The reader stops at the longest row that can be: 8 MB show it as well as 1 GB.
    line = b'{"make":"' + b"A" * (8 << 20) + b'"}\n'
    path = scene.forged([("extracts/firearms.jsonl", line)], contents={"rows of firearms": 1})
    scene.refused(path, HostileFileError, "has more than 262144 bytes")
    text = json.dumps({"make": "A" * 30_000}).encode() + b"\n"
    path = scene.forged([("extracts/firearms.jsonl", text)], contents={"rows of firearms": 1})
    scene.refused(path, HostileFileError, "has 30000 characters, 20000 at most")


@pytest.mark.parametrize(
    ("line", "match"),
    [
        (b'{"a": [1]}', "holds a list"),
        (b'{"A": 1}', "not the name of a field"),
        (b'{"a": 1, "a": 2}', "stands twice"),
        (b"[1]", "not a row with fields"),
        (b'{"a": 1', "is not a row"),
        (b'{"a": NaN}', "not a number"),
    ],
)
def test_rows_that_are_none(scene, line, match):
    path = scene.forged([("extracts/firearms.jsonl", line + b"\n")], contents={"rows of firearms": 1})
    scene.refused(path, BallisticsError, match)


def mark_row(scene, **changed):
    rows = [json.loads(line) for line in scene.members["marks/rows.jsonl"].splitlines()]
    rows[1] |= changed
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


@pytest.mark.parametrize(
    ("changed", "match"),
    [
        ({"slot": 0}, "two marks have one template"),
        ({"slot": 2}, "bytes of templates"),
        ({"slot": -1}, "that of no mark"),
        ({"number": 7}, "not numbered from 1"),
        ({"spacing_um": 0.0}, "that of no mark"),
        ({"mark_kind": "firing pin"}, "another kind of mark"),
        ({"version": "polar-9"}, "both laboratories need the same version"),
        ({"version": "../../x"}, "both laboratories need the same version"),
        ({"scan": "scans/000001.x3p"}, "missing, or another one"),
        ({"calibre": 9}, "nothing that a mark is described by"),
        ({"owner": "somebody"}, "nothing that a mark is described by"),
    ],
)
def test_marks_that_contradict_themselves(scene, changed, match):
    stack = ("marks/polar-2.stack", scene.members["marks/polar-2.stack"])
    path = scene.forged([("marks/rows.jsonl", mark_row(scene, **changed)), stack])
    scene.refused(path, BallisticsError, match)


def test_templates_and_scans_that_belong_to_no_mark(scene):
    own = [(name, data) for name, data in scene.members.items() if name != "manifest.json"]
    scene.refused(scene.forged([*own, ("marks/other.stack", b"1")]), CorruptFileError, "belong to no mark")
    scene.refused(scene.forged([*own, ("scans/000009.x3p", b"1")]), CorruptFileError, "belong to no mark")
    scene.refused(scene.forged(own[1:]), CorruptFileError, "does not say of what")
    scene.refused(scene.forged(own, contents={"marks": 3, "scans": 0}), CorruptFileError, "says otherwise")


def test_an_answer_to_what_was_never_asked(scene):
    scene.refused(scene.forged(answers="0" * 32), RefusedError, "never made of that laboratory")


def test_what_is_no_package(scene):
    for data, match in ((b"", "no end record"), (b"PK\x03\x04" + bytes(100), "no end record"), (b"text", "no end")):
        path = scene.folder / "none.package"
        path.write_bytes(data)
        scene.refused(path, BallisticsError, match)
    scene.refused(scene.zipped([("a.txt", b"1")]), CorruptFileError, "no package")
    scene.refused(scene.folder / "absent.package", BallisticsError, "cannot be read")


def test_an_encrypted_package_that_was_altered_or_cut(scene):
    path = scene.folder / "encrypted.package"
    selection = MarkSelection([1, 2])
    export_package(scene.skopje, path, "Sarajevo", TERMS, Outgoing(selection))
    whole = path.read_bytes()
    for data in (whole[:-1], whole[:60], whole[:-20], whole + b"1", whole[:200] + b"\0" + whole[201:]):
        forged = scene.folder / "forged.encrypted"
        forged.write_bytes(data)
        scene.refused(forged, BallisticsError, "does not open|is damaged")
    with pytest.raises(ParameterError, match="exists"):
        export_package(scene.skopje, path, "Sarajevo", TERMS, Outgoing(selection))


@examples(40, 120, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_damage_anywhere_is_refused_and_changes_nothing(scene, data):
    whole = bytearray(scene.forged().read_bytes())
    kind = data.draw(st.sampled_from(["flip", "cut", "put in", "zeros", "repair crc"]))
    place = data.draw(st.integers(0, len(whole) - 1))
    if kind == "cut":
        del whole[place:]
    elif kind == "put in":
        whole[place:place] = data.draw(st.binary(min_size=1, max_size=20))
    elif kind == "zeros":
        whole[place : place + 40] = bytes(len(whole[place : place + 40]))
    else:
        whole[place] ^= 1 << data.draw(st.integers(0, 7))
    if kind == "repair crc":
        # As one who alters a member on purpose does it: the archive is sound again, only the signature tells.
        members = dict(scene.members)
        name = data.draw(st.sampled_from(sorted(members)))
        altered = bytearray(members[name])
        altered[place % len(altered)] ^= 1
        members[name] = bytes(altered)
        assert zlib.crc32(members[name]) != zlib.crc32(scene.members[name])
        path = scene.zipped(members.items())
    else:
        path = scene.folder / "damaged.package"
        path.write_bytes(whole)
    before = n_entries(scene.sarajevo), files_of(scene.sarajevo)
    try:
        package, _ = import_package(scene.sarajevo, path)
    except BallisticsError:
        assert (n_entries(scene.sarajevo), files_of(scene.sarajevo)) == before
        return
    # What the zip says beside its members (times, rights) may be damaged: what was taken in is what was signed.
    for name in ("marks/rows.jsonl", "marks/polar-2.stack"):
        assert (package.folder / name).read_bytes() == scene.members[name]
