"""Scans prepared once and kept on disk, so that every process and every later run finds the same marks."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256 as sha256_of
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ballistics.errors import BallisticsError, CorruptFileError
from ballistics.files import SEAL, parse_json, read_header, reason, write_whole
from ballistics.methods import method_of
from ballistics.provenance import sha256_of_array
from ballistics.surfaces import Mark, ScanReading, preparation_parameters, stated_by_file

_MOST_FIRST = 65_536


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
    settings : tuple of (str, str)
        Other parameters than the usual ones, by name.
    """

    folder: Path
    kind: str
    settings: tuple[tuple[str, str], ...] = ()

    def prepare_scan(self, path: Path, sha256: str, reading: ScanReading) -> dict[str, Any]:
        """Read and prepare one scan, keep its mark, and return the row that says what came out.

        A file that cannot be read, or not be prepared, is a row with the reason in ``error``.

        Parameters
        ----------
        path : Path
            A file with the content that ``sha256`` names.
        sha256 : str
            Of the scan's file; the mark is kept under it.
        reading : ScanReading
            Unit and region of this scan.

        Returns
        -------
        dict
            As JSON can hold it; ``error`` is None when the scan was prepared.

        Raises
        ------
        WriteError
            When the mark cannot be written.
        """
        row: dict[str, Any] = {"sha256": sha256, "error": None, "insufficient": None, "preparation": {}, "findings": []}
        try:
            surface = reading.surface(path)
            method = method_of(self.kind)
            parameters = method.parameters(settings=dict(self.settings)) if self.settings else None
            mark = method.prepare(surface, reading.region_on(surface), parameters)
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
            "instrument": stated_by_file(surface) or "",
            "findings": sorted({f"{finding.severity}: {finding.code}" for finding in mark.findings}),
        }

    def holds(self, sha256: str) -> bool:
        """Return whether the store holds a scan's mark as it was written; an altered one is to be made again."""
        try:
            _loaded(self._path(sha256), self.kind)
        except CorruptFileError:
            return False
        return True

    def load(self, key: str) -> Mark:
        """Return a scan's mark, with all that a comparison looks at.

        Raises
        ------
        CorruptFileError
            When its file is missing or damaged.
        """
        return _loaded(self._path(key), self.kind)

    def _path(self, sha256: str) -> Path:
        return self.folder / f"{sha256}.mark"

    def _write(self, sha256: str, heights: np.ndarray[Any, Any], says: dict[str, Any]) -> None:
        """Write a mark whole or not at all, and on the disk: after a power cut a name must not stand for nothing.

        The first line says what the heights are and has the SHA-256 of both, then come the heights (.npy).
        """
        buffer = io.BytesIO()
        np.save(buffer, heights)
        first = json.dumps(says | {SEAL: _content(says, buffer.getvalue())}, sort_keys=True)
        data = first.encode() + b"\n" + buffer.getvalue()
        write_whole(self._path(sha256), data, left="nothing finished is lost")


def _content(says: dict[str, Any], values: bytes) -> str:
    digest = sha256_of(json.dumps(says, sort_keys=True).encode() + b"\n")
    digest.update(values)
    return digest.hexdigest()


# A worker goes through the pairs of two groups of scans at a time (`designs.TILE`): both stay in memory.
@lru_cache(maxsize=72)
def _loaded(path: Path, kind: str) -> Mark:
    fault = f"{path} is not a prepared mark"
    try:
        with open(path, "rb") as file:
            first, values = file.readline(_MOST_FIRST), file.read()
    except OSError as error:
        raise CorruptFileError(f"{fault}: {reason(error)}; run the same command again, it is made again") from error
    says = parse_json(first, str(path), "a prepared mark")
    if not isinstance(says, dict) or says.pop(SEAL, None) != _content(says, values):
        raise CorruptFileError(f"{fault}: it was altered; run the same command again, it is made again")
    try:
        buffer = io.BytesIO(values)
        header = read_header(buffer)
        if header.dtype != np.float32 or len(header.shape) != 2 or header.nbytes != len(values) - header.offset:
            raise CorruptFileError("its heights are no map of numbers")
        heights = np.frombuffer(values, np.float32, offset=header.offset).reshape(header.shape).copy()
        return Mark(kind, heights, float(says["spacing_um"]), says["surface_kind"], insufficient=says["insufficient"])
    except (CorruptFileError, KeyError, TypeError, ValueError) as error:
        raise CorruptFileError(f"{fault}: {error}; delete it, it is made again") from error
