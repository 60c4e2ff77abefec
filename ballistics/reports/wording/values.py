"""Values as a reader of a page wants to see them: numbers, texts, mappings with units, coordinates of drawings."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from ballistics.reports.plain_values import plain

_LONGEST_TEXT, _LONGEST_WORD = 1500, 100
# How names end, and what stands behind their numbers.
_UNITS = {"_um": " µm", "_deg": "°", "_mm": " mm", "_mm2": " mm²", "_um2": " µm²", "_bytes": " bytes"}


def labelled(mapping: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    """Return a mapping as lines of label and text, units behind the numbers; mappings of mappings are opened.

    Examples
    --------
    >>> list(labelled({"cell_um": 400.0, "mirror": {"tried": True}}))
    [('cell', '400 µm'), ('mirror', 'tried yes')]
    """
    for key, value in mapping.items():
        label, unit = before + str(key), ""
        for ending, of_ending in _UNITS.items():
            if label.endswith(ending):
                label, unit = label.removesuffix(ending), of_ending
        label = label.replace("_", " ")
        if isinstance(value, Mapping) and any(isinstance(item, Mapping) for item in value.values()):
            yield from labelled(value, f"{label}, ")
        elif isinstance(value, Mapping):
            inner = [f"{name} {shown}" for name, shown in labelled(value)]
            yield label, "; ".join(inner) + unit if inner else "–"
        else:
            yield label, value_text(value) + (unit if value is not None else "")


def value_text(value: Any) -> str:
    """Return a value as a reader wants to see it; what is very long is cut, and said to be."""
    value = plain(value)
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return number_text(value)
    if isinstance(value, dict):
        if set(value) == {"shape", "dtype", "sha256"}:
            return f"array of {' × '.join(map(str, value['shape']))}, SHA-256 {value['sha256']}"
        return "; ".join(f"{key}: {value_text(item)}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(value_text(item) for item in value)
    text = str(value)
    # An encoded mask is one word of thousands of characters.
    longest = _LONGEST_TEXT if " " in text else _LONGEST_WORD
    if len(text) <= longest:
        return text
    shown = text[:_LONGEST_TEXT] if " " in text else text[:24]
    return f"{shown}… ({len(text)} characters; whole in the JSON)"


def number_text(value: float, digits: int = 5) -> str:
    """Return a number with a number of significant digits; a dash for none."""
    return "–" if not math.isfinite(value) else with_minus(f"{value:.{digits}g}")


def with_minus(text: str) -> str:
    """Write a true minus sign, and no minus before a zero.

    Examples
    --------
    >>> with_minus("-0.50"), with_minus("-0.00")
    ('−0.50', '0.00')
    """
    if text.startswith("-"):
        return text[1:] if not any(c in "123456789" for c in text.partition("e")[0]) else "−" + text[1:]
    return text


def fixed_text(value: float, digits: int) -> str:
    """Return a number with a number of decimals; a dash for none."""
    return "–" if not math.isfinite(value) else with_minus(f"{value:.{digits}f}")


def coordinate_text(value: float) -> str:
    """Return a coordinate of a drawing, in whole micrometres."""
    return f"{value + 0.0:.0f}" if abs(value) >= 0.5 else "0"
