"""A trained shape classifier as a file: arrays and one line of JSON, nothing that runs when it is read."""

from __future__ import annotations

import io
import json
import math
import tokenize
import zipfile
import zlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ballistics.errors import CorruptFileError, ReadError, UnsupportedFormatError, WriteError
from ballistics.files import real_path
from ballistics.printed.shape_class.classifier import CLASSES, SHAPE_CLASS_VERSION, ShapeClassifier
from ballistics.printed.shape_class.features import FEATURES_VERSION, GROUPS
from ballistics.printed.shape_class.kernel import MEASURES, ShapeKernel
from ballistics.printed.shape_class.machine import ShapeMachine

_FORMAT = "ballistics shape classifier 1"
_MACHINES = ("whole", "part", "kind")
# About a hundred thousand references.
_MOST_BYTES = 1 << 29
# Of what is divided by; training gives more.
_LEAST = 1e-9
_NOT_NEGATIVE = ("pair distances", "centre distances", "angles")


def save_classifier(classifier: ShapeClassifier, path: str | Path) -> None:
    """Write a classifier; the same classifier gives the same bytes.

    The file holds the features of the references (histograms and proportions), not their names and no mesh. It was
    learned from the laboratory's references all the same, and is as confidential as they are.

    Raises
    ------
    WriteError
        The file exists already, or cannot be written.
    """
    head: dict[str, Any] = {
        "format": _FORMAT,
        "version": SHAPE_CLASS_VERSION,
        "features_version": FEATURES_VERSION,
        "counts": dict(classifier.counts),
        "sources": dict(classifier.sources),
        "levels": [classifier.whole_level, classifier.part_level, classifier.least_likeness],
        "widths": classifier.kernel.widths,
        "machines": {},
    }
    arrays: dict[str, NDArray[Any]] = {f"references {name}": classifier.kernel.references[name] for name in GROUPS}
    for name in MEASURES:
        arrays[f"centres {name}"] = classifier.kernel.centres[name]
        arrays[f"spreads {name}"] = classifier.kernel.spreads[name]
    for name in _MACHINES:
        machine: ShapeMachine | None = getattr(classifier, name)
        if machine is not None:
            head["machines"][name] = {key: value for key, value in asdict(machine).items() if key != "weights"}
            arrays[f"weights {name}"] = machine.weights
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in {"head": np.array(json.dumps(head)), **arrays}.items():
            plain = io.BytesIO()
            np.lib.format.write_array(plain, array, allow_pickle=False)
            # A fixed date: numpy.savez would write today's, and the bytes would differ.
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0)), plain.getvalue())
    try:
        with open(path, "xb") as file:
            file.write(packed.getvalue())
    except FileExistsError as error:
        raise WriteError(_taken(path)) from error
    except OSError as error:
        raise WriteError(f"{path}: cannot be written: {error.strerror or error}") from error


def refuse_existing(path: Path) -> None:
    """Find out before the training, not after it, that a classifier must not be written there.

    Raises
    ------
    WriteError
        The file exists already, or its folder does not.
    """
    if path.exists():
        raise WriteError(_taken(path))
    if not real_path(path).parent.is_dir():
        raise WriteError(f"{path}: cannot be written: the folder {path.parent} does not exist; make it first")


def _taken(path: str | Path) -> str:
    return f"{path}: exists already; choose another name, a classifier is never overwritten"


def load_classifier(path: str | Path) -> ShapeClassifier:
    """Read a classifier.

    Raises
    ------
    ReadError
        The file cannot be opened; `UnsupportedFormatError`: it is none, or of another version; `CorruptFileError`: it
        contradicts itself.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            if sum(entry.file_size for entry in entries) > _MOST_BYTES:
                raise CorruptFileError(f"{path}: is too large for a shape classifier")
            arrays = {entry.filename.removesuffix(".npy"): _array(archive, entry) for entry in entries}
        head = json.loads(str(arrays.pop("head")))
        if head["format"] != _FORMAT:
            raise KeyError("format")
    except OSError as error:
        raise ReadError(f"{path}: cannot be opened: {error.strerror or error}") from error
    # Whatever a spoilt or forged archive makes the libraries raise; RuntimeError is also an encrypted entry, an
    # unknown method of packing, and JSON nested too deeply.
    except (
        ValueError, KeyError, TypeError, EOFError, RuntimeError, SyntaxError, tokenize.TokenError, zlib.error,
        zipfile.BadZipFile,
    ) as error:  # fmt: skip
        raise UnsupportedFormatError(f"{path}: is not a shape classifier; make one with train") from error
    if (head.get("version"), head.get("features_version")) != (SHAPE_CLASS_VERSION, FEATURES_VERSION):
        raise UnsupportedFormatError(
            f"{path}: was trained by another version of the method; train it again from the references"
        )
    try:
        return _classifier(head, arrays)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise CorruptFileError(f"{path}: the shape classifier contradicts itself: {error}") from error


def _array(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> NDArray[Any]:
    """Return an array of an archive; one that declares more than the archive holds is not made room for."""
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{entry.filename} is packed by method {entry.compress_type}")
    raw = io.BytesIO(archive.read(entry))
    if np.lib.format.read_magic(raw) != (1, 0):
        raise ValueError(f"{entry.filename} is of another version")
    shape, _, dtype = np.lib.format.read_array_header_1_0(raw)
    if dtype.hasobject or math.prod(shape) * dtype.itemsize != len(raw.getbuffer()) - raw.tell():
        raise ValueError(f"{entry.filename} does not hold the {dtype} of {shape} that it declares")
    raw.seek(0)
    return np.asarray(np.lib.format.read_array(raw, allow_pickle=False))


def _classifier(head: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> ShapeClassifier:
    count = len(arrays["references signature"])
    for group, length in GROUPS.items():
        _shaped(arrays, f"references {group}", (count, length), 0.0 if group in _NOT_NEGATIVE else -math.inf)
    for group in MEASURES:
        _shaped(arrays, f"centres {group}", (GROUPS[group],))
        _shaped(arrays, f"spreads {group}", (GROUPS[group],), _LEAST)
    machines: dict[str, ShapeMachine | None] = dict.fromkeys(_MACHINES)
    for name, facts in head["machines"].items():
        groups = tuple(str(group) for group in facts["groups"])
        if name not in machines or not groups or not set(groups) <= set(GROUPS):
            raise ValueError(f"machine {name!r} of groups {groups}")
        _shaped(arrays, f"weights {name}", (count,))
        values = (_finite(facts[key], key) for key in ("offset", "slope", "intercept"))
        machines[name] = ShapeMachine(groups, arrays[f"weights {name}"], *values)
    kernel = ShapeKernel(
        {group: arrays[f"references {group}"] for group in GROUPS},
        {group: arrays[f"centres {group}"] for group in MEASURES},
        {group: arrays[f"spreads {group}"] for group in MEASURES},
        {group: _finite(head["widths"][group], "width", _LEAST) for group in GROUPS},
    )
    whole_level, part_level, least_likeness = (_finite(value, "level", 0.0) for value in head["levels"])
    counts, sources = ({name: int(head[key][name]) for name in CLASSES} for key in ("counts", "sources"))
    if not count or sum(counts.values()) != count or min(*counts.values(), *sources.values()) < 0:
        raise ValueError(f"{count} references are counted as {counts} of {sources} sources")
    return ShapeClassifier(
        kernel,
        machines["whole"],
        machines["part"],
        machines["kind"],
        whole_level,
        part_level,
        least_likeness,
        counts,
        sources,
    )


def _finite(value: Any, name: str, least: float = -math.inf) -> float:
    number = float(value)
    if not math.isfinite(number) or number < least:
        raise ValueError(f"{name} is {number}")
    return number


def _shaped(arrays: dict[str, NDArray[Any]], name: str, shape: tuple[int, ...], least: float = -math.inf) -> None:
    array = arrays[name]
    if array.shape != shape or array.dtype.kind != "f" or not np.isfinite(array).all():
        raise ValueError(f"{name} should hold finite numbers of shape {shape} and has {array.dtype} of {array.shape}")
    if (array < least).any():
        raise ValueError(f"{name} holds {array.min()}, less than {least}")
