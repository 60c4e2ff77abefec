"""Findings under which no likelihood ratio is stated: the two marks were not compared as the reference's were."""

from __future__ import annotations

from collections.abc import Iterable

from ballistics.findings import Finding

# By code, with the reason that a report gives.
WITHHOLDING = {
    "mirrored": "one of the two files was probably written with a reversed axis",
    "inverted": "the marks agree better with one mark's heights inverted: one of the two may be a cast",
    "bullet-turned": "the bullets agree better with one of them turned by 180°: its direction must be settled first",
    "mark-turned": "the striae agree better with one scan turned by 180°: its direction must be settled first",
    "mark-inverted": "the striae agree better with one mark's heights inverted: one of the two may be a cast",
    "mark-mirrored": "the striae agree better with one mark mirrored: one of the two may be a cast",
    "one-measurement": "the two files are probably copies of one scan, or scans of one and the same item",
    "prepared-unalike": "the two marks were not prepared in the same way",
    "instrument-contradicts": "the instrument that was stated is not the one that the file names",
    "not-the-mark-type": "what was compared does not look like the mark type that was stated",
}


def withholding(findings: Iterable[str | Finding]) -> tuple[str, ...]:
    """Return the codes among findings that rule a likelihood ratio out, sorted.

    Parameters
    ----------
    findings : iterable of Finding or str
        Of a comparison and its marks; as text: "severity: code".

    Examples
    --------
    >>> withholding(["serious: mirrored", "note: units-overridden"])
    ('mirrored',)
    """
    codes = {
        finding.rpartition(": ")[2] if isinstance(finding, str) else finding.code
        for finding in findings
        if isinstance(finding, str) or finding.severity == "serious"
    }
    return tuple(sorted(codes & set(WITHHOLDING)))


def reason_withheld(findings: Iterable[str | Finding]) -> str:
    """Return why no likelihood ratio can be stated, from the findings; empty when nothing rules it out."""
    return "; ".join(f"{WITHHOLDING[code]} (finding '{code}')" for code in withholding(findings))
