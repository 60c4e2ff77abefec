"""A trained shape classifier as a file: arrays and one line of JSON, nothing that runs when it is read."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ballistics.errors import CorruptFileError, ReadError, UnsupportedFormatError, WriteError
from ballistics.printed.shape_class import CLASSES, SHAPE_CLASS_VERSION, ShapeClassifier
from ballistics.printed.shape_features import FEATURES_VERSION, GROUPS
from ballistics.printed.shape_kernel import MEASURES, ShapeKernel
from ballistics.printed.shape_machine import ShapeMachine

_FORMAT = "ballistics shape classifier 1"
_MACHINES = ("whole", "part", "kind")
# About a hundred thousand references.
_MOST_BYTES = 1 << 29


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
        raise WriteError(f"{path}: exists already; choose another name, a classifier is never overwritten") from error
    except OSError as error:
        raise WriteError(f"{path}: cannot be written: {error.strerror or error}") from error


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
            if sum(entry.file_size for entry in archive.infolist()) > _MOST_BYTES:
                raise CorruptFileError(f"{path}: is too large for a shape classifier")
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        head = json.loads(str(arrays.pop("head")))
        if head["format"] != _FORMAT:
            raise KeyError("format")
    except OSError as error:
        raise ReadError(f"{path}: cannot be opened: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise UnsupportedFormatError(f"{path}: is not a shape classifier; make one with train") from error
    if (head.get("version"), head.get("features_version")) != (SHAPE_CLASS_VERSION, FEATURES_VERSION):
        raise UnsupportedFormatError(
            f"{path}: was trained by another version of the method; train it again from the references"
        )
    try:
        return _classifier(head, arrays)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CorruptFileError(f"{path}: the shape classifier contradicts itself: {error}") from error


def _classifier(head: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> ShapeClassifier:
    count = len(arrays["references signature"])
    for group, length in GROUPS.items():
        _shaped(arrays, f"references {group}", (count, length))
    for group in MEASURES:
        _shaped(arrays, f"centres {group}", (GROUPS[group],))
        _shaped(arrays, f"spreads {group}", (GROUPS[group],))
    machines: dict[str, ShapeMachine | None] = dict.fromkeys(_MACHINES)
    for name, facts in head["machines"].items():
        groups = tuple(str(group) for group in facts["groups"])
        if name not in machines or not groups or not set(groups) <= set(GROUPS):
            raise ValueError(f"machine {name!r} of groups {groups}")
        _shaped(arrays, f"weights {name}", (count,))
        values = (float(facts[key]) for key in ("offset", "slope", "intercept"))
        machines[name] = ShapeMachine(groups, arrays[f"weights {name}"], *values)
    kernel = ShapeKernel(
        {group: arrays[f"references {group}"] for group in GROUPS},
        {group: arrays[f"centres {group}"] for group in MEASURES},
        {group: arrays[f"spreads {group}"] for group in MEASURES},
        {group: float(head["widths"][group]) for group in GROUPS},
    )
    whole_level, part_level, least_likeness = (float(value) for value in head["levels"])
    counts, sources = ({name: int(head[key][name]) for name in CLASSES} for key in ("counts", "sources"))
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


def _shaped(arrays: dict[str, NDArray[Any]], name: str, shape: tuple[int, ...]) -> None:
    array = arrays[name]
    if array.shape != shape or array.dtype.kind != "f" or not np.isfinite(array).all():
        raise ValueError(f"{name} should hold finite numbers of shape {shape} and has {array.dtype} of {array.shape}")
