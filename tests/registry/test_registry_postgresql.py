"""The registry on PostgreSQL: the same answers, records and refusals as on SQLite."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from postgresql_server import empty_database
from registers import held, imported, new_registry

from ballistics.records import Log, SigningKey
from ballistics.registry import (
    Event,
    Question,
    Registry,
    overdue,
    read_mapping,
    simulated_rows,
    verify_registry,
    write_register,
)

# Its fixture alone costs seconds.
pytestmark = pytest.mark.slow

COUNT = 3000


def _made(folder):
    folder.mkdir()
    return folder


def test_the_same_as_with_sqlite(postgresql_port, monkeypatch, tmp_path):
    url = empty_database(postgresql_port, monkeypatch, tmp_path, "registry")
    register, mapping = write_register(tmp_path, COUNT, 4)
    given = read_mapping(mapping)
    with new_registry(tmp_path) as ours, Registry.create(tmp_path / "shared", url) as shared:
        for registry in (ours, shared):
            assert imported(registry, register, given)[0]["new"] == COUNT
            assert imported(registry, register, given)[0] == {"unchanged": COUNT}
            registry.report(5, Event("stolen", "2024-05-17", "Bitola"), "clerk")
        assert held(ours) == held(shared)
        assert overdue(ours, "2025-01-01") == overdue(shared, "2025-01-01")
        other, _ = write_register(_made(tmp_path / "later"), 60, 5)
        for registry in (ours, shared):
            key = SigningKey(Ed25519PrivateKey.generate())
            Log(registry.library.engine, registry.where).begin(key, "AD", "Administrator", {"name": "Lab"})
            signed = Registry(registry.library, key)
            assert imported(signed, other, given)[0]["changed"] > 50
            signed.report(2000, Event("lost", "2024", "Bitola"), "clerk")
            found = verify_registry(signed)
            assert (found.faults, found.firearms) == ((), COUNT)
            with registry.writing() as connection:
                connection.exec_driver_sql("UPDATE registry_events SET place = 'X' WHERE \"on\" = '2024'")
            assert " is not as entry " in " ".join(verify_registry(signed).faults)
        for row in list(simulated_rows(COUNT, 4))[100::200]:
            serial = row.serial
            asked = (
                serial,
                f"?{serial[1:]}",
                f"{serial[:-2]}??",
                f"9{serial[1:]}",
                f"{serial[:3]}*",
                f"*{serial[-3:]}",
            )
            for read in asked:
                for make in ("", row.make):
                    question = Question(read, make)
                    assert ours.find(question, 50) == shared.find(question, 50), question
        assert ours.find(Question(make="Застава")) == shared.find(Question(make="Застава"))
    # The import of a view of the server, from the registry itself.
    changed = {
        **given.says,
        "view": "registry_firearms",
        "key": "source_key",
        "columns": {"note": "digest"},
        "events": [],
    }
    with new_registry(tmp_path / "other") as other:
        from ballistics.registry import checked_mapping

        source = url.replace("postgresql://", "postgresql+pg8000://").replace("lab@", "lab:secret of the test@")
        assert imported(other, source, checked_mapping(changed, "m"))[0] == {"new": COUNT}
