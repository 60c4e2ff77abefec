"""Traces of people, machines and times in what a job says: found as they stand, each with its place."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ballistics.printed.content.job_facts import Fact, Trace

_MOST_TRACES, _MOST_CHARACTERS = 200, 300
_PATH = re.compile(
    r"(?:\b[A-Za-z]:\\{1,2}|\\\\[\w.-]{1,64}\\)[^\s\"'<>|;,]+(?: [^\s\"'<>|;,]*\\[^\s\"'<>|;,]+)*"
    r"|(?<![\w.:/])/(?:home|Users|tmp|var|mnt|media|Volumes|root|opt|srv|private|data)/[^\s\"'<>|;,]+"
    r"|\bfile:///?[^\s\"'<>]+"
)
_USER = re.compile(r"(?:\\Users\\{1,2}|/Users/|/home/|\\Documents and Settings\\)([^\\/\s\"']+)", re.IGNORECASE)
_DATE = re.compile(
    r"\b(?:\d{4}-\d{2}-\d{2}(?:[T ](?:at )?\d{2}:\d{2}(?::\d{2})?)?"
    r"|\d{4}/\d{2}/\d{2}[ -]\d{2}:\d{2}(?::\d{2})?"
    r"|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? (?:\d{1,2} )?(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*"
    r"[ \d:,]{4,20}\d{4}"
    r"|(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]* \d{1,2}, \d{4}(?: at [\d:]+(?: [AP]M)?)?"
    r"|\d{1,2}\.\d{1,2}\.\d{4}(?: \d{1,2}:\d{2})?)(?: UTC(?:[+-]\d{1,2}:?\d{0,2})?| at \d{2}:\d{2}:\d{2}(?: UTC)?)?"
)
_ADDRESS = re.compile(
    r"\bhttps?://[^\s\"'<>;]+|\b[\w.+-]{1,64}@[\w-]{1,64}\.[a-z]{2,12}\b"
    r"|(?<![\d.])(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]\d|[1-9])\.)(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]\d|\d)\.){2}"
    r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]\d|\d)(?![\d.])"
    r"|\b[\w-]{1,63}\.(?:local|lan|home|fritz\.box)\b"
)
_IDENTIFIER = re.compile(
    r"\b(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|(?:[0-9a-f]{2}:){5}[0-9a-f]{2})\b",
    re.IGNORECASE,
)
_SECRET_KEYS = re.compile(r"(?:api_?key|password|passwd|token|secret|access_?code)", re.IGNORECASE)
_HOST_KEYS = re.compile(
    r"(?:print_?host|printhost_(?!api|pass|cafile|ssl|auth)|host_?name|physical_printer|octoprint|device_?name|host_type)",
    re.IGNORECASE,
)
_SERIAL_KEYS = re.compile(
    r"(?:serial|device_?id|dev_?id|printer_?id\b|\bsn\b|machine_?uuid|guid|uuid|\bmac\b|design_?(?:model_?)?id|profile_?id"
    r"|project_?id|subtask_?id|task_?id|user_?id)",
    re.IGNORECASE,
)
_USER_KEYS = re.compile(
    r"(?:\bdesigner\b|\bauthor\b|user_?name|\buser\b|operator|\bowner\b|copyright|creator|profileusername)",
    re.IGNORECASE,
)
_DATE_KEYS = re.compile(r"(?:date|created|modified|saved|time_?stamp|uploaded)", re.IGNORECASE)
_NOTE_KEYS = re.compile(
    r"^(?:notes|filament_notes|printer_notes|post_process|title|description|origin|original_?file|source_?file"
    r"|input_?filename.*)$",
    re.IGNORECASE,
)
_VERSION = re.compile(r"version|generat|studio|slicer|build|firmware|M115|steamengine", re.IGNORECASE)


def traces_of(lines: Iterable[Fact], keyed: Iterable[tuple[str, Fact]]) -> tuple[Trace, ...]:
    """Return the traces in lines of text and in named values, each once, in the order in which they stand.

    Parameters
    ----------
    lines : iterable of Fact
        Texts with their places.
    keyed : iterable of (str, Fact)
        Values with their names.
    """
    found: dict[tuple[str, str], Trace] = {}

    def add(kind: str, value: str, where: str) -> None:
        value = value.strip(" \t\"'[]")[:_MOST_CHARACTERS]
        if value and value.lower() not in ("0", "nil", "none", "null", "false") and len(found) < _MOST_TRACES:
            found.setdefault((kind, value), Trace(kind, value, where))

    for line in lines:
        text = line.value
        for match in _PATH.finditer(text):
            add("path", match[0], line.where)
        for match in _USER.finditer(text):
            add("user name", match[1], line.where)
        for match in _DATE.finditer(text):
            add("date", match[0], line.where)
        for match in _ADDRESS.finditer(text):
            # Versions of four numbers look like addresses.
            if not (match[0][0].isdigit() and _VERSION.search(text)):
                add("address", match[0], line.where)
        for match in _IDENTIFIER.finditer(text):
            add("serial or identifier", match[0], line.where)
    for name, fact in keyed:
        if _SECRET_KEYS.search(name):
            if fact.value.strip(" \"'"):
                add("secret", f"{name}: {len(fact.value)} characters, not shown", fact.where)
        elif _HOST_KEYS.search(name):
            add("host", f"{name} = {fact.value}" if fact.value.strip(" \"'") else "", fact.where)
        elif _SERIAL_KEYS.search(name):
            add("serial or identifier", f"{name} = {fact.value}" if fact.value.strip(" \"'") else "", fact.where)
        elif _USER_KEYS.search(name):
            add("user name", fact.value, fact.where)
        elif _DATE_KEYS.search(name) and re.search(r"\d{4}", fact.value):
            add("date", fact.value, fact.where)
        elif _NOTE_KEYS.match(name):
            add("note", f"{name} = {fact.value}" if fact.value.strip(" \"';") else "", fact.where)
    return tuple(found.values())
