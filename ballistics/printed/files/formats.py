"""Of which format a file of printed parts is: by its first bytes, its size and, where texts look alike, its name."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import BinaryIO

from ballistics.errors import ReadError, UnknownFormatError, UnsupportedFormatError
from ballistics.files import SafeArchive, file_size
from ballistics.printed.content.bounds import text_of
from ballistics.printed.jobs.packages import jobs_in

HEAD_BYTES = 65536
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
# Members of an archive whose first bytes are looked at where their names say nothing.
_MOST_LOOKED_AT = 500
SUFFIXES = {
    "STL": (".stl",),
    "OBJ": (".obj",),
    "PLY": (".ply",),
    "OFF": (".off",),
    "3MF": (".3mf",),
    "AMF": (".amf",),
    "glTF": (".glb", ".gltf"),
    "STEP": (".step", ".stp"),
    "G-code": (".gcode", ".gco", ".gc", ".g", ".nc", ".bgcode", ".bgc", ".ufp"),
}
ARCHIVE = "archive of models"
# Formats of models and print jobs that are not read, by the suffixes that only they have.
_NOT_READ = {
    ".fbx": "FBX", ".blend": "Blender", ".dae": "COLLADA", ".3ds": "3D Studio", ".max": "3ds Max", ".wrl": "VRML",
    ".x3d": "X3D", ".usdz": "USD", ".usd": "USD", ".usdc": "USD", ".igs": "IGES", ".iges": "IGES", ".brep": "BREP",
    ".x_t": "Parasolid", ".x_b": "Parasolid", ".sat": "ACIS", ".jt": "JT", ".3dm": "Rhino", ".skp": "SketchUp",
    ".f3d": "Fusion 360", ".f3z": "Fusion 360", ".sldprt": "SolidWorks", ".sldasm": "SolidWorks", ".ipt": "Inventor",
    ".iam": "Inventor", ".fcstd": "FreeCAD", ".scad": "OpenSCAD", ".prt": "Creo or NX", ".catpart": "CATIA",
    ".dwg": "AutoCAD", ".dxf": "DXF", ".ctm": "OpenCTM", ".zpr": "ZPrint", ".x3g": "X3G (MakerBot, sliced)",
    ".makerbot": "MakerBot, sliced", ".gx": "FlashForge, sliced", ".3w": "XYZprinting, sliced",
    ".ctb": "Chitubox, sliced for resin", ".cbddlp": "Chitubox, sliced for resin",
    ".photon": "Anycubic, sliced for resin",
    ".pwmx": "Anycubic, sliced for resin", ".pwmo": "Anycubic, sliced for resin", ".sl1": "Prusa SL1, sliced for resin",
    ".sl1s": "Prusa SL1, sliced for resin", ".goo": "Elegoo, sliced for resin", ".lys": "Lychee, for resin",
    ".form": "Formlabs, for resin", ".sla": "sliced for resin", ".mix": "Meshmixer", ".zpj": "Z-SUITE",
    ".factory": "Simplify3D", ".idea": "ideaMaker", ".svx": "voxels", ".vdb": "OpenVDB",
}  # fmt: skip
_SIGNATURES = (
    (b"Kaydara FBX Binary", "FBX"), (b"BLENDER", "Blender"), (b"#VRML", "VRML"), (b"OCTM", "OpenCTM"),
    (b"3D Geometry File Format", "Rhino"), (b"PXR-USDC", "USD"), (b"**ABCDEFGHIJ", "Parasolid"),
    (b"DBRep_DrawableShape", "BREP"), (b"CASCADE Topology", "BREP"), (b"xgcode 1.0", "FlashForge, sliced"),
    (b"\x12\xfd\x90\xc1", "Chitubox, sliced for resin"), (b"\x19\x00\xfd\x12", "Chitubox, sliced for resin"),
    (b"\x86\x00\xfd\x12", "Chitubox, sliced for resin"), (b"\x07\x01\xfd\x12", "Chitubox, sliced for resin"),
    (b"ANYCUBIC\0", "Anycubic, sliced for resin"),
)  # fmt: skip
# What may hold models, and is not opened.
_CLOSED = (
    (b"7z\xbc\xaf\x27\x1c", "7z"), (b"Rar!\x1a\x07", "RAR"), (b"BZh", "bzip2"), (b"\xfd7zXZ\0", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
)  # fmt: skip
_CLOSED_SUFFIXES = {
    ".7z": "7z",
    ".rar": "RAR",
    ".bz2": "bzip2",
    ".xz": "xz",
    ".zst": "zstd",
    ".tar": "tar",
    ".tgz": "tar",
}
_OBJ_LINE = re.compile(rb"^\s*(v\s+[-+.\d]|f\s+-?\d|vn\s|vt\s|mtllib\s|usemtl\s|o\s|g\s)", re.MULTILINE)
_GCODE_LINE = re.compile(
    rb"^[ \t]*(?:N\d+[ \t]*)?[GMT]\d{1,4}(?=$|[\s;*(.]|[A-Z][-+.\d])", re.MULTILINE | re.IGNORECASE
)


# Of a file with zeros in it that is named as G-code.
_FEWEST_LINES = 3


def suffix_of(path: PurePath) -> str:
    """Return the suffix that says what a file is, in lower case: that before ``.gz``."""
    suffix = path.suffix.lower()
    return PurePath(path.stem).suffix.lower() if suffix == ".gz" else suffix


def claims_to_be_read(name: str) -> bool:
    """Return whether a file of this name is one of a format that is read, or an archive of such files.

    Examples
    --------
    >>> claims_to_be_read("a/Bracket.STL"), claims_to_be_read("plate.gcode.gz"), claims_to_be_read("notes.txt")
    (True, True, False)
    """
    path = PurePath(name)
    return any(suffix_of(path) in suffixes for suffixes in SUFFIXES.values()) or path.suffix.lower() == ".zip"


def format_of(file: BinaryIO, path: PurePath) -> str:
    """Return the format by the first bytes; the name decides only between texts that look alike.

    Parameters
    ----------
    file : binary file
        Open at its start.
    path : path
        Its name.

    Returns
    -------
    str
        A key of ``SUFFIXES``, ``"binary G-code"``, ``"jobs in a package"`` or ``ARCHIVE``.

    Raises
    ------
    UnknownFormatError
        Nothing says that it is a model, a print job or an archive.
    UnsupportedFormatError
        It is one, of a format that is not read, or an archive that is not opened.
    CorruptFileError, HostileFileError
        Of an archive.
    """
    suffix = suffix_of(path)
    head = file.read(HEAD_BYTES)
    if head.startswith(_ZIP):
        return _format_of_archive(file, suffix)
    return format_of_head(head, file_size(file), path)


def format_of_head(head: bytes, size: int, path: PurePath) -> str:
    """Return the format of a file that is no zip archive, as `format_of` does.

    Parameters
    ----------
    head : bytes
        Its first ``HEAD_BYTES`` bytes.
    size : int
        Of all of it, in bytes.
    path : path
        Its name.

    Raises
    ------
    UnknownFormatError, UnsupportedFormatError
    """
    suffix = suffix_of(path)
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    lowered = start[:4096].lower()
    if head.startswith(b"GCDE"):
        return "binary G-code"
    if head.startswith(b"glTF") or (start.startswith(b"{") and (b'"asset"' in head or suffix == ".gltf")):
        return "glTF"
    if re.match(rb"ply\s", start, re.IGNORECASE):
        return "PLY"
    if start.startswith(b"ISO-10303-21"):
        return "STEP"
    if re.match(rb"(ST)?C?N?(4|n)?OFF(?![A-Za-z])", start, re.IGNORECASE) or suffix == ".off":
        return "OFF"
    if start.startswith(b"<") and b"<amf" in lowered:
        return "AMF"
    facets = b"facet" in lowered and b"vertex" in lowered
    if not facets:
        _refuse_not_read(head, suffix, path.name)
    if b"\0" not in head and suffix != ".stl":
        text = head.replace(b"\r", b"\n")
        lines = {"OBJ": len(_OBJ_LINE.findall(text)), "G-code": len(_GCODE_LINE.findall(text))}
        best = max(lines, key=lambda kind: (lines[kind], suffix in SUFFIXES[kind]))
        if lines[best] and not facets:
            return best
        if suffix in (".obj", ".gcode", ".gco"):
            return "OBJ" if suffix == ".obj" else "G-code"
    elif suffix in SUFFIXES["G-code"] and len(_GCODE_LINE.findall(head.replace(b"\r", b"\n"))) >= _FEWEST_LINES:
        # A damaged card leaves zeros in a text.
        return "G-code"
    if suffix == ".stl" or lowered.startswith(b"solid") or facets or _counts_as_stl(size, head):
        return "STL"
    claimed = next((name for name, suffixes in SUFFIXES.items() if suffix in suffixes), "")
    known = "STL, OBJ, PLY, OFF, 3MF, AMF, glTF, STEP, G-code"
    if claimed:
        raise UnsupportedFormatError(f"a file named as {claimed} whose content is of no format that is read ({known})")
    raise UnknownFormatError(f"the content is of no format that is read ({known})")


def _refuse_not_read(head: bytes, suffix: str, name: str) -> None:
    """Name a model, a job or an archive that is not read: it is an exhibit all the same."""
    closed = next((kind for start, kind in _CLOSED if head.startswith(start)), _CLOSED_SUFFIXES.get(suffix, ""))
    if head[257:262] == b"ustar":
        closed = "tar"
    if closed:
        raise UnsupportedFormatError(f"an archive ({closed}) that is not opened; unpack it and give the files inside")
    kind = next((kind for start, kind in _SIGNATURES if head.startswith(start)), _NOT_READ.get(suffix, ""))
    if not kind and b"<COLLADA" in head[:4096]:
        kind = "COLLADA"
    if kind:
        raise UnsupportedFormatError(f"a model or job of the format {kind}, which is not read; export it as a mesh")


def _counts_as_stl(size: int, head: bytes) -> bool:
    """Whether the size is the one that a binary STL with this count has."""
    return len(head) >= 84 and size == 84 + 50 * int.from_bytes(head[80:84], "little")


def _format_of_archive(file: BinaryIO, suffix: str) -> str:
    archive = SafeArchive(file)
    names = [name.lower() for name in archive.names()]
    jobs = jobs_in(archive)
    if any(name.endswith(".model") for name in names):
        return "3MF"
    others = [name for name in names if claims_to_be_read(name) and not name.endswith((".gcode", ".gco"))]
    if jobs and (suffix == ".ufp" or any(name.startswith(("[content_types]", "metadata/")) for name in names)):
        return "jobs in a package"
    if suffix == ".amf" or (len(others) == 1 and others[0].endswith(".amf") and not jobs):
        return "AMF"
    if suffix in _NOT_READ:
        _refuse_not_read(b"", suffix, "")
    if others or jobs or members_worth_reading(archive):
        return ARCHIVE
    held = text_of(", ".join(archive.names()[:5]).encode("utf-8", "replace"), 150)
    message = f"a zip archive without a model or a print job (it holds {held or 'nothing'})"
    if suffix in (".3mf", ".ufp"):
        raise UnsupportedFormatError(f"{message}, though it is named as one")
    raise UnknownFormatError(message)


def members_worth_reading(archive: SafeArchive) -> list[str]:
    """Return the members that are models, jobs or archives by name or content, read or not, and those that are hidden.

    A member that is encrypted could be one.
    """
    found = []
    for number, name in enumerate(archive.names()):
        suffix = PurePath(name).suffix.lower()
        telling = claims_to_be_read(name) or suffix in _NOT_READ or suffix in _CLOSED_SUFFIXES
        if telling or (number < _MOST_LOOKED_AT and _is_worth_reading(archive, name)):
            found.append(name)
    return found


def _is_worth_reading(archive: SafeArchive, name: str) -> bool:
    try:
        head = b""
        for piece in archive.chunks(name):
            head += piece
            if len(head) >= HEAD_BYTES:
                break
        return bool(head) and bool(head.startswith(_ZIP) or format_of_head(head, archive.size(name), PurePath(name)))
    except UnknownFormatError:
        return False
    except ReadError:
        return True
