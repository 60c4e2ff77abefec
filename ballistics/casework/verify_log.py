#!/usr/bin/env python3
"""Verify an extract of a laboratory's signed log: python verify_log.py EXTRACT.jsonl [RECEIPT.json …]

It needs Python 3.9 or later and the package `cryptography`, nothing else. Prints OK or every fault; ends with 0 or 1.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

NOTHING = "0" * 64


def sha(text: str) -> str:
    """Return the SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def chained(previous: str, digest: str, tag: str) -> str:
    """Return the hash of an entry: over the hash before it, its digest and its tag.

    Parameters
    ----------
    previous, digest, tag : str
        64 hexadecimal digits each.
    """
    return hashlib.sha256(b"ballistics log 1\n" + bytes.fromhex(previous + digest + tag)).hexdigest()


def is_signed(owner: dict[str, Any], signature: str, digest: str) -> bool:
    """Return whether a signature is that of the owner of a key.

    Parameters
    ----------
    owner : dict
        The fields of the record of the key.
    signature, digest : str
        Hexadecimal.
    """
    try:
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(owner.get("public", "")))
        public.verify(bytes.fromhex(signature), bytes.fromhex(digest))
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def parsed(text: str) -> dict[str, Any]:
    """Return the content of a JSON text in which no field stands twice."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs):
            raise ValueError("a field stands twice")
        return dict(pairs)

    found: dict[str, Any] = json.loads(text, object_pairs_hook=once)
    return found


def named(owner: dict[str, Any]) -> str:
    """Return by which name the log knows a key."""
    return hashlib.sha256(bytes.fromhex(owner["public"])).hexdigest()


def administers(owner: dict[str, Any]) -> bool:
    """Return whether a key is a valid one of an administrator."""
    return owner["state"] == "valid" and "administrator" in owner["roles"]


class Verifier:
    """The state of a verification: the chain so far, the keys, the newest version of each record, what was found."""

    def __init__(self) -> None:
        self.hashes = [NOTHING]
        self.keys: dict[str, dict[str, Any]] = {}
        self.newest: dict[tuple[str, str], tuple[int, str]] = {}
        self.groups: dict[str, str] = {}
        self.hidden: dict[int, str] = {}
        self.broken = False
        self.about: dict[str, Any] = {}
        self.end: dict[str, Any] = {}
        self.faults: list[tuple[int, str]] = []

    def line(self, text: str) -> None:
        """Take a line of the extract: what it is of, a shown entry, a hidden one, or its end."""
        place = len(self.hashes)
        try:
            line = parsed(text)
            if "extract" in line and not self.about and place == 1:
                self.about = {**line, "case": line["case"] + ""} if "case" in line else line
            elif "entries" in line and not self.end:
                self.end = line
            elif "content" in line and not self.end:
                self.entry(parsed(line["content"]), line["content"], line["signature"])
            else:
                self.hashes.append(chained(self.hashes[-1], line["digest"], line["tag"]))
                self.hidden[place] = line["tag"]
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
            self.fault(place, f"the line of entry {place} is not one of an extract: {type(error).__name__}: {error}")
            self.hashes += [NOTHING] * (len(self.hashes) == place)
            self.broken = True

    def entry(self, entry: dict[str, Any], content: str, signature: str) -> None:
        """Take a shown entry: its place, its hash, its signature, and the rules of the log.

        Parameters
        ----------
        entry : dict
            The content, parsed.
        content, signature : str
            As the line holds them.
        """
        number, place, name = entry["number"], len(self.hashes), (entry["kind"], entry["record"])
        if number > place:
            self.fault(place, f"entry {place} is missing; what follows is entry {number}")
            self.hashes += [NOTHING] * max(0, min(number, 10**7) - place)
        elif number < place:
            self.fault(place, f"where entry {place} should be stands entry {number}")
        elif entry["previous"] != self.hashes[-1] and not self.broken:
            self.fault(number, f"entry {number} does not follow the entries before it")
        found = len(self.faults)
        self.hashes.append(chained(entry["previous"], sha(content), sha(f"{entry['group']} {number}")))
        owner, case, body = self.keys.get(entry["key"]), entry["case"], entry["body"]
        if number == 1 and name == ("laboratory", "laboratory") and named(body) == entry["key"]:
            owner = self.keys[entry["key"]] = {**body, "state": "valid", "roles": ["administrator"]}
        if number == 1 and body.get("library", self.about.get("library")) != self.about.get("library"):
            self.fault(1, "the log is that of another library than the extract says")
        before, of = self.newest.get(name, (0, case))
        if owner is None:
            self.fault(number, f"entry {number} is signed by a key that the laboratory never took in")
        elif not is_signed(owner, signature, self.hashes[-1]):
            self.fault(number, f"entry {number} was altered, or is not signed by the owner of its key")
        elif owner["state"] != "valid":
            self.fault(number, f"entry {number} is signed by a key that had been revoked")
        elif (entry["supersedes"], case) != (before, of):
            self.fault(number, f"entry {number} replaces entry {entry['supersedes']} and not {before}, the newest")
        elif entry["group"] != (self.groups.setdefault(case, entry["group"]) if case else entry["kind"]):
            self.fault(number, f"entry {number} is not in the group of its case")
        elif number > 1 and not self._is_allowed(number, entry, owner):
            self.fault(number, f"entry {number} takes in or revokes a key in a way that is not allowed")
        self.broken = len(self.faults) > found
        if not self.broken:
            self.newest[name] = number, case
            if entry["kind"] == "key":
                self.keys[entry["record"]] = body

    def _is_allowed(self, number: int, entry: dict[str, Any], signer: dict[str, Any]) -> bool:
        """Return whether an entry may follow as far as keys go: the second is the founder's own."""
        if entry["kind"] not in ("key", "laboratory") or number == 2:
            return number != 2 or (entry["kind"], entry["record"]) == ("key", entry["key"])
        body, known = entry["body"], self.keys.get(entry["record"])
        same = known is None or (known["state"] == "valid" and known["operator"] == body["operator"])
        remain = any(administers(owner) for owner in ({**self.keys, entry["record"]: body}).values())
        stated = body["state"] in ("valid", "revoked") and isinstance(body["roles"], list)
        return (
            entry["kind"] == "key"
            and named(body) == entry["record"]
            and same
            and remain
            and stated
            and "administrator" in signer["roles"]
        )

    def finish(self, receipts: Iterable[dict[str, Any]]) -> None:
        """Hold the end, what is hidden, and receipts against the chain."""
        last, end, case = len(self.hashes) - 1, self.end, self.about.get("case")
        if (end.get("entries"), end.get("hash")) != (last, self.hashes[-1]):
            self.fault(
                last + 1, f"the extract does not end as it says: after entry {last} something is missing or added"
            )
        elif last and not is_signed(self.keys.get(str(end.get("key")), {}), end.get("signature", ""), self.hashes[-1]):
            self.fault(last, f"entry {last}, the newest, is not signed by a key of the laboratory")
        for number, tag in self.hidden.items():
            if case is None or tag in [
                sha(f"{group} {number}") for group in ("key", "laboratory", self.groups.get(case))
            ]:
                self.fault(number, f"entry {number} is hidden, and belongs to what the extract shows")
        if case is not None and case not in self.groups:
            self.fault(0, "no entry of the case is shown")
        if not last:
            self.fault(0, "the extract holds no entry")
        for receipt in receipts:
            if receipt["library"] != self.about.get("library"):
                self.fault(0, "a receipt is of another laboratory's log")
            elif receipt["number"] > last or self.hashes[receipt["number"]] != receipt["hash"]:
                self.fault(min(receipt["number"], last + 1), f"a receipt names another entry {receipt['number']}")

    def fault(self, number: int, message: str) -> None:
        """Note what is wrong with an entry."""
        self.faults.append((number, message))


def main(extract: str, *receipts: str) -> int:
    """Verify an extract, print what was found, and return how to end: 0 or 1."""
    verifier = Verifier()
    with Path(extract).open(encoding="utf-8", errors="replace", newline="\n") as lines:
        for line in lines:
            verifier.line(line)
    verifier.finish([json.loads(Path(receipt).read_text(encoding="utf-8")) for receipt in receipts])
    for _, message in sorted(verifier.faults, key=lambda fault: fault[0]):
        print(ascii(message)[1:-1])
    if verifier.faults:
        print(f"{len(verifier.faults)} faults")
        return 1
    case = verifier.about.get("case")
    print(f"OK: {len(verifier.hashes) - 1} entries; shown are {'all' if case is None else f'all of case {case!a}'}")
    print(f"the newest is {verifier.hashes[-1]}; the key of the log's founder is {next(iter(verifier.keys))}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
