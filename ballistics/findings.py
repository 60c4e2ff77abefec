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
