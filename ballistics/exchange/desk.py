"""The desk of a laboratory at which files go out and come in: its library, its log, its keys."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ballistics.errors import CorruptFileError, ParameterError
from ballistics.library import PARTNERS
from ballistics.records import LABORATORY, Log, SigningKey

if TYPE_CHECKING:
    from ballistics.exchange.encryption import OpeningKey
    from ballistics.library import LibraryStore

#: Kinds of the entries that the exchange makes in the log.
PARTNER, EXPORT, IMPORT, RECEIVED_RECEIPT = "partner", "export", "import", "receipt"
REQUESTED, ANSWERED, WITHDRAWN = "request", "answer", "withdrawal"
SENT, RECEIVED = "sent", "received"


@dataclass(frozen=True)
class Desk:
    """Where a laboratory's exchange is done.

    Parameters
    ----------
    library : LibraryStore
        Its marks; packages of partners come to lie in a folder of it.
    log : Log
        In the library's database.
    key : SigningKey
        Of the operator who acts; it must be taken in by the log.
    opening : OpeningKey, optional
        That opens what partners encrypt.
    """

    library: LibraryStore
    log: Log
    key: SigningKey
    opening: OpeningKey | None = None

    @property
    def identifier(self) -> str:
        """By which partners know this laboratory."""
        return self.library.identifier

    @property
    def folder(self) -> Path:
        """Where packages of partners lie."""
        return self.library.folder / PARTNERS

    def laboratory(self) -> str:
        """Return the laboratory's name, as its log states it.

        Raises
        ------
        ParameterError
            When the log has not begun.
        """
        with self.log.view() as view:
            entry = view.current(LABORATORY, LABORATORY)
        if entry is None:
            raise ParameterError(f"{self.log.where} keeps no log yet: `ballistics case begin` starts it")
        return str(entry.body.get("name", ""))


def field_of(body: Any, name: str, kind: type, number: int) -> Any:
    """Return a field of an entry of the log.

    Parameters
    ----------
    body : mapping
        Of the entry.
    name : str
        Of the field.
    kind : type
        Which the value must have.
    number : int
        Of the entry, for messages.

    Raises
    ------
    CorruptFileError
        When it is missing, or of another kind: another program wrote it.
    """
    value = body.get(name)
    if type(value) is not kind:
        raise CorruptFileError(f"entry {number} of the log: '{name}' is not what this program records there")
    return value
