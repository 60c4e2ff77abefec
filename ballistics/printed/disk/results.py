"""What a batch of printed parts found: files with their hits, copies, and pieces of one reference."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ballistics.printed.collection.false_hit_rate import FalseHitRate
from ballistics.printed.collection.taxonomy import Taxonomy
from ballistics.printed.content.job_facts import JobFacts
from ballistics.printed.disk.copies import Copy
from ballistics.printed.identify.pieces_of_reference import ReferencePieces


@dataclass(frozen=True)
class FileResult:
    """One file of a batch.

    Parameters
    ----------
    name : str
        Path from the folder that was given.
    sha256 : str
        Of its bytes; empty when it could not be opened.
    kept : mapping
        What was found: ``verdict``, ``error``, ``hits`` (best first), sizes, findings, ``thumbnail`` (base64 PNG).
    copy : Copy
        Of which file it is a copy, and its family.
    jobs : tuple of JobFacts
        What the print jobs in it say.
    profile_group : int
        Files whose first jobs are of one profile, or of similar ones, have one number; 0 without a job.
    """

    name: str
    sha256: str
    kept: Mapping[str, Any]
    copy: Copy
    jobs: tuple[JobFacts, ...] = ()
    profile_group: int = 0


@dataclass(frozen=True)
class PrintedBatch:
    """What a batch found.

    Parameters
    ----------
    files : tuple of FileResult
        In the order of their names.
    references : int
        Of the collection.
    collection_sha256 : str
        Of the collection's list.
    taxonomy : Taxonomy
        The collection's.
    pieces : tuple of ReferencePieces
        References of which different files, or bodies, hold different pieces; `PlacedPiece.file` counts the files.
    false_hits : FalseHitRate or None
        Of the collection, as measured.
    """

    files: tuple[FileResult, ...]
    references: int
    collection_sha256: str
    taxonomy: Taxonomy
    pieces: tuple[ReferencePieces, ...]
    false_hits: FalseHitRate | None

    def counts(self) -> dict[str, int]:
        """Return how many files have each verdict."""
        return dict(sorted(Counter(str(file.kept["verdict"]) for file in self.files).items()))
