"""Operators: who owns a key, what it may be used for, and how the log states it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ballistics.errors import CorruptFileError
from ballistics.records.entry import Entry
from ballistics.records.keys import identifier_of

#: Kinds of the entries that the log itself needs.
LABORATORY, KEY = "laboratory", "key"
#: The role that may take in keys and revoke them.
ADMINISTRATOR = "administrator"
VALID, REVOKED = "valid", "revoked"
_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)?)?")
_PUBLIC = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Operator:
    """Who owns a key, as the log states it.

    Parameters
    ----------
    key : str
        Identifier of the key.
    operator : str
        The laboratory's short name of the person: initials, a service number.
    name : str
        The person's name.
    roles : tuple of str
        What the key may be used for.
    public : bytes
        The public half of the key.
    state : str
        ``"valid"`` or ``"revoked"``.
    doubtful_since : str
        Of a revoked key: since when what it signed is in doubt, a day or a time; empty where nothing is.
    """

    key: str
    operator: str
    name: str
    roles: tuple[str, ...]
    public: bytes
    state: str
    doubtful_since: str = ""

    @property
    def administers(self) -> bool:
        """Whether the key may take in and revoke keys."""
        return self.state == VALID and ADMINISTRATOR in self.roles


def founder_of(entry: Entry) -> Operator | None:
    """Return who owns the key that a log's first entry states; None when it does not state the key that signed it."""
    public = entry.body.get("public")
    if (
        (entry.kind, entry.record, entry.case) == (LABORATORY, LABORATORY, "")
        and isinstance(public, str)
        and _PUBLIC.fullmatch(public)
        and identifier_of(bytes.fromhex(public)) == entry.key
    ):
        return Operator(entry.key, "", "the founder", (ADMINISTRATOR,), bytes.fromhex(public), VALID)
    return None


def is_founding(entry: Entry, founder: Operator) -> bool:
    """Return whether a log's second entry takes in the founder's key as an administrator's, signed by it."""
    try:
        owner = operator_of(entry)
    except CorruptFileError:
        return False
    named = (entry.kind, entry.record, entry.case, entry.supersedes) == (KEY, founder.key, "", 0)
    return named and entry.key == founder.key == owner.key and owner.administers


def key_body(operator: str, name: str, roles: tuple[str, ...], public: bytes) -> dict[str, Any]:
    """Return the fields of the record of a valid key.

    Parameters
    ----------
    operator, name : str
        The laboratory's short name of the person, and the person's name.
    roles : tuple of str
        What the key may be used for.
    public : bytes
        The public half of the key.

    Returns
    -------
    dict
        With ``state`` "valid", no ``reason`` (why it was revoked or amended) and no ``doubtful_since``: of a revoked
        key, since when what it signed is in doubt, as ``2026-11-30`` or ``2026-11-30T21:04:05Z``.
    """
    return {
        "operator": operator,
        "name": name,
        "roles": sorted(set(roles)),
        "public": public.hex(),
        "state": VALID,
        "reason": "",
        "doubtful_since": "",
    }


def operator_of(entry: Entry) -> Operator:
    """Return who owns the key that an entry records.

    Raises
    ------
    CorruptFileError
        When the entry is not the record of a key.
    """
    body = entry.body
    texts = [body.get(name) for name in ("operator", "name", "public", "state")]
    roles, since = body.get("roles"), body.get("doubtful_since", "")
    if (
        not all(isinstance(text, str) and text.strip() for text in texts)
        or not isinstance(roles, list)
        or not all(isinstance(role, str) and role for role in roles)
        or not _PUBLIC.fullmatch(body["public"])
        or body["state"] not in (VALID, REVOKED)
        or not (isinstance(since, str) and _DAY.fullmatch(since))
    ):
        raise CorruptFileError(f"entry {entry.number} of the log is not the record of a key")
    public = bytes.fromhex(body["public"])
    return Operator(identifier_of(public), body["operator"], body["name"], tuple(roles), public, body["state"], since)
