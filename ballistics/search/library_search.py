"""The search of a library: which marks to look at first. A lead, never an opinion on source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from ballistics.comparison import Comparison
from ballistics.errors import CorruptFileError, ParameterError
from ballistics.evidence import ReferencePopulation, Score, conditions_of
from ballistics.library import (
    DESCRIPTION_FIELDS,
    Description,
    EnrolledMark,
    LibraryStore,
    Where,
    checked_filter,
    is_admitted,
    signature_template,
    tables,
    template,
    version_of,
)
from ballistics.methods import compare, method_of, pair_score
from ballistics.progress import Progress
from ballistics.provenance import Provenance, sha256_of_array
from ballistics.search import cascade
from ballistics.search.scan import make_query, scan
from ballistics.search.signature_scan import signature_scan
from ballistics.store import reading
from ballistics.surfaces import Mark, Pose, preparation_parameters

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection


# Twice as many are compared as are listed, and never fewer than this: what the template ranks low may still lead.
_FEWEST_COMPARED = 40
_REMOVED = "removed while the search ran"


@dataclass(frozen=True)
class LibraryLead:
    """A mark of the library to look at.

    Parameters
    ----------
    rank : int
        From 1, by similarity; marks that cannot be compared come last.
    entry : EnrolledMark
        The mark.
    template_score : float
        Score of the template scan, by which the mark was selected for comparison.
    similarity : float or None
        In nats, see `ballistics.impressions.similarity`; None when insufficient. It is no likelihood ratio.
    accf : float or None
        Areal correlation of the whole marks.
    overlap_fraction : float or None
        Common area, as a share of the smaller mark.
    pose : Pose or None
        How it lies on the mark that was searched for.
    insufficient : str or None
        Why the comparison states nothing.
    prepared_alike : bool
        Whether both marks were prepared by the same steps; scores of others are not commensurable.
    count, cells : int or None
        Congruent cells, the smaller of the two directions, and how many were searched; only with a population.
    at_or_above : int or None
        How many known different-source scores are as high; None without a population that covers the comparison.
    percentile : float or None
        Share of known different-source scores that are lower, in percent.
    """

    rank: int
    entry: EnrolledMark
    template_score: float
    similarity: float | None = None
    accf: float | None = None
    overlap_fraction: float | None = None
    pose: Pose | None = None
    insufficient: str | None = None
    prepared_alike: bool = True
    count: int | None = None
    cells: int | None = None
    at_or_above: int | None = None
    percentile: float | None = None


@dataclass(frozen=True)
class Background:
    """The known different-source scores that leads are compared with.

    Parameters
    ----------
    name, sha256 : str
        Of the population.
    score : {"similarity", "count", "correlation"}
        Which of a lead's scores it holds.
    n_different, n_firearms : int
        Its size.
    cautions : tuple of str
        What differs between it and this search without ruling it out.
    """

    name: str
    sha256: str
    score: Score
    n_different: int
    n_firearms: int
    cautions: tuple[str, ...] = ()


@dataclass(frozen=True)
class SearchResult:
    """The leads of one search, and what was searched. There is no likelihood ratio in it, on purpose.

    Parameters
    ----------
    library : str
        Identifier of the library.
    scan, identity, array_sha256, mark_kind : str
        Of the mark that was searched for.
    where : mapping
        The filter.
    n_marks, n_searched, n_compared : int
        Marks of the library, those whose template was scanned, those that were compared in full.
    passed_over : mapping of str to int
        Why marks were not searched, and how many.
    same_scan : tuple of EnrolledMark
        Entries that are the very scan; they are not ranked.
    leads : tuple of LibraryLead
        In their order.
    background : Background or None
        The scores that they were compared with.
    no_percentile : str
        Why they were not; else empty.
    insufficient : str or None
        Why the mark cannot be searched for.
    provenance : Provenance
        Methods, parameters, hashes, versions.
    """

    library: str
    scan: str
    identity: str
    array_sha256: str
    mark_kind: str
    where: Mapping[str, tuple[str, ...]]
    n_marks: int
    n_searched: int
    n_compared: int
    passed_over: Mapping[str, int]
    same_scan: tuple[EnrolledMark, ...]
    leads: tuple[LibraryLead, ...]
    background: Background | None
    no_percentile: str
    insufficient: str | None
    provenance: Provenance


@dataclass(frozen=True)
class _Chosen:
    """The marks whose templates are scanned, in the order of their places, and what became of the other marks."""

    n_marks: int
    slot_of: Mapping[int, int]
    passed_over: Mapping[str, int]
    same_scan: tuple[EnrolledMark, ...]
    records: NDArray[np.uint8]


def search(
    library: LibraryStore,
    mark: Mark,
    scan: str = "",
    top: int = 20,
    where: Where | None = None,
    population: ReferencePopulation | None = None,
    progress: Progress | None = None,
) -> SearchResult:
    """Rank the marks of a library by how well they agree with a mark.

    Marks that the filter admits are ranked by their templates, at every rotation; the best are registered with the
    mark and ranked by similarity (`ballistics.search.cascade`). With a population, the leads are also compared cell
    by cell, and their scores compared with its different-source scores.

    Parameters
    ----------
    library : LibraryStore
    mark : Mark
        From `ballistics.prepare`.
    scan : str
        What reports call it.
    top : int
        How many leads are listed, at least 1.
    where : mapping, optional
        Class filter, see `Library.contents`: a mark for which the field is not stated is searched.
    population : ReferencePopulation, optional
        Known scores; used if it covers the comparison.
    progress : callable, optional
        Told the stage, how many are done, and how many there are.

    Raises
    ------
    ParameterError
        For a filter by a field that no description has, ``top`` below 1, or a mark without provenance.
    CorruptFileError
        When the templates are damaged.
    """
    if top < 1:
        raise ParameterError(f"{top} leads were asked for; at least 1 is needed")
    admitted = checked_filter(where)
    array_sha256 = sha256_of_array(np.asarray(mark.heights_um))
    preparation = preparation_parameters(mark)
    assert mark.provenance is not None  # preparation_parameters has refused a mark without
    identity = mark.provenance.inputs.get("file", array_sha256)
    chosen = _chosen(library, mark, identity, admitted)
    compared = max(2 * top, _FEWEST_COMPARED)
    compared_by = method_of(mark.kind).comparison()
    result = SearchResult(
        library.identifier,
        scan,
        identity,
        array_sha256,
        mark.kind,
        admitted,
        chosen.n_marks,
        0,
        0,
        chosen.passed_over,
        chosen.same_scan,
        (),
        None,
        "no population of known different-source scores was given",
        mark.insufficient,
        Provenance(
            *cascade.method_for(mark.kind),
            {
                "template": _template_method(mark.kind),
                "compared": compared,
                "top": top,
                "preparation": preparation,
                **({} if population is None else {"cells": f"{compared_by.method}, {compared_by.version}"}),
            },
            {"file": identity, "mark": array_sha256},
        ),
    )
    if mark.insufficient is not None or not chosen.slot_of:
        return result
    scanned = _scanned(library, mark, chosen, progress)
    numbers = np.array(sorted(scanned), np.int64)
    scores = np.array([scanned[number] for number in numbers], np.float32)
    entries: dict[int, EnrolledMark] = {}

    def load(number: int) -> Mark:
        try:
            entries[number], found = library.current(number)
            return found
        except ParameterError:  # since its template was scanned
            reason = _REMOVED
        except CorruptFileError as error:
            reason = str(error)
            with suppress(ParameterError):
                entries[number] = library.entry(number)
        return replace(mark, heights_um=np.full((1, 1), np.nan, np.float32), insufficient=reason)

    ranking = cascade.compare_best(mark, numbers, scores, load, compared=compared, progress=progress)
    there = [lead for lead in ranking.leads if lead.candidate in entries]
    leads = [
        LibraryLead(
            rank,
            entries[lead.candidate],
            lead.template_score,
            lead.score,
            lead.accf,
            lead.overlap_fraction,
            lead.pose,
            lead.insufficient,
            dict(preparation) == dict(entries[lead.candidate].preparation),
        )
        for rank, lead in enumerate(there[:top], 1)
    ]
    others = {
        _REMOVED: len(chosen.slot_of) - len(numbers) + len(ranking.leads) - len(there),
        "their template is empty": len(numbers) - ranking.n_scanned,
    }
    result = replace(
        result,
        n_searched=ranking.n_scanned - len(ranking.leads) + len(there),
        n_compared=len(there),
        leads=tuple(leads),
        passed_over={**chosen.passed_over, **{reason: number for reason, number in others.items() if number}},
    )
    return result if population is None else _held_against(library, mark, result, population, preparation, progress)


def _template_method(mark_kind: str) -> str:
    made = signature_template if method_of(mark_kind).family == "striated" else template
    return f"{made.METHOD}, {made.VERSION}"


def _scanned(library: LibraryStore, mark: Mark, chosen: _Chosen, progress: Progress | None) -> dict[int, float]:
    """Return the template score of every chosen mark, by its number; marks removed meanwhile are left out.

    A template is erased when its mark is removed or enrolled anew, perhaps during the scan. So a score counts only if
    the template still has the same place after the scan; if it has another place, it is scanned again there.
    """
    scores_of, n = template_scanner(mark), len(chosen.slot_of)
    slot_of = dict(chosen.slot_of)
    records, scores = chosen.records, dict[int, float]()
    while slot_of:
        if progress is not None:
            progress("scanning templates", n - len(slot_of), n)
        found = scores_of(records, np.array(list(slot_of.values()), np.int64))
        with reading(library.engine, str(library.folder)) as connection:
            places, records = _templates(library, connection, mark.kind)
        now = {number: places.get(number) for number in slot_of}
        scores |= {k: float(r) for (k, slot), r in zip(slot_of.items(), found, strict=True) if now[k] == slot}
        slot_of = {k: slot for k, slot in now.items() if slot is not None and slot != slot_of[k]}
    if progress is not None:
        progress("scanning templates", n, n)
    return scores


def template_scanner(mark: Mark) -> Callable[[NDArray[np.uint8], NDArray[np.int64]], NDArray[np.float32]]:
    """Return what scores the templates at some places of a stack of their version: the higher, the more like the mark.

    −inf for a record that is empty, damaged, of another kind of mark or surface, or meets the mark nowhere.
    """
    if method_of(mark.kind).family == "striated":
        return signature_scan(mark)
    query = make_query(mark)
    return lambda records, slots: scan(query, records, slots).scores


def _templates(
    library: LibraryStore, connection: Connection, mark_kind: str
) -> tuple[dict[int, int], NDArray[np.uint8]]:
    """Return which place of the stack holds the template of each mark of its family, and the stack."""
    version = version_of(mark_kind)
    places = sa.select(tables.templates.c.mark_id, tables.templates.c.slot)
    places = places.where(tables.templates.c.version == version)
    slot_of = {row.mark_id: row.slot for row in connection.execute(places)}
    of_version = sa.select(tables.stacks).where(tables.stacks.c.version == version)
    stack = connection.execute(of_version).one_or_none()
    if stack is None:
        return slot_of, np.empty((0, 0), np.uint8)
    # SQLite keeps whatever type a changed row has.
    slots = slot_of.values()
    if type(stack.records) is not int or not set(map(type, slots)) <= {int}:
        stack = None
    if stack is None or (slots and (min(slots) < 0 or max(slots) >= stack.records)):
        raise CorruptFileError(
            f"{library.folder}: the rows of its templates were changed; see `ballistics library verify`, and take the "
            "library from a backup"
        )
    return slot_of, library.templates.stack(stack.version, stack.record_bytes).records(stack.records)


def _chosen(library: LibraryStore, mark: Mark, identity: str, admitted: Mapping[str, tuple[str, ...]]) -> _Chosen:
    """Say of every mark whether its template is scanned, or why not: as one moment shows the library."""
    passed_over = Counter[str]()
    # Signatures are compared on the coarser of two grids.
    striated = method_of(mark.kind).family == "striated"
    n_marks, same_scan, scanned = 0, list[EnrolledMark](), list[int]()
    columns = [
        tables.marks.c[name]
        for name in ("id", "identity", "mark_kind", "surface_kind", "spacing_um", *DESCRIPTION_FIELDS)
    ]
    with reading(library.engine, str(library.folder)) as connection:
        slot_of, records = _templates(library, connection, mark.kind)
        for row in connection.execute(sa.select(*columns).order_by(tables.marks.c.id)):
            number, its_identity, kind, surface_kind, spacing_um, *description = row
            n_marks += 1
            if kind != mark.kind:
                passed_over[f"not of the kind {mark.kind}"] += 1
            elif surface_kind != mark.surface_kind:
                passed_over[f"not {mark.surface_kind}"] += 1
            elif its_identity == identity:
                same_scan.append(library.entry_in(connection, number))
            elif not striated and abs(spacing_um - mark.spacing_um) > 1e-3 * mark.spacing_um:
                passed_over[f"not of the spacing {mark.spacing_um:g} µm"] += 1
            elif admitted and not is_admitted(Description(*description), admitted):
                passed_over["described otherwise than the filter admits"] += 1
            elif number not in slot_of:
                passed_over["no template of this version; `ballistics library renew` makes it"] += 1
            else:
                scanned.append(number)
    chosen = {number: slot_of[number] for number in sorted(scanned, key=slot_of.__getitem__)}
    return _Chosen(n_marks, chosen, dict(sorted(passed_over.items())), tuple(same_scan), records)


def _held_against(
    library: LibraryStore,
    mark: Mark,
    result: SearchResult,
    population: ReferencePopulation,
    preparation: Mapping[str, Any],
    progress: Progress | None,
) -> SearchResult:
    """Compare the leads cell by cell, and say how many known different-source scores are as high."""
    reason, background = f"the population '{population.name}' has no different-source scores", None
    different = np.sort(population.table.score[~population.table.same_source])
    leads, cautions = [], dict[str, None]()
    for done, lead in enumerate(result.leads, 1):
        found = lead
        other = None if lead.insufficient is not None else heights_still_there(library, lead.entry)
        if other is not None:
            comparison = compare(mark, other)
            pair = pair_score(comparison)
            found = replace(lead, count=pair.count, cells=pair.cells)
            value = pair.value(population.score)
            if value is not None and len(different):
                reasons, soft = _covered(population, comparison, preparation, lead.entry)
                if reasons:
                    reason = f"the population '{population.name}' does not cover the comparison: {'; '.join(reasons)}"
                else:
                    below, n = int(np.searchsorted(different, value, side="left")), len(different)
                    found = replace(found, at_or_above=n - below, percentile=100.0 * below / n)
                    cautions |= dict.fromkeys(soft)
                    background = Background(
                        population.name, population.hash, population.score, n, population.n_firearms, tuple(cautions)
                    )
        leads.append(found)
        if progress is not None:
            progress("comparing cells of the leads", done, len(result.leads))
    return replace(
        result, leads=tuple(leads), background=background, no_percentile="" if background is not None else reason
    )


def heights_still_there(library: LibraryStore, entry: EnrolledMark) -> Mark | None:
    """Return the mark of an entry; None when its heights were deleted, or damaged, since it was ranked."""
    try:
        return library.with_heights(entry)
    except CorruptFileError:
        return None


def _covered(
    population: ReferencePopulation,
    comparison: Comparison,
    preparation: Mapping[str, Any],
    entry: EnrolledMark,
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return why a population does not speak for a comparison, empty when it does; and what to be careful about.

    Method and parameters must be the same. Calibre and instrument rule a likelihood ratio out; here, where only an
    order of inspection depends on it, they are a caution.
    """
    assert comparison.provenance is not None
    reference = population.conditions
    stated = conditions_of(
        comparison.mark_kind,
        comparison.provenance,
        [preparation, entry.preparation],
        population.score,
        [entry.description.calibre] if entry.description.calibre else [],
        [entry.description.instrument] if entry.description.instrument else [],
        [entry.description.ammunition] if entry.description.ammunition else [],
    )
    same_labels = replace(stated, calibres=reference.calibres, instrument_classes=reference.instrument_classes)
    reasons = reference.refusals(same_labels)
    cautions = (*population.cautions, *reference.refusals(stated), *reference.cautions(stated))
    return reasons, () if reasons else cautions
