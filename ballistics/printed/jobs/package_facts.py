"""What the other members of a print job's package say: settings, plates, printing time, dates."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ballistics.errors import HostileFileError, ReadError
from ballistics.files import SafeArchive
from ballistics.printed.content.bounds import text_of
from ballistics.printed.content.job_facts import Fact
from ballistics.printed.content.xml_stream import MOST_PACKED, XmlTarget, parse

_JSON_BYTES = 4 << 20
_MOST_FACTS = 5_000
_VALUE = 20_000
# The first day that a zip archive can state, which stands for none.
_NO_DATE = "1980-"


class _Named(XmlTarget):
    """Collects what a settings file gives a key, and the attributes of objects and filaments."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []

    def opened(self, name: str, attributes: dict[str, str]) -> None:
        if len(self.found) >= _MOST_FACTS:
            return
        if name in ("metadata", "header_item") and "key" in attributes:
            self.found.append((attributes["key"], attributes.get("value", "")))
        elif name in ("filament", "object", "warning"):
            self.found += [(f"{name} {key}", value) for key, value in attributes.items()]


def package_facts(archive: SafeArchive, metadata: Mapping[str, Any]) -> list[tuple[str, Fact]]:
    """Return what a package says beside its jobs, by name, each with the member in which it stands.

    Parameters
    ----------
    archive : SafeArchive
    metadata : mapping
        Of the package's model.

    Raises
    ------
    HostileFileError
    """
    found = [(str(key), Fact(text_of(str(value), _VALUE), "the package's model")) for key, value in metadata.items()]
    for name in archive.names():
        lowered = name.lower()
        if not lowered.startswith("metadata/") or not lowered.endswith((".config", ".json", ".xml")):
            continue
        try:
            found += [(text_of(k, 80), Fact(text_of(v, _VALUE), name)) for k, v in _stated(archive, name)]
        except HostileFileError:
            raise
        except (ReadError, ValueError, RecursionError):
            continue  # it is not needed to read the job
    for name in archive.names()[:200]:
        day = archive.modified(name)
        if not day.startswith(_NO_DATE):
            found.append(
                (f"modified_date of {text_of(name, 80)}", Fact(day, f"{text_of(name, 80)}, date of the member"))
            )
    return found[:_MOST_FACTS]


def _stated(archive: SafeArchive, name: str) -> Iterator[tuple[str, str]]:
    start = next(archive.chunks(name), b"").lstrip(b"\xef\xbb\xbf \r\n\t")
    if start.startswith(b"<"):
        archive.refuse_bomb(name, MOST_PACKED)
        named = _Named()
        parse(archive.chunks(name), named, name)
        yield from named.found
    elif start.startswith(b"{"):
        held = json.loads(archive.read(name, limit_bytes=_JSON_BYTES))
        for key, value in held.items():
            if isinstance(value, str | int | float):
                yield key, str(value)
            elif isinstance(value, list) and all(isinstance(entry, str | int | float) for entry in value):
                yield key, ",".join(map(str, value))
    elif start.startswith(b";") or b" = " in start:
        # Slic3r_PE.config: the settings of PrusaSlicer's projects, as in its jobs.
        for line in archive.read(name, limit_bytes=_JSON_BYTES).decode("utf-8", "replace").splitlines():
            key, mark, value = line.lstrip("; ").partition(" = ")
            if mark:
                yield key, value
