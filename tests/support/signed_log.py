"""A log of a few records, signed by three operators, in a folder."""

from databases import USED

from ballistics.records import ADMINISTRATOR, KEY, Entry, Log, SigningKey, key_body, now
from ballistics.records.tables import entries
from ballistics.store import make_schema, open_database, reading, writing

LIBRARY = "0" * 31 + "1"


def new_key():
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return SigningKey(Ed25519PrivateKey.generate())


def empty_log(folder, rule=None):
    engine = open_database(folder, USED.new() or "sqlite")
    with reading(engine, "the log") as connection:
        make_schema(connection)
    return Log(engine, "the log", rule)


def begun_log(folder, rule=None):
    """Return a log that has begun, and the key of its administrator."""
    log, key = empty_log(folder, rule), new_key()
    log.begin(key, "AB", "Administrator", {"name": "Laboratory of the tests", "library": LIBRARY})
    return log, key


def take_in(log, administrator, *roles, operator="CD"):
    key = new_key()
    log.append(administrator, KEY, key.identifier, key_body(operator, f"Operator {operator}", roles, key.public))
    return key


def filled_log(folder, n_items=6):
    """Return a log with two operators and items of two cases, one of them amended."""
    log, administrator = begun_log(folder)
    keys = [take_in(log, administrator, "examiner", operator=name) for name in ("CD", "EF")]
    for number in range(n_items):
        body = {"kind": "cartridge case", "note": f"item {number}"}
        log.append(keys[number % 2], "item", f"K-{number}", body, case=f"C-{number % 2}")
    log.append(keys[0], "item", "K-0", {"kind": "bullet", "note": "read again"}, case="C-0", supersedes=5)
    return log, (administrator, *keys)


def slip_in(log, signer, kind, record, body, **changes):
    """Write an entry as somebody does who has a key and the disk, and asks no rule; return it."""
    head = log.head()
    fields = {
        "number": head.number + 1, "previous": head.hash, "time": now(), "key": signer.identifier, "kind": kind,
        "record": record, "case": "", "group": kind, "supersedes": 0, "salt": "0" * 32, "body": body,
    }  # fmt: skip
    entry = Entry(**fields | changes)
    row = (entry.number, kind, record, entry.case, entry.content.decode(), entry.hash, signer.sign(entry.hash))
    with writing(log.engine, "the log") as connection:
        connection.execute(entries.insert().values(row))
    return entry


def put_rows(log, rows):
    """Put other rows in the place of those of the log, as somebody does who has the disk."""
    with writing(log.engine, "the log") as connection:
        connection.execute(entries.delete())
        for row in rows:
            connection.execute(entries.insert().values(tuple(row)))


__all__ = [
    "ADMINISTRATOR",
    "LIBRARY",
    "begun_log",
    "empty_log",
    "filled_log",
    "new_key",
    "put_rows",
    "slip_in",
    "take_in",
]
