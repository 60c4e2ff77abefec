"""Unpacks what binary G-code is packed by: heatshrink, and MeatPack."""

from __future__ import annotations

import re

from ballistics.errors import CorruptFileError

# The fifteen letters that MeatPack keeps in half a byte; the sixteenth value says that a whole one follows.
_LETTERS = b"0123456789. \nGX\0"
_WHOLE = 15
_SIGNAL = b"\xff\xff"
_ON, _OFF, _RESET, _WITH_SPACES, _WITHOUT_SPACES = 251, 250, 249, 246, 247
# Bytes of two letters that are both kept in half a byte.
_PAIRS = re.compile(b"[" + b"".join(b"\\x%02x" % b for b in range(256) if b % 16 != 15 and b // 16 != 15) + b"]+")


def heatshrink(data: bytes, size: int, window_bits: int, length_bits: int, *, partly: bool = False) -> bytes:
    """Unpack data of heatshrink, a form of LZSS.

    Parameters
    ----------
    data : bytes
    size : int
        Bytes that must come out.
    window_bits, length_bits : int
        Bits of a distance back, and of a length.
    partly : bool
        Whether to return what there is of data that are cut or damaged.

    Raises
    ------
    CorruptFileError
        Fewer bytes come out, or a distance leads before the start.

    Notes
    -----
    heatshrink 0.4.1 (Scott Vokes, Atomic Object). Bits from the highest on: 1 and a byte; or 0, the distance less 1,
    and the length less 1.
    """
    out = bytearray()
    held = bits = at = 0
    back_bits = window_bits + length_bits
    window, most = (1 << window_bits) - 1, (1 << length_bits) - 1
    # A word of many bytes at a time: the bits of a token are always there, zeros behind the end.
    while len(out) < size:
        if bits < 1 + back_bits:
            if at >= len(data) + 8:
                if partly:
                    break
                raise CorruptFileError(f"a block of the job ends after {len(out)} of {size} bytes")
            word = data[at : at + 8]
            held = (held & ((1 << bits) - 1)) << 64 | int.from_bytes(word.ljust(8, b"\0"), "big")
            bits += 64
            at += 8
        needed = 9 if held >> (bits - 1) & 1 else 1 + back_bits
        if partly and 8 * at - bits + needed > 8 * len(data):
            break
        if needed == 9:
            out.append(held >> (bits - 9) & 255)
            bits -= 9
            continue
        bits -= 1 + back_bits
        token = held >> bits
        back, length = (token >> length_bits & window) + 1, (token & most) + 1
        start = len(out) - back
        if start < 0:
            if partly:
                break
            raise CorruptFileError("a block of the job goes back to before its start")
        if back >= length:
            out += out[start : start + length]
        else:
            out += (out[start:] * (length // back + 1))[:length]
    return bytes(out[:size])


def meatpack(data: bytes) -> bytes:
    """Unpack the text of a job that is packed by MeatPack.

    Parameters
    ----------
    data : bytes

    Returns
    -------
    bytes
        Where blanks were left out they are not put back: G-code means the same without.

    Notes
    -----
    MeatPack 2020 (Scott Mudge), as in Marlin and libbgcode.

    Examples
    --------
    >>> meatpack(bytes([255, 255, 251, 0x1D, 0xEB, 0x01, 0x0F, 89, 0xC5]))
    b'G1 X10Y05\\n'
    """
    out: list[bytes] = []
    packed = False
    letters = _LETTERS
    low, high = _tables(letters)
    at = 0
    while at < len(data):
        if data.startswith(_SIGNAL, at):
            command = data[at + 2] if at + 2 < len(data) else 0
            if command in (_ON, _OFF, _RESET):
                packed = command == _ON
            elif command in (_WITH_SPACES, _WITHOUT_SPACES):
                letters = _LETTERS.replace(b" ", b"E") if command == _WITHOUT_SPACES else _LETTERS
                low, high = _tables(letters)
            at += 3
        elif not packed:
            end = data.find(_SIGNAL, at)
            end = len(data) if end < 0 else end
            out.append(data[at:end])
            at = end
        elif pairs := _PAIRS.match(data, at):
            text = bytearray(2 * len(pairs[0]))
            text[0::2] = pairs[0].translate(low)
            text[1::2] = pairs[0].translate(high)
            out.append(bytes(text))
            at = pairs.end()
        else:
            first, second = data[at] & 15, data[at] >> 4
            at += 1
            for half in (first, second):
                if half == _WHOLE:
                    out.append(data[at : at + 1])
                    at += 1
                else:
                    out.append(letters[half : half + 1])
    return b"".join(out)


def _tables(letters: bytes) -> tuple[bytes, bytes]:
    """Return the letter of the lower, and of the higher half of every byte."""
    return bytes(letters[b & 15] for b in range(256)), bytes(letters[b >> 4] for b in range(256))
