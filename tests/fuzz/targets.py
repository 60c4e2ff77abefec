"""What is fuzzed: every importer and every store file, each with small good files and the use that is made of them."""

# ruff: noqa: E402 - siblings are found by path, so that the harness also runs by itself
from __future__ import annotations

import gzip
import json
import math
import os
import resource
import shutil
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import numpy as np

_TESTS = Path(__file__).parents[1]
_FOLDERS = (_TESTS, _TESTS / "support")
sys.path += [str(folder) for folder in _FOLDERS if str(folder) not in sys.path]

import mesh_samples
from sur_samples import LATIN1, sur
from x3p_samples import axis, grid_axes, link, main_xml, matrix, pack

from ballistics.surfaces.formats.reading import read

HEIGHTS = np.random.Generator(np.random.PCG64(7)).normal(scale=3e-6, size=(24, 32)).round(8)


@dataclass(frozen=True)
class Target:
    """One importer or store.

    Parameters
    ----------
    name : str
        In the table.
    make : callable
        Writes good files into a folder and returns those that are to be mutated.
    use : callable
        Given a file, the folder and the mutant's number, does what a user's command does.
    """

    name: str
    make: Callable[[Path], list[Path]]
    use: Callable[[Path, Path, int], None]


def _written(folder: Path, files: dict[str, bytes]) -> list[Path]:
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return [folder / name for name in files]


def _read_scan(path: Path, folder: Path, number: int) -> None:
    """Read a scan, every third time whatever its lengths, and check what every later step relies on."""
    surface = read(path, units="as written" if number % 3 == 0 else None)
    assert not np.isinf(surface.heights_um).any(), "infinite heights"
    if surface.kind == "topography" and surface.coordinates_um is None:
        assert all(math.isfinite(step) and step > 0 for step in surface.spacing_um), f"spacing {surface.spacing_um}"


def _x3p(folder: Path) -> list[Path]:
    rows, columns = HEIGHTS.shape
    size = matrix(columns, rows)
    axes = grid_axes("I", "12.5e-6", "12.5e-6", "1e-9")
    whole = (HEIGHTS / 1e-9).astype("<i2").tobytes()
    valid = np.packbits(HEIGHTS.reshape(-1) > -3e-6, bitorder="little").tobytes()
    double = HEIGHTS.astype("<f8").tobytes()
    mask = mesh_png(np.full((rows, columns, 3), 200, np.uint8))
    listed = "".join(f"<Datum>{z:.3e}</Datum>" for z in HEIGHTS.reshape(-1)[:200])
    points = np.random.Generator(np.random.PCG64(8)).random((60, 3)) * [1e-3, 1e-3, 1e-5]
    cloud = axis("CX", "A", "D", None) + axis("CY", "A", "D", None) + axis("CZ", "A", "D", None)
    parts: dict[str, dict[str, Any]] = {
        "whole.x3p": {"axes": axes, "size": size, "data": link(whole, valid)},
        "double.x3p": {"axes": grid_axes("D", "12.5e-6", "12.5e-6"), "size": size, "data": link(double)},
        "listed.x3p": {
            "axes": grid_axes("D", "25e-6", "25e-6"),
            "size": matrix(20, 10),
            "data": f"<DataList>{listed}</DataList>",
        },
        "profile.x3p": {
            "feature": "PRF",
            "axes": axis("CX", "A", "D", None) + axis("CY", "I", "D", "1e-6") + axis("CZ", "A", "D", None),
            "size": matrix(60, 1),
            "data": link(np.stack([np.arange(60) * 1e-5, points[:, 2]], 1).tobytes()),
        },
        "points.x3p": {
            "feature": "PCL",
            "axes": cloud,
            "size": "<ListDimension>60</ListDimension>",
            "data": link(points.tobytes()),
        },
    }
    payloads = {
        "whole.x3p": {"bindata/data.bin": whole, "bindata/valid.bin": valid, "mask.png": mask},
        "double.x3p": {"bindata/data.bin": double},
        "profile.x3p": {"bindata/data.bin": np.stack([np.arange(60) * 1e-5, points[:, 2]], 1).tobytes()},
        "points.x3p": {"bindata/data.bin": points.tobytes()},
    }
    made = []
    for name, given in parts.items():
        document = main_xml(**given)
        made.append(pack(folder / name, {"main.xml": document, **payloads.get(name, {})}))
    return made


def mesh_png(pixels: np.ndarray, ending: str = ".png") -> bytes:
    """Return pixels as an image file."""
    import cv2

    return bytes(cv2.imencode(ending, pixels)[1])


def _al3d(folder: Path) -> list[Path]:
    from microscope_samples import al3d

    heights = HEIGHTS.astype(np.float32)
    steps = {"PixelSizeYMeter": "12.5e-6", "PixelSizeXMeter": "12.5e-6"}
    marked = np.where(heights > 4e-6, np.float32(1e10), heights)
    return _written(
        folder,
        {
            "a.al3d": al3d(heights, **steps),
            "b.al3d": al3d(marked[:, :31], invalid="1e+10", texture=b"texture", IconOffset=0, **steps),
        },
    )


def _tmd(folder: Path) -> list[Path]:
    from microscope_samples import tmd

    heights = (HEIGHTS * 1e3).astype(np.float32)
    return _written(
        folder,
        {"a.tmd": tmd(heights, lengths=(0.4, 0.3)), "b.tmd": tmd(heights, lengths=(0.4, 0.3), offsets=(1.0, 2.0))},
    )


def _images(folder: Path) -> list[Path]:
    random = np.random.Generator(np.random.PCG64(9))
    grey, colour = random.integers(0, 256, (20, 24), np.uint8), random.integers(0, 256, (20, 24, 3), np.uint8)
    deep = random.integers(0, 65536, (20, 24), np.uint16)
    made = {
        f"{name}{ending}": mesh_png(pixels, ending)
        for ending in (".png", ".tif", ".bmp", ".jpg")
        for name, pixels in (("grey", grey), ("colour", colour))
    }
    return _written(folder, {**made, "deep.png": mesh_png(deep), "deep.tif": mesh_png(deep, ".tif")})


def _read_image(path: Path, folder: Path, number: int) -> None:
    surface = read(path, spacing_um=25.0)
    assert surface.heights_um.min() >= 0
    assert surface.heights_um.max() <= 1


def _digital_surf(folder: Path) -> list[Path]:
    raw = (HEIGHTS / 1e-9).astype(int)
    steps = {"step": 12.5}
    return _written(
        folder,
        {
            "plain.sur": sur(raw, special=1, limits=(-9000, 9000), **steps),
            "short.sur": sur(raw, bits=16, units=(b"mm", b"mm", LATIN1), step=0.0125),
            "packed.sur": sur(raw, compressed=True, streams=3, **steps),
            "two.sur": sur(raw, objects=2, name=b"first", **steps) + sur(raw, name=b"second", **steps),
        },
    )


def _other_microscopes(folder: Path) -> list[Path]:
    rows, columns = HEIGHTS.shape
    numbers = (HEIGHTS / 1e-9).astype(int)
    head = f"ManufacID = a test\nNumPoints = {columns}\nNumProfiles = {rows}\nXscale = 12.5e-6\nYscale = 12.5e-6\n"
    head += "CreateDate = 010120200000\nModDate = 010120200000\n"
    head += "Zscale = 1e-9\nZresolution = -1\nCompression = 0\nDataType = 5\nCheckType = 0\n"
    sdf = "aISO-1.0\n" + head + "*\n" + "\n".join(" ".join(map(str, row)) for row in numbers.tolist()) + "\n*\n"
    nms = bytearray(3468)
    nms[0:16] = struct.pack("<LLLL", 2, 1, 0, 65535)
    nms[16:32] = struct.pack("<dd", -3.0, 4.0)
    nms[32:41] = b"OM_MS_2.0"
    nms[1368:1392] = struct.pack("<LLdd", columns, rows, 12500.0, 12500.0)
    scaled = ((numbers - numbers.min()) / np.ptp(numbers) * 65535).astype("<u2")
    bcr = f"fileformat = bcrstm\nxpixels = {columns}\nypixels = {rows}\nxlength = 400000\nylength = 300000\n"
    bcr = (bcr + "bit2nm = 1.0\nintelmode = 1\n").encode().ljust(2048) + numbers.astype("<i2").tobytes()
    points = "x [um]; y [um]; z [um]\n" + "\n".join(
        f"{x * 12.5};{y * 12.5};{HEIGHTS[y, x] * 1e6:.4f}" for y in range(rows) for x in range(columns)
    )
    return _written(
        folder,
        {"a.sdf": sdf.encode(), "a.nms": bytes(nms) + scaled.tobytes(), "a.bcr": bcr, "a.xyz": points.encode()},
    )


JOB = b"M83\n" + b"".join(
    b";TYPE:WALL-OUTER\nG1 Z%d\nG1 X9 Y9\nG1 X19 E3\nG3 Y19 X19 J5 E3\nG1 X9 E3\nG1 Y9 E3\n" % k for k in range(1, 4)
)


def _meshes(files: dict[str, bytes]) -> Callable[[Path], list[Path]]:
    return lambda folder: _written(folder, files)


def _read_parts(path: Path, folder: Path, number: int) -> None:
    from ballistics.printed.files.reading import read_parts

    for part in read_parts(path).parts:
        assert np.isfinite(part.vertices_mm).all()
        assert part.faces.min() >= 0
        assert part.faces.max() < len(part.vertices_mm)


# The good file takes 5 ms; `read_step` gives its converter 120 s.
_STEP_SECONDS = 2


def _read_step(path: Path, folder: Path, number: int) -> None:
    """Read a STEP file; its converter runs in a fork of this process, as a new one would take a second to begin."""
    converter = SimpleNamespace(run=_forked, TimeoutExpired=subprocess.TimeoutExpired)
    with mock.patch("ballistics.printed.files.step.subprocess", converter):
        _read_parts(path, folder, number)


def _forked(command: list[str], **options: Any) -> SimpleNamespace:
    import cascadio

    source, target, _, _, deviation_mm, turn_rad = command[4:]
    child = os.fork()
    if child == 0:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        resource.setrlimit(resource.RLIMIT_CPU, (_STEP_SECONDS, _STEP_SECONDS))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        os._exit(cascadio.step_to_glb(source, target, float(deviation_mm), float(turn_rad), tol_relative=False) & 127)
    return SimpleNamespace(returncode=os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


_WEDGE, _BOX = mesh_samples.wedge(), mesh_samples.box()
_TWO = mesh_samples.model_xml(
    f'<object id="1" name="a">{mesh_samples.mesh_xml(_WEDGE)}</object>'
    f'<object id="2"><components><component objectid="1" transform="1 0 0 0 1 0 0 0 1 60 0 0"/></components></object>',
    '<item objectid="2" transform="1 0 0 0 1 0 0 0 1 0 5 0"/><item objectid="1" printable="0"/>',
)
_PARTS = {
    "STL": {"a.stl": mesh_samples.stl_binary(_WEDGE), "b.stl": mesh_samples.stl_ascii(_WEDGE)},
    "OBJ": {
        "a.obj": mesh_samples.obj(_WEDGE),
        "b.obj": b"# a comment\nmtllib a.mtl\no solid\n" + mesh_samples.obj(_BOX, None) + b"\ng b \\\n c\nusemtl red\n",
    },
    "PLY": {
        "a.ply": mesh_samples.ply(_WEDGE, extra=True),
        "b.ply": mesh_samples.ply(_WEDGE, "binary_big_endian", extra=True),
        "c.ply": mesh_samples.ply(_BOX, "binary_little_endian", "double"),
    },
    "OFF": {"a.off": mesh_samples.off(_WEDGE), "b.off": mesh_samples.off(_BOX)},
    "3MF": {"a.3mf": mesh_samples.simple_3mf(_WEDGE), "b.3mf": mesh_samples.three_mf(_TWO),
            "c.3mf": mesh_samples.three_mf(_TWO, {
                "Metadata/model_settings.config": b'<config><object id="2"><part id="1" subtype="negative_part"/>'
                b'</object></config>',
                "Metadata/Slic3r_PE_model.config": b'<config><object id="1"><volume firstid="1" lastid="2"><metadata '
                b'key="volume_type" value="SupportBlocker"/></volume></object></config>'})},
    "AMF": {
        "a.amf": mesh_samples.amf(_WEDGE),
        "b.amf": mesh_samples.archive({"b.amf": mesh_samples.amf(_BOX)}),
        "c.amf": mesh_samples.amf(_WEDGE, extra='<constellation id="9"><instance objectid="1"><deltax>50</deltax>'
                                  "<rz>90</rz></instance></constellation>"),
    },
    "glTF": {
        "a.glb": mesh_samples.gltf(_WEDGE),
        "a.gltf": mesh_samples.gltf(_WEDGE, embedded=True),
        "b.glb": mesh_samples.gltf(
            _WEDGE,
            [{"children": [1, 2], "scale": [2, 2, 2]}, {"mesh": 0, "rotation": [0, 0, 0.6, 0.8]},
             {"mesh": 0, "matrix": [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0.1, 0, 0, 1]}],
            document={"scenes": [{"nodes": [0]}], "scene": 0},
        ),
        "c.glb": mesh_samples.glb(
            [(_BOX[0] / 1000).astype("<f4"), _BOX[1].astype("<u2").ravel(), np.eye(3, dtype="<f4"),
             np.array([1, 2], "<u2"), np.ones((2, 3), "<f4"), np.zeros((8, 3), "<f4")],
            {0: {"sparse": {"count": 2, "indices": {"bufferView": 3, "componentType": 5123},
                            "values": {"bufferView": 4}}}},
            nodes=[{"mesh": 0, "extensions": {"EXT_mesh_gpu_instancing": {"attributes": {"TRANSLATION": 2}}}},
                   {"mesh": 0, "weights": [0.5]}],
            meshes=[{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1, "targets": [{"POSITION": 5}]}]}],
            extensionsRequired=["EXT_mesh_gpu_instancing"],
        ),
    },
    "G-code": {
        "a.gcode": JOB,
        "b.gcode": b"G21\nG90\nM82\nEXCLUDE_OBJECT_START NAME=ring20\n" + JOB.replace(b"M83\n", b""),
        "c.gcode": b"N1 M200 D1.75*3\n; filament_diameter = 1.75,2.85\nT1\n" + JOB.replace(b" ", b"").lower(),
        "d.gcode.3mf": mesh_samples.three_mf(mesh_samples.model_xml(""), {
            "Metadata/plate_1.gcode": JOB, "Metadata/plate_1.gcode.md5": b"0" * 32}),
        "e.bgcode": mesh_samples.bgcode(
            mesh_samples.block(0, b"Producer=a test\n"), mesh_samples.block(2, b"filament_diameter=1.75\n", packing=1),
            mesh_samples.block(1, JOB[:100]), mesh_samples.block(1, JOB[100:], packing=1)),
        "f.gcode.gz": gzip.compress(JOB, mtime=0),
        "g.gcode": JOB.decode().encode("utf-16"),
    },
    "STEP": {"a.step": mesh_samples.STEP_CYLINDER.encode()},
}  # fmt: skip


def _population(folder: Path) -> list[Path]:
    from ballistics.evidence.conditions import Conditions
    from ballistics.evidence.population import ReferencePopulation
    from ballistics.evidence.reference_file import ReferenceFile
    from ballistics.evidence.scores import ScoreTable

    firearms = [f"f{i // 2}" for i in range(12)]
    pairs = [(i, j) for i in range(12) for j in range(i)]
    random = np.random.Generator(np.random.PCG64(3))
    same = np.array([firearms[i] == firearms[j] for i, j in pairs])
    table = ScoreTable.build(
        random.binomial(20, np.where(same, 0.8, 0.1)),
        [firearms[i] for i, _ in pairs],
        [firearms[j] for _, j in pairs],
        [20] * len(pairs),
        [f"s{i}" for i, _ in pairs],
        [f"s{j}" for _, j in pairs],
    )
    conditions = Conditions("breech face", ("9 mm",), ("confocal",), "CMC", "1", {"cell_um": 469})
    population = ReferencePopulation("a test", table, conditions, "made up")
    return _written(
        folder,
        {"reference.json": ReferenceFile((population,)).to_json(), "one-score.json": population.to_json()},
    )


def _use_population(path: Path, folder: Path, number: int) -> None:
    from ballistics.evidence.population import select_population
    from ballistics.evidence.reference_file import load_reference

    loaded = load_reference(path)
    for population in loaded:
        population.to_json()
        select_population(loaded[:1], population.conditions)


def _verbal_scale(folder: Path) -> list[Path]:
    from ballistics.evidence.wording import verbal_scale

    return _written(folder, {"scale.json": Path(verbal_scale._STANDARD).read_bytes()})


def _use_scale(path: Path, folder: Path, number: int) -> None:
    from ballistics.evidence.wording.verbal_scale import VerbalScale

    scale = VerbalScale.load(path)
    for log10_lr in (-7.0, 0.2, 12.0):
        scale.band(log10_lr)
    str(scale).encode()


def _taxonomy(folder: Path) -> list[Path]:
    from ballistics.printed.collection.taxonomy import Taxonomy

    return _written(folder, {"taxonomy.json": Taxonomy.load().to_json().encode()})


def _use_taxonomy(path: Path, folder: Path, number: int) -> None:
    from ballistics.printed.collection.taxonomy import Taxonomy

    Taxonomy.load(path).to_json().encode()


_KEYS = [sha256(f"scan {i}".encode()).hexdigest() for i in range(5)]


def _pair_rows(folder: Path) -> list[Path]:
    from ballistics.pairs.designs import AllPairs
    from ballistics.pairs.rows import empty_row
    from ballistics.pairs.runs import KeptPairs

    path = folder / "pairs.jsonl"
    with KeptPairs(path, "a method", "breech face", _KEYS, AllPairs(5)) as kept:
        for number, (a, b) in enumerate(list(kept.missing())):
            values = {name: 0.5 * number for name, kind in _columns().items() if kind is float}
            kept.keep(empty_row("breech face") | values | {"count": number, "a": a, "b": b, "error": ""})
    return [path]


def _columns() -> dict[str, type]:
    from ballistics.pairs.rows import columns

    return columns("breech face")


def _use_pair_rows(path: Path, folder: Path, number: int) -> None:
    from ballistics.pairs.designs import AllPairs
    from ballistics.pairs.results import result_columns, write_results
    from ballistics.pairs.runs import KeptPairs

    with KeptPairs(path, "a method", "breech face", _KEYS, AllPairs(5)) as kept:
        if list(kept.missing()):
            return
        empty = dict.fromkeys(result_columns("breech face"), "")
        rows = (empty | row for _, _, row in kept.rows())
        write_results(folder / "out.csv", "breech face", rows, {})


def _batch(folder: Path) -> list[Path]:
    from pair_tables import row, write

    rows = [row("broken", "", error="cannot be opened"), row("A", "B", 20), row("B", "C", 7), row("C", "D", 12)]
    rows += [row("A", "C", 2), row("A", "D", None, "too small"), row("B", "D", 3)]
    return [write(folder / "results.parquet", rows)]


def _use_batch(path: Path, folder: Path, number: int) -> None:
    from ballistics.pairs.links import find_links, links_csv, links_graphml

    links = find_links(path, "count")
    links_csv(links)
    links_graphml(links)


def _collection(*names: str) -> Callable[[Path], list[Path]]:
    """Make a collection of three parts; of its folder, files whose names end so are mutated."""

    def make(folder: Path) -> list[Path]:
        from ballistics.printed.collection.enrolment import enrol_files

        meshes = {"wedge.stl": _WEDGE, "box.stl": _BOX, "plate.stl": mesh_samples.box((40.0, 30.0, 2.0))}
        paths = _written(folder, {name: mesh_samples.stl_binary(mesh) for name, mesh in meshes.items()})
        list(enrol_files([(path.name, path) for path in paths], folder / "lab"))
        return sorted(path for path in (folder / "lab").rglob("*") if path.name.endswith(names))

    return make


def _use_collection(path: Path, folder: Path, number: int) -> None:
    from ballistics.printed.collection.enrolment import open_collection
    from ballistics.printed.identify.identification import identify

    collection, taxonomy = open_collection(folder / "lab")
    for row, reference in enumerate(collection.references):
        taxonomy.title(reference.category)
        collection.signature(row)
        collection.cloud(row)
    collection.whole()
    collection.index()
    if number % 25 == 0:
        identify(_query(), collection)


def _use_resealed_index(path: Path, folder: Path, number: int) -> None:
    """Use a collection that somebody made around an index of their own, with all the right hashes."""
    from ballistics.printed.collection import store

    data = path.read_bytes()
    digest = sha256(data).hexdigest()
    with tempfile.TemporaryDirectory() as made:
        shutil.copytree(folder / "lab", Path(made) / "lab")
        manifest = json.loads((Path(made) / "lab" / "manifest.json").read_bytes())
        name = f"index-{digest[:16]}.faiss"
        (Path(made) / "lab" / name).write_bytes(data)
        store.write_manifest(Path(made) / "lab", manifest | {"index": name, "index_sha256": digest})
        _use_collection(path, Path(made), number)


def _query() -> Any:
    from ballistics.printed.content.part import Part

    return Part(_WEDGE[0] * 1.5, _WEDGE[1])


def _library(*names: str) -> Callable[[Path], list[Path]]:
    """Make a library of three marks; of its folder, files whose names end so are mutated."""

    def make(folder: Path) -> list[Path]:
        from library_marks import noise_mark

        from ballistics.search.library import Library

        with Library.create(folder / "library") as library:
            for seed in (1, 2, 3):
                library.enrol(noise_mark(seed, points=40), f"scan-{seed}.x3p")
        files = sorted(path for path in (folder / "library").rglob("*") if path.is_file())
        return [path for path in files if path.name.endswith(names)]

    return make


def _use_library(path: Path, folder: Path, number: int) -> None:
    from library_marks import noise_mark

    from ballistics.search.library import Library

    with Library.open(folder / "library") as library:
        library.verify()
        marks = library.contents().marks
        if number % 20 == 0:
            library.search(noise_mark(1, points=40))
        for entry in marks:
            library.mark(entry.id)


def _library_marker(path: Path, folder: Path, number: int) -> None:
    from ballistics.library.marker import read_marker
    from ballistics.search.library import Library

    # A server that a mutant names is not to be asked.
    if read_marker(path.parent)["database"] == "sqlite":
        Library.open(path.parent).close()


def _classifier(folder: Path) -> list[Path]:
    from ballistics.printed.shape_class.classifier import HANDGUN, LONG_GUN, ORDINARY, train
    from ballistics.printed.shape_class.classifier_file import save_classifier
    from ballistics.printed.shape_class.features import GROUPS

    random = np.random.Generator(np.random.PCG64(5))
    features = [{name: (random.random(n) + k // 4).astype(np.float32) for name, n in GROUPS.items()} for k in range(12)]
    labels = [LONG_GUN] * 4 + [HANDGUN] * 4 + [ORDINARY] * 4
    save_classifier(train(features, labels, [f"source {k % 3}" for k in range(12)]), folder / "classifier.npz")
    return [folder / "classifier.npz"]


def _use_classifier(path: Path, folder: Path, number: int) -> None:
    from ballistics.printed.shape_class.classifier_file import load_classifier

    load_classifier(path)


def _tables(folder: Path) -> list[Path]:
    scores = "score,weapon1,weapon2,n\n" + "".join(f"{i % 7},w{i % 3},w{i % 4},20\n" for i in range(30))
    truth = "scan,firearm\n" + "".join(f"s{i}.x3p,f{i // 2}\n" for i in range(8))
    described = "scan,calibre,place\n" + "".join(f"s{i}.x3p,9 mm,Skopje\n" for i in range(8))
    return _written(
        folder, {"scores.csv": scores.encode(), "truth.csv": truth.encode(), "described.csv": described.encode()}
    )


def _use_table(path: Path, folder: Path, number: int) -> None:
    from ballistics.evidence.score_files import read_scores
    from ballistics.library.enrolment import read_descriptions
    from ballistics.studies.truth_table import read_truth

    if path.name == "scores.csv":
        read_scores(path, "score", "weapon1", "weapon2", "n")
    elif path.name == "truth.csv":
        read_truth(path)
    else:
        read_descriptions(path)


TARGETS = (
    Target("X3P", _x3p, _read_scan),
    Target("al3d", _al3d, _read_scan),
    Target("TMD", _tmd, _read_scan),
    Target("images", _images, _read_image),
    Target("SUR", _digital_surf, _read_scan),
    Target("long tail", _other_microscopes, _read_scan),
    *(Target(name, _meshes(files), _read_step if name == "STEP" else _read_parts) for name, files in _PARTS.items()),
    Target("reference population", _population, _use_population),
    Target("verbal scale", _verbal_scale, _use_scale),
    Target("taxonomy", _taxonomy, _use_taxonomy),
    Target("pairs.jsonl", _pair_rows, _use_pair_rows),
    Target("batch result", _batch, _use_batch),
    Target("collection manifest", _collection("manifest.json"), _use_collection),
    Target("collection arrays", _collection(".npy", ".faiss"),
           _use_collection),
    Target("collection index", _collection(".faiss"), _use_resealed_index),
    Target("library marker", _library("library.json"), _library_marker),
    Target("library database", _library(".sqlite", ".db"), _use_library),
    Target("library arrays", _library(".npy"), _use_library),
    Target("template stack", _library(".stack"), _use_library),
    Target("shape classifier", _classifier, _use_classifier),
    Target("CSV tables", _tables, _use_table),
)  # fmt: skip


def target_named(name: str) -> Target:
    """Return a target by its name."""
    return next(target for target in TARGETS if target.name == name)
