"""Laboratories of the tests that exchange packages: each with a library, a log, its keys, and the other's card."""

from __future__ import annotations

from dataclasses import replace

from library_marks import shot

from ballistics.exchange import Desk, OpeningKey, fingerprint, read_card, take_in_partner, write_card
from ballistics.exchange.package import Terms
from ballistics.library import Description, LibraryStore
from ballistics.records import Log, SigningKey
from ballistics.store import update_schema

TERMS = Terms("comparison of open incidents", "police cooperation agreement, article 7", "H2", "2999-01-31")


def new_desk(folder, name):
    """Return the desk of a new laboratory."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    library = LibraryStore.create(folder)
    update_schema(library.engine, str(folder))
    log, key = Log(library.engine, str(folder)), SigningKey(Ed25519PrivateKey.generate())
    log.begin(key, "AB", f"Administrator of {name}", {"name": name})
    return Desk(library, log, key, OpeningKey(X25519PrivateKey.generate()))


def introduce(giver, taker, folder):
    """Let a laboratory take in another's card."""
    card = folder / f"{giver.identifier}-{taker.identifier}.card"
    write_card(giver, card, "2999-01-31")
    return take_in_partner(taker, card, fingerprint(read_card(card)))


def acquainted(folder):
    """Return two laboratories that have taken in each other's cards."""
    skopje, sarajevo = new_desk(folder / "skopje", "Skopje"), new_desk(folder / "sarajevo", "Sarajevo")
    introduce(skopje, sarajevo, folder)
    introduce(sarajevo, skopje, folder)
    return skopje, sarajevo


def enrol_shots(desk, firearms, scan=100):
    """Enrol one mark of each of some firearms, and return their numbers; the scan's file is not kept."""
    numbers = []
    for firearm in firearms:
        description = Description("9 mm Luger", "hemispherical", incident=f"case {firearm}", place="secret street 1")
        numbers.append(desk.library.enrol(shot(firearm, scan + firearm), f"{firearm}.x3p", description).mark_id)
    return numbers


def with_file(mark, path):
    """Write a file that stands for a mark's scan, and return the mark as if it had been prepared from it."""
    from ballistics.provenance import sha256_of_file

    path.write_bytes(mark.heights_um.tobytes())
    return replace(mark, provenance=replace(mark.provenance, inputs={"file": sha256_of_file(path)}))


def n_entries(desk):
    return desk.log.head().number


def files_of(desk):
    return sorted(path.relative_to(desk.folder).as_posix() for path in desk.folder.rglob("*"))
