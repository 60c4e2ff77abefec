"""A folder of content-addressed arrays: each file is named after the SHA-256 of the heights it holds."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ballistics.errors import CorruptFileError, WriteError
from ballistics.files import is_temporary, load_array, reason, sync_folder, write_whole
from ballistics.provenance import sha256_of_array

_NAME = re.compile(r"[0-9a-f]{64}")
_ENDING = ".npy"


class ArrayFolder:
    """Heights of marks, written once, whole or not at all, and on the disk before anything refers to them.

    Parameters
    ----------
    folder : Path
        Where; made when the first array is written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     arrays = ArrayFolder(Path(folder) / "arrays")
    ...     name = arrays.write(np.eye(3, dtype=np.float32))
    ...     float(arrays.read(name).sum())
    3.0
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, name: str) -> Path:
        """Return where an array lies; 256 folders keep each of them short."""
        # A database from elsewhere must not name files outside the folder.
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise CorruptFileError(f"{self.folder}: {name!r:.80} is not the name of an array; the database was changed")
        return self.folder / name[:2] / f"{name}{_ENDING}"

    def write(self, heights_um: NDArray[np.float32]) -> str:
        """Write an array if it is not there, and return its name.

        Raises
        ------
        WriteError
            When the folder cannot be written.
        """
        name = sha256_of_array(heights_um)
        path = self.path(name)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if self.fault(name) is not None:
                buffer = io.BytesIO()
                np.save(buffer, np.ascontiguousarray(heights_um))
                write_whole(path, buffer.getvalue(), left="nothing was enrolled")
            # Also when the file was there: the process that made it may have been stopped before this.
            for made in (path.parent, self.folder, self.folder.parent):
                sync_folder(made)
        except OSError as error:
            raise WriteError(f"{self.folder} cannot be written: {reason(error)}; nothing was enrolled") from error
        return name

    def read(self, name: str) -> NDArray[np.float32]:
        """Return an array after checking that it is the one that was written.

        Raises
        ------
        CorruptFileError
            When the file is missing, truncated or changed.
        """
        heights, fault = self.look(name)
        if heights is None:
            raise CorruptFileError(f"{self.path(name)}: {fault}; take it from a backup, or enrol the scan again")
        return heights

    def fault(self, name: str) -> str | None:
        """Return what is wrong with an array's file; None when it holds exactly what was written."""
        return self.look(name)[1]

    def look(self, name: str) -> tuple[NDArray[np.float32] | None, str | None]:
        """Return an array, or None and what is wrong with its file."""
        try:
            heights = load_array(self.path(name))
        except FileNotFoundError:
            return None, "the file is missing"
        except OSError as error:
            return None, f"the file cannot be read: {reason(error)}"
        except (CorruptFileError, MemoryError) as error:
            return None, f"the file cannot be read: {error or 'too little memory'}"
        if sha256_of_array(heights) != name:
            return None, "the file was changed: it does not hold the heights that its name stands for"
        return heights, None

    def delete(self, name: str) -> None:
        """Delete an array; one that is not there is no error."""
        try:
            self.path(name).unlink(missing_ok=True)
        except OSError as error:
            raise WriteError(f"{self.path(name)} cannot be deleted: {reason(error)}") from error

    def names(self) -> Iterator[str]:
        """Yield the names of all arrays, in sorted order."""
        for path in sorted(self.folder.glob(f"??/*{_ENDING}")):
            if _NAME.fullmatch(path.stem):
                yield path.stem

    def torn(self) -> list[Path]:
        """Return what writers that were stopped have left half-written."""
        return sorted(
            path
            for path in (*self.folder.glob("??/.*"), *self.folder.glob("??/*.part"))
            if is_temporary(path.name) or path.suffix == ".part"
        )
