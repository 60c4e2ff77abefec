"""A laboratory of the tests: operators of every role, and a case with two scanned cartridge cases."""

from dataclasses import dataclass

from databases import USED
from signed_log import new_key

from ballistics.casework import ROLES, Case, Casebook, Instrument, Item, Observation, Scan
from ballistics.library import LibraryStore
from ballistics.records import ADMINISTRATOR

OPERATORS = {
    "AD": (ADMINISTRATOR,),
    "CU": ("custodian",),
    "E1": ("examiner",),
    "E2": ("examiner",),
    "RE": ("reviewer",),
    "AU": ("authoriser",),
    "SH": ("shooter",),
    "QM": ("quality manager",),
    "ALL": ROLES,
}


@dataclass
class Laboratory:
    """A casebook and the keys of its operators, by short name."""

    book: Casebook
    keys: dict

    def record(self, operator, record):
        return self.book.record(self.keys[operator], record)

    def amend(self, operator, record, reason="read again"):
        return self.book.amend(self.keys[operator], record, reason)


def laboratory(folder, database=None):
    """Return an empty laboratory with all operators taken in."""
    LibraryStore.create(folder, database or USED.new()).close()
    book, keys = Casebook.open(folder), {name: new_key() for name in OPERATORS}
    book.begin(keys["AD"], "AD", "Administrator", {"name": "Laboratory of the tests", "country": "MK"})
    for name, roles in OPERATORS.items():
        if name != "AD":
            book.take_in(keys["AD"], keys[name].public, name, f"Operator {name}", roles)
    return Laboratory(book, keys)


def case(identifier="C-1", **more):
    asked = {"requester": "Police", "request": "Were they fired by one firearm?", "purpose": "evidence"}
    return Case(identifier, title="Two cartridge cases", received="2026-11-02", **asked, **more)


def open_case(lab, identifier="C-1", **more):
    """Record a case with two items, a scan of each, and what E1 saw on them."""
    book = lab.book
    lab.record("CU", case(identifier, **more))
    if not book.all(Instrument):
        lab.record("QM", Instrument("INS-1", make="Maker", model="Model", serial="7", kind="confocal"))
    for number in (1, 2):
        item = Item(f"{identifier}/{number}", case=identifier, kind="cartridge case", description="9 mm, brass")
        lab.record("CU", item)
        file = book.files.keep_bytes(f"heights {number}".encode())
        lab.record("E1", Scan(f"{item.id}/S", case=identifier, item=item.id, file=file, name=f"{number}.x3p",
                              mark="breech face", instrument="INS-1", at="2026-11-03", by="E1"))  # fmt: skip
    seen = {"suitability": "suitable", "seen": "arched lines, one scratch"}
    lab.record(
        "E1", Observation(f"{identifier}/O1", case=identifier, items=(f"{identifier}/1", f"{identifier}/2"), **seen)
    )
