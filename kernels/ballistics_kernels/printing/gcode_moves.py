"""Lines of G-code become moves, and moves pieces of track: one pass over the bytes; what is rare, the caller does."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ballistics_kernels.accelerate import helper, kernel

#: Columns of a piece: x, y of its start, x, y of its end, z, filament pushed, width, kind, run, feed rate in mm/min.
PIECE_COLUMNS = 10
# Columns of an event: what it is, millimetres, feed rate in mm/min.
_TRAVEL, _LIFT, _FILAMENT = 0.0, 1.0, 2.0
# A chord this far from its arc is far below what a printer can do; no arc has more pieces than the second number.
_CHORD_ERROR_MM, _MOST_CHORDS = 0.02, 256
# Words of a move, by their place in ``values`` and their bit in ``given``.
_X, _Y, _Z, _E, _I, _J, _R, _F = range(8)
# ``place``: 0 to 3 where the head and the filament are, 4 to 7 where the origin was set, then:
_FEED, _WIDTH, _UNIT = 8, 9, 10
# ``modes``:
_RELATIVE, _RELATIVE_E, _FLAT, _RUN, _MOTION, _KIND, _UNFINISHED, _CURVES, _PIECES, _EVENTS, _LINES = range(11)
# ``habits``: moves by command G0 to G3, decimals of X, Y, Z, E and F, moves whose first word is F, arcs by radius,
# lines with numbers, with checksums, in lower case, with words that are not apart, ended by CR, moves with a comment.
_DECIMALS, _F_FIRST, _BY_RADIUS, _NUMBERED, _CHECKED, _LOWER, _GLUED, _CR, _COMMENTED = 4, 9, 10, 11, 12, 13, 14, 15, 16
_DONE, _ASK, _FULL, _TOO_LONG = 0, 1, 2, 3
_POWERS = 10.0 ** np.arange(23)
_WIDTH_OF_PRUSA, _WIDTH_OF_ORCA = tuple(b";WIDTH:"), tuple(b"; LINE_WIDTH:")
_FNV_START, _FNV_PRIME = np.uint64(14695981039346656037), np.uint64(1099511628211)


class GcodeState(NamedTuple):
    """What a printer knows, and what came out; the arrays are changed in place.

    Parameters
    ----------
    place : ndarray of float64, shape (11,)
        x, y, z, e in mm; the shift of each by G92; feed rate in mm/min; width of tracks in mm, 0 when not stated; mm of
        a unit.
    modes : ndarray of int64, shape (11,)
        Relative moves, relative e, arcs in the plane of the bed; number of the run of pieces without a break; the last
        motion command (-1: none) and kind of track; whether nothing that ends a job followed the last track; curves
        taken as lines; pieces, events, and lines so far.
    habits : ndarray of int64, shape (17,)
        Counts of how the job is written; see the source.
    pieces : ndarray of float64, shape (n, PIECE_COLUMNS)
        Filled from row ``modes[8]`` on.
    events : ndarray of float64, shape (m, 3)
        Travels (0), lifts without travel (1) and filament pushed or drawn back without a move (2): mm and feed rate.
        Filled from row ``modes[9]`` on; what does not fit is left out.
    """

    place: NDArray[np.float64]
    modes: NDArray[np.int64]
    habits: NDArray[np.int64]
    pieces: NDArray[np.float64]
    events: NDArray[np.float64]


class LineTable(NamedTuple):
    """Lines that the caller has seen and that may be met again without it; open addressing.

    Parameters
    ----------
    keys : ndarray of uint64, shape (2**k,)
        FNV-1a hash of a line without blanks around it; 0 where there is none.
    kind : ndarray of int64
        Kind of track from here on, or -1.
    width : ndarray of float64
        Width of tracks from here on in mm, or -1.
    ends : ndarray of int64
        1 where the line is one of those that end a job.
    """

    keys: NDArray[np.uint64]
    kind: NDArray[np.int64]
    width: NDArray[np.float64]
    ends: NDArray[np.int64]


@helper
def _straight(x1: float, y1: float, z1: float, e1: float, state: GcodeState) -> None:
    """Move in a line."""
    place, modes = state.place, state.modes
    x0, y0, z0, e0 = place[0], place[1], place[2], place[3]
    across = x1 != x0 or y1 != y0
    if e1 > e0 and across:
        # A rising move lies on the layer where it ends.
        n = modes[_PIECES]
        piece = state.pieces[n]
        piece[0], piece[1], piece[2], piece[3], piece[4], piece[5] = x0, y0, x1, y1, z1, e1 - e0
        piece[6], piece[7], piece[8], piece[9] = place[_WIDTH], modes[_KIND], modes[_RUN], place[_FEED]
        modes[_PIECES] = n + 1
        modes[_UNFINISHED] = 1
    else:
        if across or z1 != z0:
            modes[_RUN] += 1
        n = modes[_EVENTS]
        if n < state.events.shape[0] and (across or z1 != z0 or e1 != e0):
            event = state.events[n]
            if across:
                event[0], event[1] = _TRAVEL, math.sqrt((x1 - x0) ** 2 + (y1 - y0) ** 2)
            elif z1 != z0:
                event[0], event[1] = _LIFT, z1 - z0
            else:
                event[0], event[1] = _FILAMENT, e1 - e0
            event[2] = place[_FEED]
            modes[_EVENTS] = n + 1
    place[0], place[1], place[2], place[3] = x1, y1, z1, e1


@helper
def _arc(
    values: NDArray[np.float64], given: int, clockwise: bool, target: NDArray[np.float64], state: GcodeState
) -> None:
    """Print an arc as chords; an arc that makes no sense is printed as a line."""
    place = state.place
    unit = place[_UNIT]
    x0, y0, z0, e0 = place[0], place[1], place[2], place[3]
    x1, y1, z1, e1 = target[0], target[1], target[2], target[3]
    sensible = True
    cx, cy = x0, y0
    if given & (1 << _R):
        bow = values[_R] * unit
        half = math.sqrt((x1 - x0) ** 2 + (y1 - y0) ** 2) / 2.0
        if half == 0.0 or abs(bow) < 0.99 * half:
            sensible = False
        else:
            away = math.sqrt(max(bow * bow - half * half, 0.0)) / (2.0 * half)
            if (bow > 0.0) != clockwise:
                away = -away
            cx, cy = (x0 + x1) / 2.0 + away * (y1 - y0), (y0 + y1) / 2.0 - away * (x1 - x0)
    else:
        if given & (1 << _I):
            cx += values[_I] * unit
        if given & (1 << _J):
            cy += values[_J] * unit
    radius = math.sqrt((x0 - cx) ** 2 + (y0 - cy) ** 2)
    if sensible and 0.0 < radius < 1e6:
        first = math.atan2(y0 - cy, x0 - cx)
        whole = 2.0 * math.pi
        turn = math.atan2(y1 - cy, x1 - cx) - first
        if turn < 0.0:
            turn += whole
        if clockwise and turn > 0.0:
            turn -= whole
        if turn == 0.0 or (x0 == x1 and y0 == y1):
            turn = -whole if clockwise else whole
        step = 2.0 * math.acos(max(1.0 - _CHORD_ERROR_MM / radius, 0.0))
        chords = min(max(int(abs(turn) / step) + 1, 2), _MOST_CHORDS)
        for k in range(1, chords):
            t = k / chords
            angle = first + t * turn
            _straight(
                cx + radius * math.cos(angle),
                cy + radius * math.sin(angle),
                z0 + t * (z1 - z0),
                e0 + t * (e1 - e0),
                state,
            )
    _straight(x1, y1, z1, e1, state)


@helper
def _moved(
    motion: int, values: NDArray[np.float64], given: int, target: NDArray[np.float64], state: GcodeState
) -> None:
    """Carry out one motion command."""
    place, modes = state.place, state.modes
    if given & (1 << _F):
        place[_FEED] = values[_F] * place[_UNIT]
    for k in range(4):
        target[k] = place[k]
        if given & (1 << k):
            value = values[k] * place[_UNIT]
            if modes[_RELATIVE] or (k == _E and modes[_RELATIVE_E]):
                target[k] = place[k] + value
            else:
                target[k] = value + place[4 + k]
    if motion >= 2 and modes[_FLAT]:
        _arc(values, given, motion == 2, target, state)
    else:
        if motion >= 2:
            modes[_CURVES] += 1
        _straight(target[0], target[1], target[2], target[3], state)


@kernel
def move(motion: int, values: NDArray[np.float64], given: int, state: GcodeState) -> None:
    """Carry out one motion command whose words the caller has read.

    Parameters
    ----------
    motion : int
        0 to 3: G0 to G3.
    values : ndarray of float64, shape (8,)
        X, Y, Z, E, I, J, R, F in the job's unit; finite.
    given : int
        Bit k says that ``values[k]`` is given.
    state : GcodeState
        With room for 257 pieces.
    """
    _moved(motion, values, given, np.empty(4), state)


@helper
def _number(text: NDArray[np.uint8], at: int, end: int) -> tuple[int, float, int]:
    """Read a plain number; return where it ends (-1: none, or too long to be read exactly), its value, its decimals.

    A whole number below 2^53 over a power of ten up to 10^22, both exact, gives the nearest double (Clinger 1990,
    doi:10.1145/93542.93557).
    """
    negative = False
    if at < end and (text[at] == 45 or text[at] == 43):
        negative = text[at] == 45
        at += 1
    whole = np.int64(0)
    digits = decimals = 0
    pointed = False
    while at < end:
        c = text[at]
        if 48 <= c <= 57:
            whole = whole * 10 + (np.int64(c) - 48)
            digits += 1
            if pointed:
                decimals += 1
            if digits > 15:
                return -1, 0.0, 0
        elif c == 46 and not pointed:
            pointed = True
        else:
            break
        at += 1
    if digits == 0:
        return -1, 0.0, 0
    value = float(whole) / _POWERS[decimals]
    return at, -value if negative else value, decimals


@helper
def _letter(c: int) -> int:
    """Return the place of a move's letter, 8 for another that a move may have, -1 for what is none."""
    upper = c - 32 if 97 <= c <= 122 else c
    if 88 <= upper <= 90:
        return upper - 88
    if upper == 69:
        return _E
    if upper == 70:
        return _F
    if upper == 73 or upper == 74:
        return upper - 73 + _I
    if upper == 82:
        return _R
    # G, M, N and T begin another command; the rest says nothing of where the head goes.
    if 65 <= upper <= 90 and upper != 71 and upper != 77 and upper != 78 and upper != 84:
        return 8
    return -1


@helper
def _has_point(text: NDArray[np.uint8], at: int, end: int) -> bool:
    """Whether a decimal point follows sign and digits."""
    if at < end and (text[at] == 45 or text[at] == 43):
        at += 1
    while at < end and 48 <= text[at] <= 57:
        at += 1
    return at < end and text[at] == 46


@helper
def _words(
    text: NDArray[np.uint8], at: int, end: int, values: NDArray[np.float64], decimals: NDArray[np.int64]
) -> tuple[int, int]:
    """Read the words of a move; return which are given (-1: not in a plain spelling) and bits of how they are written.

    Bits: 1 F comes first, 2 lower case, 4 a word glued to the one before, 8 a checksum.
    """
    given = 0
    written = 0
    es = 0
    apart = False
    while at < end:
        c = text[at]
        if c == 32 or c == 9:
            apart = True
            at += 1
            continue
        if c == 40:  # a comment in brackets
            while at < end and text[at] != 41:
                at += 1
            at += 1
            apart = True
            continue
        if c == 42:
            return given, written | 8
        k = _letter(c)
        if k < 0:
            return -1, 0
        if c >= 97:
            written |= 2
        if not apart:
            written |= 4
        first_of_chunk = apart
        at += 1
        blank = at
        while at < end and (text[at] == 32 or text[at] == 9):
            at += 1
        if at > blank and not first_of_chunk:
            return -1, 0
        at, value, places = _number(text, at, end)
        if at < 0:
            return -1, 0
        if at < end:
            c = text[at]
            # Behind "1.5" an E with a whole number may be an exponent or a word; only the rest of the line tells.
            if (c == 69 or c == 101) and first_of_chunk and not _has_point(text, at + 1, end):
                return -1, 0
            if c != 32 and c != 9 and c != 40 and c != 42 and not (65 <= c <= 90 or 97 <= c <= 122):
                return -1, 0
        apart = False
        if k == _E:
            es += 1
            if es > 1:
                return -1, 0
        if k < 8:
            if given == 0 and k == _F:
                written |= 1
            values[k] = value
            given |= 1 << k
            decimals[k] = places
    return given, written


@helper
def _starts(text: NDArray[np.uint8], at: int, end: int, words: tuple[int, ...]) -> bool:
    if at + len(words) > end:
        return False
    for k in range(len(words)):  # noqa: SIM110 (no generator in a kernel)
        if text[at + k] != words[k]:
            return False
    return True


@helper
def _stated_width(text: NDArray[np.uint8], at: int, end: int) -> float:
    """Return the width in mm that a comment of PrusaSlicer, OrcaSlicer or Bambu Studio states, or -1."""
    if _starts(text, at, end, _WIDTH_OF_PRUSA):
        at += len(_WIDTH_OF_PRUSA)
    elif _starts(text, at, end, _WIDTH_OF_ORCA):
        at += len(_WIDTH_OF_ORCA)
    else:
        return -1.0
    while at < end and text[at] == 32:
        at += 1
    at, width, _ = _number(text, at, end)
    while 0 <= at < end and (text[at] == 32 or text[at] == 9):
        at += 1
    return width if at == end else -1.0


@helper
def _hash(text: NDArray[np.uint8], at: int, end: int) -> np.uint64:
    while at < end and (text[at] == 32 or text[at] == 9):
        at += 1
    while end > at and (text[end - 1] == 32 or text[end - 1] == 9):
        end -= 1
    found = _FNV_START
    for k in range(at, end):
        found = (found ^ np.uint64(text[k])) * _FNV_PRIME
    return found if found != 0 else np.uint64(1)


@helper
def _slot(key: np.uint64, keys: NDArray[np.uint64]) -> int:
    """Return where a key stands, or -1."""
    mask = keys.shape[0] - 1
    k = np.int64(key & np.uint64(mask))
    while keys[k] != 0:
        if keys[k] == key:
            return int(k)
        k = (k + 1) & mask
    return -1


@kernel
def read_lines(
    text: NDArray[np.uint8], start: int, most_bytes: int, state: GcodeState, table: LineTable, key: NDArray[np.uint64]
) -> tuple[int, int, int, int]:
    """Carry out lines of a job until one is met that is rare or odd.

    Motion commands in any plain spelling (line numbers, checksums, comments in brackets, lower case, no blanks), G92
    with numbers, stated widths, and lines of the table are carried out here. Everything else is asked for.

    Parameters
    ----------
    text : ndarray of uint8, shape (n,)
        Ends with the end of a line (LF, CR or CR LF).
    start : int
        Where to begin.
    most_bytes : int
        Longest line.
    state : GcodeState
        Changed in place; pieces are added while there is room for another 257.
    table : LineTable
    key : ndarray of uint64, shape (1,)
        Gets the hash of the line that is asked for.

    Returns
    -------
    status : int
        0: all is read. 1: the caller has to carry out the line. 2: the pieces are full. 3: a line is too long.
    first, last, next : int
        The line that is meant, without its end, and where to go on.

    Notes
    -----
    Marlin and RepRapFirmware G-code; NIST RS274/NGC 3 for the spelling of words. Cost: the bytes, once.
    """
    place, modes, habits = state.place, state.modes, state.habits
    values = np.empty(8)
    target = np.empty(4)
    decimals = np.zeros(8, np.int64)
    at = start
    n = text.shape[0]
    while at < n:
        if modes[_PIECES] + _MOST_CHORDS + 1 > state.pieces.shape[0]:
            return _FULL, at, at, at
        first = at
        code = -1
        while at < n and text[at] != 10 and text[at] != 13:
            if text[at] == 59 and code < 0:
                code = at
            at += 1
        last = at
        if last - first > most_bytes:
            return _TOO_LONG, first, last, last
        if code < 0:
            code = last
        if at < n and text[at] == 13:
            at += 1
            habits[_CR] += 1
            if at < n and text[at] == 10:
                at += 1
        else:
            at += 1
        modes[_LINES] += 1
        p = first
        while p < code and (text[p] == 32 or text[p] == 9):
            p += 1
        if p == last:
            continue
        numbered = False
        if p < code and (text[p] == 78 or text[p] == 110):
            q = p + 1
            while q < code and 48 <= text[q] <= 57:
                q += 1
            if q > p + 1 and q < code:
                c = text[q]
                if c == 32 or c == 9 or c == 71 or c == 103:
                    numbered = True
                    p = q
                    while p < code and (text[p] == 32 or text[p] == 9):
                        p += 1
        if p + 1 < code and (text[p] == 71 or text[p] == 103) and 48 <= text[p + 1] <= 57:
            q = p + 1
            command = 0
            while q < code and 48 <= text[q] <= 57 and q < p + 5:
                command = 10 * command + int(text[q]) - 48
                q += 1
            if command <= 3 or command == 92:
                given, written = _words(text, q, code, values, decimals)
                if given >= 0 and command <= 3:
                    if given == 0:
                        continue
                    modes[_MOTION] = command
                    habits[command] += 1
                    for k in range(4):
                        if given & (1 << k) and decimals[k] > habits[_DECIMALS + k]:
                            habits[_DECIMALS + k] = decimals[k]
                    if given & (1 << _F) and decimals[_F] > habits[_DECIMALS + 4]:
                        habits[_DECIMALS + 4] = decimals[_F]
                    habits[_F_FIRST] += written & 1
                    habits[_LOWER] += (written >> 1) & 1
                    habits[_GLUED] += (written >> 2) & 1
                    habits[_CHECKED] += (written >> 3) & 1
                    habits[_NUMBERED] += numbered
                    habits[_COMMENTED] += code < last
                    habits[_BY_RADIUS] += command >= 2 and (given >> _R) & 1
                    _moved(command, values, given, target, state)
                    continue
                if given > 0 and given < 16 and command == 92:
                    for k in range(4):
                        if given & (1 << k):
                            place[4 + k] = place[k] - values[k] * place[_UNIT]
                    continue
        if p == code:
            width = _stated_width(text, p, last)
            if width >= 0.0:
                place[_WIDTH] = width
                continue
        key[0] = _hash(text, first, last)
        k = _slot(key[0], table.keys)
        if k < 0:
            return _ASK, first, last, at
        if table.kind[k] >= 0:
            modes[_KIND] = table.kind[k]
        if table.width[k] >= 0.0:
            place[_WIDTH] = table.width[k]
        if table.ends[k]:
            modes[_UNFINISHED] = 0
    return _DONE, n, n, n
