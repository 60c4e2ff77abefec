"""A file of printed parts with what it was found to be, and in what it was searched."""

from __future__ import annotations

from dataclasses import dataclass

from ballistics.printed import Candidate, Collection, FileDescription, Identification, PartFile, Taxonomy
from ballistics.reports.wording import printed as wording


@dataclass(frozen=True)
class IdentifiedFile:
    """A file with what it was found to be.

    Parameters
    ----------
    name : str
        As it stands on the page.
    described : FileDescription
    file : PartFile or None
        None when it was refused.
    found : Identification or None
        None when it was refused.
    """

    name: str
    described: FileDescription
    file: PartFile | None
    found: Identification | None


@dataclass(frozen=True)
class SearchedCollection:
    """What was searched: a laboratory's collection, or in a comparison the parts of the other file.

    Parameters
    ----------
    collection : Collection
    taxonomy : Taxonomy
    sha256 : str
        Of its list of references, or of the other file.
    other : str
        Name of the other file in a comparison of two.
    """

    collection: Collection
    taxonomy: Taxonomy
    sha256: str
    other: str = ""


def verdict_of(file: IdentifiedFile, searched: SearchedCollection) -> str:
    """Return the verdict on a file that was searched, in one sentence."""
    if file.found is None:
        return "Refused."
    if searched.other:
        return wording.two_files_headline(file.found, searched.other)
    return wording.headline(file.found, file.described, len(searched.collection))


def is_symmetric(collection: Collection, candidate: Candidate) -> bool:
    """Return whether a candidate's reference is its own mirror image, as far as its keys tell."""
    keys = collection.references[candidate.row].keys
    return keys is not None and keys.exact == keys.mirrored


def bodies_of(found: Identification) -> int:
    """Return of how many bodies the query consists."""
    return int(found.components.max()) + 1 if found.components.size else 0
