"""The references of the benchmarks of printed parts: meshes and generated solids, and what is kept of each."""

from __future__ import annotations

import csv
import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import Progress

from ballistics.printed.collection.collection import Collection
from ballistics.printed.content.part import Part
from ballistics.printed.describe.geometry_hashes import copy_relation
from ballistics.printed.describe.signature import SIGNATURE_VERSION, Signature, signature_of
from ballistics.printed.identify.identification import IDENTIFICATION_VERSION
from reference_meshes.solids import FAMILIES, Mesh, solid


@dataclass(frozen=True)
class Item:
    """One reference of the benchmark: its name, its source (or family of solids), mesh and hash parity."""

    name: str
    source: str
    path: Path | None
    seed: int
    reported: bool

    def mesh(self) -> Mesh:
        """Load or make the mesh."""
        if self.path is None:
            return solid(self.seed)
        import trimesh

        loaded = trimesh.load(self.path, process=False, force="mesh")
        return Mesh(np.asarray(loaded.vertices, dtype=np.float64), np.asarray(loaded.faces, dtype=np.int64))


def family_of(seed: int) -> str:
    """Return the family of a generated solid: the relatives of a new one, as the files of one repository are."""
    return f"generated: {FAMILIES[seed % len(FAMILIES)].__name__}"


def owner_of(source: str) -> str:
    """Return whose files a source holds: the repositories of one owner share parts, as its relatives do."""
    return source.split("/")[0]


def items(data: Path, solids: int) -> list[Item]:
    """Return the meshes of the data folder, then the generated solids."""
    folder = data / "meshes"
    with open(folder / "manifest.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    meshes = [
        Item(row["path"], row["source"], folder / row["path"], -1, int(row["sha1"][-2], 16) % 2 == 1) for row in rows
    ]
    return meshes + [Item(f"solid {seed}", family_of(seed), None, seed, False) for seed in range(solids)]


def part_of(mesh: Mesh) -> Part:
    """Return a mesh as a part."""
    return Part(mesh.vertices, mesh.faces)


class Store:
    """Results kept one file each, so that a stopped benchmark goes on where it was."""

    def __init__(self, folder: Path) -> None:
        """Keep results below a folder, apart for each version of the methods."""
        self.folder = folder / f"printed-{SIGNATURE_VERSION}-{IDENTIFICATION_VERSION}"
        self.folder.mkdir(parents=True, exist_ok=True)

    def path(self, key: str, suffix: str) -> Path:
        """Return where a result is kept."""
        return self.folder / (hashlib.sha256(key.encode()).hexdigest()[:24] + suffix)

    def get(self, key: str) -> dict[str, Any] | None:
        """Return a kept row, or None."""
        path = self.path(key, ".json")
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None

    def put(self, key: str, row: dict[str, Any]) -> dict[str, Any]:
        """Keep a row."""
        path = self.path(key, ".json")
        temporary = path.with_suffix(".part")
        temporary.write_text(json.dumps({"key": key, **row}, ensure_ascii=False), encoding="utf-8")
        os.replace(temporary, path)
        return row

    def signature(self, item: Item) -> Signature:
        """Return the signature of an item, computed once."""
        path = self.path(f"signature {item.name}", ".npz")
        part = None
        if not path.is_file():
            part = part_of(item.mesh())
            made = signature_of(part)
            temporary = path.with_suffix(".part.npz")
            keys = made.keys
            assert keys is not None
            np.savez(
                temporary,
                codes=made.codes,
                origin_mm=made.origin_mm,
                numbers=np.array([made.step_mm, made.spacing_mm, made.size_mm, made.area_mm2, keys.size_mm]),
                local=made.local,
                whole=made.whole,
                keys=np.array([keys.exact, keys.mirrored, keys.shape, keys.shape_mirrored]),
                values=np.array(keys.values),
            )
            os.replace(temporary, path)
            return made
        from ballistics.printed.describe.geometry_hashes import GeometryKeys

        with np.load(path, allow_pickle=False) as kept:
            step, spacing, size, area, keys_size = (float(v) for v in kept["numbers"])
            names = [str(key) for key in kept["keys"]]
            keys = GeometryKeys(names[0], names[1], names[2], names[3], keys_size, tuple(map(float, kept["values"])))
            arrays = kept["codes"], kept["origin_mm"], step, spacing, size, area, kept["local"], kept["whole"]
            return Signature(*arrays, keys)


def collection_of(listed: Sequence[Item], store: Store, progress: Progress) -> Collection:
    """Enrol the signatures of all items."""
    collection = Collection()
    for item in progress.track(listed, description="signatures"):
        collection.enrol(store.signature(item), item.name, metadata={"source": item.source})
    return collection


def same_reference(collection: Collection, row: int, name: str) -> bool:
    """Return whether a reference is the named one or an exact copy of it under another name."""
    if collection.references[row].name == name:
        return True
    truth = next(reference for reference in collection.references if reference.name == name)
    keys = collection.references[row].keys
    return keys is not None and truth.keys is not None and copy_relation(keys, truth.keys) is not None
