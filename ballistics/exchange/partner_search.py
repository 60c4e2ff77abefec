"""The search of partners' packages: which of their marks to ask a scan of. A lead, never an opinion on source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ballistics.errors import ParameterError
from ballistics.exchange.imports import TakenIn, taken_in
from ballistics.exchange.marks import ROWS, PartnerMark, read_marks, records_of
from ballistics.exchange.package import check_extracted
from ballistics.library import LibraryStore, Where, checked_filter, is_admitted, version_of
from ballistics.progress import Progress
from ballistics.provenance import Provenance, sha256_of_array
from ballistics.records import Log, now
from ballistics.search import template_scanner
from ballistics.surfaces import Mark, preparation_parameters

METHOD, VERSION = "template scan of partners' packages", "1"


@dataclass(frozen=True)
class PartnerLead:
    """A mark of a partner's package whose scan may be worth asking for.

    Parameters
    ----------
    rank : int
        From 1, by score.
    laboratory : str
        The partner.
    package : str
        Serial number of its package.
    mark : PartnerMark
    score : float
        Of the template scan: for impressed marks in units of its root mean square over all poses, where marks of
        different firearms reach 3 to 6 by chance. It is no likelihood ratio, and templates allow none.
    """

    rank: int
    laboratory: str
    package: str
    mark: PartnerMark
    score: float


@dataclass(frozen=True)
class PartnerSearch:
    """The leads of a search of partners' packages, and what was searched.

    Parameters
    ----------
    scan, identity, array_sha256, mark_kind : str
        Of the mark that was searched for.
    where : mapping
        The filter.
    packages : tuple of str
        Serial numbers of the packages that were searched.
    n_marks, n_searched : int
        Marks of these packages, and those whose template was compared.
    passed_over : mapping of str to int
        Why marks were not searched, and how many.
    not_searched : mapping of str to str
        Packages that hold marks and were not searched, and why.
    leads : tuple of PartnerLead
    insufficient : str or None
        Why the mark cannot be searched for.
    provenance : Provenance
    """

    scan: str
    identity: str
    array_sha256: str
    mark_kind: str
    where: Mapping[str, tuple[str, ...]]
    packages: tuple[str, ...]
    n_marks: int
    n_searched: int
    passed_over: Mapping[str, int]
    not_searched: Mapping[str, str]
    leads: tuple[PartnerLead, ...]
    insufficient: str | None
    provenance: Provenance


def search_partners(
    library: LibraryStore,
    log: Log,
    mark: Mark,
    scan: str = "",
    top: int = 20,
    where: Where | None = None,
    progress: Progress | None = None,
) -> PartnerSearch:
    """Rank the marks of all partners' packages that may be used now by how well their templates agree with a mark.

    Parameters
    ----------
    library : LibraryStore
        Of the laboratory that took the packages in.
    log : Log
        Its log, which says which of them may be used.
    mark : Mark
        From `ballistics.prepare`.
    scan : str
        What reports call it.
    top : int
        How many leads are listed, at least 1.
    where : mapping, optional
        Class filter, as of `LibraryStore.contents`: what a partner does not state excludes nothing.
    progress : callable, optional
        Told the stage, how many packages are done, and how many there are.

    Raises
    ------
    ParameterError
        For a filter by a field that no description has, ``top`` below 1, or a mark without provenance.
    CorruptFileError
        When a package was altered since it was taken in.
    """
    if top < 1:
        raise ParameterError(f"{top} leads were asked for; at least 1 is needed")
    admitted = checked_filter(where)
    array_sha256 = sha256_of_array(np.asarray(mark.heights_um))
    preparation = preparation_parameters(mark)
    assert mark.provenance is not None  # preparation_parameters has refused a mark without
    at, version = now(), version_of(mark.kind)
    with log.view() as view:
        holding = [package for package in taken_in(library, view) if package.manifest.contents.get("marks")]
    reasons = {package.manifest.envelope.serial: package.unusable(at) for package in holding}
    usable = [package for package in holding if reasons[package.manifest.envelope.serial] is None]
    passed_over = Counter[str]()
    found: list[tuple[float, TakenIn, PartnerMark]] = []
    n_marks = n_searched = 0
    scores_of = template_scanner(mark) if mark.insufficient is None and usable else None
    for done, package in enumerate(usable, 1):
        marks = _checked_marks(package, version)
        n_marks += len(marks)
        chosen = []
        for candidate in marks:
            reason = _not_compared(candidate, mark, version, admitted)
            if reason is None:
                chosen.append(candidate)
            else:
                passed_over[reason] += 1
        if scores_of is not None and chosen:
            slots = np.array([candidate.slot for candidate in chosen], np.int64)
            scores = scores_of(records_of(package.folder, version), slots)
            ranked = [
                (float(r), package, candidate) for r, candidate in zip(scores, chosen, strict=True) if np.isfinite(r)
            ]
            n_searched += len(ranked)
            if len(ranked) < len(chosen):
                passed_over["their template is empty, or meets the mark nowhere"] += len(chosen) - len(ranked)
            found = sorted([*found, *ranked], key=_order)[:top]
        if progress is not None:
            progress("searching packages", done, len(usable))
    leads = tuple(
        PartnerLead(rank, package.partner.laboratory, package.manifest.envelope.serial, candidate, score)
        for rank, (score, package, candidate) in enumerate(found, 1)
    )
    return PartnerSearch(
        scan,
        mark.provenance.inputs.get("file", array_sha256),
        array_sha256,
        mark.kind,
        admitted,
        tuple(package.manifest.envelope.serial for package in usable),
        n_marks,
        n_searched,
        dict(sorted(passed_over.items())),
        {serial: reason for serial, reason in reasons.items() if reason is not None},
        leads,
        mark.insufficient,
        _provenance(mark, preparation, version, top, usable, array_sha256),
    )


def _checked_marks(package: TakenIn, version: str) -> list[PartnerMark]:
    stack = f"marks/{version}.stack"
    there = {member.name for member in package.manifest.members}
    check_extracted(package.folder, package.manifest, [name for name in (ROWS, stack) if name in there])
    return read_marks(package.folder, package.partner.laboratory)


def _not_compared(
    candidate: PartnerMark, mark: Mark, version: str, admitted: Mapping[str, tuple[str, ...]]
) -> str | None:
    if candidate.mark_kind != mark.kind:
        return f"not of the kind {mark.kind}"
    if candidate.surface_kind != mark.surface_kind:
        return f"not {mark.surface_kind}"
    if candidate.version != version:
        return f"template of another version than {version}"
    if admitted and not is_admitted(candidate.description, admitted):
        return "described otherwise than the filter admits"
    return None


def _order(found: tuple[float, TakenIn, PartnerMark]) -> tuple[float, str, int]:
    return -found[0], found[1].manifest.envelope.serial, found[2].number


def _provenance(
    mark: Mark,
    preparation: Mapping[str, Any],
    version: str,
    top: int,
    packages: list[TakenIn],
    array_sha256: str,
) -> Provenance:
    assert mark.provenance is not None
    inputs = {package.manifest.envelope.serial: package.manifest.sha256 for package in packages}
    identity = mark.provenance.inputs.get("file", array_sha256)
    return Provenance(
        METHOD,
        VERSION,
        {"template": version, "top": top, "preparation": preparation},
        {"file": identity, "mark": array_sha256, **inputs},
    )
