"""What a benchmark is given and what it returns: Context in, Records out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ballistics.provenance import package_versions


@dataclass(frozen=True)
class Record:
    """One measured figure and all that is needed to measure it again.

    Parameters
    ----------
    benchmark, metric : str
        Which benchmark, and what was measured.
    value : float
        The figure, in ``unit``.
    unit : str
        E.g. ``"CPU s/pair"``, ``"cells"``, ``"AUC"``.
    goal : str
        The target or the published value it stands beside, with its source; empty when none.
    protocol : str
        What was done to what, in one sentence.
    n : int
        Number of cases, pairs or repetitions behind the value.
    seed : int or None
        Seed of the random numbers; None when there were none.
    """

    benchmark: str
    metric: str
    value: float
    unit: str
    goal: str
    protocol: str
    n: int
    seed: int | None = None
    versions: Mapping[str, str] = field(default_factory=package_versions)


@dataclass(frozen=True)
class Context:
    """What the runner gives to a benchmark.

    Parameters
    ----------
    data : Path
        The folder with the real data (``../shared/data``), or with the lab's own scans.
    own : bool
        True when ``data`` is a folder given with ``--data`` that holds a ``truth.csv``.
    quick : bool
        True for a small sample that checks the benchmark itself; its figures are not quoted.
    output : Path
        A folder for tables and plots.
    workers : int, optional
        Processes that compare pairs; default: one for each processor.
    rows : tuple of str
        Only these groups of rows, of a benchmark that has several; all when empty.
    """

    data: Path
    own: bool
    quick: bool
    output: Path
    workers: int | None = None
    rows: tuple[str, ...] = ()
