"""Cases, items, files with their hashes, actions and results as JSON-LD of CASE 1.4 and UCO 1.4.

https://caseontology.org, https://unifiedcyberontology.org. What UCO has no class for (an incident, a mark) stands in
the description of what it has. Identifiers are made from the laboratory's and the record's, and are stable.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable
from typing import Any

from ballistics.casework import (
    Authorisation,
    Case,
    Casebook,
    Comparison,
    Incident,
    Item,
    Recorded,
    Report,
    Scan,
    Transfer,
)
from ballistics.provenance import package_versions

_UCO, _CASE = "https://ontology.unifiedcyberontology.org/uco/", "https://ontology.caseontology.org/case/investigation/"
_CONTEXT = {
    "case-investigation": _CASE,
    "uco-action": f"{_UCO}action/",
    "uco-analysis": f"{_UCO}analysis/",
    "uco-core": f"{_UCO}core/",
    "uco-identity": f"{_UCO}identity/",
    "uco-location": f"{_UCO}location/",
    "uco-observable": f"{_UCO}observable/",
    "uco-tool": f"{_UCO}tool/",
    "uco-types": f"{_UCO}types/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
_FULL_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d)(:\d\d)?(Z|[+-]\d\d:\d\d)?\Z")

Node = dict[str, Any]


def case_uco(book: Casebook, cases: Iterable[str] = ()) -> bytes:
    """Return the casework of a laboratory as a bundle of CASE/UCO.

    Scores are left out where a blind case has no authorised report yet that rests on them; information on a case that
    examiners must not see is never in it.

    Parameters
    ----------
    book : Casebook
    cases : iterable of str
        Only these; all when empty.
    """
    return _Bundle(book, frozenset(cases)).content()


class _Bundle:
    def __init__(self, book: Casebook, chosen: frozenset[str]) -> None:
        self.book = book
        self.space = uuid.UUID(book.library.identifier)
        self.base = f"urn:ballistics:{book.library.identifier[:8]}:"
        self.chosen = chosen
        self.nodes: dict[str, Node] = {}
        # Objects of each investigation.
        self.parts: dict[str, list[Node]] = {}

    def content(self) -> bytes:
        laboratory = self._put("organisation", "laboratory", "uco-identity:Organization", self._laboratory())
        version = package_versions()["ballistics"]
        tool = self._put("tool", version, "uco-tool:AnalyticTool", "ballistics", **{"uco-tool:version": version})
        cases = [each.record for each in self.book.all(Case) if not self.chosen or each.record.id in self.chosen]
        known = {case.id for case in cases}
        places = self._places(known)
        self._items(known, places)
        self._transfers(known, laboratory)
        self._scans(known)
        self._comparisons(known, {case.id for case in cases if case.blind}, tool, laboratory)
        for case in cases:
            objects = [_reference(node) for node in self.parts.get(case.id, [])]
            own = {"case-investigation:focus": case.request, "case-investigation:investigationForm": "case"}
            if objects:
                own["uco-core:object"] = objects  # type: ignore[assignment]  # a list beside texts
            self._put("case", case.id, "case-investigation:Investigation", f"{case.id}: {case.title}", **own)
        context = {"kb": self.base, **_CONTEXT}
        bundle = {
            "@id": f"kb:bundle-{self._uuid('bundle', ' '.join(sorted(known)))}",
            "@type": "uco-core:Bundle",
            "uco-core:object": [_reference(node) for node in self.nodes.values()],
        }
        graph = [*([bundle] if self.nodes else []), *self.nodes.values()]
        text = json.dumps({"@context": context, "@graph": graph}, ensure_ascii=False, indent=1)
        return (text + "\n").encode("utf-8", "replace")

    def _laboratory(self) -> str:
        from ballistics.records import LABORATORY

        with self.book.log.view() as view:
            entry = view.current(LABORATORY, LABORATORY)
        return "" if entry is None else str(entry.body.get("name", ""))

    def _uuid(self, kind: str, identifier: str) -> uuid.UUID:
        return uuid.uuid5(self.space, f"{kind}/{identifier}")

    def _id(self, kind: str, identifier: str) -> str:
        return f"kb:{kind}-{self._uuid(kind, identifier)}"

    def _put(self, kind: str, identifier: str, of_type: str, name: str, case: str = "", **own: Any) -> Node:
        node = {"@id": self._id(kind, identifier), "@type": of_type, "uco-core:name": name, **own}
        self.nodes[node["@id"]] = node
        if case:
            self.parts.setdefault(case, []).append(node)
        return node

    def _places(self, known: set[str]) -> dict[str, Node]:
        places = {}
        for each in self._of(Incident, known):
            incident = each.record
            facets: list[Node] = []
            if incident.latitude_deg is not None and incident.longitude_deg is not None:
                facets.append(
                    {
                        "@id": self._id("position", incident.id),
                        "@type": "uco-location:LatLongCoordinatesFacet",
                        "uco-location:latitude": _decimal(incident.latitude_deg),
                        "uco-location:longitude": _decimal(incident.longitude_deg),
                    }
                )
            words = f"{incident.id}: {incident.kind}, {incident.date}. {incident.description}".strip()
            own = {"uco-core:description": words, **({"uco-core:hasFacet": facets} if facets else {})}
            places[incident.id] = self._put(
                "place", incident.id, "uco-location:Location", incident.place, incident.case, **own
            )
        return places

    def _items(self, known: set[str], places: dict[str, Node]) -> None:
        for each in self._of(Item, known):
            item = each.record
            names = ("calibre", "make", "model", "serial", "condition", "category")
            facts = "; ".join(f"{name}: {value}" for name in names if (value := getattr(item, name)))
            words = ". ".join(filter(None, (f"{item.kind}, {item.description}", facts)))
            node = self._put("item", item.id, "uco-core:Item", item.id, item.case, **{"uco-core:description": words})
            record = {"case-investigation:exhibitNumber": item.id, "uco-core:object": [_reference(node)]}
            if item.part_of:
                record["case-investigation:rootExhibitNumber"] = item.part_of
            self._put(
                "provenance", item.id, "case-investigation:ProvenanceRecord", f"Exhibit {item.id}", item.case, **record
            )
            if item.incident in places:
                action = {"uco-action:result": [_reference(node)]}
                action["uco-action:location"] = [_reference(places[item.incident])]
                self._put("recovery", item.id, "case-investigation:InvestigativeAction", "recovered", item.case,
                          **action, **_times(item.found_on))  # fmt: skip

    def _transfers(self, known: set[str], laboratory: Node) -> None:
        for each in self._of(Transfer, known):
            transfer = each.record
            people = ((transfer.by, "by"), (transfer.given_by, "from"), (transfer.taken_by, "to"))
            words = ", ".join(f"{role} {name}" for name, role in people if name)
            own = {
                "uco-core:description": f"{transfer.place}; {words}. Seal: {transfer.seal or 'none stated'}",
                "uco-action:performer": _reference(laboratory),
                "uco-action:object": [self._reference("item", item) for item in transfer.items],
                **_times(transfer.at),
            }
            kind = "case-investigation:InvestigativeAction"
            self._put("transfer", transfer.id, kind, transfer.event, transfer.case, **own)

    def _scans(self, known: set[str]) -> None:
        for each in self._of(Scan, known):
            scan = each.record
            self._file("scan", scan.id, scan.name, scan.file, scan.case)
            own = {
                "uco-action:object": [self._reference("item", scan.item)],
                "uco-action:result": [self._reference("scan", scan.id)],
                "uco-core:description": f"{scan.mark}, measured with {scan.instrument}",
                **_times(scan.at),
            }
            kind = "case-investigation:InvestigativeAction"
            self._put("measurement", scan.id, kind, "measured", scan.case, **own)

    def _file(self, kind: str, identifier: str, name: str, sha256: str, case: str) -> Node:
        facets = [
            {
                "@id": self._id(f"{kind}-file", identifier),
                "@type": "uco-observable:FileFacet",
                "uco-observable:fileName": name,
            },
            {
                "@id": self._id(f"{kind}-content", identifier),
                "@type": "uco-observable:ContentDataFacet",
                "uco-observable:hash": [
                    {
                        "@id": self._id(f"{kind}-hash", identifier),
                        "@type": "uco-types:Hash",
                        "uco-types:hashMethod": "SHA256",
                        "uco-types:hashValue": {"@type": "xsd:hexBinary", "@value": sha256},
                    }
                ],
            },
        ]
        return self._put(kind, identifier, "uco-observable:File", name, case, **{"uco-core:hasFacet": facets})

    def _comparisons(self, known: set[str], blind: set[str], tool: Node, laboratory: Node) -> None:
        authorised = {each.record.report for each in self.book.all(Authorisation)}
        told = {
            comparison
            for each in self.book.all(Report)
            if each.record.id in authorised
            for comparison in each.record.comparisons
        }
        for each in self._of(Comparison, known):
            comparison = each.record
            results = [_reference(self._file("result", comparison.id, f"{comparison.id}.json", comparison.result,
                                             comparison.case))]  # fmt: skip
            if comparison.case not in blind or comparison.id in told:
                words = _result_words(comparison)
                node = self._put("finding", comparison.id, "uco-analysis:AnalyticResult", f"Result of {comparison.id}",
                                 comparison.case, **{"uco-core:description": words})  # fmt: skip
                results.append(_reference(node))
            own = {
                "uco-action:instrument": [_reference(tool)],
                "uco-action:performer": _reference(laboratory),
                "uco-action:object": [self._reference("scan", scan) for scan in comparison.scans],
                "uco-action:result": results,
                "uco-core:description": f"{comparison.mark}: {comparison.method}, version {comparison.version}",
                **_times(each.entry.time),
            }
            kind = "case-investigation:InvestigativeAction"
            self._put("comparison", comparison.id, kind, "compared", comparison.case, **own)

    def _of(self, kind: Any, known: set[str]) -> list[Recorded[Any]]:
        return [each for each in self.book.all(kind) if each.record.case in known]

    def _reference(self, kind: str, identifier: str) -> Node:
        found = self._id(kind, identifier)
        if found not in self.nodes:
            # A test fire of the reference collection, which belongs to no case.
            of_type = "uco-observable:File" if kind == "scan" else "uco-core:Item"
            self._put(kind, identifier, of_type, identifier)
        return {"@id": found}


def _reference(node: Node) -> Node:
    return {"@id": node["@id"]}


def _decimal(value: float) -> Node:
    return {"@type": "xsd:decimal", "@value": f"{value:.6f}"}


def _times(when: str) -> Node:
    """Return the beginning of an action; a day or month without a time of day is none of UCO's."""
    found = _FULL_TIME.match(when)
    if found is None:
        return {"uco-action:actionStatus": "Complete/Finish", **({"uco-core:tag": [f"date: {when}"]} if when else {})}
    time = f"{found[1]}{found[2] or ':00'}{found[3] or ''}"
    return {"uco-action:startTime": {"@type": "xsd:dateTime", "@value": time}}


def _result_words(comparison: Comparison) -> str:
    if comparison.insufficient:
        return f"no comparison was possible: {comparison.insufficient}"
    words = [] if comparison.score is None else [f"score {comparison.score:g}"]
    if comparison.log10_lr is None:
        words.append(f"no likelihood ratio: {comparison.no_lr or 'none was asked for'}")
    else:
        words.append(f"log10 of the likelihood ratio {comparison.log10_lr:.2f}")
    return "; ".join(words)
