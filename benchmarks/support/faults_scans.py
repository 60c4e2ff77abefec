"""Scans with faults: each file given is read right, or refused with the true reason; anything else is a wrong row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ballistics.errors import BallisticsError
from ballistics.surfaces.formats.reading import read
from ballistics.surfaces.surface import Surface
from benchmarks.support.fault_rows import FAULTS, FaultRow


@dataclass(frozen=True)
class _Case:
    """What is right for one file.

    Parameters
    ----------
    file, situation : str
        As of `FaultRow`.
    shape, spacing_um : optional
        Of the surface that should come out.
    like : str
        A file, relative to the data's folder, whose heights should come out wherever these are not missing; a factor
        turns its heights into those of this file.
    missing : int
        How many points should be missing beyond those of ``like``.
    codes : tuple of str
        Findings that are due; one of them suffices.
    refusal : tuple of str
        Words of which a refusal must have one, where a refusal is right too (or, without a shape, alone right).
    """

    file: str
    situation: str
    shape: tuple[int, int] | None = None
    spacing_um: float = 3.125
    like: str = ""
    factor: float = 1.0
    arrange: Callable[[NDArray[np.float64]], NDArray[np.float64]] = field(default=lambda heights: heights)
    missing: int = 0
    codes: tuple[str, ...] = ()
    refusal: tuple[str, ...] = ()


# The same made-up surface is in all files s*: this one has its heights plainly, for the plain grid of 150 x 200.
_PLAIN = "faults/files/s12_swapped_sizes.x3p"


def _unexchanged(heights: NDArray[np.float64]) -> NDArray[np.float64]:
    return heights.reshape(heights.shape[::-1])


_SIZE = (150, 200)
_CASES = (
    _Case(
        "files/s01_root_ISO5436.x3p",
        "root element ISO5436 without _2 and namespace",
        _SIZE,
        like=_PLAIN,
        arrange=_unexchanged,
        codes=("root-unusual",),
    ),
    _Case(
        "files/s08_sentinel_1e10.x3p",
        "17 % of points hold 1e10",
        _SIZE,
        like=_PLAIN,
        arrange=_unexchanged,
        missing=5000,
        codes=("sentinel-made-missing",),
        refusal=("hold 1e+10",),
    ),
    _Case(
        "files/s09_sentinel_flt_max_few.x3p",
        "0.4 % of points hold -FLT_MAX",
        _SIZE,
        like=_PLAIN,
        arrange=_unexchanged,
        missing=120,
        codes=("sentinel-made-missing",),
    ),
    _Case(
        "files/s12_swapped_sizes.x3p",
        "SizeX and SizeY exchanged",
        (200, 150),
        codes=("sizes-exchanged",),
        refusal=("wrong order",),
    ),
    _Case(
        "files/s17_z_nm_as_um_1000x.x3p",
        "heights a thousand times too small",
        _SIZE,
        like=_PLAIN,
        factor=1e-3,
        arrange=_unexchanged,
        codes=("heights-tiny",),
    ),
    _Case("files/s20_control.sur", "SUR, micrometres in UTF-8", _SIZE, like=_PLAIN, arrange=_unexchanged),
    _Case(
        "files/s27_compressed.sur", "compressed SUR", _SIZE, like=_PLAIN, arrange=_unexchanged, refusal=("compress",)
    ),
    _Case(
        "files/fltmax_scattered.x3p",
        "a real scan, 0.4 % of its points -FLT_MAX",
        (545, 545),
        6.25,
        like="breech-faces/fadul/Fadul-1-1.x3p",
        missing=330,
        codes=("sentinel-made-missing",),
    ),
    _Case("files/nms-1.nms", "NanoFocus NMS", (512, 512), 0.3125, codes=("pixel-unit-settled",), refusal=("unit",)),
    _Case(
        "files/root-ISO5436.x3p",
        "root element written by x3p.js, and micrometres written as metres",
        refusal=("if the numbers were micrometres they would be",),
    ),
    _Case("hostile/x3p-nan-spacing-415.x3p", "positions up to 1e308", refusal=("lengths", "spacing")),
    _Case("hostile/x3p-nan-spacing-86.x3p", "positions within 3 µm", refusal=("lengths", "spacing")),
)


def rows() -> Iterator[FaultRow]:
    """Read every scan given, and yield what became of it."""
    for case in _CASES:
        try:
            surface = read(FAULTS / case.file)
        except BallisticsError as error:
            said = str(error).removeprefix(f"{FAULTS / case.file}: ")
            fits = any(words in said for words in case.refusal)
            yield FaultRow(case.file, case.situation, _expected(case), "refused" if fits else "wrong", said[:200])
            continue
        faults = _faults(case, surface)
        codes = ", ".join(finding.code for finding in surface.findings if finding.severity != "note")
        got = f"{surface.heights_um.shape}, {surface.spacing_um[1]:.4g} µm, {codes or 'no finding'}"
        yield FaultRow(
            case.file, case.situation, _expected(case), "wrong" if faults else "right", "; ".join(faults) or got
        )


def _expected(case: _Case) -> str:
    words = []
    if case.shape is not None:
        words.append(f"{case.shape[0]} x {case.shape[1]} points, {case.spacing_um:g} µm")
    if case.missing:
        words.append(f"{case.missing} more points missing")
    if case.codes:
        words.append(f"finding {' or '.join(case.codes)}")
    if case.refusal:
        words.append(f"or a refusal with {' or '.join(case.refusal)}")
    return ", ".join(words)


def _faults(case: _Case, surface: Surface) -> list[str]:
    """Return what is wrong with a surface."""
    faults = []
    codes = {finding.code for finding in surface.findings}
    if case.shape is None and not case.codes:
        faults.append("read, but a refusal is right")
    if case.shape is not None and surface.heights_um.shape != case.shape:
        faults.append(f"shape {surface.heights_um.shape}")
    if case.shape is not None and not np.allclose(surface.spacing_um, case.spacing_um, rtol=1e-5):
        faults.append(f"spacing {surface.spacing_um}")
    if case.codes and not codes & set(case.codes):
        faults.append(f"none of the findings that are due; {sorted(codes) or 'none at all'}")
    if case.like and not faults:
        faults += _unlike(case, surface.heights_um)
    return faults


def _unlike(case: _Case, heights: NDArray[np.float64]) -> list[str]:
    """Return how heights differ from those that are right, whatever their mean."""
    right = case.arrange(read(_data(case.like)).heights_um) * case.factor
    missing = int(np.isnan(heights).sum() - np.isnan(right).sum())
    difference: Any = heights - right
    difference = np.abs(difference - np.nanmedian(difference))
    range_um = float(np.nanmax(right) - np.nanmin(right))
    faults = []
    if missing != case.missing:
        faults.append(f"{missing} more points missing instead of {case.missing}")
    if not np.nanmax(difference) < 1e-3 * range_um:
        faults.append(f"heights differ by up to {np.nanmax(difference):.3g} µm")
    return faults


def _data(name: str) -> Path:
    return FAULTS.parent / name
