"""A folder of files as they came: each is kept under the SHA-256 of its bytes, whole or not at all, never changed."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ballistics.errors import CorruptFileError, ParameterError, ReadError, WriteError
from ballistics.files import reason, sync_folder
from ballistics.provenance import sha256_of_file

_NAME = re.compile(r"[0-9a-f]{64}")
_BLOCK = 1 << 20


class FileFolder:
    """Files by the SHA-256 of their bytes.

    Parameters
    ----------
    folder : Path
        Where; made when the first file is kept.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as name:
    ...     folder = Path(name)
    ...     _ = (folder / "scan.x3p").write_bytes(b"heights")
    ...     files = FileFolder(folder / "files")
    ...     kept = files.keep(folder / "scan.x3p")
    ...     files.path(kept).read_bytes(), files.fault(kept)
    (b'heights', None)
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, name: str) -> Path:
        """Return where a file lies; 256 folders keep each of them short.

        Raises
        ------
        ParameterError
            When the name is not a SHA-256.
        """
        # A record from elsewhere must not name files outside the folder.
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise ParameterError(f"{self.folder}: '{name[:80]}' is not the SHA-256 of a file")
        return self.folder / name[:2] / name

    def keep(self, path: Path) -> str:
        """Copy a file into the folder if its bytes are not there, and return its SHA-256.

        Raises
        ------
        ReadError
            When it cannot be read.
        WriteError
            When the folder cannot be written; nothing was kept.
        """
        try:
            with open(path, "rb") as source:
                return self._keep(iter(lambda: source.read(_BLOCK), b""), path)
        except OSError as error:
            raise ReadError(f"{path} cannot be read: {reason(error)}") from error

    def keep_bytes(self, data: bytes) -> str:
        """Write bytes into the folder if they are not there, and return their SHA-256; errors as of `keep`."""
        return self._keep(iter((data,)), self.folder)

    def fault(self, name: str) -> str | None:
        """Return what is wrong with a file; None when it holds exactly what was kept."""
        path = self.path(name)
        try:
            return None if sha256_of_file(path) == name else "the file was changed since it was kept"
        except FileNotFoundError:
            return "the file is missing"
        except OSError as error:
            return f"the file cannot be read: {reason(error)}"

    def read(self, name: str) -> bytes:
        """Return the bytes of a file, checked against its name.

        Raises
        ------
        CorruptFileError
            When it is missing or was changed.
        """
        fault = self.fault(name)
        if fault is not None:
            raise CorruptFileError(f"{self.path(name)}: {fault}; take it from a backup")
        return self.path(name).read_bytes()

    def names(self) -> Iterator[str]:
        """Yield the names of all files, in sorted order."""
        for path in sorted(self.folder.glob("??/*")):
            if _NAME.fullmatch(path.name):
                yield path.name

    def copy_to(self, folder: Path) -> None:
        """Copy every file that is not there to the folder of a backup."""
        other = FileFolder(folder)
        for name in self.names():
            if not other.path(name).exists():
                other.keep(self.path(name))

    def _keep(self, blocks: Iterator[bytes], source: Path) -> str:
        digest = hashlib.sha256()
        part = ""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self.folder, prefix=".part-", delete=False) as target:
                part = target.name
                for block in blocks:
                    digest.update(block)
                    target.write(block)
                target.flush()
                os.fsync(target.fileno())
            path = self.path(digest.hexdigest())
            path.parent.mkdir(exist_ok=True)
            os.replace(part, path)
            for made in (path.parent, self.folder, self.folder.parent):
                sync_folder(made)
        except OSError as error:
            if part:
                Path(part).unlink(missing_ok=True)
            raise WriteError(f"{source} cannot be kept in {self.folder}: {reason(error)}; nothing was kept") from error
        return path.name
