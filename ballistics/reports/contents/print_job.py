"""What a print job says, in rows for a terminal and for pages: each with the place where it was found."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence

from ballistics.printed import JobFacts, profile_similarity

_MOST_TRACES, _MOST_OBJECTS, _MOST_DIFFERING = 60, 12, 40
Row = tuple[str, str, str]


def job_rows(job: JobFacts) -> list[Row]:
    """Return what a job says as (name, value, place), in the order in which an examiner asks.

    Parameters
    ----------
    job : JobFacts
    """
    said = job.said
    where = said["signature"].where if "signature" in said else ""
    rows: list[Row] = [("slicer", f"{job.slicer} {job.slicer_version}".strip(), where)]
    rows += [(word, fact.value, fact.where) for word, fact in said.items() if word != "signature"]
    if job.estimated_s is not None:
        rows.append(("printing time, estimated", time_words(job.estimated_s), ""))
    if job.filament_mm is not None:
        rows.append(("filament, estimated", f"{job.filament_mm / 1000.0:.3g} m", ""))
    if job.filament_g is not None:
        rows.append(("filament, estimated", f"{job.filament_g:.3g} g", ""))
    if job.objects:
        more = f" and {len(job.objects) - _MOST_OBJECTS} more" if len(job.objects) > _MOST_OBJECTS else ""
        rows.append(("objects", ", ".join(job.objects[:_MOST_OBJECTS]) + more, ""))
    rows += _measured_rows(job)
    rows.append(("settings stated", str(len(job.settings)), ""))
    rows.append(("profile fingerprint", job.fingerprint, ""))
    for picture in job.pictures:
        size = f" {picture.width} × {picture.height}" if picture.width else ""
        rows.append(("picture", f"{picture.format}{size}, {picture.size_bytes} bytes", picture.name))
    rows += [(f"trace: {trace.kind}", trace.value, trace.where) for trace in job.traces[:_MOST_TRACES]]
    if len(job.traces) > _MOST_TRACES:
        rows.append(("traces", f"{len(job.traces) - _MOST_TRACES} more", ""))
    return rows


def _measured_rows(job: JobFacts) -> list[Row]:
    habits = job.habits
    if not habits.track_mm:
        return [("measured", "no move prints", "")]
    layers = f"{habits.layers} layers"
    if habits.layer_height_mm is not None:
        layers += f" of {habits.layer_height_mm:g} mm"
    if habits.first_layer_mm is not None:
        layers += f", first at {habits.first_layer_mm:g} mm"
    rows = [("measured: layers", f"{layers}, top at {habits.height_mm:g} mm", "moves")]
    if habits.line_width_mm is not None:
        rows.append(("measured: line width", f"{habits.line_width_mm:.3g} mm", "moves"))
    if habits.print_speeds_mm_s:
        speeds = ", ".join(f"{speed:.3g}" for speed in habits.print_speeds_mm_s)
        rows.append(("measured: speeds", f"{speeds} mm/s where most is printed", "moves"))
    if habits.travel_speed_mm_s is not None:
        rows.append(("measured: travel speed", f"{habits.travel_speed_mm_s:.3g} mm/s", "moves"))
    drawn = "by firmware" if habits.firmware_retraction else ""
    if habits.retraction_mm is not None:
        drawn = f"{habits.retraction_mm:.3g} mm"
        drawn += f" at {habits.retraction_speed_mm_s:.3g} mm/s" if habits.retraction_speed_mm_s is not None else ""
    if drawn:
        rows.append(("measured: retraction", drawn, "moves"))
    unit = "mm³" if habits.volumetric else "mm"
    rows.append(("measured: filament", f"{habits.filament_mm:.5g} {unit}", "moves"))
    rows.append(("measured: spelling", ", ".join(f"{key} {value}" for key, value in habits.spelling.items()), "moves"))
    return rows


def time_words(seconds: float) -> str:
    """Return a time in hours and minutes.

    Examples
    --------
    >>> time_words(1688.0), time_words(93784.0), time_words(9.0)
    ('28 min', '26 h 3 min', '9 s')
    """
    if seconds < 60.0:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60.0), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def profile_reason(a: JobFacts, b: JobFacts) -> tuple[str, list[tuple[str, str, str]]]:
    """Return how alike the profiles of two jobs are in a sentence, and what differs, with both values."""
    found = profile_similarity(a, b)
    if not found.differing:
        return f"equal in all that both state ({found.reason})", []
    return f"similarity {found.score:.2f} ({found.reason})", list(found.differing[:_MOST_DIFFERING])


def pictures_shown(jobs: Sequence[JobFacts], data: Mapping[str, bytes]) -> list[tuple[str, str]]:
    """Return the pictures that jobs carry, drawn anew: caption and data address.

    Parameters
    ----------
    jobs : sequence of JobFacts
    data : mapping of str to bytes
        PNG of each picture that can be shown, by its name.
    """
    shown = []
    for job in jobs:
        for picture in job.pictures:
            if picture.name in data:
                size = f"{picture.format} {picture.width} × {picture.height}"
                uri = f"data:image/png;base64,{base64.b64encode(data[picture.name]).decode('ascii')}"
                shown.append((f"{picture.name}, {size}", uri))
    return shown
