"""Notices what a file says of itself that turns a surface inside out: a replica was measured, heights were inverted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from ballistics.findings import Finding

# The words of the field, and the makers of the casting materials that its laboratories use.
_REPLICA = re.compile(
    r"\b(replicas?|replicat(?:e|ed|ion)|casts?|casting|mou?lds?|imprint|negative|abguss|abformung|otisak|odljevak|"
    r"mikrosil|accutrans|repliset|isomark|forensic sil)\b",
    re.IGNORECASE,
)
_INVERTED = re.compile(r"\b(inverted|inverse|mirrored|flipped|upside[- ]down|invertiert|gespiegelt)\b", re.IGNORECASE)
_DENIED = re.compile(r"\b(no|not|non|without|never|un|0|false)\b[\s\w:=-]{0,12}$", re.IGNORECASE)
_DENIED_AFTER = re.compile(r"^\s*[:=]\s*(no|none|false|0|off)\b", re.IGNORECASE)


def stated_replica(metadata: Mapping[str, Any]) -> list[Finding]:
    """Return findings about words in a file's own description.

    Parameters
    ----------
    metadata : mapping
        As of a `Surface`; texts in it, also inside mappings and tuples, are searched.

    Returns
    -------
    list of Finding
        ``replica-stated`` or ``inverted-stated`` (serious); heights are left as they are.

    Examples
    --------
    >>> [finding.code for finding in stated_replica({"comment": "Mikrosil cast of K-17"})]
    ['replica-stated']
    >>> stated_replica({"comment": "inverted: no", "creator": "M. Caster"})
    []
    """
    texts = list(_texts(metadata))
    findings = []
    if said := _said(texts, _REPLICA):
        findings.append(
            Finding(
                "replica-stated",
                "serious",
                f"the file speaks of a replica ({said!r}): its heights are inverted and it is mirrored against the "
                "original",
                "heights left as they are; compare replicas with replicas only",
            )
        )
    if said := _said(texts, _INVERTED):
        findings.append(
            Finding(
                "inverted-stated",
                "serious",
                f"the file says that its heights were turned ({said!r})",
                "heights left as they are; ask how the scan was exported",
            )
        )
    return findings


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            # A tag's name may be the word, and its value the answer.
            if isinstance(inner, (str, int, bool)):
                yield f"{key}: {inner}"
            else:
                yield from _texts(inner)
    elif isinstance(value, tuple):
        for inner in value:
            yield from _texts(inner)


def _said(texts: list[str], pattern: re.Pattern[str]) -> str:
    """Return the words around the first place that says so, and is not denied."""
    for text in texts:
        for match in pattern.finditer(text[:10_000]):
            if not _DENIED.search(text[: match.start()]) and not _DENIED_AFTER.match(text[match.end() :]):
                return text[max(0, match.start() - 20) : match.end() + 20].strip()
    return ""
