"""Recorded test fires as a set of scans with its truth: what a reference population is built from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ballistics.casework import Casebook, Firearm, Instrument, Scan, Session, Shot, safe_name
from ballistics.errors import ParameterError, WriteError
from ballistics.evidence import calibre_named
from ballistics.files import csv_bytes, reason, write_whole
from ballistics.front.bullets import KIND as LAND
from ballistics.methods import BULLET

_COLUMNS = ("scan", "firearm", "case", "calibre", "ammunition", "instrument", "date", "sha256", "units", "region",
            "land")  # fmt: skip


_PNG = b"\x89PNG"
# Identifiers of records are no paths: all of one is kept.
_SLASHES = str.maketrans("/\\", "__")


@dataclass(frozen=True)
class TestFire:
    """The scan of a test fire, with what a reference population must know of it.

    Parameters
    ----------
    scan, shot, firearm : str
        Identifiers of the records.
    name, sha256 : str
        Name of the scan's file, and its hash.
    calibre, ammunition, instrument, date : str
        As recorded; the class of the instrument.
    units, region, land : str
        As the scan states them: the unit of its lengths, the hash of the file of its region, the place of a land.
    """

    __test__ = False  # pytest takes the name for a test

    scan: str
    shot: str
    firearm: str
    name: str
    sha256: str
    calibre: str
    ammunition: str
    instrument: str
    date: str
    units: str = ""
    region: str = ""
    land: str = ""


def select_test_fires(
    book: Casebook,
    mark: str = "breech face",
    calibre: str | None = None,
    instrument: str | None = None,
    since: str | None = None,
) -> list[TestFire]:
    """Return the scans of recorded test fires, in the order in which they were recorded.

    Parameters
    ----------
    book : Casebook
    mark : str
        Kind of mark; ``"bullet"`` for the lands of bullets.
    calibre : str, optional
        By any of its names.
    instrument : str, optional
        Class of instrument.
    since : str, optional
        The earliest date of a session, ``2026-11-30``.

    Raises
    ------
    ParameterError
        When none is like that.
    """
    instruments = {each.record.id: each.record.kind for each in book.all(Instrument)}
    firearms = {each.record.id: each.record for each in book.all(Firearm)}
    sessions = {each.record.id: each.record for each in book.all(Session)}
    shots = {each.record.id: each.record for each in book.all(Shot)}
    mark = LAND if mark == BULLET else mark
    wanted = None if calibre is None else calibre_named(calibre)
    found = []
    for each in book.all(Scan):
        scan = each.record
        shot = shots.get(scan.item)
        if shot is None or scan.mark != mark:
            continue
        session = sessions[shot.session]
        firearm = firearms[session.firearm]
        if wanted is not None and calibre_named(firearm.calibre) != wanted:
            continue
        if instrument is not None and instruments[scan.instrument] != instrument:
            continue
        if since is not None and session.date[:10] < since[:10]:
            continue
        found.append(
            TestFire(
                scan.id,
                shot.id,
                firearm.id,
                scan.name,
                scan.file,
                firearm.calibre,
                session.ammunition,
                instruments[scan.instrument],
                session.date,
                scan.units,
                scan.region,
                scan.land if mark == LAND else "",
            )
        )
    if not found:
        raise ParameterError(
            f"{book.library.folder} holds no scan of a test fire like that ({len(shots)} shots are recorded): see "
            "`ballistics range list shot`"
        )
    return found


def write_scan_set(book: Casebook, fires: Sequence[TestFire], folder: Path) -> Path:
    """Copy scans of test fires to a folder, with a table of their truth, and return the table's path.

    Each is named by its record; the table also states what the records say of its units and its region.

    Parameters
    ----------
    book : Casebook
    fires : sequence of TestFire
        From `select_test_fires`.
    folder : Path
        Empty or not there.

    Raises
    ------
    WriteError
        When the folder holds something, or cannot be written.
    CorruptFileError
        When a kept file was changed.
    """
    rows = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise WriteError(f"{folder} is not empty: choose another folder")
        for number, fire in enumerate(fires, 1):
            name = f"{number:04d} {safe_name(fire.scan.translate(_SLASHES))} {safe_name(fire.name)}"
            (folder / name).write_bytes(book.files.read(fire.sha256))
            region = _region(book, fire.region, folder) if fire.region else ""
            rows.append(
                (name, fire.firearm, fire.shot, fire.calibre, fire.ammunition, fire.instrument, fire.date, fire.sha256,
                 fire.units, region, fire.land)
            )  # fmt: skip
    except OSError as error:
        raise WriteError(f"{folder} cannot be written: {reason(error)}") from error
    table = folder / "truth.csv"
    write_whole(table, csv_bytes(_COLUMNS, rows))
    return table


def _region(book: Casebook, name: str, folder: Path) -> str:
    """Write the kept file of a region under a name that readers go by, and return it from the set's folder."""
    data = book.files.read(name)
    path = Path("regions") / f"{name[:12]}{'.png' if data.startswith(_PNG) else '.json'}"
    (folder / path.parent).mkdir(exist_ok=True)
    (folder / path).write_bytes(data)
    return path.as_posix()
