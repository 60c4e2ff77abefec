"""Reads G-code: the moves of a print job become tracks by layer, and the tracks the surface of the printed part."""

from __future__ import annotations

import base64
import binascii
import math
import re
from array import array
from typing import Any, BinaryIO

import numpy as np

from ballistics.errors import CorruptFileError, HostileFileError
from ballistics.printed.bounds import check_face_count, text_of
from ballistics.printed.content import Item, MeshContent, Thumbnail
from ballistics.printed.job_tracks import apart_on_the_bed, layers_of, tracks_of_pieces
from ballistics.printed.layer_solid import Tracks, solid_of_tracks
from ballistics.surfaces.binary import file_size
from ballistics.surfaces.surface import Finding

_WORD = re.compile(rb"([A-Za-z])\s*([-+]?(?:\d+\.?\d*|\.\d+))")
_SETTING = re.compile(rb"^;\s*([a-z_ ]{3,50}?)\s*[=:]\s*(.{1,200})$")
_MADE_BY = re.compile(rb"^;\s*generated (?:by|with) (.+)$", re.IGNORECASE)
_TYPE = re.compile(rb"^;\s*(?:TYPE|FEATURE|feature)[:\s]\s*(.+)$")
# What is printed beside the part, in the words of PrusaSlicer, Slic3r, Cura, Orca, Bambu and Simplify3D.
_BESIDE = (b"skirt", b"brim", b"support", b"purge", b"prime", b"wipe", b"custom", b"raft", b"ooze", b"flush")
_WALLS = (b"perimeter", b"wall")
_KEPT_SETTINGS = {
    "filament_diameter", "filament_type", "layer_height", "nozzle_diameter", "printer_model", "printer_settings_id",
    "print_settings_id", "filament_settings_id", "flavor", "printer_notes",
}  # fmt: skip
_MOST_PIECES = 5_000_000
_FILE_LIMIT_BYTES = 1 << 30
_LINE_LIMIT_BYTES = 1 << 16
_MOST_THUMBNAILS = 16
_THUMBNAIL_BYTES = 16 << 20
# A chord this far from its arc is far below what a printer can do; no arc has more pieces than the second number.
_CHORD_ERROR_MM, _MOST_CHORDS = 0.02, 256


def read_gcode(file: BinaryIO, *, face_limit: int) -> MeshContent:
    """Read a print job as the surface of what it prints.

    Parameters
    ----------
    file : binary file
        Open at its start.
    face_limit : int
        Most faces that may come out.

    Returns
    -------
    MeshContent
        One item, in millimetres.

    Raises
    ------
    CorruptFileError, HostileFileError
        See the messages.

    Notes
    -----
    Moves that push filament are tracks; their width follows from the filament pushed, or from the slicer's comments.
    Gaps of the infill are filled and holes between walls are not; walls are told by the comments, or by closing.
    Skirt, brim, support, purge lines and
    wipe towers are left out by the slicer's comments; without comments, by being narrow, flat and apart. Finding codes:
    ``reconstructed``, ``beside-part-dropped``, ``skirt-guessed``, ``track-types-unknown``, ``grid-coarse``.
    """
    size = file_size(file)
    if size > _FILE_LIMIT_BYTES:
        raise HostileFileError(f"the job has {size} bytes; jobs of more than {_FILE_LIMIT_BYTES} are refused")
    job = _Job()
    while line := file.readline(_LINE_LIMIT_BYTES):
        job.take(line)
    tracks, findings = job.tracks()
    vertices, faces, cell = solid_of_tracks(tracks)
    check_face_count(len(faces), face_limit)
    findings.append(
        Finding(
            "reconstructed",
            "note",
            f"the surface was rebuilt from {len(tracks.layer)} tracks in {len(tracks.top_mm)} layers",
            f"on cells of {cell:.2g} mm",
        )
    )
    if cell > 0.5:
        findings.append(Finding("grid-coarse", "warning", f"the job is large: cells of {cell:.2g} mm lose detail"))
    return MeshContent(
        "G-code",
        (Item(vertices, faces, job.name()),),
        "millimetre",
        job.metadata(),
        tuple(findings),
        tuple(job.thumbnails),
    )


class _Job:
    """The state of the printer, and the pieces of track it has laid."""

    def __init__(self) -> None:
        self.settings: dict[str, str] = {}
        self.objects: dict[str, None] = {}
        self.thumbnails: list[Thumbnail] = []
        self._picture: list[bytes] | None = None
        self._picture_bytes = 0
        self._at = [0.0, 0.0, 0.0, 0.0]
        self._shift = [0.0, 0.0, 0.0, 0.0]
        self._unit = 1.0
        self._relative = False
        self._relative_e = False
        self._types: dict[bytes, int] = {b"": 0}
        self._type = 0
        self._width = 0.0
        self._run = 0
        self._pieces = array("d")  # x, y, x, y, z, filament, width, type, run

    # --- lines ---

    def take(self, line: bytes) -> None:
        """Take one line of the file."""
        code, mark, _ = line.partition(b";")
        words = _WORD.findall(code.split(b"(", 1)[0]) if code.strip() else []
        if words:
            self._command(words)
        if mark:
            self._comment(line[len(code) :].strip(), bool(words))

    def _comment(self, comment: bytes, behind_code: bool) -> None:
        if self._picture is not None:
            self._picture_line(comment)
            return
        if behind_code:
            return
        found = _TYPE.match(comment)
        if found:
            self._type = self._types.setdefault(found.group(1).strip().lower()[:40], len(self._types) % 1000)
        elif comment.startswith(b";WIDTH:"):
            self._width = _plain(comment[7:])
        elif comment.startswith(b"; LINE_WIDTH:"):
            self._width = _plain(comment[13:])
        elif comment.startswith((b"; printing object ", b";MESH:", b"; object:")) and len(self.objects) < 1000:
            name = text_of(re.split(rb"printing object |MESH:|object:", comment, maxsplit=1)[1], 80)
            if name != "NONMESH":
                self.objects[name] = None
        elif b"thumbnail" in comment[:20] and b"begin" in comment and len(self.thumbnails) < _MOST_THUMBNAILS:
            self._picture, self._picture_bytes = [], 0
        elif made := _MADE_BY.match(comment):
            self.settings.setdefault("generated by", text_of(made.group(1)))
        else:
            self._setting(comment)

    def _setting(self, comment: bytes) -> None:
        setting = _SETTING.match(comment)
        if setting and (key := setting.group(1).decode().strip()) in _KEPT_SETTINGS:
            self.settings.setdefault(key, text_of(setting.group(2)))

    def _picture_line(self, comment: bytes) -> None:
        picture = self._picture if self._picture is not None else []
        if b"thumbnail" in comment and b"end" in comment:
            try:
                data = base64.b64decode(b"".join(picture), validate=True)
                self.thumbnails.append(Thumbnail(f"thumbnail {len(self.thumbnails) + 1}", data))
            except (binascii.Error, ValueError):
                pass
            self._picture = None
        else:
            picture.append(comment.lstrip(b"; "))
            self._picture_bytes += len(comment)
            if self._picture_bytes > _THUMBNAIL_BYTES:
                raise HostileFileError(f"a picture in the comments has more than {_THUMBNAIL_BYTES} bytes")

    def _command(self, words: list[tuple[bytes, bytes]]) -> None:
        letter, number = words[0][0].upper(), words[0][1]
        if letter == b"N" and len(words) > 1:
            words = words[1:]
            letter, number = words[0][0].upper(), words[0][1]
        if letter not in (b"G", b"M") or len(number) > 4 or not number.isdigit():
            return
        command = letter + str(int(number)).encode()
        if command in (b"G0", b"G1"):
            self._move(self._target(words[1:]))
        elif command in (b"G2", b"G3"):
            self._arc(words[1:], clockwise=command == b"G2")
        elif command == b"G92":
            given = {w.upper(): _plain(v) * self._unit for w, v in words[1:]}
            for k, axis in enumerate((b"X", b"Y", b"Z", b"E")):
                if axis in given:
                    self._shift[k] = self._at[k] - given[axis]
        elif command in (b"G20", b"G21"):
            self._unit = 25.4 if command == b"G20" else 1.0
        elif command in (b"G90", b"G91"):
            self._relative = command == b"G91"
        elif command in (b"M82", b"M83"):
            self._relative_e = command == b"M83"
        elif command == b"G28":
            named = {w.upper() for w, _ in words[1:]} or {b"X", b"Y", b"Z"}
            target = [0.0 if axis in named else at for axis, at in zip((b"X", b"Y", b"Z"), self._at, strict=False)]
            self._shift[:3] = [
                0.0 if axis in named else s for axis, s in zip((b"X", b"Y", b"Z"), self._shift, strict=False)
            ]
            self._move([*target, self._at[3]])

    # --- moves ---

    def _target(self, words: list[tuple[bytes, bytes]]) -> list[float]:
        """Return where a move goes, in millimetres of the machine."""
        target = list(self._at)
        for word, value in words:
            k = b"XYZE".find(word.upper())
            if k < 0:
                continue
            length = _plain(value) * self._unit
            if self._relative or (k == 3 and self._relative_e):
                target[k] = self._at[k] + length
            else:
                target[k] = length + self._shift[k]
        return target

    def _move(self, target: list[float]) -> None:
        x0, y0, z0, e0 = self._at
        x1, y1, z1, e1 = target
        if e1 > e0 and (x1 != x0 or y1 != y0):
            # A rising move lies on the layer where it ends.
            self._pieces.extend((x0, y0, x1, y1, z1, e1 - e0, self._width, self._type, self._run))
            if len(self._pieces) > 9 * _MOST_PIECES:
                raise HostileFileError(f"the job has more than {_MOST_PIECES} tracks")
        elif x1 != x0 or y1 != y0 or z1 != z0:
            self._run += 1
        self._at = target

    def _arc(self, words: list[tuple[bytes, bytes]], *, clockwise: bool) -> None:
        """Lay an arc as chords; an arc that makes no sense is laid as a line."""
        target = self._target(words)
        given = {w.upper(): _plain(v) * self._unit for w, v in words}
        x0, y0, x1, y1 = self._at[0], self._at[1], target[0], target[1]
        if b"R" in given:
            half = math.hypot(x1 - x0, y1 - y0) / 2.0
            if half == 0.0 or abs(given[b"R"]) < 0.99 * half:
                self._move(target)
                return
            away = math.sqrt(max(given[b"R"] ** 2 - half**2, 0.0)) / (2.0 * half) * (1.0 if given[b"R"] > 0 else -1.0)
            away = -away if not clockwise else away
            cx, cy = (x0 + x1) / 2.0 + away * (y1 - y0), (y0 + y1) / 2.0 - away * (x1 - x0)
        else:
            cx, cy = x0 + given.get(b"I", 0.0), y0 + given.get(b"J", 0.0)
        radius = math.hypot(x0 - cx, y0 - cy)
        if not 0.0 < radius < 1e6:
            self._move(target)
            return
        turn = math.atan2(y1 - cy, x1 - cx) - math.atan2(y0 - cy, x0 - cx)
        turn = turn % math.tau - math.tau if clockwise else turn % math.tau
        if turn == 0.0 or (x0, y0) == (x1, y1):
            turn = -math.tau if clockwise else math.tau
        step = 2.0 * math.acos(max(1.0 - _CHORD_ERROR_MM / radius, 0.0))
        chords = min(max(int(abs(turn) / step) + 1, 2), _MOST_CHORDS)
        start, first = list(self._at), math.atan2(y0 - cy, x0 - cx)
        for k in range(1, chords):
            t = k / chords
            angle = first + t * turn
            z, e = (start[n] + t * (target[n] - start[n]) for n in (2, 3))
            self._move([cx + radius * math.cos(angle), cy + radius * math.sin(angle), z, e])
        self._move(target)

    # --- what came out ---

    def name(self) -> str:
        """Return the name of the object, if there is exactly one."""
        return next(iter(self.objects)) if len(self.objects) == 1 else ""

    def metadata(self) -> dict[str, Any]:
        """Return what the file says of itself."""
        metadata: dict[str, Any] = dict(self.settings)
        if self.objects:
            metadata["objects"] = tuple(self.objects)
        return metadata

    def tracks(self) -> tuple[Tracks, list[Finding]]:
        """Return the tracks of the part, without what is printed beside it."""
        pieces = np.array(self._pieces, np.float64).reshape(-1, 9)
        if not len(pieces):
            raise CorruptFileError("no move lays down material: not a print job")
        if not np.isfinite(pieces).all() or np.abs(pieces[:, :6]).max() > 1e6:
            raise HostileFileError("a move goes farther than any printer")
        findings = []
        kinds = [name for name, _ in sorted(self._types.items(), key=lambda entry: entry[1])]
        typed = len(kinds) > 1
        if typed:
            # Before the first comment stand the machine's own lines.
            beside = np.array([not name or any(word in name for word in _BESIDE) for name in kinds])
            dropped = beside[pieces[:, 7].astype(np.int64)]
            if dropped.all():
                raise CorruptFileError("every track is skirt, support or purge by its comment: nothing is left")
            if dropped.any():
                message = f"{int(dropped.sum())} of {len(pieces)} tracks are skirt, brim, support or purge by comment"
                findings.append(Finding("beside-part-dropped", "note", message, "left out"))
            pieces = pieces[~dropped]
        wall_kinds = np.array([any(word in name for word in _WALLS) for name in kinds])
        pieces = pieces[pieces[:, 4] > 0.0]
        if not len(pieces):
            raise CorruptFileError("no track lies above the bed")
        tops, layer = layers_of(pieces[:, 4])
        tracks = tracks_of_pieces(pieces, tops, layer, self._filament_area(), wall_kinds if typed else None)
        if not typed:
            skirt = apart_on_the_bed(tracks)[: len(pieces)]
            findings.append(
                Finding(
                    "track-types-unknown", "note", "the slicer left no comments on what each track is",
                    "brim and support cannot be told from the part",
                )
            )  # fmt: skip
            if skirt.any():
                findings.append(
                    Finding("skirt-guessed", "note", f"{int(skirt.sum())} tracks lie flat and apart", "left out")
                )
                tops, layer = layers_of(pieces[~skirt, 4])
                tracks = tracks_of_pieces(pieces[~skirt], tops, layer, self._filament_area(), None)
        return tracks, findings

    def _filament_area(self) -> float:
        """Return the cross-section of the filament in mm²."""
        diameter = _plain(self.settings.get("filament_diameter", "").split(",")[0].encode())
        return math.pi / 4.0 * (diameter if 0.5 < diameter < 5.0 else 1.75) ** 2


def _plain(word: bytes) -> float:
    """Return a word as a number; what is none counts as 0."""
    try:
        value = float(word)
    except ValueError:
        return 0.0
    return value if math.isfinite(value) else 0.0
