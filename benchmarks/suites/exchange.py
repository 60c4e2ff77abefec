"""Exchange benchmark: what a template gives away, who can be told from it, and what a package costs."""

from __future__ import annotations

import itertools
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from ballistics.exchange import (
    Desk,
    MarkSelection,
    OpeningKey,
    Outgoing,
    Terms,
    export_package,
    fingerprint,
    import_package,
    read_card,
    search_partners,
    take_in_partner,
    write_card,
)
from ballistics.library import LibraryStore, signature_template, template
from ballistics.methods import Striated, method_of
from ballistics.records import Log, SigningKey
from ballistics.search.scan import make_query, scan
from ballistics.store import update_schema
from ballistics.striations import CorrelationParameters, Signature, best_correlations, land_of, on_grid
from ballistics.surfaces import Mark, read
from benchmarks.support.pairs import ScanSet, load
from benchmarks.support.record import Context, Record
from benchmarks.support.template_content import given_away, rebuilt

DESCRIPTION = "what a template gives away: surface, identity, signature; size and cost of a package"

_NAME = "exchange"
_TERMS = Terms("benchmark", "none", "none", "2999-12-31")
_OVERLAP = CorrelationParameters(minimum_overlap=0.75)


def run(context: Context) -> Iterator[Record]:
    """Yield what can be rebuilt, whom it points to, what a striated template holds, and what packages cost."""
    scans = load(context)
    for record in given_away(scans, context):
        yield replace(record, benchmark=_NAME)
    yield from _identity(scans)
    if not context.own:
        yield from _striated(context)
    yield from _packages(scans)


def _record(metric: str, value: float, unit: str, protocol: str, n: int, goal: str = "") -> Record:
    return Record(_NAME, metric, float(value), unit, goal, protocol, n)


def _identity(scans: ScanSet) -> Iterator[Record]:
    """Search the templates of all other scans with each scan, and with what can be rebuilt from its template alone."""
    stack = np.stack([template.make_template(mark).array for mark in scans.marks])
    firearms = np.array(scans.firearms)
    searched = {"a scan": scans.marks, "a template": [rebuilt(mark) for mark in scans.marks]}
    for what, marks in searched.items():
        first, known = [], []
        for k, mark in enumerate(track(marks, f"whom a template points to, {what}")):
            rows = np.array([row for row in range(len(stack)) if row != k])
            if not (firearms[rows] == firearms[k]).any():
                continue
            scores = scan(make_query(mark), stack, rows).scores
            same = firearms[rows] == firearms[k]
            first.append(bool(same[int(scores.argmax())]))
            known.append(float((scores[same].max() > scores[~same]).mean()))
        protocol = (
            f"{scans.name}: {what} against the templates of the other {len(stack) - 1} scans; 1 is no privacy. "
            + ("" if what == "a scan" else "The map is rebuilt with the region known: an upper bound")
        )
        yield _record(f"{what} names its firearm among templates", float(np.mean(first)), "share", protocol, len(first))
        yield _record(f"{what}: others below the same firearm", float(np.mean(known)), "share", protocol, len(known))


def _striated(context: Context) -> Iterator[Record]:
    """Compare what the template of a land holds with the land's whole signature."""
    folder = context.data / "bullets" / "hamby44-barrel1"
    lands = range(1, 3 if context.quick else 7)
    paths = [[folder / f"Barrel_1-Bullet_{b}-Land_{k}.x3p" for k in lands] for b in (1, 2)]
    marks = [
        [_mark_of(land_of(read(path)).signature) for path in track(bullet, "reading and preparing lands")]
        for bullet in paths
    ]
    step = signature_template.step_um("land engraved area")
    alike, errors = [], []
    for mark in itertools.chain(*marks):
        whole, held = _signatures(mark)
        both = np.isfinite(whole) & np.isfinite(held)
        alike.append(float(np.corrcoef(whole[both], held[both])[0, 1]))
        errors.append(float(np.sqrt(np.mean((whole[both] - held[both]) ** 2)) / np.std(whole[both])))
    n = len(alike)
    protocol = f"{n} lands of Hamby 44 barrel 1: the signature as its template holds it and as it is, every {step:g} µm"
    yield _record("land: correlation of template and signature", np.median(alike), "r", protocol, n)
    yield _record("land: error of heights in µm, of their spread", np.median(errors), "share", protocol, n)
    agree = [_in_phase(marks, k) for k in (0, 1)]
    protocol = f"correlation of the {len(lands)} lands in phase of two bullets, the lowest; 75 % overlap"
    yield _record("lands in phase: lowest, by signatures", agree[0], "r", protocol, len(lands))
    yield _record("lands in phase: lowest, by templates", agree[1], "r", protocol, len(lands))
    yield _record("size of a land's template", signature_template.RECORD_BYTES, "bytes", protocol, 1)


def _mark_of(signature: Signature) -> Mark:
    """Return a mark with the signature of a land on every row: what is enrolled is the land, without its shoulders."""
    rows = np.tile(signature.heights_um.astype(np.float32), (8, 1))
    return Mark("land engraved area", rows, signature.spacing_um)


def _signatures(mark: Mark) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the signature of a mark and what its template holds of it, in µm, on the template's grid."""
    method = method_of(mark.kind)
    assert isinstance(method, Striated)
    whole = on_grid(method.signature(mark), signature_template.step_um(mark.kind)).heights_um
    row = np.frombuffer(signature_template.make_record(mark), signature_template.RECORD)[0]
    steps = row["heights"].astype(np.float64)
    held = np.where(steps == -128, np.nan, steps * float(row["scale_um"]))
    known = np.flatnonzero(np.isfinite(whole))
    inside = whole[known[0] : known[-1] + 1]
    first = max((len(inside) - signature_template.POINTS) // 2, 0)
    inside = inside[first : first + signature_template.POINTS]
    start = (signature_template.POINTS - len(inside)) // 2
    centred = inside - np.median(inside[np.isfinite(inside)])
    return np.asarray(centred), held[start : start + len(inside)]


def _in_phase(marks: Sequence[Sequence[Mark]], which: int) -> float:
    """Return the lowest correlation of two bullets' lands at the phase where they agree best."""
    step = signature_template.step_um("land engraved area")
    profiles = [[_signatures(mark)[which] for mark in bullet] for bullet in marks]
    n = len(profiles[0])
    r = np.empty((n, n))
    for i, own in enumerate(profiles[0]):
        for k, other in enumerate(profiles[1]):
            padded = np.full((1, signature_template.POINTS), np.nan, np.float32)
            padded[0, : len(other)] = other
            r[i, k] = best_correlations(Signature(own, step), padded, _OVERLAP)[0, 0]
    return float(max(r[np.arange(n), (np.arange(n) + shift) % n].min() for shift in range(n)))


def _desk(folder: Path) -> Desk:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    library = LibraryStore.create(folder)
    update_schema(library.engine, str(folder))
    log, key = Log(library.engine, str(folder)), SigningKey(Ed25519PrivateKey.generate())
    log.begin(key, "AB", "Administrator", {"name": folder.name})
    return Desk(library, log, key, OpeningKey(X25519PrivateKey.generate()))


def _packages(scans: ScanSet) -> Iterator[Record]:
    """Give the templates of all scans from one laboratory to another, and search them there."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        giver, taker = _desk(folder / "giver"), _desk(folder / "taker")
        for own, other in ((giver, taker), (taker, giver)):
            card = folder / f"{own.identifier}.card"
            write_card(own, card, "2999-12-31")
            take_in_partner(other, card, fingerprint(read_card(card)))
        for scan_name, mark in zip(scans.scans, scans.marks, strict=True):
            giver.library.enrol(mark, scan_name)
        numbers = [entry.id for entry in giver.library.contents().marks]
        path = folder / "templates.package"
        times = [time.process_time()]
        export_package(giver, path, "taker", _TERMS, Outgoing(MarkSelection(numbers)))
        times.append(time.process_time())
        import_package(taker, path)
        times.append(time.process_time())
        search_partners(taker.library, taker.log, scans.marks[0])
        times.append(time.process_time())
        size = path.stat().st_size / len(numbers)
        for desk in (giver, taker):
            desk.library.close()
    exported, imported, searched = 1000.0 * np.diff(times)
    n = len(numbers)
    protocol = (
        f"{scans.name}: {n} templates in one encrypted package, exported, imported with all checks, searched once"
    )
    yield _record("package: bytes a mark", size, "bytes", protocol, n)
    yield _record("package: export", exported / n, "CPU ms/mark", protocol, n)
    yield _record("package: import", imported / n, "CPU ms/mark", protocol, n)
    yield _record("package: search", searched, "CPU ms", protocol, n)
