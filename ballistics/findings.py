"""Finding: something noticed about a file or a mark, and what was done about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["note", "warning", "serious"]


@dataclass(frozen=True)
class Finding:
    """Something noticed about a file or a mark, and what was done about it.

    Parameters
    ----------
    code : str
        Stable identifier in kebab case, e.g. ``"checksum-wrong"``; scripts may rely on it.
    severity : {"note", "warning", "serious"}
        ``note``: of record only. ``warning``: may matter. ``serious``: an examiner must look.
    message : str
        What was found, and where.
    action : str
        What was done about it ("kept as text", "made missing", "nothing").
    """

    code: str
    severity: Severity
    message: str
    action: str = "nothing"


def one_measurement(shortest_um: float, longest_um: float, correlation: float, least: float) -> Finding | None:
    """Say whether two marks agree in their shortest waves as only one measurement and its copy do.

    A scan compared with a copy of itself, under another name, turned, or in another format, agrees better than any two
    items: a likelihood ratio would be at its bound, and mean nothing.

    Parameters
    ----------
    shortest_um, longest_um : float
        The shortest octave of wavelengths that was compared.
    correlation : float
        Of the two marks in it, −1 to 1.
    least : float
        From which on no two items of one source were seen, for the kind of mark.

    Returns
    -------
    Finding or None
        ``"one-measurement"``, serious.

    Examples
    --------
    >>> one_measurement(31.25, 62.5, 0.97, 0.9).code
    'one-measurement'
    >>> one_measurement(31.25, 62.5, 0.72, 0.9) is None
    True
    """
    if not correlation >= least:
        return None
    return Finding(
        "one-measurement",
        "serious",
        f"the marks agree even in the shortest waves ({shortest_um:.0f} to {longest_um:.0f} µm) with a correlation of "
        f"{correlation:.2f}, which no two items of one source were seen to reach: the files are probably copies of one "
        "scan, or scans of one and the same item",
        "nothing: compared as they are; find out which items the two files are of",
    )
