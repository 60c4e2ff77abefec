"""The printer that a job drives: units, modes and moves, and the pieces of track that it leaves."""

from __future__ import annotations

import math
import re
from array import array

import numpy as np
from numpy.typing import NDArray

from ballistics.errors import HostileFileError
from ballistics.printed.content.bounds import text_of
from ballistics.printed.jobs.comments import Comments
from ballistics.printed.jobs.words import Command, commands_of

_MOST_PIECES = 5_000_000
# A chord this far from its arc is far below what a printer can do; no arc has more pieces than the second number.
_CHORD_ERROR_MM, _MOST_CHORDS = 0.02, 256
_STRAIGHT = {b"G0": "G0", b"G1": "G1", b"G2": "G2", b"G3": "G3", b"G00": "G0", b"G01": "G1"}
# Commands between the tracks that change nothing here, and those that stand at the end of a job.
_WITHOUT_EFFECT = {b"M73", b"M106", b"M117", b"M118", b"M201", b"M203", b"M204", b"M205", b"M220", b"M221", b"M900"}
_AT_THE_END = {"M0", "M1", "M2", "M5", "M18", "M30", "M84", "M104", "M107", "M109", "M140", "G27", "G28"}
_BETWEEN_TRACKS = (b"EXCLUDE_OBJECT", b"SET_", b"TIMELAPSE", b"_")
_SETTING_AT_THE_END = re.compile(rb"^; ?(?:[a-z][a-z0-9_]{2,60} = |end of |end g-?code|\w+_BLOCK_END)", re.IGNORECASE)
_PAIR = re.compile(rb"[A-Z][-+.0-9]+")
_AXES = ("X", "Y", "Z", "E")
# Klipper's and Marlin's names of objects.
_KLIPPER_NAME = re.compile(rb"^\s*EXCLUDE_OBJECT_(?:DEFINE|START)\b.*?\bNAME=(\S+)")
_MARLIN_NAME = re.compile(rb"^\s*M486\s+(?:S-?\d+\s+)?A\s*(.+)")


def _plain_words(code: bytes) -> list[bytes]:
    """Return the words of a move in another spelling: line number and checksum, lower case, no blanks.

    For speed only; empty where it is not that simple. The grammar is in `commands_of`.
    """
    words = (code.partition(b"*")[0] if b"*" in code else code).upper().split()
    if len(words) > 1 and words[0][:1] == b"N" and words[0][1:].isdigit():
        words = words[1:]
    if len(words) == 1 and words[0][:2] in (b"G0", b"G1", b"G2", b"G3"):
        pairs = _PAIR.findall(words[0])
        words = pairs if sum(map(len, pairs)) == len(words[0]) else words
    return words if words and words[0] in _STRAIGHT else []


class Machine:
    """The state of the printer while a job runs.

    Attributes
    ----------
    comments : Comments
    pieces : array of float64
        Nine values for each piece of track: x, y of its start, x, y of its end, z, filament pushed (all in mm, or mm³
        in a volumetric job), width as stated, number of its kind, number of its run.
    unfinished : bool
        Whether nothing after the last track is what stands at the end of a job: heaters or motors off, settings.
    unreadable, as_lines : int
        Words of axes that are no numbers; curves that were taken as straight lines.
    """

    def __init__(self) -> None:
        self.comments = Comments()
        self.pieces = array("d")
        self.unfinished = False
        self.unreadable = 0
        self.as_lines = 0
        self._at = [0.0, 0.0, 0.0, 0.0]
        self._shift = [0.0, 0.0, 0.0, 0.0]
        self._unit = 1.0
        self._relative = False
        self._relative_e = False
        self._flat = True
        self._run = 0
        self._motion = ""
        self._tool = 0
        self._volumetric = False
        # From which piece on which tool works, and whether E is a volume.
        self._modes: list[tuple[int, int, bool]] = [(0, 0, False)]

    # --- lines ---

    def take(self, line: bytes) -> None:
        """Take one line of the job."""
        code, mark, _ = line.partition(b";")
        words = code.split()
        if not words:
            if mark:
                comment = line[len(code) :].strip()
                self.comments.take(comment)
                if self.unfinished and _SETTING_AT_THE_END.match(comment):
                    self.unfinished = False
            return
        if words[0] in _WITHOUT_EFFECT:
            return
        if words[0] not in _STRAIGHT:
            words = _plain_words(code) or words
        name = _STRAIGHT.get(words[0])
        if name is not None:
            if len(words) == 1:
                return
            try:
                given = {chr(word[0]): float(word[1:]) for word in words[1:]}
            except ValueError:
                given = {}
            # A second E is an exponent or glued to another word, and "nan" is a number to Python only.
            if (
                given
                and code.count(b"E") + code.count(b"e") == ("E" in given)
                and all(-1e9 < v < 1e9 for v in given.values())
            ):
                self._motion = name
                self._moved(given)
                return
        commands = commands_of(code)
        for command in commands:
            self._command(command)
        if not commands or commands[0].name == "M486":
            self._macro(code, words[0].upper())

    def _macro(self, code: bytes, name: bytes) -> None:
        """Take a command that is a word: names of objects are kept, nothing is done."""
        if not name.startswith(_BETWEEN_TRACKS) and name[:1].isalpha():
            self.unfinished = False
        if found := _KLIPPER_NAME.match(code) or _MARLIN_NAME.match(code):
            self.comments.name_object(text_of(found[1].strip(b" \t\"'"), 80))

    def _command(self, command: Command) -> None:
        name, words, flags, unreadable = command
        self.unreadable += unreadable
        if name in _AT_THE_END:
            self.unfinished = False
        if name in ("G0", "G1", "G2", "G3") or (name == "X" and self._motion):
            self._motion = self._motion if name == "X" else name
            self._moved(words)
        elif name in ("G5", "G5.1"):
            self.as_lines += 1
            self._move(self._target(words))
        elif name == "G92":
            given = {axis: words.get(axis, 0.0) * self._unit for axis in _AXES if axis in words or axis in flags}
            # Alone, it makes the place where the head is the origin of every axis.
            given = given or dict.fromkeys(_AXES, 0.0)
            for k, axis in enumerate(_AXES):
                if axis in given:
                    self._shift[k] = self._at[k] - given[axis]
        elif name == "G92.1":
            self._shift[:3] = [0.0, 0.0, 0.0]
        elif name in ("G20", "G21"):
            self._unit = 25.4 if name == "G20" else 1.0
        elif name in ("G90", "G91"):
            self._relative = name == "G91"
        elif name in ("M82", "M83"):
            self._relative_e = name == "M83"
        elif name in ("G17", "G18", "G19"):
            self._flat = name == "G17"
        elif name == "G28":
            self._home({axis for axis in "XYZ" if axis in words or axis in flags} or set("XYZ"))
        elif name == "M200":
            self._volumetric_by(words)
        elif name[0] == "T" and "." not in name:
            self._tool = min(int(name[1:]), 99) if name[1:].isdigit() else self._tool
            self._mode()

    def _volumetric_by(self, words: dict[str, float]) -> None:
        """Take M200: D is the filament's diameter, 0 or S0 ends the counting in mm³."""
        if "D" in words:
            self._volumetric = words["D"] > 0.0
        if "S" in words:
            self._volumetric = words["S"] > 0.0
        self._mode()

    def _mode(self) -> None:
        now = (len(self.pieces) // 9, self._tool, self._volumetric)
        if self._modes[-1][0] == now[0]:
            self._modes[-1] = now
        elif self._modes[-1][1:] != now[1:]:
            self._modes.append(now)

    # --- moves ---

    def _home(self, named: set[str]) -> None:
        target = [0.0 if axis in named else at for axis, at in zip("XYZ", self._at, strict=False)]
        self._shift[:3] = [0.0 if axis in named else s for axis, s in zip("XYZ", self._shift, strict=False)]
        self._move([*target, self._at[3]])

    def _target(self, given: dict[str, float]) -> list[float]:
        """Return where a move goes, in millimetres of the machine."""
        target = self._at.copy()
        for letter, value in given.items():
            k = "XYZE".find(letter)
            if k < 0:
                continue
            if self._relative or (k == 3 and self._relative_e):
                target[k] += value * self._unit
            else:
                target[k] = value * self._unit + self._shift[k]
        return target

    def _moved(self, given: dict[str, float]) -> None:
        if self._motion in ("G0", "G1"):
            self._move(self._target(given))
        elif self._flat:
            self._arc(given, clockwise=self._motion == "G2")
        else:
            self.as_lines += 1
            self._move(self._target(given))

    def _move(self, target: list[float]) -> None:
        x0, y0, z0, e0 = self._at
        x1, y1, z1, e1 = target
        if e1 > e0 and (x1 != x0 or y1 != y0):
            # A rising move lies on the layer where it ends.
            comments = self.comments
            self.pieces.extend((x0, y0, x1, y1, z1, e1 - e0, comments.width_mm, comments.kind, self._run))
            self.unfinished = True
            if len(self.pieces) > 9 * _MOST_PIECES:
                raise HostileFileError(f"the job has more than {_MOST_PIECES} tracks")
        elif x1 != x0 or y1 != y0 or z1 != z0:
            self._run += 1
        self._at = target

    def _arc(self, given: dict[str, float], *, clockwise: bool) -> None:
        """Print an arc as chords; an arc that makes no sense is printed as a line."""
        target = self._target(given)
        x0, y0, x1, y1 = self._at[0], self._at[1], target[0], target[1]
        if "R" in given:
            bow = given["R"] * self._unit
            half = math.hypot(x1 - x0, y1 - y0) / 2.0
            if half == 0.0 or abs(bow) < 0.99 * half:
                self._move(target)
                return
            away = math.sqrt(max(bow**2 - half**2, 0.0)) / (2.0 * half) * (1.0 if bow > 0 else -1.0)
            away = -away if not clockwise else away
            cx, cy = (x0 + x1) / 2.0 + away * (y1 - y0), (y0 + y1) / 2.0 - away * (x1 - x0)
        else:
            cx, cy = x0 + given.get("I", 0.0) * self._unit, y0 + given.get("J", 0.0) * self._unit
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

    def tracks(self) -> NDArray[np.float64]:
        """Return the pieces as an array of shape (n, 9)."""
        return np.array(self.pieces, np.float64).reshape(-1, 9)

    def tools(self) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return the tool of each piece, and whether its E is a volume in mm³."""
        starts = np.array([start for start, _, _ in self._modes] + [len(self.pieces) // 9])
        lengths = np.diff(starts)
        return (
            np.repeat(np.array([tool for _, tool, _ in self._modes], np.int64), lengths),
            np.repeat(np.array([volumetric for _, _, volumetric in self._modes], bool), lengths),
        )
