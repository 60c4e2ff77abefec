"""The profile behind a print job, whatever the object: slicer, settings, start and end, habits of the moves."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ballistics.printed.content.bounds import text_of
from ballistics.printed.content.job_facts import Habits, JobFacts

FINGERPRINT_VERSION = "1"
_SETTING = re.compile(r"^[a-z][a-z0-9_]{1,70}$")
# What depends on the object, on where it lies, or on the day.
_OF_THE_OBJECT = re.compile(
    r"^(?:layer|z|height|width|type|mesh|time|feature|layer_z|z_height|minx|miny|minz|maxx|maxy|maxz|max_z_height|layers"
    r"|layer_count|layer_num\w*|time_elapsed|elapsed|weight|prediction|print_time|print_estimated\w*|estimated_\w+|total_\w+"
    r"|filament_used\w*|filament_length|objects?|objects?_info|first_layer_print_\w+|wipe_tower_[xy]|wipe_tower_rotation_angle"
    r"|model_\w+|\w*_date|date|saved|generator|generated|title|plate\w*|thumbnail\w*"
    r"|printing|object|support_used|x_min|x_max|y_min|y_max|z_min|z_max|ranges|application|index)$"
)
_PRINTER = re.compile(
    r"^(?:printer|machine|bed_(?!temp)|gcode_|start_gcode|end_gcode|before_layer|layer_gcode|toolchange|change_\w+_gcode"
    r"|retract|deretract|z_offset|z_hop|max_print_height|extruder|nozzle_(?!temp)|use_|host|print_host|silent|remaining"
    r"|single_extruder|cooling_tube|parking|extra_loading|high_current|variable_layer|min_layer_height|max_layer_height"
    r"|template|wipe$|stroke|build|rapid|tooloffset|outputid|definition|travel_accel|default_(?:print|filament)_profile)"
)
_FILAMENT = re.compile(
    r"^(?:filament|temperature|first_layer_temp|bed_temp|first_layer_bed_temp|fan|cooling|min_fan|max_fan|bridge_fan"
    r"|disable_fan|full_fan|slowdown|slow_down|material|\w+_plate_temp|nozzle_temp|extrusion_multiplier|chamber|idle_temp"
    r"|fiber|primary|overhang_fan|close_fan|start_filament|end_filament|activate_air|pressure_advance|enable_pressure)"
)
# How many settings may differ until a section counts half: a printer's profile is hardly ever touched, what is chosen
# for an object (infill, supports, brim) often is. How they were chosen: `profile_similarity`.
_HALVED_BY = {"printer": 3.0, "filament": 5.0, "print": 10.0}
_WEIGHTS = {"slicer": 0.1, "printer": 0.25, "filament": 0.15, "print": 0.2, "start and end": 0.15, "habits": 0.15}
# With fewer settings in common there is nothing to compare.
_LEAST_SHARED = 8
#: Jobs at least this similar are one group. Chosen as `_HALVED_BY`.
SIMILAR = 0.80
_FIRST_LAYER = re.compile(
    rb"^;\s*(?:LAYER:|LAYER_CHANGE|CHANGE_LAYER|BEFORE_LAYER_CHANGE|layer\s+[#\d]|BEGIN_LAYER|TYPE:(?!Custom)|FEATURE:(?!Custom))",
    re.IGNORECASE,
)
_MOTION = re.compile(rb"^(?:N\d+\s*)?G0?[0-3](?![\d.])", re.IGNORECASE)
_PRINTS = re.compile(rb"[XY]\s*[-+.\d].*E\s*\+?[.\d]", re.IGNORECASE)
_OF_THE_BODY = re.compile(
    rb"^(?:G92|G4|M73|M106|M107|M117|M118|M20[45]|M220|M486|EXCLUDE_OBJECT|SET_|M900)\b", re.IGNORECASE
)
_SKIPPED = re.compile(rb"^(?:M73|M117|M118|M486|M532|M900|EXCLUDE_OBJECT|SET_PRINT_STATS|M20[45])\b", re.IGNORECASE)
_MOST_PRINTING, _MOST_KEPT, _MOST_LINE = 40, 400, 400


@dataclass(frozen=True)
class ProfileSimilarity:
    """How alike the profiles of two jobs are, and why.

    Parameters
    ----------
    score : float
        0 to 1; 1 where everything that both state is equal.
    sections : mapping of str to (float, int, int)
        Score, settings that agree, and that differ, of ``"printer"``, ``"filament"``, ``"print"``,
        ``"start and end"``, ``"habits"`` and ``"slicer"``; only those that both jobs have.
    differing : tuple of (str, str, str)
        Name and both values of what differs; lines of start and end commands have no second or no first value.
    """

    score: float
    sections: Mapping[str, tuple[float, int, int]]
    differing: tuple[tuple[str, str, str], ...]

    @property
    def reason(self) -> str:
        """The sections in a sentence."""
        words = []
        for name, (_, agreeing, differing) in self.sections.items():
            words.append(f"{name}: {agreeing} equal" + (f", {differing} differ" if differing else ""))
        return "; ".join(words)


def is_setting(key: str, value: str) -> bool:
    """Return whether a named value is a setting of the profile, not a number of this job.

    Examples
    --------
    >>> is_setting("perimeter_speed", "45"), is_setting("filament_used", "3"), is_setting("printing object a", "1")
    (True, False, False)
    """
    return bool(value.strip()) and _SETTING.match(key) is not None and _OF_THE_OBJECT.match(key) is None


def start_lines_of(head: bytes) -> tuple[str, ...]:
    """Return the commands before the first layer, without comments and without what depends on the object."""
    lines: list[bytes] = []
    printing = 0
    last_set_up = 0
    for raw in re.split(rb"\r\n|\r|\n", head):
        line = raw.strip()
        if line.startswith(b";"):
            if _FIRST_LAYER.match(line) and lines:
                break
            continue
        code = _code(line)
        if not code:
            continue
        lines.append(code)
        if _MOTION.match(code):
            printing += _PRINTS.search(code) is not None
        elif not _OF_THE_BODY.match(code):
            last_set_up = len(lines)
        if printing >= _MOST_PRINTING or len(lines) > _MOST_KEPT:
            lines = lines[:last_set_up]
            break
    while lines and (_MOTION.match(lines[-1]) or _OF_THE_BODY.match(lines[-1])):
        lines.pop()
    return tuple(_text(line) for line in lines if not _SKIPPED.match(line))


def end_lines_of(tail: bytes) -> tuple[str, ...]:
    """Return the commands behind the last track, without moves to places that depend on the object."""
    lines: list[bytes] = []
    for raw in reversed(re.split(rb"\r\n|\r|\n", tail)):
        code = _code(raw.strip())
        if not code:
            continue
        if _MOTION.match(code):
            if _PRINTS.search(code):
                break
            if b"Z" in code.upper():
                continue
        if not _SKIPPED.match(code):
            lines.append(code)
        if len(lines) > _MOST_KEPT:
            return ()
    # Nearest to the last track stands what ends it.
    while lines and (_MOTION.match(lines[-1]) or _OF_THE_BODY.match(lines[-1])):
        lines.pop()
    return tuple(_text(line) for line in reversed(lines))


def _code(line: bytes) -> bytes:
    code = re.sub(rb"\([^)]*\)|^N\d+\s*|\*\d+\s*$", b"", line[:_MOST_LINE].partition(b";")[0])
    return b" ".join(code.split())


def _text(line: bytes) -> str:
    return text_of(line, 200)


def habit_words(habits: Habits) -> dict[str, str]:
    """Return the habits that do not depend on the object, as words that can be compared."""
    if not habits.track_mm:
        return {}

    def number(value: float | None) -> str:
        return "none" if value is None else f"{value:.3g}"

    return {
        "layer height, mm": number(habits.layer_height_mm),
        "first layer, mm": number(habits.first_layer_mm),
        "travel speed, mm/s": number(habits.travel_speed_mm_s),
        "retraction, mm": "by firmware" if habits.firmware_retraction else number(habits.retraction_mm),
        "retraction speed, mm/s": number(habits.retraction_speed_mm_s),
        "lift, mm": number(habits.lift_mm),
        "filament relative": "yes" if habits.relative_e else "no",
        "filament as volume": "yes" if habits.volumetric else "no",
        **habits.spelling,
    }


def fingerprint_of(facts: JobFacts) -> str:
    """Return the fingerprint of the profile: 16 hexadecimal digits.

    Equal where slicer, version, every setting, and start and end commands are equal. A job that states no settings has
    its habits in their place. Version 1.
    """
    states = len(facts.settings) >= _LEAST_SHARED
    content = [
        FINGERPRINT_VERSION,
        facts.slicer,
        facts.slicer_version,
        sorted((key, _plain(value)) for key, value in facts.settings.items()) if states else [],
        [] if states else sorted(habit_words(facts.habits).items()),
        facts.start_lines,
        facts.end_lines,
    ]
    return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode("utf-8", "replace")).hexdigest()[:16]


def profile_similarity(a: JobFacts, b: JobFacts) -> ProfileSimilarity:
    """Compare the profiles of two jobs.

    Parameters
    ----------
    a, b : JobFacts

    Returns
    -------
    ProfileSimilarity

    Notes
    -----
    A section of settings in which d settings differ counts 2^(-d/h): the number that differ matters, not their share,
    since two users of a slicer share its defaults. Start and end commands count by the lines they share (Jaccard),
    habits by the share that is equal. h and the weights were set by hand, looked at on jobs sliced by PrusaSlicer 2.5
    from generated solids with its profiles of Creality and Anycubic, and measured on others by the benchmark
    ``printed_reading``.
    """
    sections: dict[str, tuple[float, int, int]] = {}
    differing: list[tuple[str, str, str]] = []
    same_slicer = a.slicer == b.slicer
    if "unknown" not in (a.slicer, b.slicer):
        same = (a.slicer, a.slicer_version) == (b.slicer, b.slicer_version)
        sections["slicer"] = (1.0 if same else 0.8 if same_slicer else 0.0), int(same), int(not same)
        if not same:
            names = (f"{a.slicer} {a.slicer_version}".strip(), f"{b.slicer} {b.slicer_version}".strip())
            differing.append(("slicer", *names))
    shared = sorted(a.settings.keys() & b.settings.keys())
    if min(len(a.settings), len(b.settings)) >= _LEAST_SHARED:
        for name in ("printer", "filament", "print"):
            keys = [key for key in shared if _section(key) == name]
            wrong = [key for key in keys if _plain(a.settings[key]) != _plain(b.settings[key])]
            comparable = same_slicer or len(shared) >= _LEAST_SHARED
            score = 2.0 ** (-len(wrong) / _HALVED_BY[name]) if comparable else 0.0
            if keys or not comparable:
                sections[name] = score, len(keys) - len(wrong), len(wrong)
            differing += [(key, a.settings[key][:200], b.settings[key][:200]) for key in wrong]
    ours, theirs = {*a.start_lines, *a.end_lines}, {*b.start_lines, *b.end_lines}
    if ours and theirs:
        common = ours & theirs
        sections["start and end"] = len(common) / len(ours | theirs), len(common), len(ours ^ theirs)
        differing += [("start or end line", line, "") for line in sorted(ours - theirs)]
        differing += [("start or end line", "", line) for line in sorted(theirs - ours)]
    first, second = habit_words(a.habits), habit_words(b.habits)
    if first and second:
        wrong = [key for key in first if first[key] != second.get(key)]
        sections["habits"] = 1.0 - len(wrong) / len(first), len(first) - len(wrong), len(wrong)
        differing += [(key, first[key], second.get(key, "")) for key in wrong]
    total = sum(_WEIGHTS[name] for name in sections)
    score = sum(_WEIGHTS[name] * found[0] for name, found in sections.items()) / total if total else 0.0
    return ProfileSimilarity(score, sections, tuple(differing))


def profile_groups(jobs: Sequence[JobFacts]) -> list[int]:
    """Return the group of each job, from 1: jobs joined by a chain of similarities of at least `SIMILAR`.

    Parameters
    ----------
    jobs : sequence of JobFacts

    Returns
    -------
    list of int
        In the order of the jobs; groups are numbered as they first appear.
    """
    first: dict[str, int] = {}
    distinct: list[JobFacts] = []
    place = []
    for job in jobs:
        if job.fingerprint not in first:
            first[job.fingerprint] = len(distinct)
            distinct.append(job)
        place.append(first[job.fingerprint])
    parent = list(range(len(distinct)))

    def root(k: int) -> int:
        while parent[k] != k:
            parent[k] = parent[parent[k]]
            k = parent[k]
        return k

    for k in range(len(distinct)):
        for j in range(k):
            if root(j) != root(k) and profile_similarity(distinct[j], distinct[k]).score >= SIMILAR:
                parent[max(root(j), root(k))] = min(root(j), root(k))
    numbers: dict[int, int] = {}
    return [numbers.setdefault(root(k), len(numbers) + 1) for k in place]


def _section(key: str) -> str:
    return "printer" if _PRINTER.match(key) else "filament" if _FILAMENT.match(key) else "print"


def _plain(value: str) -> str:
    """Return a value in one spelling: 0.20 is 0.2."""
    words = value.strip(" \"'").split(",")
    return ",".join(_number(word.strip()) for word in words)


def _number(word: str) -> str:
    try:
        return f"{float(word):g}"
    except ValueError:
        return word
