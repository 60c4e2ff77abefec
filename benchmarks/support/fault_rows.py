"""What became of a file with a fault: a row of the table of `suites.faults`, for scans and for printed parts."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

FAULTS = Path(os.environ.get("BALLISTICS_DATA", Path(__file__).parents[3] / "shared" / "data")) / "faults"

Outcome = Literal["right", "refused", "wrong"]


@dataclass(frozen=True)
class FaultRow:
    """One file, what is right for it, and what was got.

    Parameters
    ----------
    file : str
        Path below the folder ``faults`` of the data, e.g. ``"files/s27_compressed.sur"``.
    situation : str
        What is odd about the file, in a few words.
    expected : str
        What is right: dimensions, values, codes of findings, or the words of a refusal.
    outcome : {"right", "refused", "wrong"}
        ``"right"``: read with the right values, and with the findings that are due. ``"refused"``: by an error of ours
        whose message gives the true reason, where a refusal is right. ``"wrong"``: everything else.
    got : str
        What was read or the message of the refusal, short; for a wrong row, what is wrong with it.
    """

    file: str
    situation: str
    expected: str
    outcome: Outcome
    got: str
