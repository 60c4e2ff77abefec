"""Two items of a case, each with several recorded scans, compared: bullets by all lands, heads mark by mark."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ballistics.casework import CARTRIDGE_HEAD, Casebook, Comparison, QualityRecords, Scan, safe_name
from ballistics.errors import ParameterError
from ballistics.evidence import weigh_together
from ballistics.files import csv_bytes
from ballistics.findings import Finding
from ballistics.front.bullets import KIND as LAND
from ballistics.front.bullets import compare_bullet_folders, weigh_bullets
from ballistics.front.case_comparison import (
    NO_REFERENCE,
    Lookup,
    ScanSource,
    compare_scans,
    compared,
    distinct,
    put,
    sentence,
    source_among,
    source_of_scan,
    units_of,
)
from ballistics.front.weighing import Weighing, weighing
from ballistics.methods import BULLET
from ballistics.progress import Progress
from ballistics.records import Entry, SigningKey, now
from ballistics.reports import heads_document
from ballistics.surfaces import HEAD_MARKS

# A setting that only bullets have, kept beside the others: the one with fewer lands is a part of one.
_FRAGMENT = "fragment"
_MOST_LANDS = 40
ReadFile = Callable[[str], bytes]
Sides = tuple[tuple[ScanSource, ...], tuple[ScanSource, ...]]


@dataclass(frozen=True)
class ItemsResult:
    """What a comparison of two items found, as a case keeps it.

    Parameters
    ----------
    data : bytes
        The whole result, JSON.
    methods : tuple of (str, str)
        Every method that was used, and its version.
    score : float or None
        The score that carries the evidence; of heads there is none for all marks.
    insufficient : str
        Why no comparison was possible.
    log10_lr : float or None
        Of bullets, or of all marks of two heads together.
    interval : tuple of float, or None
        Of it.
    no_lr : str
        Why there is none.
    findings : tuple of str
        What was noticed, each with what it is about.
    """

    data: bytes
    methods: tuple[tuple[str, str], ...]
    score: float | None
    insufficient: str
    log10_lr: float | None
    interval: tuple[float, float] | None
    no_lr: str
    findings: tuple[str, ...]


def compare_items(
    book: Casebook,
    key: SigningKey,
    identifier: str,
    items: Sequence[str],
    references: Sequence[str | os.PathLike[str]] = (),
    *,
    without: Sequence[str] = (),
    fragment: bool = False,
    settings: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> Entry:
    """Compare two items of a case by all their recorded scans, weigh the comparison, and record it.

    Bullets are compared by their lands, whose places the scans state (``land``, from 1); heads mark by mark, each kind
    of mark that both items have a scan of. Two items with one scan each of one kind are compared as two scans are.

    Parameters
    ----------
    book : Casebook
    key : SigningKey
        Of the examiner.
    identifier : str
        Of the comparison.
    items : sequence of str
        Two items of the case, or test fires.
    references : sequence of path, optional
        Files of reference populations: of bullets, or of each kind of mark.
    without : sequence of str
        Scans of the items that take no part.
    fragment : bool
        Whether the bullet with fewer lands is a fragment of one.
    settings : mapping of str to str, optional
        Other parameters than the tested ones; of heads by ``KIND:NAME``.
    progress : callable, optional
        Told of each stage.

    Returns
    -------
    Entry
        The entry of the log.

    Raises
    ------
    ParameterError
        When the items have no kind of mark in common, two scans of one mark, or lands without their places.
    RefusedError
        When a rule of casework forbids it.
    """
    of_items = [_scans(book, name, without) for name in items]
    mark, chosen = _shared(items, of_items)
    if mark not in (BULLET, CARTRIDGE_HEAD):
        if len(references) > 1:
            raise ParameterError("one kind of mark is compared: give one reference population")
        pair = [own[0].id for own in chosen]
        reference = references[0] if references else None
        return compare_scans(book, key, identifier, pair, reference, settings=settings, progress=progress)[0]
    a, b = (tuple(source_of_scan(book, scan.id) for scan in own) for own in chosen)
    own_settings = {**(settings or {}), **({_FRAGMENT: "yes"} if fragment else {})}
    populations = tuple(book.files.keep(Path(path)) for path in references)
    result = items_result(book.files.read, mark, (a, b), populations, own_settings, progress)
    return book.record(key, _record(book, key, identifier, mark, (a, b), result, populations, own_settings))


def items_result(
    read_file: ReadFile,
    mark: str,
    sides: Sides,
    populations: Sequence[str],
    settings: Mapping[str, str],
    progress: Progress | None = None,
) -> ItemsResult:
    """Compare and weigh the recorded scans of two items, without recording it.

    Parameters
    ----------
    read_file : callable
        Gives the bytes of a kept file by its SHA-256.
    mark : str
        ``"bullet"``, or `ballistics.casework.CARTRIDGE_HEAD`.
    sides : pair of tuple of ScanSource
        The scans of A and of B.
    populations : sequence of str
        SHA-256 of the files of reference populations.
    settings : mapping of str to str
        As of `compare_items`; ``fragment`` among them.
    progress : callable, optional
        Told of each stage.
    """
    return (_bullets if mark == BULLET else _heads)(read_file, sides, populations, dict(settings), progress)


def remade(read_file: ReadFile, known: Lookup, record: Comparison) -> bytes:
    """Return the result of a recorded comparison, made again from what the records say; JSON.

    Parameters
    ----------
    read_file : callable
        Gives the bytes of a kept file by its SHA-256.
    known : callable
        Gives a record by kind and identifier.
    record : Comparison
        The recorded one.
    """
    sources = tuple(source_among(known, scan) for scan in record.scans)
    settings = dict(text.split("=", 1) for text in record.settings)
    if record.mark not in (BULLET, CARTRIDGE_HEAD):
        first, second = sources
        return compared(read_file, first, second, record.population, settings or None).json()
    items = list(dict.fromkeys(source.scan.item for source in sources))
    if len(items) != 2:
        raise ParameterError(f"comparison '{record.id}' names scans of {len(items)} items, it compares two")
    a, b = (tuple(source for source in sources if source.scan.item == item) for item in items)
    populations = (record.population,) if record.population else record.populations
    return items_result(read_file, record.mark, (a, b), populations, settings).data


def _scans(book: Casebook, item: str, without: Sequence[str]) -> list[Scan]:
    found = [each.record for each in book.all(Scan) if each.record.item == item and each.record.id not in without]
    if not found:
        raise ParameterError(f"there is no scan of '{item}': name an item or a test fire with scans, or two scans")
    return found


def _shared(items: Sequence[str], of_items: Sequence[list[Scan]]) -> tuple[str, list[list[Scan]]]:
    """Return what is compared of two items, and the scans of each in order."""
    if len(set(items)) != 2:
        raise ParameterError("name two different items; two scans of one item are compared by their identifiers")
    kinds = [{scan.mark for scan in own} for own in of_items]
    common = kinds[0] & kinds[1]
    if not common:
        said = " and ".join(", ".join(sorted(own)) for own in kinds)
        raise ParameterError(f"'{items[0]}' and '{items[1]}' have scans of no mark in common: {said}")
    if LAND in common:
        lands = [[scan for scan in own if scan.mark == LAND] for own in of_items]
        if max(map(len, lands)) > 1:
            return BULLET, [sorted(own, key=_place) for own in lands]
    several = len(common) > 1
    if several and not common <= set(HEAD_MARKS):
        raise ParameterError(f"the items have scans of {', '.join(sorted(common))}: name the two scans to compare")
    chosen: list[list[Scan]] = [[], []]
    for kind in HEAD_MARKS if several else common:
        for name, own, taken in zip(items, of_items, chosen, strict=True):
            scans = [scan for scan in own if scan.mark == kind]
            if kind in common and len(scans) != 1:
                raise ParameterError(
                    f"'{name}' has {len(scans)} scans of the {kind}: {', '.join(scan.id for scan in scans)}; leave out "
                    "all but one (--without), or name two scans"
                )
            taken += scans if kind in common else []
    return (CARTRIDGE_HEAD if several else common.pop()), chosen


def _place(scan: Scan) -> int:
    if not scan.land.isdecimal() or not 1 <= int(scan.land) <= _MOST_LANDS:
        raise ParameterError(
            f"scan '{scan.id}' says of its land {scan.land!r}: amend it with its place round the bullet, a number from "
            "1 (--land)"
        )
    return int(scan.land)


def _bullets(
    read_file: ReadFile, sides: Sides, populations: Sequence[str], settings: dict[str, str], progress: Progress | None
) -> ItemsResult:
    fragment = settings.pop(_FRAGMENT, "") == "yes"
    units = {source.scan.units for side in sides for source in side}
    if len(units) > 1:
        raise ParameterError("the scans of the lands state different units: amend them, all or none")
    with tempfile.TemporaryDirectory(prefix="ballistics-") as folder:
        folders, tables = zip(*(_written(read_file, Path(folder) / x, own) for x, own in zip("ab", sides, strict=True)),
                              strict=True)  # fmt: skip
        result = compare_bullet_folders(
            folders[0],
            folders[1],
            lands=(tables[0], tables[1]),
            units=units_of(sides[0][0].scan),
            fragment=fragment,
            settings=settings or None,
            progress=progress,
        )
        if populations:
            result = weigh_bullets(result, _stated(read_file, Path(folder), sides, populations))
    scored, weight = result.scored, None if result.evaluation is None else result.evaluation.weighed.result
    of_weighing = () if result.evaluation is None else result.evaluation.weighed.findings
    said = [sentence(finding) for finding in (*of_weighing, *scored.findings) if finding.severity != "note"]
    said += [sentence(finding, where) for where, finding in result.findings if finding.severity != "note"]
    return ItemsResult(
        result.json(),
        ((scored.provenance.method, scored.provenance.version),),
        scored.score.similarity,
        result.insufficient or "",
        None if weight is None else weight.log10_lr,
        None if weight is None else weight.interval,
        NO_REFERENCE if weight is None else weight.reason,
        tuple(dict.fromkeys(said)),
    )


def _written(read_file: ReadFile, folder: Path, side: Sequence[ScanSource]) -> tuple[Path, Path]:
    """Write the kept files of the lands of a bullet into a folder, with the table of their places."""
    folder.mkdir()
    rows: list[tuple[str, int]] = []
    for source in side:
        place = _place(source.scan)
        name = f"{place:02d} {safe_name(source.scan.name)}"
        if (folder / name).exists() or any(place == other for _, other in rows):
            raise ParameterError(
                f"two scans of item '{source.scan.item}' state land {place}: leave out one (--without)"
            )
        put(folder / name, read_file(source.scan.file))
        rows.append((name, place))
    table = folder.with_suffix(".csv")
    put(table, csv_bytes(("scan", "land"), rows))
    return folder, table


def _heads(
    read_file: ReadFile, sides: Sides, populations: Sequence[str], settings: dict[str, str], progress: Progress | None
) -> ItemsResult:
    kinds = [source.scan.mark for source in sides[0]]
    unknown = [name for name in settings if name.partition(":")[0] not in kinds or ":" not in name]
    if unknown:
        raise ParameterError(f"'{unknown[0]}' is no parameter of a mark of two heads: write KIND:NAME, {kinds[0]}:NAME")
    documents, evaluations, scores, said, methods = {}, {}, {}, [], []
    with tempfile.TemporaryDirectory(prefix="ballistics-") as folder:
        stated = _stated(read_file, Path(folder), sides, populations) if populations else None
        for a, b in zip(*sides, strict=True):
            kind = a.scan.mark
            own = {name.partition(":")[2]: value for name, value in settings.items() if name.startswith(f"{kind}:")}
            result = compared(read_file, a, b, "", own or None, progress)
            fitting = [p for p in stated.populations if p.conditions.mark_kind == kind] if stated else []
            if stated is not None and fitting:
                # Two heads are weighed by what is known of both: a reference of another kind says nothing on this one.
                evaluation = stated.evaluate(result.comparison, result.marks, result.surfaces, fitting)
                result, evaluations[kind] = replace(result, evaluation=evaluation), evaluation.weighed
            documents[kind], scores[kind] = json.loads(result.json()), result.insufficient
            made = result.comparison.provenance
            methods.append((kind, "-") if made is None else (made.method, made.version))
            of_weighing = evaluations[kind].findings if kind in evaluations else ()
            said += [sentence(f, kind) for f in (*of_weighing, *result.findings) if f.severity != "note"]
    joint = weigh_together(evaluations) if populations else None
    stated_kinds = [kind for kind, insufficient in scores.items() if insufficient is None]
    return ItemsResult(
        heads_document(documents, stated_kinds, joint),
        tuple(methods),
        None,
        "" if stated_kinds else "; ".join(f"{kind}: {why}" for kind, why in scores.items()),
        None if joint is None else joint.log10_lr,
        None,
        NO_REFERENCE if joint is None else joint.reason,
        tuple(dict.fromkeys(said)),
    )


def _stated(read_file: ReadFile, folder: Path, sides: Sides, populations: Sequence[str]) -> Weighing:
    paths = []
    for name in populations:
        # Named by its content, so that the same comparison gives the same result wherever the file came from.
        paths.append(folder / f"population-{name[:12]}.json")
        put(paths[-1], read_file(name))
    every = [source for side in sides for source in side]
    return weighing(
        paths,
        calibre=distinct(source.calibre for source in every),
        instrument=distinct(source.instrument for source in every),
        ammunition=distinct(source.ammunition for source in every),
    )


def _record(
    book: Casebook,
    key: SigningKey,
    identifier: str,
    mark: str,
    sides: Sides,
    result: ItemsResult,
    populations: Sequence[str],
    settings: Mapping[str, str],
) -> Comparison:
    scans = [source.scan for side in sides for source in side]
    with book.log.view() as view:
        owner, known, on = view.operator(key.identifier), QualityRecords.of(view), now()
    by = "" if owner is None else owner.operator
    method, version = result.methods[0]
    if mark == CARTRIDGE_HEAD:
        of_kinds = zip(sides[0], result.methods, strict=True)
        method, version = mark, "; ".join(f"{source.scan.mark} {number}" for source, (_, number) in of_kinds)
    quality: Iterable[Finding | None] = (
        *(known.calibration(scan.instrument, scan.at) for scan in scans),
        *(known.validation(name, number, on) for name, number in dict.fromkeys(result.methods)),
        *(known.competence(by, name, mark, on) for name, _ in dict.fromkeys(result.methods)),
    )
    return Comparison(
        identifier,
        case=next((scan.case for scan in scans if scan.case), ""),
        scans=tuple(scan.id for scan in scans),
        mark=mark,
        method=method,
        version=version,
        result=book.files.keep_bytes(result.data),
        settings=tuple(f"{name}={value}" for name, value in sorted(settings.items())),
        score=None if result.score is None else float(result.score),
        insufficient=result.insufficient,
        log10_lr=result.log10_lr,
        log10_lower=None if result.interval is None else result.interval[0],
        log10_upper=None if result.interval is None else result.interval[1],
        no_lr=result.no_lr,
        population=populations[0] if len(populations) == 1 else "",
        populations=tuple(populations) if len(populations) > 1 else (),
        findings=tuple(dict.fromkeys((*(sentence(each) for each in quality if each is not None), *result.findings))),
    )
