"""Scans prepared once and kept on disk, so that every process and every later run finds the same marks."""

from __future__ import annotations

import json
import os
import tempfile
import zipfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ballistics.errors import BallisticsError, CorruptFileError, WriteError
from ballistics.evidence.comparisons import preparation_parameters
from ballistics.provenance import sha256_of_array
from ballistics.surfaces.preparation import prepare
from ballistics.surfaces.reading import is_image, read
from ballistics.surfaces.surface import Mark
from ballistics.surfaces.units_guard import Units


class MarkSource(Protocol):
    """Where marks are found by a key; it is sent to other processes, so it holds places, not marks."""

    def load(self, key: str) -> Mark:
        """Return a mark with all that a comparison looks at."""
        ...


@dataclass(frozen=True)
class MarkStore:
    """A folder of prepared marks of one kind, by the SHA-256 of the scan's file.

    Parameters
    ----------
    folder : Path
        One for each kind of mark and way of preparing it.
    kind : str
        The mark type.
    """

    folder: Path
    kind: str

    def prepare_scan(self, path: Path, sha256: str, units: Units | None) -> dict[str, Any]:
        """Read and prepare one scan, keep its mark, and return the row that says what came out.

        A file that cannot be read, or not be prepared, is a row with the reason in ``error``.
        """
        row: dict[str, Any] = {"sha256": sha256, "error": None, "insufficient": None, "preparation": {}, "findings": []}
        try:
            mark = prepare(read(path, units=None if is_image(path) else units), self.kind)
        except BallisticsError as error:
            # The message may name the path; two runs on two machines must write the same row, and it must be Unicode.
            reason = str(error).replace(str(path), path.name).encode("utf-8", "replace").decode()
            return row | {"error": f"{type(error).__name__}: {reason}"}
        heights = np.ascontiguousarray(mark.heights_um, dtype=np.float32)
        self._write(sha256, heights, {"spacing_um": mark.spacing_um, "surface_kind": mark.surface_kind,
                                      "insufficient": mark.insufficient})  # fmt: skip
        return row | {
            "insufficient": mark.insufficient,
            "preparation": json.loads(json.dumps(preparation_parameters(mark))),
            "mark_sha256": sha256_of_array(heights),
            "findings": sorted({f"{finding.severity}: {finding.code}" for finding in mark.findings}),
        }

    def holds(self, sha256: str) -> bool:
        """Return whether the store holds a scan's mark."""
        return self._path(sha256).exists()

    def load(self, key: str) -> Mark:
        """Return a scan's mark, with all that a comparison looks at.

        Raises
        ------
        CorruptFileError
            When its file is missing or damaged.
        """
        return _loaded(self._path(key), self.kind)

    def _path(self, sha256: str) -> Path:
        return self.folder / f"{sha256}.npz"

    def _write(self, sha256: str, heights: np.ndarray[Any, Any], says: dict[str, Any]) -> None:
        """Write a mark whole or not at all, and on the disk: after a power cut a name must not stand for nothing."""
        try:
            handle, temporary = tempfile.mkstemp(dir=self.folder, suffix=".part")
            with os.fdopen(handle, "wb") as file:
                np.savez(file, heights_um=heights, says=np.array(json.dumps(says, sort_keys=True)))
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, self._path(sha256))
        except OSError as error:
            raise WriteError(f"{self.folder} cannot be written: {error.strerror}; nothing finished is lost") from error


# A worker goes through the pairs of two groups of scans at a time (`pair_designs.TILE`), and needs both at hand.
@lru_cache(maxsize=72)
def _loaded(path: Path, kind: str) -> Mark:
    try:
        with np.load(path, allow_pickle=False) as file:
            heights, says = file["heights_um"], json.loads(str(file["says"]))
            return Mark(kind, heights, says["spacing_um"], says["surface_kind"], insufficient=says["insufficient"])
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise CorruptFileError(f"{path} is not a prepared mark; delete it, it is made again: {error}") from error
