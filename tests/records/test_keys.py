"""Keys of operators: encrypted at rest, and nothing of them is ever shown."""

import json

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
