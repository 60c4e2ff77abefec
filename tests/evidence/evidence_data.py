"""Readers of the published score files, shared by the tests of the evidence room."""

from __future__ import annotations

from pathlib import Path

from ballistics.evidence.score_files import read_pair_truth, read_scores
from ballistics.evidence.scores import ScoreTable


def nist(folder: Path, name: str) -> ScoreTable:
    """CMC counts that NIST published for "fadul" or "weller"."""
    return read_pair_truth(
        folder / f"{name}_cmc_nist.csv", "# CMCs", "Reference", "Compare", "KM or KNM", "KM", cells="# Cells"
    )


def nfi(folder: Path, mark: str, score: str, where: tuple[str, str] | None = None) -> ScoreTable:
    """Scores that the NFI published, e.g. mark "firing_pin_impression", score "cmc"."""
    cells = "n" if score == "cmc" else None
    return read_scores(folder / f"{mark}.csv", score, "weapon1", "weapon2", cells, where)
