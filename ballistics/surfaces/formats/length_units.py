"""Names of units of length as files write them, in any code page, to micrometres."""

from __future__ import annotations

from ballistics.surfaces.formats.content import METRE_UM, MILLIMETRE_UM

_INCH_UM = 25_400.0
_UNIT_UM = {
    "m": METRE_UM, "meter": METRE_UM, "metre": METRE_UM, "meters": METRE_UM, "metres": METRE_UM,
    "cm": 1e4, "mm": MILLIMETRE_UM, "millimeter": MILLIMETRE_UM, "millimetre": MILLIMETRE_UM,
    "um": 1.0, "µm": 1.0, "micron": 1.0, "microns": 1.0, "micrometer": 1.0, "micrometre": 1.0,
    "nm": 1e-3, "nanometer": 1e-3, "nanometre": 1e-3, "pm": 1e-6, "å": 1e-4, "angstrom": 1e-4,
    "in": _INCH_UM, "inch": _INCH_UM, "inches": _INCH_UM, "mil": _INCH_UM / 1000, "mils": _INCH_UM / 1000,
    "thou": _INCH_UM / 1000,
}  # fmt: skip
# The micro sign, the Greek letter, and what becomes of either when UTF-8 is read as a single-byte code page, or when
# an MS-DOS code page is read as Latin-1 ("æ"), or one of a Macintosh ("µ" is 0xB5 there as well).
_MICRO = ("Âµ", "Î¼", "μ", "æ", "\ufffd", "Ã‚Âµ", "&micro;", "\\u00b5")


def unit_um(text: str | None) -> float | None:
    """Return the micrometres of a unit of length; None when the text is none.

    Examples
    --------
    >>> [unit_um(text) for text in ("µm", "Âµm", "um", "mm", "nm", "in", "V", "")]
    [1.0, 1.0, 1.0, 1000.0, 0.001, 25400.0, None, None]
    """
    if text is None:
        return None
    bare = text.strip().strip("\0").strip(" []()").strip()
    for spelling in _MICRO:
        bare = bare.replace(spelling, "µ")
    if bare in ("M", "MM"):  # a megametre is not meant
        bare = bare.lower()
    return _UNIT_UM.get(bare.casefold().replace("μ", "µ"))


def unit_from_bytes(field: bytes) -> float | None:
    """Return the micrometres of a unit that stands padded in a field of bytes; None when it is no length."""
    bare = field.split(b"\0")[0].strip()
    try:
        return unit_um(bare.decode("utf-8"))
    except UnicodeDecodeError:
        return unit_um(bare.decode("latin-1"))
