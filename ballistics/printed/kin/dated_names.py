"""Which of two files is the earlier revision, where their dates or names tell."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_VERSION = re.compile(
    r"(?:^|[\s_.(-])(?:v|ver|version|rev|revision|r)[\s_.-]?(\d{1,3}(?:[._]\d{1,3}){0,2})(?![a-z\d])", re.I
)
_DAY = re.compile(r"(?<!\d)(20\d\d|19\d\d)[-_.]?(0[1-9]|1[0-2])[-_.]?(0[1-9]|[12]\d|3[01])(?!\d)")
_KEPT = re.compile(r"[a-z0-9]+")


def order_of(name_a: str, facts_a: Mapping[str, Any], name_b: str, facts_b: Mapping[str, Any]) -> tuple[int, str]:
    """Return which of two references is the earlier one, and what says so.

    Parameters
    ----------
    name_a : str
        Name of the first reference.
    facts_a : mapping
        What the collection says of it: ``dated``, an ISO date that the file states.
    name_b : str
        Of the second.
    facts_b : mapping
        Of the second.

    Returns
    -------
    int
        −1: the first is earlier; 1: the second is; 0: nothing tells.
    str
        ``"dates in the files"``, ``"dates in the names"``, ``"versions in the names"`` or nothing.

    Notes
    -----
    Versions are only compared where the rest of the names is the same. Dates and names can be forged, and a clock can
    be wrong: the order is what the files say.

    Examples
    --------
    >>> order_of("clip_v2", {}, "clip_v10", {})
    (-1, 'versions in the names')
    >>> order_of("clip_v2", {}, "lid_v1", {})
    (0, '')
    >>> order_of("lid", {"dated": "2021-05-02"}, "lid new", {"dated": "2020-01-31"})
    (1, 'dates in the files')
    """
    for first, second, source in (
        (str(facts_a.get("dated", "")), str(facts_b.get("dated", "")), "dates in the files"),
        (_day(name_a), _day(name_b), "dates in the names"),
    ):
        if first and second and first != second:
            return (-1 if first < second else 1), source
    version_a, rest_a = _version(name_a)
    version_b, rest_b = _version(name_b)
    if rest_a == rest_b and version_a != version_b and (version_a or version_b):
        # "clip" and "clip_v2": what bears no number is the first.
        return (-1 if version_a < version_b else 1), "versions in the names"
    return 0, ""


def _day(name: str) -> str:
    found = _DAY.search(name)
    return "-".join(found.groups()) if found else ""


def _version(name: str) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Return the number of a version in a name, and the words of the rest."""
    found = _VERSION.search(name)
    if found is None:
        return (), tuple(_KEPT.findall(name.lower()))
    rest = name[: found.start()] + " " + name[found.end() :]
    return tuple(int(word) for word in re.split(r"[._]", found[1])), tuple(_KEPT.findall(rest.lower()))
