"""Scans prepared once and kept on disk, so that every process and every later run finds the same marks."""

from __future__ import annotations

import json
import os
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ballistics.errors import BallisticsError, CorruptFileError
from ballistics.evidence.comparisons import preparation_parameters
from ballistics.surfaces.preparation import prepare
from ballistics.surfaces.reading import read
from ballistics.surfaces.surface import Mark
from ballistics.surfaces.units_guard import Units


def prepare_scan(path: Path, sha256: str, store: Path, kind: str, units: Units | None) -> dict[str, Any]:
    """Read and prepare one scan, keep its mark, and return the row that says what came out.

    A file that cannot be read, or not be prepared, is a row with the reason in ``error``.
    """
    row: dict[str, Any] = {"sha256": sha256, "error": None, "insufficient": None, "preparation": {}, "findings": []}
    try:
        mark = prepare(read(path, units=units), kind)
    except BallisticsError as error:
        # The message may name the path; two runs on two machines must write the same row.
        return row | {"error": f"{type(error).__name__}: {str(error).replace(str(path), path.name)}"}
    heights = np.ascontiguousarray(mark.heights_um, dtype=np.float32)
    handle, temporary = tempfile.mkstemp(dir=store, suffix=".part")
    with os.fdopen(handle, "wb") as file:
        np.save(file, heights)
    os.replace(temporary, _heights_path(store, sha256))
    return row | {
        "insufficient": mark.insufficient,
        "preparation": json.loads(json.dumps(preparation_parameters(mark))),
        "spacing_um": mark.spacing_um,
        "surface_kind": mark.surface_kind,
        "findings": sorted({f"{finding.severity}: {finding.code}" for finding in mark.findings}),
    }


def has_mark(store: Path, sha256: str) -> bool:
    """Return whether the store holds a scan's mark."""
    return _heights_path(store, sha256).exists()


def load_mark(store: Path, kind: str, row: dict[str, Any]) -> Mark:
    """Return a mark of the store, with all that a comparison looks at."""
    heights = _heights(_heights_path(store, row["sha256"]))
    return Mark(kind, heights, row["spacing_um"], row["surface_kind"], insufficient=row["insufficient"])


@lru_cache(maxsize=16)
def _heights(path: Path) -> Any:
    try:
        return np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise CorruptFileError(f"{path} is not a prepared mark; delete it, it is made again: {error}") from error


def _heights_path(store: Path, sha256: str) -> Path:
    return store / f"{sha256}.npy"
