"""A folder of scans in, a table of all pairs out."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from ballistics.frames import read_frame
from ballistics.pairs import Method, run_batch
from ballistics.progress import Progress

if TYPE_CHECKING:
    from pandas import DataFrame


def compare_folder(
    folder: str | os.PathLike[str],
    mark: str = "breech face",
    *,
    work: str | os.PathLike[str] | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> DataFrame:
    """Compare all pairs of the scans in a folder; needs the extra ``tables``.

    Parameters
    ----------
    folder : path
        Scans, also in folders below; a file that cannot be read is a row with ``error``.
    mark : str
        Kind of mark.
    work : path, optional
        Folder for finished work, from which a stopped run goes on; kept nowhere by default.
    workers : int
        Processes.
    progress : callable, optional
        Told after every scan and pair.

    Returns
    -------
    DataFrame
        A row for each pair, as ``ballistics batch`` writes it.
    """
    with TemporaryDirectory() as temporary:
        out = Path(temporary) / "pairs.csv"
        kept = Path(work) if work is not None else Path(temporary) / "work"
        run_batch([Path(folder)], out, method=Method(mark), work=kept, workers=workers, progress=progress)
        return read_frame(out)
