"""What a print job says of itself, and what its moves say: facts, each with the place where it was found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Fact:
    """A value as the job states it.

    Parameters
    ----------
    value : str
    where : str
        ``"line 12"``, or a member of the package.
    """

    value: str
    where: str


@dataclass(frozen=True)
class Trace:
    """Something that points to a person, a machine or a time.

    Parameters
    ----------
    kind : str
        ``"path"``, ``"user name"``, ``"host"``, ``"date"``, ``"serial or identifier"``, ``"address"``, ``"note"``,
        ``"secret"``: of passwords and keys only that they are there is kept.
    value : str
    where : str
    """

    kind: str
    value: str
    where: str


@dataclass(frozen=True)
class Picture:
    """A picture that a job carries, by its first bytes.

    Parameters
    ----------
    name : str
    format : {"PNG", "JPEG", "QOI", "unknown"}
    width, height : int
        In pixels; 0 where unknown.
    size_bytes : int
    """

    name: str
    format: str
    width: int
    height: int
    size_bytes: int


@dataclass(frozen=True)
class Habits:
    """What the moves of a job say, whatever its comments say.

    Parameters
    ----------
    layers : int
    layer_height_mm, first_layer_mm : float or None
        The usual distance of layers, and the height of the lowest track.
    line_width_mm : float or None
        Median over the length of the tracks, by the filament pushed (Slic3r's flow mathematics), or as stated.
    print_speeds_mm_s : tuple of float
        The speeds at which most was printed, by length, at most four.
    travel_speed_mm_s, retraction_mm, retraction_speed_mm_s, lift_mm : float or None
        The commonest; a retraction by firmware has no length here.
    filament_mm : float
        Pushed along the tracks; mm³ in a volumetric job.
    track_mm : float
        Length of all tracks.
    height_mm : float
    relative_e, firmware_retraction, volumetric : bool
    spelling : mapping of str to int or str
        How the job is written: decimals, commands of travels, arcs, line numbers, line ends.
    """

    layers: int = 0
    layer_height_mm: float | None = None
    first_layer_mm: float | None = None
    line_width_mm: float | None = None
    print_speeds_mm_s: tuple[float, ...] = ()
    travel_speed_mm_s: float | None = None
    retraction_mm: float | None = None
    retraction_speed_mm_s: float | None = None
    lift_mm: float | None = None
    filament_mm: float = 0.0
    track_mm: float = 0.0
    height_mm: float = 0.0
    relative_e: bool = False
    firmware_retraction: bool = False
    volumetric: bool = False
    spelling: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class JobFacts:
    """What a print job says.

    Parameters
    ----------
    member : str
        Member of the package that holds it; empty for a plain file.
    slicer, slicer_version : str
        ``"unknown"`` when nothing says it.
    said : mapping of str to Fact
        By the words of `WORDS`: ``"printer"``, ``"print profile"``, ``"material"``, ``"nozzle"`` …, only those that the
        job states, as it states them.
    estimated_s, filament_mm, filament_g : float or None
        Printing time and filament as the slicer estimates them.
    objects : tuple of str
    pictures : tuple of Picture
    traces : tuple of Trace
    habits : Habits
        Measured from the moves.
    settings : mapping of str to str
        Every setting the job states but those that depend on the object.
    start_lines, end_lines : tuple of str
        The commands before the first and behind the last layer, without their comments.
    fingerprint : str
        Equal for jobs of the same slicer, settings and start and end commands, whatever the object; see
        `ballistics.printed.jobs.fingerprint`.
    """

    member: str = ""
    slicer: str = "unknown"
    slicer_version: str = ""
    said: Mapping[str, Fact] = field(default_factory=dict)
    estimated_s: float | None = None
    filament_mm: float | None = None
    filament_g: float | None = None
    objects: tuple[str, ...] = ()
    pictures: tuple[Picture, ...] = ()
    traces: tuple[Trace, ...] = ()
    habits: Habits = field(default_factory=Habits)
    settings: Mapping[str, str] = field(default_factory=dict)
    start_lines: tuple[str, ...] = ()
    end_lines: tuple[str, ...] = ()
    fingerprint: str = ""


def job_from(kept: Mapping[str, Any]) -> JobFacts:
    """Return the facts that `dataclasses.asdict` took apart and JSON kept.

    Parameters
    ----------
    kept : mapping
    """
    habits = dict(kept["habits"])
    habits["print_speeds_mm_s"] = tuple(habits["print_speeds_mm_s"])
    return JobFacts(
        **{
            **kept,
            "said": {word: Fact(**fact) for word, fact in kept["said"].items()},
            "objects": tuple(kept["objects"]),
            "pictures": tuple(Picture(**picture) for picture in kept["pictures"]),
            "traces": tuple(Trace(**trace) for trace in kept["traces"]),
            "habits": Habits(**habits),
            "start_lines": tuple(kept["start_lines"]),
            "end_lines": tuple(kept["end_lines"]),
        }
    )
