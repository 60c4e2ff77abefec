"""Keys of operators: encrypted at rest, and nothing of them is ever shown."""

import json
import os

import pytest

from ballistics.errors import CorruptFileError, ParameterError, WriteError
from ballistics.records import make_key, read_key


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
    ):
        path.write_text(json.dumps({**content, **change}))
        with pytest.raises((CorruptFileError, ParameterError)):
            read_key(path, "correct horse battery")


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
