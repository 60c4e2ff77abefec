"""The printer that a job drives: units, modes and moves, and the pieces of track that it leaves."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ballistics.errors import HostileFileError
from ballistics.printed.content.bounds import text_of
from ballistics.printed.jobs.comments import Comments, Effect
from ballistics.printed.jobs.filament_axis import is_pushed_by_a, with_e_for_a
from ballistics.printed.jobs.words import Command, commands_of
from ballistics_kernels.printing import PIECE_COLUMNS, GcodeState, LineTable, move, read_lines

_MOST_PIECES = 5_000_000
_LINE_LIMIT_BYTES = 1 << 20
# Pieces that are held before they are handed on, and events of which habits are told.
_PIECES_AT_ONCE, _EVENTS_AT_ONCE = 1 << 17, 1 << 16
# Room for lines that need not be looked at twice; it is filled to a half.
_TABLE = 1 << 14
# What is kept of the text: lines that are no moves, and both ends.
_SAID_BYTES, _SAID_LINE_BYTES, _ENDS_BYTES = 8 << 20, 64 << 10, 1 << 18
_MOTIONS = {"G0": 0, "G1": 1, "G2": 2, "G3": 3}
_LETTERS = "XYZEIJRF"
# Commands that stand at the end of a job.
_AT_THE_END = {"M0", "M1", "M2", "M5", "M18", "M30", "M84", "M104", "M107", "M109", "M140", "G27", "G28"}
# Commands that change where the head is, or how its moves are read: they have to be carried out every time.
_STATEFUL = {
    *_MOTIONS, "X", "G5", "G5.1", "G17", "G18", "G19", "G20", "G21", "G28", "G90", "G91", "G92", "G92.1", "G60", "G61",
    "M82", "M83", "M200",
}  # fmt: skip
_BETWEEN_TRACKS = (b"EXCLUDE_OBJECT", b"SET_", b"TIMELAPSE", b"_")
_SETTING_AT_THE_END = re.compile(rb"^; ?(?:[a-z][a-z0-9_]{2,60} = |end of |end g-?code|\w+_BLOCK_END)", re.IGNORECASE)
_AXES = ("X", "Y", "Z", "E")
# Klipper's and Marlin's names of objects.
_KLIPPER_NAME = re.compile(rb"^\s*EXCLUDE_OBJECT_(?:DEFINE|START)\b.*?\bNAME=(\S+)")
_MARLIN_NAME = re.compile(rb"^\s*M486\s+(?:S-?\d+\s+)?A\s*(.+)")
# What is whole even without the end of its line: comments, commands and macros that end a job, and the last line of
# RS274 programs.
_WHOLE_LINE = re.compile(
    rb"^\s*(?:;|%\s*$|(?:N\d+\s*)?(?:M84|M18|M30|M107|M104\s+S0|M140\s+S0)\b|_?(?:END|\w+_END|END_\w+|FINISH\w*)\s*$)",
    re.IGNORECASE,
)
_ZEROS = re.compile(rb"\0+")
# Block delete of RS-274; two of them begin a comment.
_BLOCK_OFF = re.compile(rb"(?:^|[\r\n])/(?!/)[^;\r\n]*[GMT]\d", re.IGNORECASE)
_LINE_WITH_ZEROS = re.compile(rb"[^\r\n\0]*\0[^\r\n]*")
# What a line that is too long must begin with to be cut: comments (pictures in one line), and nothing that moves.
_LONG_COMMENT = re.compile(rb"\s*;")
# Columns of ``state.modes`` and ``state.place``: see `GcodeState`.
_RELATIVE, _RELATIVE_E, _FLAT, _RUN, _MOTION, _KIND, _UNFINISHED, _CURVES, _PIECES, _EVENTS, _LINES = range(11)
_WIDTH, _UNIT = 9, 10


class Machine:
    """The state of the printer while a job runs.

    Parameters
    ----------
    keeps_pieces : bool
        Whether the pieces of the whole job are kept; without them, a job of any length is read in the same memory.

    Attributes
    ----------
    comments : Comments
    state : GcodeState
        As the kernel has it.
    unreadable : int
        Words of axes that are no numbers.
    lost_lines : int
        Lines with bytes of value 0, as damaged cards and stopped copies leave them; they are left out.
    blocks_off : int
        Lines that begin with a single ``/``, which a controller may skip; they are left out.
    half_line : bytes
        A move without the end of its line at the end of the file, which was left out.
    last_line : bytes
        The last line that is not blank.
    firmware_retraction : bool
        Whether filament is drawn back by G10.
    progress : float or None
        The most that M73 shows, in percent.
    switches_extruder : bool
        Whether filament is pushed from M101 to M103, as by the first printers, and not by an axis.
    pushed_by_a : bool
        Whether the axis A pushes the filament.
    said : list of (int, bytes)
        Number and text of the lines that are no moves, each text once; without pictures, and within limits.
    head, tail : bytes
        The first and the last lines of the job.
    """

    def __init__(self, *, keeps_pieces: bool = True) -> None:
        self.comments = Comments()
        place = np.zeros(11)
        place[_UNIT] = 1.0
        modes = np.zeros(11, np.int64)
        modes[_FLAT], modes[_MOTION] = 1, -1
        self.state = GcodeState(
            place, modes, np.zeros(17, np.int64), np.empty((1024, PIECE_COLUMNS)), np.empty((_EVENTS_AT_ONCE, 3))
        )
        self.unreadable = 0
        self.lost_lines = 0
        self.blocks_off = 0
        self.half_line = b""
        self.last_line = b""
        self.firmware_retraction = False
        self.progress: float | None = None
        self.said: list[tuple[int, bytes]] = []
        self._said_bytes = 0
        self.head, self.tail = b"", b""
        self.switches_extruder = False
        self.pushed_by_a = False
        self._saved: dict[int, tuple[float, float, float]] = {}
        self._table = LineTable(
            np.zeros(_TABLE, np.uint64),
            np.full(_TABLE, -1, np.int64),
            np.full(_TABLE, -1.0),
            np.zeros(_TABLE, np.int64),
        )
        self._entries = 0
        self._key = np.zeros(1, np.uint64)
        self._keeps_pieces = keeps_pieces
        self._kept: list[NDArray[np.float64]] = []
        self._count = 0
        self._tool = 0
        self._volumetric = False
        # From which piece on which tool works, and whether E is a volume.
        self._modes: list[tuple[int, int, bool]] = [(0, 0, False)]

    @property
    def unfinished(self) -> bool:
        """Whether nothing after the last track is what stands at the end of a job: heaters or motors off, settings."""
        return bool(self.state.modes[_UNFINISHED])

    @property
    def as_lines(self) -> int:
        """Curves that were taken as straight lines."""
        return int(self.state.modes[_CURVES])

    # --- lines ---

    def read(self, text: Iterable[bytes]) -> None:
        """Take a job, piece by piece.

        Raises
        ------
        HostileFileError
            A line, or the job, is too long.
        """
        rest = b""
        first = True
        skipped = False
        for piece in text:
            if first and piece:
                piece = piece.removeprefix(b"\xef\xbb\xbf")
                first = False
                self.pushed_by_a = is_pushed_by_a(piece)
            if self.pushed_by_a:
                piece = with_e_for_a(piece)
            if b"\0" in piece:
                piece = _ZEROS.sub(b"\0", piece)
            if skipped:
                # The rest of a comment that is too long to keep.
                ends = [at for at in (piece.find(b"\n"), piece.find(b"\r")) if at >= 0]
                if not ends:
                    continue
                piece, skipped = piece[min(ends) :], False
            # A CR at the end may be half of a line end.
            end = max(piece.rfind(b"\n"), piece.rfind(b"\r", 0, len(piece) - 1)) + 1
            if not end:
                rest += piece
                if len(rest) > _LINE_LIMIT_BYTES // 2 and _LONG_COMMENT.match(rest):
                    rest, skipped = rest[:_SAID_LINE_BYTES], True
                elif len(rest) > _LINE_LIMIT_BYTES:
                    raise HostileFileError(f"a line is longer than {_LINE_LIMIT_BYTES} bytes")
                continue
            self._take(rest + piece[:end])
            rest = piece[end:]
        rest = self._without_zeros(rest)
        if rest.strip():
            if self.unfinished and not rest.endswith(b"\r") and not _WHOLE_LINE.match(rest):
                # A number may have lost its last digits.
                self.half_line = rest
                self.last_line = rest[-200:]
            else:
                self._take(rest + b"\n")

    def take(self, line: bytes) -> None:
        """Take one line of the job."""
        self._take(line + b"\n")

    def _take(self, text: bytes) -> None:
        """Take whole lines."""
        text = self._without_zeros(text)
        if text.startswith(b"/") or b"\n/" in text or b"\r/" in text:
            self.blocks_off += len(_BLOCK_OFF.findall(text))
        held = np.frombuffer(text, np.uint8)
        if len(self.head) < _ENDS_BYTES:
            self.head += text[: _ENDS_BYTES - len(self.head)]
        self.tail = (self.tail + text)[-_ENDS_BYTES:] if len(text) < _ENDS_BYTES else text[-_ENDS_BYTES:]
        tail = text[-4096:].rstrip()
        if tail:
            self.last_line = re.split(rb"[\r\n]", tail)[-1][-200:]
        at = 0
        while True:
            status, first, last, at = read_lines(held, at, _LINE_LIMIT_BYTES, self.state, self._table, self._key)
            if status == 0:
                return
            if status == 2:
                self._hand_on()
            elif status == 3:
                raise HostileFileError(f"a line is longer than {_LINE_LIMIT_BYTES} bytes")
            else:
                key = self._key[0]
                again = self._carry_out(text[first:last])
                if again is not None and 2 * self._entries < _TABLE:
                    self._remember(key, again)

    def _without_zeros(self, text: bytes) -> bytes:
        """Leave out the lines that zeros are in: what is left of their numbers may be half."""
        if b"\0" not in text:
            return text
        text, times = _LINE_WITH_ZEROS.subn(b"", text)
        self.lost_lines += times
        return text

    def _remember(self, key: np.uint64, effect: Effect) -> None:
        """Let the kernel carry out a line that was met once."""
        table = self._table
        slot = int(key) & (_TABLE - 1)
        while table.keys[slot]:
            slot = (slot + 1) & (_TABLE - 1)
        table.keys[slot] = key
        table.kind[slot], table.width[slot], table.ends[slot] = effect.kind, effect.width_mm, effect.ends
        self._entries += 1

    def _carry_out(self, line: bytes) -> Effect | None:
        """Carry out a line; return what it does each time it is met, or None where that depends on more."""
        code, mark, _ = line.partition(b";")
        if not code.strip():
            comment = line[len(code) :].strip() if mark else b""
            effect = self.comments.take(comment)
            if not self.comments.in_picture and (effect is None or (effect.kind < 0 and effect.width_mm < 0.0)):
                self._keep(comment)
            if effect is not None:
                if effect.kind >= 0:
                    self.state.modes[_KIND] = effect.kind
                if effect.width_mm >= 0.0:
                    self.state.place[_WIDTH] = effect.width_mm
            if not _SETTING_AT_THE_END.match(comment):
                return effect
            self.state.modes[_UNFINISHED] = 0
            return None if effect is None else effect._replace(ends=1)
        self._keep(line)
        commands = commands_of(code)
        ends = any(command.name in _AT_THE_END for command in commands)
        if ends:
            self.state.modes[_UNFINISHED] = 0
        if commands and commands[0].name == "M73" and "P" in commands[0].words:
            self.progress = max(self.progress or 0.0, commands[0].words["P"])
        for command in commands:
            self._command(command)
        if not commands or commands[0].name == "M486":
            ends |= self._macro(code)
        stateful = any(
            command.name in _STATEFUL or command.name[0] == "T" or command.unreadable for command in commands
        )
        return None if stateful else Effect(ends=int(ends))

    def _keep(self, line: bytes) -> None:
        if self._said_bytes < _SAID_BYTES:
            self.said.append((int(self.state.modes[_LINES]), line[:_SAID_LINE_BYTES]))
            self._said_bytes += len(line) + 64

    def _macro(self, code: bytes) -> bool:
        """Take a command that is a word, and return whether it may end a job; names of objects are kept."""
        name = code.split()[0].upper()
        ends = not name.startswith(_BETWEEN_TRACKS) and name[:1].isalpha() and not name.startswith(b"M486")
        ends |= name == b"%"
        if ends:
            self.state.modes[_UNFINISHED] = 0
        if found := _KLIPPER_NAME.match(code) or _MARLIN_NAME.match(code):
            self.comments.name_object(text_of(found[1].strip(b" \t\"'"), 80))
        return ends

    def _command(self, command: Command) -> None:
        name, words, flags, unreadable = command
        place, modes = self.state.place, self.state.modes
        self.unreadable += unreadable
        if name in _MOTIONS or (name == "X" and modes[_MOTION] >= 0):
            modes[_MOTION] = _MOTIONS.get(name, modes[_MOTION])
            self._move(int(modes[_MOTION]), words)
        elif name in ("G5", "G5.1"):
            modes[_CURVES] += 1
            self._move(1, {axis: words[axis] for axis in _AXES if axis in words})
        elif name == "G92":
            given = {axis: words.get(axis, 0.0) * place[_UNIT] for axis in _AXES if axis in words or axis in flags}
            # Alone, it makes the place where the head is the origin of every axis.
            given = given or dict.fromkeys(_AXES, 0.0)
            for k, axis in enumerate(_AXES):
                if axis in given:
                    place[4 + k] = place[k] - given[axis]
        elif name == "G92.1":
            place[4:7] = 0.0
        elif name in ("G10", "G11"):
            # With words, G10 sets a tool's temperatures or offsets.
            self.firmware_retraction |= not words or set(words) == {"S"}
        elif name == "G60":
            self._saved[int(words.get("S", 0.0))] = (float(place[0]), float(place[1]), float(place[2]))
        elif name == "G61" and int(words.get("S", 0.0)) in self._saved:
            # Without a saved place it asks for exact stops.
            back = self._saved[int(words.get("S", 0.0))]
            axes = {axis for axis in "XYZ" if axis in words or axis in flags} or set("XYZ")
            for k, axis in enumerate("XYZ"):
                place[k] = back[k] if axis in axes else place[k]
            modes[_RUN] += 1
        elif name in ("G20", "G21"):
            place[_UNIT] = 25.4 if name == "G20" else 1.0
        elif name in ("G90", "G91"):
            modes[_RELATIVE] = name == "G91"
        elif name in ("M82", "M83"):
            modes[_RELATIVE_E] = name == "M83"
        elif name in ("G17", "G18", "G19"):
            modes[_FLAT] = name == "G17"
        elif name == "G28":
            self._home({axis for axis in "XYZ" if axis in words or axis in flags} or set("XYZ"))
        elif name == "M200":
            self._volumetric_by(words)
        elif name == "M101":
            self.switches_extruder = True
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
        now = (self._count + int(self.state.modes[_PIECES]), self._tool, self._volumetric)
        if self._modes[-1][0] == now[0]:
            self._modes[-1] = now
        elif self._modes[-1][1:] != now[1:]:
            self._modes.append(now)

    # --- moves ---

    def _home(self, named: set[str]) -> None:
        place, modes = self.state.place, self.state.modes
        moved = any(place[k] != 0.0 for k, axis in enumerate("XYZ") if axis in named)
        for k, axis in enumerate("XYZ"):
            if axis in named:
                place[k] = place[4 + k] = 0.0
        modes[_RUN] += moved

    def _move(self, motion: int, words: dict[str, float]) -> None:
        """Carry out a move whose spelling the kernel does not read."""
        values = np.zeros(8)
        given = 0
        for k, letter in enumerate(_LETTERS):
            if letter in words:
                values[k] = words[letter]
                given |= 1 << k
        if self.state.modes[_PIECES] + 257 > len(self.state.pieces):
            self._hand_on()
        move(motion, values, given, self.state)

    def _hand_on(self) -> None:
        """Make room for more pieces."""
        state = self.state
        count = int(state.modes[_PIECES])
        if self._keeps_pieces:
            self._kept.append(state.pieces[:count].copy())
        self._count += count
        if self._keeps_pieces and self._count > _MOST_PIECES:
            raise HostileFileError(f"the job has more than {_MOST_PIECES} tracks")
        state.modes[_PIECES] = 0
        if len(state.pieces) < _PIECES_AT_ONCE:
            self.state = state._replace(pieces=np.empty((_PIECES_AT_ONCE, PIECE_COLUMNS)))

    # --- what came out ---

    def tracks(self) -> NDArray[np.float64]:
        """Return the pieces as an array of shape (n, PIECE_COLUMNS)."""
        return np.concatenate([*self._kept, self.state.pieces[: self.state.modes[_PIECES]]])

    def events(self) -> NDArray[np.float64]:
        """Return the first travels, lifts and moves of filament alone; shape (n, 3), see `GcodeState`."""
        return self.state.events[: self.state.modes[_EVENTS]]

    def tools(self) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return the tool of each piece, and whether its E is a volume in mm³."""
        starts = np.array([start for start, _, _ in self._modes] + [self._count + int(self.state.modes[_PIECES])])
        lengths = np.diff(starts)
        return (
            np.repeat(np.array([tool for _, tool, _ in self._modes], np.int64), lengths),
            np.repeat(np.array([volumetric for _, _, volumetric in self._modes], bool), lengths),
        )
