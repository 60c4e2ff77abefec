"""The class of instrument that a file states, and whether what a user states agrees with it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ballistics.errors import ReadError
from ballistics.findings import Finding
from ballistics.surfaces.formats.reading import is_image, read
from ballistics.surfaces.surface import Surface

# Class -> what makers and files write, in lower case. Instruments that measure in several ways (Sensofar S neox and
# S lynx, Leica DCM) state the class only when the file names the technique.
_WORDS: dict[str, tuple[str, ...]] = {
    "confocal": (
        "confocal", "nanofocus", "µsurf", "usurf", "μsurf", "lext", "vk-x", "vk-8", "vk-9", "smartproof", "marsurf cm",
    ),
    "focus variation": ("focus variation", "focusvariation", "alicona", "infinitefocus", "infinite focus", "al3d"),
    "photometric stereo": ("photometric stereo", "gelsight", "topmatch", "cadre", "toolscan 3d ps"),
    "interferometry": (
        "interferomet", "white light inter", "coherence scanning", "zygo", "newview", "wyko", "contourgt", "nanocam",
        "vertical scanning inter",
    ),
    "structured light": ("structured light", "fringe projection", "vr-3", "vr-5", "vr-6", "mikrocad"),
    "stylus": ("stylus", "talysurf", "surtronic", "perthometer", "dektak"),
    "chromatic": ("chromatic", "microprof"),
}  # fmt: skip

# In this order: the technique is said most plainly by the probe, least by the maker.
_FIELDS = ("probing_identification", "probing_type", "instrument_model", "instrument_manufacturer", "creator", "format")


def class_of_text(text: str) -> str | None:
    """Return the class of instrument that a text names, None when it names none or several.

    Examples
    --------
    >>> class_of_text("GelSight Photometric Stereo"), class_of_text("NanoFocus µsurf"), class_of_text("Sneox2")
    ('photometric stereo', 'confocal', None)
    """
    lower = text.casefold().replace("_", " ")
    found = [name for name, words in _WORDS.items() if any(word.casefold() in lower for word in words)]
    return found[0] if len(found) == 1 else None


def stated_by_file(surface: Surface) -> str | None:
    """Return the class of instrument that a scan's file states, None when it does not say."""
    for name in _FIELDS:
        found = class_of_text(str(surface.metadata.get(name, "")))
        if found is not None:
            return found
    return None


def named_by_file(path: Path) -> str | None:
    """Return the class of instrument that a file names; None also for images, and when it cannot be read."""
    try:
        # The unit plays no part here; a wrong one is told where the scan is compared.
        return None if is_image(path) else stated_by_file(read(path, units="as written"))
    except ReadError:
        return None


def as_class(stated: str) -> str:
    """Return what a user states in the table's own words; what the table does not know stays as it is.

    Examples
    --------
    >>> as_class("Confocal microscope"), as_class("own bench")
    ('confocal', 'own bench')
    """
    return class_of_text(stated) or stated


def instrument_of(by_file: str | None, stated: Iterable[str]) -> tuple[tuple[str, ...], Finding | None]:
    """Return the class of a scan's instrument, and a serious finding when user and file name different ones.

    Parameters
    ----------
    by_file : str or None
        From `stated_by_file`; where the file speaks it goes first.
    stated : iterable of str
        What the user says; several where the two items of a pair differ.

    Examples
    --------
    >>> classes, finding = instrument_of("photometric stereo", ["confocal"])
    >>> classes, finding.code, finding.severity
    (('photometric stereo',), 'instrument-contradicts', 'serious')
    >>> instrument_of(None, ["confocal"])
    (('confocal',), None)
    """
    said = tuple(dict.fromkeys(as_class(text) for text in stated))
    if by_file is None:
        return said, None
    known = [name for name in said if name in _WORDS]
    if not known or by_file in known:
        return (by_file,), None
    return (by_file,), Finding(
        "instrument-contradicts",
        "serious",
        f"the instrument was stated as {' and '.join(known)}; the file says {by_file}",
        "the file goes first; no weight of evidence before it is settled",
    )
