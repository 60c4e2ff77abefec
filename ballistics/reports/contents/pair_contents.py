"""What pages of a compared pair collect: serious findings, what files say, sources, reading options."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ballistics.findings import Finding
from ballistics.provenance import Provenance
from ballistics.reports.wording.values import value_text
from ballistics.surfaces import Surface

Found = tuple[str, Sequence[Finding]]


def serious_findings(found: Iterable[Found]) -> list[tuple[str, Finding]]:
    """Return every serious finding with where it was made: they stand before any result."""
    return [(where, finding) for where, findings in found for finding in findings if finding.severity == "serious"]


def metadata_rows(a: Surface | None, b: Surface | None) -> list[tuple[str, str, str]]:
    """Return what the two files say of themselves, one line for each key that either has.

    An earlier processing record is not repeated here: it is long, and stands whole in the JSON.
    """
    of_a, of_b = ({} if surface is None else surface.metadata for surface in (a, b))
    keys = [*of_a, *(key for key in of_b if key not in of_a)]
    shown = [[value_text(said[key]) if key in said else "" for key in keys] for said in (of_a, of_b)]
    return [(str(key), x, y) for key, x, y in zip(keys, *shown, strict=True) if key != "processing_record"]


def references_of(provenances: Iterable[Provenance | None]) -> list[str]:
    """Return the references of all methods that ran, each once."""
    found = {reference for made in provenances if made is not None for reference in made.references}
    return sorted(found, key=lambda reference: (reference.casefold(), reference))


def reading_options(surface: Surface | None, letter: str) -> list[str]:
    """Return the words of the command line that read a file as it was read."""
    options = surface.provenance.parameters if surface is not None and surface.provenance is not None else {}
    words = []
    for name in ("units", "spacing_um"):
        value = options.get(name)
        if value is not None:
            words += [f"--{name.replace('_', '-')}-{letter}", str(value)]
    return words
