"""Partners: the laboratories whose keys this one has taken in, and the cards by which they are made known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ballistics.errors import CorruptFileError, ParameterError
from ballistics.exchange.desk import PARTNER, Desk, field_of
from ballistics.exchange.envelope import CARD, SignedFile, new_envelope, read_signed, signed
from ballistics.files import write_whole
from ballistics.records import ADMINISTRATOR, REVOKED, VALID, Entry, RefusedError, View, now

#: The least digits of a fingerprint that must be stated: what two people can read to each other on the telephone.
LEAST_DIGITS = 16


@dataclass(frozen=True)
class Partner:
    """A laboratory that this one exchanges with.

    Parameters
    ----------
    library : str
        Identifier of its library.
    laboratory : str
        Its name.
    keys : tuple of str
        Public keys that may sign for it, in hexadecimal digits.
    opening : str
        Public key to encrypt for it; empty when it has none.
    state : str
        ``"valid"`` or ``"revoked"``.
    entry : int
        Number of the log's entry that says so.
    """

    library: str
    laboratory: str
    keys: tuple[str, ...]
    opening: str
    state: str
    entry: int


def write_card(desk: Desk, path: Path, expires: str) -> str:
    """Write the card that makes this laboratory known to a partner, and return its fingerprint.

    Parameters
    ----------
    desk : Desk
        Whose keys go on the card: the public halves.
    path : Path
        A file that does not exist.
    expires : str
        Until when the card may be taken in.
    """
    opening = "" if desk.opening is None else desk.opening.public.hex()
    envelope = new_envelope(CARD, desk.identifier, desk.laboratory(), desk.key, "", expires)
    data = signed(desk.key, envelope, {"opening": opening})
    write_whole(path, data, overwrite=False)
    return fingerprint(read_card(path))


def read_card(path: Path) -> SignedFile:
    """Read a partner's card; its signature shows that whoever made it holds the key, not who that is."""
    card = read_signed(path, str(path), CARD)
    opening = card.fields.get("opening")
    if not isinstance(opening, str) or len(opening) not in (0, 64) or not set(opening) <= set("0123456789abcdef"):
        raise CorruptFileError(f"{path} names no key to encrypt for the laboratory")
    return card


def fingerprint(card: SignedFile) -> str:
    """Return what both laboratories compare, by telephone or on paper, before a card is taken in."""
    return " ".join(card.sha256[start : start + 8] for start in range(0, 64, 8))


def take_in_partner(desk: Desk, path: Path, stated: str) -> Partner:
    """Take in a partner's keys, after its fingerprint was compared.

    A second card of the same laboratory adds its key, and replaces the key to encrypt for it.

    Parameters
    ----------
    desk : Desk
        Who takes it in: the key must be an administrator's.
    path : Path
        The card.
    stated : str
        The fingerprint as the partner has read it out, its first `LEAST_DIGITS` digits at least.

    Raises
    ------
    RefusedError
        When the fingerprint is not the card's, the card has expired, or it is this laboratory's own.
    """
    card = read_card(path)
    digits = "".join(stated.lower().split())
    if len(digits) < LEAST_DIGITS:
        raise ParameterError(f"state {LEAST_DIGITS} digits of the fingerprint at least, as the partner reads them out")
    if not card.sha256.startswith(digits):
        raise RefusedError(
            f"{path}: its fingerprint is {fingerprint(card)}, not '{stated}': the card is not the one that was read "
            "out to you; ask for it again on another way"
        )
    envelope = card.envelope
    if envelope.library == desk.identifier:
        raise RefusedError(f"{path} is this laboratory's own card")
    if envelope.expires <= now():
        raise RefusedError(f"{path} has expired, on {envelope.expires}: ask for a new card")
    with desk.log.view() as view:
        _refuse_other_roles(desk, view)
        known = find_partner(view, envelope.library)
    earlier = known.keys if known is not None and known.state == VALID else ()
    body = {
        "laboratory": envelope.laboratory,
        "keys": sorted({*earlier, card.public.hex()}),
        "opening": str(card.fields["opening"]),
        "state": VALID,
        "card": card.sha256,
    }
    supersedes = 0 if known is None else known.entry
    return partner_of(desk.log.append(desk.key, PARTNER, envelope.library, body, supersedes=supersedes))


def revoke_partner(desk: Desk, name: str, reason: str) -> Partner:
    """Take nothing more from a partner, or give it anything; its packages are no longer searched.

    Parameters
    ----------
    desk : Desk
        Who does it.
    name : str
        Of the partner, see `partner_named`.
    reason : str
        Why, as it is recorded.
    """
    partner = partner_named(desk, name)
    with desk.log.view() as view:
        _refuse_other_roles(desk, view)
    body = {
        "laboratory": partner.laboratory,
        "keys": list(partner.keys),
        "opening": partner.opening,
        "state": REVOKED,
        "reason": reason,
    }
    return partner_of(desk.log.append(desk.key, PARTNER, partner.library, body, supersedes=partner.entry))


def partner_named(desk: Desk, name: str) -> Partner:
    """Return a valid partner by its name, or by the first digits of its identifier.

    Raises
    ------
    ParameterError
        When there is none, or more than one.
    """
    with desk.log.view() as view:
        found = [partner for partner in partners(view) if partner.state == VALID]
    fitting = [
        partner
        for partner in found
        if partner.laboratory.casefold() == name.strip().casefold()
        or (len(name) >= 6 and partner.library.startswith(name.strip().lower()))
    ]
    if len(fitting) != 1:
        known = ", ".join(f"{partner.laboratory} ({partner.library[:8]})" for partner in found) or "none"
        raise ParameterError(
            f"'{name}' names {len(fitting)} partners; known are: {known}. `ballistics exchange partner` takes one in"
        )
    return fitting[0]


def partners(view: View) -> Sequence[Partner]:
    """Return all partners, in the order in which they were taken in."""
    return [partner_of(entry) for entry in view.records(PARTNER)]


def find_partner(view: View, library: str) -> Partner | None:
    """Return the partner that keeps a library; None when it is not known."""
    entry = view.current(PARTNER, library)
    return None if entry is None else partner_of(entry)


def sender_of(view: View, file: SignedFile, where: str) -> Partner:
    """Return the partner that signed a file.

    Parameters
    ----------
    view : View
        Of this laboratory's log.
    file : SignedFile
        Whose signature holds.
    where : str
        Its name, for messages.

    Raises
    ------
    RefusedError
        When its key is not one of a valid partner's, or is another partner's than it says.
    """
    partner = find_partner(view, file.envelope.library)
    if partner is None or file.public.hex() not in partner.keys:
        raise RefusedError(
            f"{where} is signed by an unknown key, {file.envelope.key[:12]}… of '{file.envelope.laboratory}': take in "
            "that laboratory's card first (`ballistics exchange partner`), after comparing its fingerprint"
        )
    if partner.state != VALID:
        raise RefusedError(f"{where} is of {partner.laboratory}, whose keys were revoked")
    return partner


def _refuse_other_roles(desk: Desk, view: View) -> None:
    operator = view.operator(desk.key.identifier)
    if operator is not None and ADMINISTRATOR not in operator.roles:
        raise RefusedError(f"{operator.name} is no administrator: partners are taken in and revoked by one")


def partner_of(entry: Entry) -> Partner:
    """Return the partner that an entry of the log records."""
    body, number = entry.body, entry.number
    keys = field_of(body, "keys", list, number)
    names = [field_of(body, name, str, number) for name in ("laboratory", "opening", "state")]
    return Partner(entry.record, names[0], tuple(map(str, keys)), names[1], names[2], number)
