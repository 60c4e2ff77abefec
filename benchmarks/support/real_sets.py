"""The real sets of breech faces that come with the data: where their scans are, and their truth tables."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fnmatch import fnmatch
from pathlib import Path

from ballistics.errors import ReadError
from ballistics.studies.truth_table import ScanTruth, read_truth
from benchmarks.support.record import Context

# Scans of the TopMatch set whose files hold micrometres where metres are due; the units guard refuses them as they are.
_IN_MICROMETRES = ("K002f*", "K013*")


@dataclass(frozen=True)
class RealSet:
    """A set of scans with known firearms.

    Parameters
    ----------
    name : str
        As records call it.
    folder : Path
        Where its scans are.
    truths : tuple of ScanTruth
        Its table.
    """

    name: str
    folder: Path
    truths: tuple[ScanTruth, ...]


def fadul(context: Context) -> RealSet:
    """Return Fadul's 40 scans of ten consecutively made slides."""
    folder = _folder(context, "fadul")
    return RealSet("Fadul", folder, read_truth(folder / "truth.csv"))


def topmatch(context: Context) -> RealSet:
    """Return the 11 given scans of Ruger SR9 cases, fired with ordinary ammunition, by another instrument."""
    folder = _folder(context, "topmatch")
    truths = tuple(_in_units(truth) for truth in read_truth(folder / "truth.csv"))
    return RealSet("TopMatch", folder, truths)


def own(context: Context) -> RealSet:
    """Return the scans of ``--data``."""
    return RealSet(context.data.name, context.data, read_truth(context.data / "truth.csv"))


def _folder(context: Context, name: str) -> Path:
    # Imported here: the runner is the one that knows where the project's own data is.
    from benchmarks.__main__ import DEFAULT_DATA

    folder = (DEFAULT_DATA if context.own else context.data) / "breech-faces" / name
    if not folder.is_dir():
        raise ReadError(f"{folder} is absent: set BALLISTICS_DATA to the folder with the real data")
    return folder


def _in_units(truth: ScanTruth) -> ScanTruth:
    if not any(fnmatch(truth.scan, pattern) for pattern in _IN_MICROMETRES):
        return truth
    return replace(truth, reading=replace(truth.reading, units="micrometres"))
