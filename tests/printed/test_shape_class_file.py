"""Classifier files that somebody else made: nothing in them runs, nothing they declare is believed."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from ballistics.errors import BallisticsError, CorruptFileError, UnsupportedFormatError
from ballistics.printed.shape_class.classifier import HANDGUN, LONG_GUN, ORDINARY, train
from ballistics.printed.shape_class.classifier_file import load_classifier, save_classifier
from ballistics.printed.shape_class.features import GROUPS


@pytest.fixture(scope="module")
def features():
    """Made-up features of eighteen references: two kinds and others, all of them non-negative like histograms."""
    rng = np.random.Generator(np.random.PCG64(5))
    return [
        {name: (rng.random(length) + 0.5 * (k // 6)).astype(np.float32) for name, length in GROUPS.items()}
        for k in range(18)
    ]


@pytest.fixture(scope="module")
def good(features, tmp_path_factory) -> bytes:
    labels = [LONG_GUN] * 6 + [HANDGUN] * 6 + [ORDINARY] * 6
    path = tmp_path_factory.mktemp("classifier") / "good.npz"
    save_classifier(train(features, labels, [f"source {k % 3}" for k in range(18)]), path)
    return path.read_bytes()


def npy(array) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, np.asarray(array), allow_pickle=True)
    return stream.getvalue()


def declared(shape, held: bytes = b"") -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "<f4", "fortran_order": False, "shape": shape})
    return stream.getvalue() + held


def rebuilt(good: bytes, entries: dict[str, bytes], packing: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return the file with some entries replaced."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(good)) as old, zipfile.ZipFile(packed, "w", packing) as new:
        for name in dict.fromkeys([*old.namelist(), *entries]):
            new.writestr(name, entries[name] if name in entries else old.read(name))
    return packed.getvalue()


def head_of(good: bytes) -> dict:
    with np.load(io.BytesIO(good)) as stored:
        return json.loads(str(stored["head"]))


def with_head(good: bytes, **values) -> bytes:
    return rebuilt(good, {"head.npy": npy(json.dumps({**head_of(good), **values}))})


def load(raw: bytes, folder: Path):
    path = folder / "tried.npz"
    path.write_bytes(raw)
    return load_classifier(path)


class _Payload:
    """What a pickle would run: it leaves a file behind."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return Path.touch, (self.mark,)


@pytest.mark.parametrize("entry", ["head.npy", "weights whole.npy", "references angles.npy", "further.npy"])
def test_nothing_in_a_classifier_is_run(good, tmp_path, entry):
    payload = npy(np.array([_Payload(tmp_path / "run")], dtype=object))
    with pytest.raises(BallisticsError):
        load(rebuilt(good, {entry: payload}), tmp_path)
    assert not (tmp_path / "run").exists()
    # The payload would have worked: otherwise the test above shows nothing.
    np.load(io.BytesIO(payload), allow_pickle=True)
    assert (tmp_path / "run").exists()


def test_a_pickle_by_the_name_of_a_classifier_is_not_run(tmp_path):
    with pytest.raises(UnsupportedFormatError, match="not a shape classifier"):
        load(pickle.dumps(_Payload(tmp_path / "run")), tmp_path)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("shape", [(1 << 40,), (1 << 62, 4), (-1,), (18, 31)])
def test_what_an_array_declares_is_not_believed(good, tmp_path, shape):
    with pytest.raises(UnsupportedFormatError):
        load(rebuilt(good, {"references angles.npy": declared(shape, bytes(18 * 32 * 4))}), tmp_path)


@pytest.mark.parametrize(
    "entries",
    [
        {"head.npy": npy("[" * 100_000)},
        {"head.npy": b"no array"},
        {"head.npy": npy(["{}", "{}"])},
        {"head.npy": npy('{"format": "another"}')},
        {"references angles.npy": b"\x93NUMPY\x01\x00\xff\xff" + b"(" * 65535},
        {"references angles.npy": b"\x93NUMPY\x03\x00" + bytes(20)},
    ],
    ids=["nested", "no array", "two heads", "other format", "nested header", "other version"],
)
def test_entries_that_are_none_of_ours(good, tmp_path, entries):
    with pytest.raises(UnsupportedFormatError):
        load(rebuilt(good, entries), tmp_path)


def test_only_the_packing_that_is_written_is_unpacked(good, tmp_path):
    assert load(rebuilt(good, {}, zipfile.ZIP_STORED), tmp_path).counts[ORDINARY] == 6
    for packing in (zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2):
        with pytest.raises(UnsupportedFormatError):
            load(rebuilt(good, {}, packing), tmp_path)


def test_numbers_that_would_answer_nonsense_are_refused(good, tmp_path):
    head = head_of(good)
    whole = head["machines"]["whole"]
    for values in (
        {"levels": [float("nan"), 0.5, 0.5]},
        {"levels": [0.5, float("inf"), 0.5]},
        {"widths": {**head["widths"], "angles": 0.0}},
        {"widths": {**head["widths"], "angles": -1.0}},
        {"machines": {"whole": {**whole, "slope": float("nan")}}},
        {"machines": {"whole": {**whole, "groups": 5}}},
        {"machines": [1]},
        {"counts": {**head["counts"], ORDINARY: float("inf")}},
        {"counts": {**head["counts"], ORDINARY: 7}},
        {"sources": {**head["sources"], ORDINARY: -1}},
    ):
        with pytest.raises(CorruptFileError, match="contradicts itself"):
            load(with_head(good, **values), tmp_path)
    with np.load(io.BytesIO(good)) as stored:
        spreads, angles = stored["spreads proportions"], stored["references angles"]
    for entries in ({"spreads proportions.npy": npy(0.0 * spreads)}, {"references angles.npy": npy(-angles)}):
        with pytest.raises(CorruptFileError, match="less than"):
            load(rebuilt(good, entries), tmp_path)
    with pytest.raises(UnsupportedFormatError, match="another version"):
        load(with_head(good, features_version="0"), tmp_path)


def test_spoilt_bytes_are_refused_or_harmless(good, features, tmp_path):
    rng = np.random.Generator(np.random.PCG64(7))
    answer = load(good, tmp_path).classify(features[0])
    directory = good.find(b"PK\x01\x02")
    refused = 0
    for k in range(300):
        raw = bytearray(good)
        # Every other time in the directory, where methods, versions, sizes and flags stand.
        for place in rng.integers(directory if k % 2 else 0, len(raw), 2):
            raw[place] = rng.integers(256)
        try:
            again = load(bytes(raw), tmp_path)
        except BallisticsError:
            refused += 1
        else:
            assert again.classify(features[0]) == answer
    assert refused > 150
