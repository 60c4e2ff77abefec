"""What a library holds and answers: the description of an exhibit, an enrolled mark, an enrolment, a removal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

from ballistics.errors import ParameterError
from ballistics.evidence import calibre_named

Outcome = Literal["enrolled", "enrolled anew", "described anew", "present", "insufficient", "refused"]
Where = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True)
class Description:
    """What is known of the cartridge case that bears a mark; an empty text means that it is not stated.

    Parameters
    ----------
    calibre : str
        E.g. ``"9 mm Luger"``.
    firing_pin_shape : str
        Class characteristic of the firing-pin impression, e.g. ``"hemispherical"``.
    breech_face_type : str
        Class characteristic of the breech-face marks, e.g. ``"parallel"``.
    instrument : str
        Class of the instrument that measured it.
    ammunition : str
        Maker and kind.
    incident : str
        Where the exhibit belongs: case or incident number.
    place : str
        Where the incident was.
    """

    calibre: str = ""
    firing_pin_shape: str = ""
    breech_face_type: str = ""
    instrument: str = ""
    ammunition: str = ""
    incident: str = ""
    place: str = ""

    def updated(self, given: Description) -> Description:
        """Return the description with what is newly stated; what is not stated stays as it was.

        Examples
        --------
        >>> Description(calibre="9 mm", place="A").updated(Description(place="B")).calibre
        '9 mm'
        """
        return Description(**{name: getattr(given, name) or getattr(self, name) for name in DESCRIPTION_FIELDS})

    def changes(self, new: Description) -> str:
        """Return in words where another description differs from this one."""
        pairs = ((name, getattr(self, name), getattr(new, name)) for name in DESCRIPTION_FIELDS)
        return "; ".join(f"{name} '{before}' became '{after}'" for name, before, after in pairs if before != after)


DESCRIPTION_FIELDS = tuple(field.name for field in fields(Description))
UNDESCRIBED = Description()


@dataclass(frozen=True)
class EnrolledMark:
    """One mark of a library, without its heights.

    Parameters
    ----------
    id : int
        Its number in this library; never given to another mark.
    scan : str
        Name of the scan's file, without folder.
    identity : str
        SHA-256 of the scan's file; of the heights, if the mark came from no file.
    mark_kind, surface_kind : str
        As of `Mark`.
    spacing_um : float
        Distance between points.
    shape : tuple of int
        Rows and columns.
    array_sha256 : str
        `sha256_of_array` of the heights, under which a comparison's provenance names the mark.
    preparation : mapping
        How it was prepared, see `ballistics.surfaces.preparation.record`.
    record : mapping
        Findings, and the provenance of the preparation.
    description : Description
        What is known of the cartridge case.
    """

    id: int
    scan: str
    identity: str
    mark_kind: str
    surface_kind: str
    spacing_um: float
    shape: tuple[int, int]
    array_sha256: str
    preparation: Mapping[str, Any]
    record: Mapping[str, Any]
    description: Description


@dataclass(frozen=True)
class Enrolment:
    """What became of one scan that was to be enrolled.

    Parameters
    ----------
    scan : str
        Name of the file.
    outcome : {"enrolled", "enrolled anew", "described anew", "present", "insufficient", "refused"}
        ``enrolled anew``: it was there, prepared by another method, and was replaced. ``described anew``: only what
        is known of the exhibit changed. ``present``: nothing to do.
    mark_id : int or None
        Its number, when the library holds it.
    reason : str
        Why it was refused or is insufficient, or what was changed; else empty.
    findings : tuple of str
        Severity and code of what was noticed about the file.
    """

    scan: str
    outcome: Outcome
    mark_id: int | None = None
    reason: str = ""
    findings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Removal:
    """The record that stays of a mark that was removed.

    Parameters
    ----------
    mark_id : int
        The number it had.
    scan, identity, mark_kind, array_sha256 : str
        As of `EnrolledMark`: enough to tell later whether it was this scan.
    removed_by, removed_on, reason : str
        Who, when and why, as given.
    """

    mark_id: int
    scan: str
    identity: str
    mark_kind: str
    array_sha256: str
    removed_by: str
    removed_on: str
    reason: str


@dataclass(frozen=True)
class Fault:
    """Something that is not as the library wrote it.

    Parameters
    ----------
    mark_id : int or None
        The mark concerned; None for the whole library.
    what : str
        What was found, and what to do.
    """

    mark_id: int | None
    what: str


@dataclass(frozen=True)
class Integrity:
    """What a check of a library found.

    Parameters
    ----------
    marks : int
        Number of marks that were checked.
    faults : tuple of Fault
        What is wrong with them.
    leftovers : tuple of str
        Files that belong to no mark: what an enrolment that was stopped has left. They do no harm.
    cautions : tuple of str
        What could not be checked.
    """

    marks: int
    faults: tuple[Fault, ...] = ()
    leftovers: tuple[str, ...] = ()
    cautions: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        """Whether every mark is as it was enrolled."""
        return not self.faults


@dataclass(frozen=True)
class Contents:
    """What a library holds: marks and the records of removed ones, as one moment shows them."""

    marks: tuple[EnrolledMark, ...] = ()
    removals: tuple[Removal, ...] = ()


def checked_filter(where: Where | None) -> dict[str, tuple[str, ...]]:
    """Return a filter as field name to the values that are admitted.

    Raises
    ------
    ParameterError
        For a field that no description has, or a field without values.

    Examples
    --------
    >>> checked_filter({"calibre": "9 mm Luger"})
    {'calibre': ('9 mm Luger',)}
    """
    admitted: dict[str, tuple[str, ...]] = {}
    for name, values in (where or {}).items():
        if name not in DESCRIPTION_FIELDS:
            raise ParameterError(
                f"there is no field '{name}' to filter by; choose from {', '.join(DESCRIPTION_FIELDS)}"
            )
        several = (values,) if isinstance(values, str) else tuple(values)
        if not several or not all(isinstance(value, str) and value for value in several):
            raise ParameterError(f"the filter '{name}' needs one text or more, not {values!r}")
        admitted[name] = several
    return admitted


def is_admitted(description: Description, admitted: Mapping[str, Sequence[str]]) -> bool:
    """Return whether a description contradicts no filter; what is not stated contradicts nothing.

    Examples
    --------
    >>> is_admitted(Description(calibre="9 mm Luger"), {"calibre": ("45 Auto",)})
    False
    >>> is_admitted(Description(), {"calibre": ("45 Auto",)})
    True
    >>> is_admitted(Description(calibre="9x19"), {"calibre": ("9 mm Luger",)})
    True
    """
    return all(
        getattr(description, name) == ""
        or _meaning(name, getattr(description, name)) in {_meaning(name, value) for value in values}
        for name, values in admitted.items()
    )


def _meaning(name: str, value: str) -> str:
    """Return what a value is compared by: capitals do not matter, nor which name of a calibre it is."""
    return (calibre_named(value) if name == "calibre" else value).casefold()
