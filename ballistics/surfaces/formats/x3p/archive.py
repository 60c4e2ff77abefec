"""The zip archive of an X3P file: its members below the folder that holds ``main.xml``."""

from __future__ import annotations

from typing import BinaryIO

from ballistics.errors import CorruptFileError, UnsupportedFormatError
from ballistics.files import SafeArchive
from ballistics.findings import Finding


class X3pArchive(SafeArchive):
    """The members of an X3P archive by name, below the folder that holds ``main.xml``.

    Parameters
    ----------
    file : binary file
        An open, seekable file; it stays the caller's.

    Attributes
    ----------
    root : str
        Folder of ``main.xml`` inside the archive, ``""`` when it is at the top.
    findings : list of Finding
        What was odd about the archive.

    Raises
    ------
    CorruptFileError, HostileFileError, UnsupportedFormatError
        See the messages; nothing has been unpacked then.
    """

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self.findings: list[Finding] = []
        if self.backslashes:
            self.findings.append(
                Finding("names-with-backslash", "note", "member names use backslashes", "read as forward slashes")
            )
        self.root = self._find_root()

    def _find_root(self) -> str:
        found = [
            name.removesuffix("main.xml")
            for name in self._members
            if (name == "main.xml" or name.endswith("/main.xml")) and "__MACOSX/" not in name
        ]
        if not found:
            raise UnsupportedFormatError("a zip archive without main.xml: not an X3P file")
        depth = min(name.count("/") for name in found)
        roots = [name for name in found if name.count("/") == depth]
        if len(roots) > 1:
            raise CorruptFileError(f"several main.xml files side by side ({sorted(roots)}): pack one scan per file")
        if roots[0]:
            self.findings.append(
                Finding(
                    "root-nested",
                    "note",
                    f"main.xml lies in the folder {roots[0]!r}",
                    "read from that folder",
                )
            )
        return roots[0]
