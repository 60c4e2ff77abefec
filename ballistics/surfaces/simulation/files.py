"""Simulated heads as files: X3P scans, region masks and a table with the ground truth."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ballistics.errors import WriteError
from ballistics.surfaces.simulation.heads import SimulatedHead
from ballistics.surfaces.simulation.parameters import stated

TRUTH = "truth.csv"


def scan_name(head: SimulatedHead) -> str:
    """Return the name of a head's files, without extension, e.g. ``"F0003-S02"``."""
    return f"F{head.firearm_id:04d}-S{head.shot_id:02d}"


def truth_row(head: SimulatedHead) -> dict[str, Any]:
    """Return all that is known about a head as one flat row: scan, firearm, pose, then every parameter.

    Pairs (y, x) become two columns ending in ``_y`` and ``_x``; parameters of the ammunition begin
    with ``ammunition_``. Parameters that make pairs hard stand in it only when one of them is in force. The pose is
    that of `ballistics.surfaces.simulation.heads.Pose`.
    """
    firearm, shot = stated(head.firearm, head.shot)
    pose, ammunition = shot.pop("pose"), shot.pop("ammunition")
    row: dict[str, Any] = {
        "scan": f"{scan_name(head)}.x3p",
        "firearm": head.firearm_id,
        "shot": head.shot_id,
        "spacing_um": head.surface.spacing_um[0],
        **_flat("", pose),
        "firearm_seed": firearm.pop("seed"),
        "shot_seed": shot.pop("seed"),
        **_flat("", firearm),
        **_flat("", shot),
        **_flat("ammunition_", ammunition),
    }
    return row


def write_population(heads: Iterable[SimulatedHead], folder: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Write heads into a folder, one at a time, and give the path of each scan when it is written.

    For each head: ``NAME.x3p`` (the scan), ``NAME.region.png`` (255 on the true breech-face region, 0
    elsewhere) and ``NAME.labels.png`` (the label map, values 0 to 6); and one line in ``truth.csv``.

    Parameters
    ----------
    heads : iterable of SimulatedHead
        From `simulate_population`; it is consumed lazily.
    folder : Path
        Made if need be.
    overwrite : bool
        Replace files that exist.

    Raises
    ------
    WriteError
        When a file exists and ``overwrite`` is not set, or cannot be written; or when only some of the heads have
        parameters that make pairs hard.
    """
    from ballistics.surfaces.formats.x3p.writer import write_x3p

    table = folder / TRUTH
    if table.exists() and not overwrite:
        raise WriteError(f"{table} exists already: choose another folder, or allow overwriting")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = table.open("w", newline="", encoding="utf-8")
    except OSError as error:
        raise WriteError(f"{table} cannot be written: {error.strerror}; choose another folder") from error
    with file:
        writer: csv.DictWriter[str] | None = None
        for head in heads:
            path = folder / f"{scan_name(head)}.x3p"
            write_x3p(path, head.surface, overwrite=overwrite)
            _write_png(path.with_suffix(".region.png"), head.region.astype(np.uint8) * 255, overwrite)
            _write_png(path.with_suffix(".labels.png"), head.labels, overwrite)
            row = truth_row(head)
            if writer is None:
                writer = csv.DictWriter(file, list(row), lineterminator="\n")
                writer.writeheader()
            elif list(row) != list(writer.fieldnames):
                raise WriteError(f"{path} has other parameters than the scans before it: write each difficulty apart")
            writer.writerow(row)
            yield path


def _flat(prefix: str, values: Mapping[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, tuple):
            row[f"{prefix}{name}_y"], row[f"{prefix}{name}_x"] = value
        else:
            row[prefix + name] = value
    return row


def _write_png(path: Path, image: NDArray[np.uint8], overwrite: bool) -> None:
    import cv2

    encoded, data = cv2.imencode(".png", image)
    if not encoded:
        raise WriteError(f"{path} cannot be written: the picture cannot be encoded")
    try:
        with path.open("wb" if overwrite else "xb") as file:
            file.write(data.tobytes())
    except FileExistsError:
        raise WriteError(f"{path} exists already: choose another folder, or allow overwriting") from None
    except OSError as error:
        raise WriteError(f"{path} cannot be written: {error.strerror}; choose another folder") from error
