"""Simulated marks in large numbers, as hard to tell from real breech faces as these from each other."""

from __future__ import annotations

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from ballistics.surfaces.simulation.fields import generator, red_field
from ballistics.surfaces.surface import Mark

# The amplitude of prepared Fadul marks falls as frequency to the power of these, from the least steep to the steepest
# (fitted between 50 and 250 µm, after division by the transmission of the band-pass filter).
_EXPONENTS = (1.5, 1.95)
# The band of the breech-face card; a field of half the spacing's points carries no waves below 25 µm.
_BAND_UM = (16.0, 250.0)
_COARSE = 2


def distractor(regions: list[NDArray[np.bool_]], seed: int, number: int, spacing_um: float, fine: bool) -> Mark:
    """Simulate the mark of a firearm of its own, on the region of a real mark.

    A granular breech face, as in `ballistics.surfaces.simulation.breech_faces`, with the exponent drawn from the
    range of the real marks, in the region of one of them, turned by quarters and mirrored at random. It is made on
    twice the spacing, on which a template is made anyway; the fine mark is the same field, interpolated exactly
    (by its spectrum), and so holds no waves below 25 µm, which no part of the search looks at.

    Parameters
    ----------
    regions : list of ndarray of bool
        Valid points of the real marks.
    seed, number : int
        Of the population, and of the mark in it.
    spacing_um : float
        That of the real marks.
    fine : bool
        Whether the mark has that spacing (to be compared), or twice as much (to make its template).
    """
    rng = generator(seed, f"distractor {number}")
    region = np.rot90(regions[int(rng.integers(len(regions)))], int(rng.integers(4)))
    if rng.random() < 0.5:
        region = region[:, ::-1]
    points = scipy.fft.next_fast_len(-(-max(region.shape) // _COARSE) + 10, real=True)
    points += points % 2
    field = red_field(rng, *_BAND_UM, float(rng.uniform(*_EXPONENTS)), points, _COARSE * spacing_um)
    # Pits are deeper than crests are high, as in simulated granular breech faces.
    field -= np.float32(0.12) * field * field
    step = 1 if fine else _COARSE
    half, wider = points // 2, _COARSE // step
    # Without the shortest wave of all, which the coarser grid cannot tell from its mirror image.
    spectrum = scipy.fft.rfft2(field, workers=1)[:, :half]
    wide = np.zeros((wider * points, wider * half + 1), np.complex64)
    wide[:half, :half], wide[-half + 1 :, :half] = spectrum[:half], spectrum[half + 1 :]
    field = scipy.fft.irfft2(wide, s=(wider * points, wider * points), workers=1) * np.float32(wider**2)
    kept = region[::step, ::step]
    heights = np.where(kept, field[: kept.shape[0], : kept.shape[1]], np.float32(np.nan))
    return Mark("breech face", np.ascontiguousarray(heights, np.float32), step * spacing_um)
