"""Casework made up for benchmarks and tests: every kind of record, by operators of every role, within the rules."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ballistics.casework import (
    Attachment,
    Authorisation,
    Calibration,
    Case,
    Casebook,
    Comparison,
    Competence,
    Conclusion,
    Disclosure,
    Firearm,
    Incident,
    Information,
    Instrument,
    Item,
    Nonconformity,
    Observation,
    Proficiency,
    Release,
    Report,
    Resolution,
    Review,
    Scan,
    Session,
    Settings,
    Shot,
    Transfer,
    Unmasking,
    Validation,
)
from ballistics.casework.fields import Record
from ballistics.casework.rules import case_of
from ballistics.records import ADMINISTRATOR, Entry, SigningKey, now
from ballistics.records.tables import entries
from ballistics.store import writing

OPERATORS: Mapping[str, tuple[str, ...]] = {
    "AD": (ADMINISTRATOR,),
    "CU": ("custodian",),
    "E1": ("examiner",),
    "E2": ("examiner",),
    "RE": ("reviewer",),
    "AU": ("authoriser",),
    "SH": ("shooter",),
    "QM": ("quality manager",),
}
#: Puts a record into a log, signed by the operator of a short name; returns the number of its entry.
Put = Callable[[str, Record], int]
#: Keeps a file; returns its SHA-256.
Keep = Callable[[bytes], str]


def begin(book: Casebook) -> dict[str, SigningKey]:
    """Begin the log of a laboratory, with an operator of each role; return their keys by short name."""
    keys = {name: SigningKey(Ed25519PrivateKey.generate()) for name in OPERATORS}
    book.begin(keys["AD"], "AD", "A. D.", {"name": "Laboratory of the benchmark", "country": "MK"})
    for name, roles in OPERATORS.items():
        if name != "AD":
            book.take_in(keys["AD"], keys[name].public, name, f"Operator {name}", roles)
    return keys


def laboratory_records(put: Put, keep: Keep) -> None:
    """Put what belongs to no case: quality records, a firearm of the collection and its test fires.

    Parameters
    ----------
    put, keep : callable
        See `Put` and `Keep`.
    """
    put("QM", Settings("settings", scale="AFTE", language="en", retention_years="30"))
    put("QM", Instrument("INS-1", make="Maker", model="Model", serial="7", kind="confocal", in_service="2025-01"))
    put("QM", Calibration("CAL-1", instrument="INS-1", on="2026-01-05", due="2027-01-05", by="Institute, D-K-1",
                          certificate="C-17", file=keep(b"certificate"), outcome="passed"))  # fmt: skip
    put("QM", Competence("COM-1", operator="E1", method="breech face", since="2025", basis="course, 40 sets"))
    put("QM", Validation("VAL-1", method="breech face", version="1", on="2026-02", outcome="passed",
                         criteria=("Cllr below 0.3: met",), study=(keep(b"study"),)))  # fmt: skip
    put("QM", Proficiency("PRO-1", operator="E1", provider="round 26-1", method="breech face", on="2026-03",
                          outcome="passed"))  # fmt: skip
    put("QM", Nonconformity("NON-1", found="2026-04-01", what="a lamp failed", cause="age", action="replaced"))
    put("SH", Firearm("F-1", make="Maker", model="Model", calibre="9 mm Luger", serial="A?7", origin="collection"))
    put("SH", Session("S-1", firearm="F-1", ammunition="Maker, brass, lot 3", date="2026-05-02", place="range",
                      operator="SH", checklist="example", answers=("bore clear",)))  # fmt: skip
    put("SH", Shot("S-1/1", session="S-1", place_in_session=1, recovered="cartridge case"))
    put("SH", Scan("S-1/1/S", item="S-1/1", file=keep(b"test fire"), name="1.x3p", mark="breech face",
                   instrument="INS-1", at="2026-05-03", by="SH"))  # fmt: skip


def case_records(case: str, put: Put, keep: Keep) -> None:
    """Put a blind case from the request to the disclosure, with two examiners who disagree.

    Parameters
    ----------
    case : str
        Identifier of the case.
    put, keep : callable
        See `Put` and `Keep`.
    """
    first, second = f"{case}/1", f"{case}/2"
    put("CU", Case(case, title="Two cartridge cases", requester="Police of the town, Inspector A.",
                   request="Were the two cartridge cases fired by one firearm?", purpose="evidence",
                   received="2026-11-02", propositions=("one firearm", "two firearms"), blind=True))  # fmt: skip
    put("CU", Information(f"{case}/INF", case=case, known="a firearm was found at the place", source="Inspector A."))
    put("CU", Incident(f"{case}/INC", case=case, kind="shooting", date="2026-11-01T22:10", place="Main street",
                       latitude_deg=41.9981, longitude_deg=21.4254))  # fmt: skip
    for item in (first, second):
        put("CU", Item(item, case=case, kind="cartridge case", description="brass, head stamp 9x19", found_on="2026",
                       incident=f"{case}/INC", seal="0044312", calibre="9 mm Luger"))  # fmt: skip
    put("CU", Transfer(f"{case}/T", case=case, items=(first, second), event="received", at="2026-11-02T09:30",
                       place="intake", by="CU", given_by="Insp. A.", seal="0044312", seal_intact="yes"))  # fmt: skip
    for item in (first, second):
        put("E1", Scan(f"{item}/S", case=case, item=item, file=keep(f"heights of {item}".encode()), name="1.x3p",
                       mark="breech face", instrument="INS-1", at="2026-11-03", by="E1"))  # fmt: skip
    put("CU", Attachment(f"{case}/P", case=case, item=first, file=keep(b"picture"), name="1.png", what="photograph"))
    for who in ("E1", "E2"):
        put(who, Observation(f"{case}/O/{who}", case=case, items=(first, second), suitability="suitable",
                             seen="arched lines over the whole face, one scratch"))  # fmt: skip
    compared = put("E1", Comparison(f"{case}/V", case=case, scans=(f"{first}/S", f"{second}/S"), mark="breech face",
                                    method="similarity", version="3", result=keep(f'{{"case": "{case}"}}'.encode()),
                                    score=412.25, log10_lr=3.41, log10_lower=2.9, log10_upper=3.8))  # fmt: skip
    assert compared
    put("E1", Conclusion(f"{case}/C/E1", case=case, items=(first, second), scale="AFTE", value="identification",
                         reasons="agreement of the arched lines and of the scratch"))  # fmt: skip
    put("E2", Conclusion(f"{case}/C/E2", case=case, items=(first, second), scale="AFTE", value="inconclusive A",
                         reasons="agreement of class characteristics, few lines", verifies=f"{case}/C/E1"))  # fmt: skip
    put("RE", Resolution(f"{case}/X", case=case, conclusions=(f"{case}/C/E1", f"{case}/C/E2"), value="inconclusive A",
                         reasons="the lower of the two"))  # fmt: skip
    put("E1", Unmasking(f"{case}/U", case=case, conclusion=f"{case}/C/E1", shown=("scores", "information")))
    draft = put("E1", Report(f"{case}/R", case=case, kind="evaluative", language="en", comparisons=(f"{case}/V",),
                             conclusions=(f"{case}/C/E1",), summary="The two were compared; see the limits.",
                             limits="It does not say who fired."))  # fmt: skip
    put("RE", Review(f"{case}/R/1", case=case, report=f"{case}/R", report_entry=draft, outcome="accepted",
                     checked=("items",), note="none"))  # fmt: skip
    put("AU", Authorisation(f"{case}/R/A", case=case, report=f"{case}/R", review=f"{case}/R/1", report_entry=draft))
    put("AU", Release(f"{case}/R/L", case=case, report=f"{case}/R", authorisation=f"{case}/R/A",
                      pages=(keep(b"pages"),), recipient="court", at="2026-11-20"))  # fmt: skip
    put("CU", Disclosure(f"{case}/D", case=case, sha256=keep(b"bundle"), recipient="defence", at="2026-11-21"))


def recorder(book: Casebook, keys: Mapping[str, SigningKey]) -> tuple[Put, Keep]:
    """Return what records in a casebook, entry by entry, and keeps files there."""
    return (lambda operator, record: book.record(keys[operator], record).number), book.files.keep_bytes


class Filling:
    """Fills a log with many entries at once: the same bytes as recording them, in one transaction and without rules.

    Parameters
    ----------
    book : Casebook
        Whose log has begun.
    keys : mapping
        Of the operators, by short name.
    """

    def __init__(self, book: Casebook, keys: Mapping[str, SigningKey]) -> None:
        self.book, self.keys = book, keys
        head = book.log.head()
        self.number, self.previous = head.number, head.hash
        self.groups: dict[str, str] = {}
        self.rows: list[dict[str, Any]] = []

    def put(self, operator: str, record: Record) -> int:
        """Add an entry; see `Put`."""
        key, case = self.keys[operator], case_of(record)
        group = self.groups.setdefault(case, secrets.token_hex(16)) if case else record.KIND
        body = {"fields": record.body, "lists": {"purposes": "2026-1"}}
        entry = Entry(self.number + 1, self.previous, now(), key.identifier, record.KIND, record.id, case, group, 0,
                      secrets.token_hex(16), body)  # fmt: skip
        self.number, self.previous = entry.number, entry.hash
        self.rows.append({"number": entry.number, "kind": entry.kind, "record": entry.record, "case_id": entry.case,
                          "content": entry.content.decode(), "hash": entry.hash,
                          "signature": key.sign(entry.hash)})  # fmt: skip
        return entry.number

    def write(self) -> None:
        """Write what was added."""
        with writing(self.book.log.engine, "the log") as connection:
            connection.execute(entries.insert(), self.rows)
        self.rows.clear()

    def fill(self, n_entries: int) -> None:
        """Add cases until the log has at least a number of entries."""
        if self.number <= len(OPERATORS) + 1:
            laboratory_records(self.put, lambda data: secrets.token_hex(32))
        case = 0
        while self.number < n_entries:
            case += 1
            case_records(f"KO-2026-{self.number:06d}", self.put, lambda data: secrets.token_hex(32))
        self.write()
