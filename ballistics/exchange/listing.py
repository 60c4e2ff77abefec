"""What a laboratory has exchanged, as tables of texts, and the leads of a search of partners' packages as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict

from ballistics.exchange.desk import EXPORT, RECEIVED_RECEIPT
from ballistics.exchange.imports import taken_in
from ballistics.exchange.partner_search import PartnerSearch
from ballistics.exchange.partners import partners
from ballistics.exchange.requests import requests
from ballistics.exchange.withdrawals import withdrawn_from
from ballistics.library import LibraryStore
from ballistics.records import Log, View, now

Table = tuple[tuple[str, ...], list[tuple[str, ...]]]


def listed(library: LibraryStore, log: Log) -> Mapping[str, Table]:
    """Return headings and rows by title: partners, packages that left, packages that came, requests."""
    with log.view() as view:
        return {
            "partners": (
                ("laboratory", "identifier", "keys", "encryption", "state"),
                [
                    (p.laboratory, p.library[:8], str(len(p.keys)), "yes" if p.opening else "no", p.state)
                    for p in partners(view)
                ],
            ),
            "packages that left": (("entry", "package", "to", "holds", "until", "state"), _left(view)),
            "packages that came": (
                ("entry", "package", "from", "holds", "handling", "until", "state"),
                _came(library, view),
            ),
            "requests": (
                ("request", "direction", "laboratory", "package", "mark", "own mark", "until", "answer"),
                [
                    (
                        r.serial[:8],
                        r.direction,
                        r.laboratory,
                        r.package[:8],
                        str(r.mark),
                        str(r.own_mark or "–"),
                        r.terms.expires[:10],
                        r.answer or "open",
                    )
                    for r in requests(view)
                ],
            ),
        }


def partner_search_json(found: PartnerSearch) -> bytes:
    """Return the leads of a search with hashes and parameters."""
    content = {"schema": "ballistics/partner-search/1", **asdict(found)}
    return (json.dumps(content, indent=1, ensure_ascii=False, default=dict) + "\n").encode("utf-8", "replace")


def _left(view: View) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for entry in view.records(EXPORT):
        body = entry.body
        library = str(body.get("recipient", ""))
        state = "not acknowledged"
        if view.current(RECEIVED_RECEIPT, f"{library}/{entry.record}") is not None:
            state = "received"
        if entry.record in withdrawn_from(view, library):
            state = "withdrawn"
        until = str(body.get("expires", ""))[:10]
        held = _held(body.get("contents", {}))
        rows.append((str(entry.number), entry.record[:8], str(body.get("laboratory", "")), held, until, state))
    return rows


def _came(library: LibraryStore, view: View) -> list[tuple[str, ...]]:
    at = now()
    return [
        (
            str(package.entry.number),
            package.manifest.envelope.serial[:8],
            package.partner.laboratory,
            _held(package.manifest.contents),
            package.manifest.terms.handling,
            package.manifest.envelope.expires[:10],
            package.unusable(at) or "in use",
        )
        for package in taken_in(library, view)
    ]


def _held(contents: Mapping[str, int]) -> str:
    return ", ".join(f"{name}: {number}" for name, number in sorted(contents.items()) if number)
