"""The index of a collection: what is added behind it, thinned out of it, and left on the disk."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import mesh_samples as samples
import numpy as np
import pytest
from click.testing import CliRunner

from ballistics.cli import main
from ballistics.errors import CorruptFileError
from ballistics.printed.collection import collection as collections
from ballistics.printed.collection import enrolment, store
from ballistics.printed.collection.collection import Collection
from ballistics.printed.collection.descriptor_index import DescriptorIndex
from ballistics.printed.collection.integrity import verify_collection
from ballistics.printed.describe.descriptors import SIGNATURE_STEPS
from ballistics.printed.describe.signature import Signature, signature_of
from ballistics.printed.files.reading import read_parts


@pytest.fixture(scope="module")
def signature(tmp_path_factory) -> Signature:
    path = tmp_path_factory.mktemp("solid") / "wedge.stl"
    path.write_bytes(samples.stl_binary(samples.wedge()))
    return signature_of(read_parts(path).parts[0])


def changed(signature: Signature, number: int) -> Signature:
    """Return a signature with other descriptors, some of them missing."""
    rng = np.random.Generator(np.random.PCG64(number))
    local = np.clip(signature.local.astype(np.int64) + rng.integers(-9, 10, signature.local.shape), -127, 127)
    local[:, rng.integers(0, local.shape[1], 40)] = -128
    return replace(signature, local=local.astype(np.int8), keys=None)


def looked_up(index: DescriptorIndex, signature: Signature) -> tuple[bytes, bytes]:
    found = index.neighbours(signature.local, SIGNATURE_STEPS, 20, 4)
    return found.numbers.tobytes(), found.distances.tobytes()


@pytest.mark.slow
def test_an_index_that_grew_is_the_one_that_is_made_at_once(signature: Signature, tmp_path: Path):
    all_ = [changed(signature, k) for k in range(7)]
    at_once = DescriptorIndex(1000)
    at_once.add(own.local for own in all_)
    grown = Collection()
    for k, own in enumerate(all_):
        grown.enrol(own, f"{k}")
        if k in (2, 4):
            grown.commit(tmp_path / "lab") if k > 2 else grown.save(tmp_path / "lab")
            grown = Collection.load(tmp_path / "lab")
    assert (grown.index().base_references, grown.index().references) == (3, 7)
    assert looked_up(grown.index(), signature) == looked_up(at_once, signature)
    assert grown.index().to_bytes() == at_once.to_bytes()
    few = DescriptorIndex(300)
    few.add(own.local for own in all_)
    assert grown.index().copied(300).to_bytes() == few.to_bytes()


@pytest.mark.slow
def test_a_reference_more_leaves_the_large_index_as_it_is(signature: Signature, tmp_path: Path, monkeypatch):
    lab = tmp_path / "lab"
    monkeypatch.setattr(store, "_FEWEST_ADDED", 2)
    collection = Collection()
    for k in range(4):
        collection.enrol(changed(signature, k), f"{k}")
    collection.save(lab)
    first = store.read_manifest(lab)
    made: list[int] = []
    add = DescriptorIndex.add
    monkeypatch.setattr(DescriptorIndex, "add", lambda self, few: add(self, (made.append(1) or own for own in few)))
    collection = Collection.load(lab)
    for k, (base, indexes) in enumerate([(4, 2), (4, 2), (7, 1)], 4):
        collection.enrol(changed(signature, k), f"{k}")
        collection.commit(lab)
        manifest = store.read_manifest(lab)
        assert manifest["index_references"] == base
        assert (manifest["index"] == first["index"]) == (base == 4)
        assert len(list(lab.glob("*.faiss"))) == indexes
        assert not verify_collection(lab).faults
        assert not verify_collection(lab).notes
        again = Collection.load(lab)
        assert looked_up(again.index(), signature) == looked_up(collection.index(), signature)
    assert len(made) == 3


@pytest.mark.parametrize("change", ["altered", "missing", "of another state", "unnamed"])
def test_a_second_index_that_is_not_the_one_written_is_refused(signature: Signature, tmp_path: Path, change: str):
    lab = tmp_path / "lab"
    collection = Collection()
    collection.enrol(changed(signature, 0), "0")
    collection.save(lab)
    collection = Collection.load(lab)
    for k in (1, 2):
        collection.enrol(changed(signature, k), f"{k}")
        collection.commit(lab)
        if k == 1:
            stale = store.read_manifest(lab)["index_added"]
            data = (lab / stale["index"]).read_bytes()
    manifest = {name: value for name, value in store.read_manifest(lab).items() if name != "content_sha256"}
    second = lab / manifest["index_added"]["index"]
    if change == "altered":
        whole = bytearray(second.read_bytes())
        whole[len(whole) // 2] ^= 1
        second.write_bytes(whole)
    elif change == "missing":
        second.unlink()
    elif change == "of another state":
        second.write_bytes(data)
    else:
        store.write_manifest(lab, {**manifest, "index_added": None})
    with pytest.raises(CorruptFileError):
        Collection.load(lab)
    assert not verify_collection(lab).clean


def test_a_growing_collection_seldom_has_another_number_of_keypoints_in_its_index():
    collection = Collection()
    numbers = []
    for references in range(1, 30_000, 7):
        collection._references = [None] * references  # type: ignore[list-item]
        numbers.append(collection._keypoints())
        assert numbers[-1] * 6 * references <= 2.0**0.125 * collections._INDEXED + 3 * references
    assert numbers[: 1333 // 7] == [1000] * (1333 // 7)
    assert numbers == sorted(numbers, reverse=True)
    assert len(set(numbers)) < 22
    assert max(a / b for a, b in pairwise(numbers)) < 1.21


def test_an_interrupt_that_compiled_code_reports_as_another_error_ends_an_enrolment(tmp_path: Path, monkeypatch):
    folder = tmp_path / "solids"
    folder.mkdir()
    for name, mesh in (("a", samples.box()), ("b", samples.wedge()), ("c", samples.box(size=(60.0, 20.0, 4.0)))):
        (folder / f"{name}.stl").write_bytes(samples.stl_binary(mesh))

    def interrupted(path: Path, **settings: object) -> object:
        if path.name == "b.stl":
            raise SystemError("returned a result with an exception set") from KeyboardInterrupt()
        return read_parts(path, **settings)  # type: ignore[arg-type]

    monkeypatch.setattr(enrolment, "read_parts", interrupted)
    lab = tmp_path / "lab"
    result = CliRunner().invoke(main, ["printed", "enrol", str(folder), "--references", str(lab)])
    assert result.exit_code == 1
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert "Aborted" in result.output
    assert [reference.name for reference in Collection.load(lab).references] == ["a"]
    monkeypatch.setattr(enrolment, "read_parts", read_parts)
    result = CliRunner().invoke(main, ["printed", "enrol", str(folder), "--references", str(lab)])
    assert result.exit_code == 0, result.output
    assert len(Collection.load(lab)) == 3
