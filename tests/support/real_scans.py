"""The real scans, read as their publishers meant them."""

from __future__ import annotations

from pathlib import Path

from ballistics.errors import UnitsError
from ballistics.surfaces import Surface, read


def as_read(path: Path) -> Surface:
    """Read a scan; one whose lengths make no sense in metres was written in micrometres."""
    try:
        return read(path)
    except UnitsError:
        return read(path, units="micrometres")
