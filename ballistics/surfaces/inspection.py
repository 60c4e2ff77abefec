"""Says of each file in a folder of anything: readable, readable with findings, or refused and why."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ballistics.errors import BallisticsError, ReadError
from ballistics.findings import Finding
from ballistics.surfaces.formats.reading import DEFAULT_HEIGHT_LIMIT_BYTES, is_image, is_point_text, read
from ballistics.surfaces.formats.units_guard import Units

Verdict = Literal["readable", "readable with findings", "refused"]


# The heading of a table of scans stands in its first bytes.
_TABLE_HEAD_BYTES = 4096


@dataclass(frozen=True)
class Inspection:
    """What reading one file came to.

    Parameters
    ----------
    path : Path
        The file.
    verdict : {"readable", "readable with findings", "refused"}
        Outcome.
    reason : str
        Why it was refused; empty otherwise.
    error : str
        Class of the error, e.g. ``"UnitsError"``; empty unless refused.
    findings : tuple of Finding
        What was odd about a readable file.
    format, kind : str
        Of a readable file.
    shape : (rows, columns), optional
    spacing_um : (row, column) floats, optional
    valid_fraction : float, optional
    sha256 : str
        Of a readable file.
    """

    path: Path
    verdict: Verdict
    reason: str = ""
    error: str = ""
    findings: tuple[Finding, ...] = ()
    format: str = ""
    kind: str = ""
    shape: tuple[int, int] | None = None
    spacing_um: tuple[float, float] | None = None
    valid_fraction: float | None = None
    sha256: str = ""


def inspect(
    paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    *,
    units: Units | None = None,
    spacing_um: float | None = None,
    height_limit_bytes: int = DEFAULT_HEIGHT_LIMIT_BYTES,
) -> tuple[Inspection, ...]:
    """Try to read every file, and return what came of each; a bad file is a row, never an error.

    Parameters
    ----------
    paths : path or iterable of paths
        Files and folders; folders are walked, in sorted order.
    units : {None, "micrometres", "millimetres", "as written"}
        As in `ballistics.read`; not applied to 2D images.
    spacing_um : float, optional
        Pixel size in µm for 2D images and lists of points; not applied to other files.
    height_limit_bytes : int, default 2 GiB
        Largest size of the heights (8 bytes per point) that a file may declare; a larger file is refused.

    Returns
    -------
    tuple of Inspection

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = pathlib.Path(folder, "notes.txt").write_text("no scan")
    ...     [(row.path.name, row.verdict, row.error) for row in inspect(folder)]
    [('notes.txt', 'refused', 'UnsupportedFormatError')]
    """
    given = [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)
    return tuple(
        inspect_file(path, units=units, spacing_um=spacing_um, height_limit_bytes=height_limit_bytes)
        for path in files_in(given)
    )


def files_in(paths: Iterable[str | os.PathLike[str]]) -> Iterator[Path]:
    """Yield every file named or below a folder named, in sorted order.

    Hidden files below a folder are left out, and so are tables of scans (`scan_tables_in`).
    """
    for path, is_table in _walked(paths):
        if not is_table:
            yield path


def scan_tables_in(paths: Iterable[str | os.PathLike[str]]) -> Iterator[Path]:
    """Yield the tables below the folders named that say something of scans: ``.csv`` with a column ``scan``."""
    for path, is_table in _walked(paths):
        if is_table:
            yield path


def _walked(paths: Iterable[str | os.PathLike[str]]) -> Iterator[tuple[Path, bool]]:
    for given in paths:
        path = Path(given)
        if not path.is_dir():
            yield path, False
            continue
        for folder, folders, names in os.walk(path):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(names):
                if not name.startswith("."):
                    yield Path(folder, name), _is_scan_table(Path(folder, name))


def _is_scan_table(path: Path) -> bool:
    if path.suffix.lower() != ".csv":
        return False
    try:
        with open(path, "rb") as file:
            head = file.read(_TABLE_HEAD_BYTES)
    except OSError:
        return False
    columns = head.decode("utf-8-sig", "replace").splitlines()[:1]
    return "scan" in (name.strip().strip('"').lower() for line in columns for name in line.split(","))


def inspect_file(
    path: Path,
    *,
    units: Units | None = None,
    spacing_um: float | None = None,
    height_limit_bytes: int = DEFAULT_HEIGHT_LIMIT_BYTES,
) -> Inspection:
    """Read one file and return what came of it; it raises no error.

    Parameters
    ----------
    path : Path
        A file, not a folder.
    units : {None, "micrometres", "millimetres", "as written"}
        As in `ballistics.read`; not applied to 2D images.
    spacing_um : float, optional
        Pixel size in µm for 2D images and lists of points; not applied to other files.
    height_limit_bytes : int, default 2 GiB
        Largest size of the heights (8 bytes per point) that a file may declare.
    """
    image = is_image(path)
    try:
        surface = read(
            path,
            spacing_um=spacing_um if image or is_point_text(path) else None,
            units=None if image else units,
            height_limit_bytes=height_limit_bytes,
        )
    except BallisticsError as error:
        # The path stands in its own column.
        reason = str(error).removeprefix(f"{path}: ")
        return Inspection(path, "refused", reason=reason, error=type(error).__name__)
    except Exception as error:  # a fault of ours must not hide the rest of the folder
        return Inspection(
            path,
            "refused",
            reason=f"unexpected {type(error).__name__}: {error}; please report it",
            error=ReadError.__name__,
        )
    return Inspection(
        path,
        "readable with findings" if surface.findings else "readable",
        findings=surface.findings,
        format=str(surface.metadata["format"]),
        kind=surface.kind,
        shape=(surface.heights_um.shape[0], surface.heights_um.shape[1]),
        spacing_um=surface.spacing_um,
        valid_fraction=surface.valid_fraction,
        sha256=surface.provenance.inputs["file"] if surface.provenance else "",
    )
