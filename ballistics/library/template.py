"""The template: all that a search needs of a mark, in a few kilobytes, good for any rotation and for parts of marks.

A template holds the angular spectra of rings around the middle of the mark's relief (`relief`): 8-bit
numbers, so few that waves below about 0.5 of the long cut-off (135 µm for breech faces) are not in it.

What it gives away. With the region known, a map can be rebuilt that shows where the mark is high and low on the scale
of 130 to 350 µm. Heights in µm, the relative strength of strong and weak places, what is the same all around a ring,
and the short waves, of which most of what an examiner looks at consists, are gone and cannot be computed back. On the
Fadul set (`python -m benchmarks search`; medians, upper bounds) the rebuilt map correlates with the mark by 0.55
(octaves of 125, 62 and 31 µm and longer: 0.73, 0.45, 0.22), and has a quarter of the mark's similarity with another
scan of the firearm (407 of 1736 nats): no scan of evidential quality. It is not anonymous, though: of the 24 congruent
cells it still has 14. A template points to a firearm as the mark does, and a lent one is to be protected accordingly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from ballistics.errors import CorruptFileError
from ballistics.library.relief import Relief, relief_of
from ballistics.surfaces import Mark, mark_type
from ballistics_kernels.impressions import padded
from ballistics_kernels.templates import polar_samples

METHOD = "polar spectra"
VERSION = "polar-2"

RINGS = 32
"""Rings of the polar map; the outermost lies 32 ring steps from the centre, 2.2 mm for breech faces."""

ANGLES = 128
"""Angles of the polar map; its angular modes are those below ANGLES / 2."""

RING_STEP = 0.27
"""Distance between rings, as a share of the mark type's long cut-off."""

MASK_GROUPS = 8
"""The overlap varies slowly: this is the number of groups of rings it is kept for…"""

MASK_MODES = 8
"""…and this the number of angular modes."""

OFFSETS = 20
"""How far the true centre of a partial mark may lie from its own, in ring steps."""


def ring_modes() -> NDArray[np.int64]:
    """Return how many angular modes each ring carries.

    A ring of radius r holds waves of two ring steps and longer: π (k + ½) of them go round ring k.
    """
    waves = np.floor(math.pi * (np.arange(RINGS) + 0.5)).astype(np.int64)
    return np.asarray(np.minimum(waves + 1, ANGLES // 2))


COEFFICIENTS = int(ring_modes().sum())

RECORD = np.dtype(
    [
        ("version", "S16"),
        ("mark_kind", "S24"),
        ("surface_kind", "S16"),
        ("ring_um", "<f4"),
        ("radii_um", "<f4", OFFSETS),
        ("area", "<f4"),
        ("height_step", "<f4"),
        ("mask_step", "<f4"),
        ("heights", "i1", (COEFFICIENTS, 2)),
        ("mask", "i1", (MASK_MODES * MASK_GROUPS, 2)),
    ]
)
"""The layout of a record: fixed length, little-endian, so that a library can map a stack of records into memory."""

RECORD_BYTES = RECORD.itemsize
"""Length of a record, 3090 bytes."""


def mode_order() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return ring and mode of each coefficient of a record, mode by mode."""
    modes, rings = np.nonzero(np.arange(ANGLES // 2)[:, None] < ring_modes())
    return rings, modes


@dataclass(frozen=True, eq=False)
class Template:
    """A mark as a search sees it.

    Parameters
    ----------
    mark_kind, surface_kind : str
        As of `Mark`; only templates of one kind are compared.
    method, version : str
        How it was made; templates of different versions are not compared.
    array : ndarray of uint8, shape (RECORD_BYTES,)
        The record, of fixed length per version.
    """

    mark_kind: str
    surface_kind: str
    method: str
    version: str
    array: NDArray[np.uint8]

    def to_bytes(self) -> bytes:
        """Return the record; its length is `RECORD_BYTES`."""
        return self.array.tobytes()


def from_bytes(record: bytes) -> Template:
    """Read a record that `Template.to_bytes` returned.

    Raises
    ------
    CorruptFileError
        When it is no record of this version.
    """
    if len(record) != RECORD_BYTES:
        raise CorruptFileError(f"a template of version {VERSION} has {RECORD_BYTES} bytes, this one {len(record)}")
    row = np.frombuffer(record, RECORD)[0]
    if row["version"] != VERSION.encode():
        raise CorruptFileError(f"this is no template of version {VERSION}: make it again from its mark")
    try:
        kinds = [row[field].decode() for field in ("mark_kind", "surface_kind")]
    except UnicodeDecodeError as error:
        raise CorruptFileError("this template was damaged: make it again from its mark") from error
    return Template(kinds[0], kinds[1], METHOD, VERSION, np.frombuffer(record, np.uint8))


def make_template(mark: Mark) -> Template:
    """Make the template of a mark; the same mark gives the same bytes.

    Parameters
    ----------
    mark : Mark
        Whole or in part, of any size; an empty or flat mark gives a template that meets no other.

    Raises
    ------
    ParameterError
        When the mark is of a kind that is not known.

    Examples
    --------
    >>> mark = Mark("breech face", np.random.default_rng(1).normal(size=(300, 300)).astype(np.float32), 6.25)
    >>> made = make_template(mark)
    >>> len(made.to_bytes()) == RECORD_BYTES, from_bytes(made.to_bytes()).mark_kind
    (True, 'breech face')
    """
    ring_um = RING_STEP * mark_type(mark.kind).long_cutoff_um
    low = relief_of(mark)
    values, valid = np.empty((2, RINGS, ANGLES), np.float32)
    polar_samples(padded(low.heights, 1), *low.centre, ring_um / low.spacing_um, values, valid)
    without_circles(values, valid)
    weight = ring_weights()[:, None]
    spectra = scipy.fft.rfft(values * np.sqrt(weight), axis=1, workers=1)
    packed = spectra[mode_order()]
    groups = (valid * weight).reshape(MASK_GROUPS, -1, ANGLES).sum(axis=1)
    mask = scipy.fft.rfft(groups, axis=1, workers=1)[:, :MASK_MODES]
    record = np.zeros(1, RECORD)
    row = record[0]
    row["version"], row["mark_kind"], row["surface_kind"] = VERSION, mark.kind, mark.surface_kind
    row["ring_um"], row["radii_um"], row["area"] = ring_um, _radii_um(low, ring_um), groups.sum()
    row["heights"], row["height_step"] = _quantised(packed)
    row["mask"], row["mask_step"] = _quantised(mask.T.ravel())
    return Template(mark.kind, mark.surface_kind, METHOD, VERSION, np.frombuffer(record.tobytes(), np.uint8))


def _radii_um(low: Relief, ring_um: float) -> NDArray[np.float32]:
    """Return the radius of the smallest circle around the mark whose centre lies k ring steps from the mark's."""
    directions = 2.0 * math.pi * np.arange(64) / 64
    unit = np.stack([np.sin(directions), np.cos(directions)], axis=-1)
    return np.array([low.needed_radius_um(k * ring_um * unit).min() for k in range(OFFSETS)], np.float32)


def without_circles(values: NDArray[np.float32], valid: NDArray[np.float32]) -> None:
    """Take the mean of every ring away: what is the same all around is shared by unrelated marks.

    Primers bulge towards the aperture and roll off at the edge, whoever fired them.
    """
    means = values.sum(axis=1) / np.maximum(valid.sum(axis=1), np.float32(1))
    values -= means[:, None] * valid


def ring_weights() -> NDArray[np.float32]:
    """Return the area that a sample stands for on each ring, relative to the mean."""
    return ((np.arange(RINGS) + 0.5) / (0.5 * RINGS)).astype(np.float32)


def _quantised(values: NDArray[np.complex64]) -> tuple[NDArray[np.int8], float]:
    """Return complex values in whole steps, and the step; the largest part becomes ±127."""
    parts = np.stack([values.real, values.imag], axis=-1)
    step = float(np.abs(parts).max()) / 127.0
    if step == 0.0:
        return np.zeros(parts.shape, np.int8), 0.0
    return np.rint(parts / step).astype(np.int8), step
