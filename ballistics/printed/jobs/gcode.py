"""Reads G-code: the moves of a print job become tracks by layer, and the tracks the surface of the printed part."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ballistics.errors import CorruptFileError, HostileFileError, UnsupportedFormatError
from ballistics.files import file_size
from ballistics.findings import Finding
from ballistics.printed.content.bounds import check_face_count, text_of
from ballistics.printed.content.job_facts import Fact, JobFacts
from ballistics.printed.content.mesh_content import Item, MeshContent, Thumbnail
from ballistics.printed.content.text_lines import pieces_of
from ballistics.printed.jobs.beside import beside_the_part
from ballistics.printed.jobs.fact_lines import job_facts
from ballistics.printed.jobs.filament import USUAL_DIAMETER_MM, filament_areas
from ballistics.printed.jobs.filament_axis import tool_line
from ballistics.printed.jobs.layer_solid import Tracks, solid_of_tracks
from ballistics.printed.jobs.machine import Machine
from ballistics.printed.jobs.tracks import layers_of, level_heights, runs_of, tracks_of_pieces

# What is printed beside the part, in the words of PrusaSlicer, Slic3r, Cura, Orca, Bambu, Simplify3D and KISSlicer.
_BESIDE = (b"skirt", b"brim", b"support", b"purge", b"prime", b"wipe", b"custom", b"raft", b"ooze", b"flush", b"pillar")
_WALLS = (b"perimeter", b"wall", b"loop")
FILE_LIMIT_BYTES = 1 << 30
_SAME_LEVEL_MM = 0.02
# A track by mistake, or to hide the rest, is left out; more of them, and nothing is known of where the job prints.
_FARTHEST_MM, _MOST_FAR = 5_000.0, 0.01
# Of fewer layers geometry tells nothing.
_FEWEST_LAYERS = 3
# Slicers count purging and the retractions that are not pushed back; a job that ends shows 99 or 100 % last.
_LEAST_FILAMENT, _LEAST_PROGRESS = 0.7, 95.0


def read_gcode(file: BinaryIO, *, face_limit: int) -> MeshContent:
    """Read a print job as the surface of what it prints.

    Parameters
    ----------
    file : binary file
        Open at its start.
    face_limit : int
        Most faces that may come out.

    Returns
    -------
    MeshContent
        One item, in millimetres.

    Raises
    ------
    CorruptFileError, HostileFileError
        See the messages.

    Notes
    -----
    Moves that push filament are tracks; their width follows from the filament pushed, or from the slicer's comments.
    Gaps of the infill are filled and holes between walls are not; walls are told by the comments, or by closing.
    Skirt, brim, support, purge lines and
    wipe towers are left out by the slicer's comments; without comments, by being narrow, flat and apart. Finding codes:
    ``reconstructed``, ``beside-part-dropped``, ``skirt-guessed``,
    ``support-guessed``, ``brim-guessed``, ``track-types-unknown``, ``grid-coarse``,
    ``spiral-filled``, ``filament-diameter-told``, ``filament-diameter-assumed``, ``ends-in-the-middle``,
    ``less-than-announced``, ``above-the-bed``, ``words-unreadable``, ``zeros-in-text``, ``curves-as-lines``,
    ``filament-axis``, ``blocks-off``, ``tracks-too-far``, ``types-not-believed``.
    """
    size = file_size(file)
    if size > FILE_LIMIT_BYTES:
        raise HostileFileError(f"the job has {size} bytes; jobs of more than {FILE_LIMIT_BYTES} are refused")
    return read_job(pieces_of(file), face_limit=face_limit)


def read_job(
    text: Iterable[bytes],
    *,
    face_limit: int,
    member: str = "",
    beside: Sequence[tuple[str, Fact]] = (),
    pictures: Sequence[Thumbnail] = (),
) -> MeshContent:
    """Read the text of a job, piece by piece, as `read_gcode` does.

    Parameters
    ----------
    text : iterable of bytes
    face_limit : int
    member : str
        Of the package that holds the job.
    beside : sequence of (str, Fact)
        What files beside the job in its package say of it, by name.
    pictures : sequence of Thumbnail
        Of the job's package.

    Raises
    ------
    CorruptFileError, HostileFileError
        See the messages.
    """
    machine = Machine()
    machine.read(_limited(text))
    comments = machine.comments
    comments.finish()
    facts = facts_of(machine, member=member, beside=beside, pictures=pictures)
    tracks, findings = _tracks(machine)
    findings += _oddities(machine, len(tracks.top_mm))
    findings += _contradictions(machine, facts)
    vertices, faces, cell = solid_of_tracks(tracks, is_cut=machine.unfinished)
    check_face_count(len(faces), face_limit)
    findings.append(
        Finding(
            "reconstructed",
            "note",
            f"the surface was rebuilt from {len(tracks.layer)} tracks in {len(tracks.top_mm)} layers",
            f"on cells of {cell:.2g} mm",
        )
    )
    if cell > 0.5:
        findings.append(Finding("grid-coarse", "warning", f"the job is large: cells of {cell:.2g} mm lose detail"))
    metadata: dict[str, Any] = dict(comments.settings)
    if comments.objects:
        metadata["objects"] = tuple(comments.objects)
    name = next(iter(comments.objects)) if len(comments.objects) == 1 else ""
    return MeshContent(
        "G-code",
        (Item(vertices, faces, name, cut=_cut(machine, tracks)),),
        "millimetre",
        metadata,
        tuple(findings),
        tuple(comments.thumbnails),
        jobs=(facts,),
    )


def _cut(machine: Machine, tracks: Tracks) -> tuple[float, float] | None:
    """Return the heights in mm between which what looks up is where the job stopped; None where it came to its end.

    The last layer may be there only in part: what it leaves open of the one below is cut off too. Objects that were
    finished before the last one was begun keep their tops.
    """
    if not machine.unfinished:
        return None
    levels = np.concatenate([[tracks.bottom_mm], tracks.top_mm])
    last = int(np.clip(np.searchsorted(levels, machine.tracks()[-1, 4] - _SAME_LEVEL_MM), 1, len(levels) - 1))
    half = 0.5 * (levels[last] - levels[last - 1])
    return float(levels[last - 1] - half), float(levels[last] + half)


def facts_of(
    machine: Machine, *, member: str = "", beside: Sequence[tuple[str, Fact]] = (), pictures: Sequence[Thumbnail] = ()
) -> JobFacts:
    """Return what a job says that a machine has read.

    Parameters
    ----------
    machine : Machine
        After the last line.
    member, beside, pictures
        As for `read_job`.
    """
    area = None
    if len(machine.tracks()):
        areas, source = filament_areas(machine)
        area = None if source == "assumed" else float(np.median(areas[: 1 << 16]))
    thumbnails = (*pictures, *machine.comments.thumbnails)
    return job_facts(machine, thumbnails, member=member, beside=beside, filament_mm2=area)


def _limited(text: Iterable[bytes]) -> Iterator[bytes]:
    size = 0
    for piece in text:
        size += len(piece)
        if size > FILE_LIMIT_BYTES:
            raise HostileFileError(f"the job has more than {FILE_LIMIT_BYTES} bytes; longer ones are refused")
        yield piece


def _tracks(machine: Machine) -> tuple[Tracks, list[Finding]]:
    """Return the tracks of the part, without what is printed beside it."""
    pieces = machine.tracks()
    if not len(pieces):
        if line := tool_line(machine.said):
            message = f"a program of a mill, a laser or a plotter (line {line} switches its tool on)"
            raise UnsupportedFormatError(f"{message}: not a print job")
        if machine.switches_extruder:
            raise UnsupportedFormatError("a job that pushes filament from M101 to M103, without an axis, is not read")
        raise CorruptFileError(f"no move lays down material: not a print job{_unreadable(machine)}")
    areas, source = filament_areas(machine)
    findings = []
    far = ~np.isfinite(pieces).all(axis=1) | (np.abs(pieces[:, :5]) > _FARTHEST_MM).any(axis=1)
    if far.mean() > _MOST_FAR:
        raise HostileFileError(f"{int(far.sum())} of {len(pieces)} moves go farther than any printer")
    if far.any():
        message = f"{int(far.sum())} of {len(pieces)} tracks go farther than any printer"
        findings.append(Finding("tracks-too-far", "warning", message, "left out"))
        pieces, areas = pieces[~far], areas[~far]
    kinds = [name for name, _ in sorted(machine.comments.kinds.items(), key=lambda entry: entry[1])]
    typed = len(kinds) > 1
    kept = np.ones(len(pieces), bool)
    if typed:
        # Before the first comment stand the machine's own lines.
        beside = np.array([not name or any(word in name for word in _BESIDE) for name in kinds])
        dropped = beside[pieces[:, 7].astype(np.int64)]
        if dropped.all() and len(np.unique(pieces[:, 4])) < _FEWEST_LAYERS:
            message = "every track is skirt, support or purge by its comment: nothing is left"
            raise CorruptFileError(f"{message}{_unreadable(machine)}")
        if dropped.all():
            # A word at the top of a job without others would hide it.
            message = "by its comments every track is skirt, support or purge"
            findings.append(Finding("types-not-believed", "warning", message, "told by geometry"))
            typed = False
        elif dropped.any():
            message = f"{int(dropped.sum())} of {len(pieces)} tracks are skirt, brim, support or purge by comment"
            findings.append(Finding("beside-part-dropped", "note", message, "left out"))
        kept = ~dropped | dropped.all()
    wall_kinds = np.array([any(word in name for word in _WALLS) for name in kinds])
    kept &= pieces[:, 4] > 0.0
    pieces, areas = pieces[kept], areas[kept]
    if not len(pieces):
        raise CorruptFileError("no track lies above the bed")
    if source == "told by walls":
        diameter = math.sqrt(4.0 / math.pi * float(areas.max()))
        message = "the job states neither the filament's diameter nor the width of its tracks"
        message += f"; walls lie beside each other if the filament is {diameter:.4g} mm thick"
        findings.append(Finding("filament-diameter-told", "note", message, f"taken as {diameter:.4g} mm"))
    elif source == "assumed" and not (pieces[:, 6] > 0.0).all():
        findings.append(
            Finding(
                "filament-diameter-assumed",
                "warning",
                "the job states neither the filament's diameter nor the width of its tracks: with 2.85 mm instead of"
                f" {USUAL_DIAMETER_MM} the tracks are 2.65 times as wide",
                f"taken as {USUAL_DIAMETER_MM} mm",
            )
        )
    tracks = _of_layers(pieces, areas, wall_kinds if typed else None)
    if not typed:
        findings.append(
            Finding(
                "track-types-unknown", "note", "the slicer left no comments on what each track is", "told by geometry"
            )
        )
        tracks, told = _told_by_geometry(pieces, areas, tracks)
        findings += told
    if climbing := int(level_heights(pieces)[1].sum()):
        message = f"{climbing} tracks climb in a spiral (vase mode), the outline of the solid that was sliced"
        findings.append(Finding("spiral-filled", "note", message, "what they go round is taken as full"))
    if tracks.bottom_mm > 0.0:
        message = f"the lowest track lies {tracks.bottom_mm:.3g} mm above the bed"
        findings.append(Finding("above-the-bed", "note", message, "the part begins there"))
    return tracks, findings


def _unreadable(machine: Machine) -> str:
    """Return in words how many coordinates are no numbers, for the message of a job that is refused."""
    if not machine.unreadable:
        return ""
    return f" ({machine.unreadable} coordinates are no numbers: with decimal commas, or with a sign after their letter)"


def _of_layers(
    pieces: NDArray[np.float64],
    areas: NDArray[np.float64],
    wall_kinds: NDArray[np.bool_] | None,
    walls: NDArray[np.bool_] | None = None,
) -> Tracks:
    heights, spirals = level_heights(pieces)
    tops, layer = layers_of(heights)
    return tracks_of_pieces(pieces, tops, layer, areas, wall_kinds, walls, spirals)


def _told_by_geometry(
    pieces: NDArray[np.float64], areas: NDArray[np.float64], tracks: Tracks
) -> tuple[Tracks, list[Finding]]:
    """Leave out what is printed beside the part of a job without comments, and tell its thin walls."""
    beside = beside_the_part(tracks, runs_of(pieces, tracks.layer[: len(pieces)]), len(pieces))
    findings = []
    for code, which, words in (
        ("support-guessed", beside.support, "have no walls, or end a gap below what they carry"),
        ("skirt-guessed", beside.skirt, "lie flat and apart"),
        ("brim-guessed", beside.brim, "are loops of the first layer that nothing goes on with"),
    ):
        if which.any():
            findings.append(Finding(code, "note", f"{int(which.sum())} of {len(pieces)} tracks {words}", "left out"))
    kept = ~(beside.support | beside.skirt | beside.brim)
    if not kept.all() or beside.thin_wall.any():
        tracks = _of_layers(pieces[kept], areas[kept], None, beside.thin_wall[kept])
    return tracks, findings


def _contradictions(machine: Machine, facts: JobFacts) -> list[Finding]:
    """Return where what the job announces is more than what its moves print: it was cut, or changed by hand."""
    habits = facts.habits
    said = []
    announced = machine.comments.layers
    # Rafts and first layers are counted in or not.
    if announced > habits.layers + 2 and announced > 1.05 * habits.layers:
        said.append(f"{announced} layers are announced, {habits.layers} are there")
    if facts.filament_mm and not habits.volumetric and habits.filament_mm < _LEAST_FILAMENT * facts.filament_mm:
        stated = f"{facts.filament_mm:.4g} mm of filament are announced"
        said.append(f"{stated}, {habits.filament_mm:.4g} mm are pushed along the tracks")
    progress = machine.progress
    if progress is not None and progress < _LEAST_PROGRESS:
        said.append(f"the last progress shown is {progress:g} %")
    height = machine.comments.height_mm
    if height and habits.height_mm < height - 1.0:
        said.append(f"a height of {height:.4g} mm is announced, {habits.height_mm:.4g} mm are printed")
    if not said:
        return []
    message = f"the job prints less than it announces: {'; '.join(said)}"
    return [Finding("less-than-announced", "warning", message, "read as it is; it was cut off, stopped or changed")]


def _last_layer(pieces: NDArray[np.float64]) -> str:
    """Return in words how much of the last layer is there, by that below."""
    heights = np.unique(pieces[:, 4])
    if len(heights) < 2:
        return ""
    length = np.hypot(pieces[:, 2] - pieces[:, 0], pieces[:, 3] - pieces[:, 1])
    last, below = (float(length[pieces[:, 4] == height].sum()) for height in heights[[-1, -2]])
    return f"; the last layer, at {heights[-1]:.4g} mm, has {100.0 * last / below:.0f} % of the tracks of that below"


def _oddities(machine: Machine, layers: int) -> list[Finding]:
    """Return what is odd about the job as a text."""
    findings = []
    if machine.unfinished:
        announced = machine.comments.layers
        message = (
            f"nothing ends the job behind its last track (its last line is {text_of(machine.last_line[-60:], 60)!r})"
        )
        message += "; that line has no end and is left out" if machine.half_line else ""
        message += _last_layer(machine.tracks())
        if announced > layers:
            message += f"; {announced} layers are announced, {layers} are there"
        findings.append(Finding("ends-in-the-middle", "warning", message, "read as far as it goes"))
    if machine.lost_lines:
        message = f"{machine.lost_lines} lines hold bytes of value 0, as a damaged card or a stopped copy leaves them"
        findings.append(Finding("zeros-in-text", "serious", message, "these lines are left out"))
    if machine.blocks_off:
        message = f"{machine.blocks_off} lines begin with '/': a controller skips them, or not, as it is set"
        findings.append(Finding("blocks-off", "warning", message, "left out"))
    if machine.pushed_by_a:
        message = "no move has the axis E; a heater and moves along A are there"
        findings.append(Finding("filament-axis", "note", message, "A read as the axis of the filament"))
    if machine.unreadable:
        message = f"{machine.unreadable} coordinates are no numbers"
        findings.append(Finding("words-unreadable", "warning", message, "left out"))
    if machine.as_lines:
        message = f"{machine.as_lines} moves are splines, or arcs outside the plane of the bed"
        findings.append(Finding("curves-as-lines", "note", message, "read as straight lines"))
    return findings
