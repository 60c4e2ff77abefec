"""Keys of operators: encrypted at rest, and nothing of them is ever shown."""

import json
import os

import pytest

from ballistics.errors import CorruptFileError, ParameterError, WriteError
from ballistics.records import keys, make_key, read_key

# As version 1 wrote it, in November 2026; the key was made for this test.
FIRST_VERSION = {
    "schema": "ballistics/key",
    "version": 1,
    "public": "7927b0e28c73bfcb26f8a8864f0082465f48ba250f646da3723e1bf9e1e2b860",
    "scrypt": {"n": 65536, "r": 8, "p": 1, "salt": "e0c0402b5f2b43e0b9a7e0c90a34a35a"},
    "private": "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
    "MIGjMF8GCSqGSIb3DQEFDTBSMDEGCSqGSIb3DQEFDDAkBBCGXAURmLRjdwa3Urfe\n"
    "ZIDTAgIIADAMBggqhkiG9w0CCQUAMB0GCWCGSAFlAwQBKgQQG8PDC/V7hZtSGLUL\n"
    "kaVK8wRAKm44UGTEtXbZoRA0JvnoFBd0+LLIN2RllREu2w7YCgoVlO8W14lwC++8\n"
    "mvIMCu9kRyNf6qcR3s3+ebytb3y6SA==\n-----END ENCRYPTED PRIVATE KEY-----\n",
}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Stretch passphrases of new files quickly; their reading and refusal is what is tested here."""
    monkeypatch.setitem(keys._SCRYPT, 2, {"n": 1 << 12, "r": 8, "p": 1})


def test_the_passphrase_of_a_new_key_is_stretched_as_is_said(monkeypatch, tmp_path):
    monkeypatch.undo()
    make_key(tmp_path / "a.json", "correct horse battery")
    stated = json.loads((tmp_path / "a.json").read_text())["scrypt"]
    assert (stated["n"], stated["r"], stated["p"]) == (1 << 17, 8, 1)
    assert read_key(tmp_path / "a.json", "correct horse battery").public.hex() in (tmp_path / "a.json").read_text()


def test_keys_open_with_their_passphrase_only(tmp_path):
    path = tmp_path / "keys" / "ab.json"
    key = make_key(path, "correct horse battery")
    assert b"correct" not in path.read_bytes()
    assert key.private.private_bytes_raw().hex() not in path.read_text()
    assert path.stat().st_mode & 0o077 == 0
    assert read_key(path, "correct horse battery").identifier == key.identifier
    assert key.private.private_bytes_raw().hex() not in repr(key)
    with pytest.raises(ParameterError, match="passphrase is not that"):
        read_key(path, "another passphrase")
    with pytest.raises(WriteError, match="never written over"):
        make_key(path, "correct horse battery")
    with pytest.raises(ParameterError, match="12 characters"):
        make_key(tmp_path / "b", "short")
    content = json.loads(path.read_text())
    for change in (
        {"scrypt": {**content["scrypt"], "n": 1 << 30}},
        {"private": "x"},
        {"schema": "other"},
        {"public": ""},
        {"version": 1},
        {"version": 3},
        {"cipher": "none"},
        {"nonce": ""},
        {"nonce": "00" * 12},
        {"private": ("00" if content["private"][:2] != "00" else "01") + content["private"][2:]},
        {"private": 7},
    ):
        path.write_text(json.dumps({**content, **change}))
        with pytest.raises((CorruptFileError, ParameterError)):
            read_key(path, "correct horse battery")


def test_a_key_of_the_first_version_still_opens(tmp_path):
    (tmp_path / "old.json").write_text(json.dumps(FIRST_VERSION))
    assert read_key(tmp_path / "old.json", "correct horse battery").public.hex() == FIRST_VERSION["public"]
    for passphrase, public in (("another passphrase", FIRST_VERSION["public"]), ("correct horse battery", "0" * 64)):
        (tmp_path / "old.json").write_text(json.dumps({**FIRST_VERSION, "public": public}))
        with pytest.raises((CorruptFileError, ParameterError)):
            read_key(tmp_path / "old.json", passphrase)


def test_a_passphrase_is_the_same_however_its_letters_are_composed(tmp_path):
    key = make_key(tmp_path / "a.json", "gjysm\u00ebfinalja")
    assert read_key(tmp_path / "a.json", "gjysme\u0308finalja").identifier == key.identifier
    with pytest.raises(ParameterError, match="not Unicode"):
        read_key(tmp_path / "a.json", "gjysm\ud800finalja")


def test_a_key_is_its_owners_alone_from_its_first_byte(tmp_path, monkeypatch):
    modes = []
    rename = os.link
    monkeypatch.setattr(os, "link", lambda a, b: (modes.append(os.stat(a).st_mode & 0o777), rename(a, b)))
    make_key(tmp_path / "a.json", "correct horse battery")
    assert modes == [0o600]
    assert (tmp_path / "a.json").stat().st_mode & 0o777 == 0o600
