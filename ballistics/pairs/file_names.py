"""Names of files: as they are found below the folders that are named, and as they can be shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from ballistics.errors import ParameterError
from ballistics.files import real_path
from ballistics.surfaces import files_in


def scan_files(paths: Iterable[Path], without: Sequence[Path] = ()) -> list[tuple[str, Path]]:
    """Return the names and places of all files named, or below folders named, in the order of the names.

    A file's name is its path from the folder that was given. Hidden files, and what lies in ``without``, are left out.

    Raises
    ------
    ParameterError
        When something named does not exist, or there is no file at all.
    """
    excluded = [real_path(path) for path in without]
    found: dict[Path, str] = {}
    for given in paths:
        if not given.exists():
            raise ParameterError(f"{given} does not exist")
        for path in files_in([given]):
            resolved = real_path(path)
            if not any(resolved == left_out or left_out in resolved.parents for left_out in excluded):
                name = path.relative_to(given).as_posix() if given.is_dir() else path.name
                # A name that is no Unicode must not end the run when the table is written.
                found.setdefault(resolved, name.encode("utf-8", "replace").decode())
    if not found:
        raise ParameterError("no file was found to compare")
    return [(name, path) for path, name in sorted(found.items(), key=lambda item: (item[1], item[0]))]


def printable(name: str) -> str:
    """Return a name without the control characters that neither XML nor a picture can hold."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in name)
