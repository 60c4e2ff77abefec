"""Normalised cross-correlation of height maps with missing points, exact over all shifts.

Source: D. Padfield, Masked object registration in the Fourier domain, IEEE Trans. Image Process. 21 (2012)
2706, doi:10.1109/TIP.2011.2181402. At every shift the result is Pearson's correlation over exactly the points
that are valid in both maps; nothing is filled in.
"""

from __future__ import annotations

import math

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from ballistics_kernels.accelerate import kernel

# A variance below this share of the map's own is numerically zero: Pearson's r has no meaning there.
_FLAT = 1e-6


def masked_spectra(heights: NDArray[np.float32], shape: tuple[int, int]) -> NDArray[np.complex64]:
    """Return the spectra of values, squared values and validity, zero where points are missing.

    Parameters
    ----------
    heights : ndarray of float32, shape (rows, columns)
        NaN marks missing points. Subtract the mean first: it keeps the sums small.
    shape : tuple of int
        Size to pad to.

    Returns
    -------
    ndarray of complex64, shape (3, shape[0], shape[1] // 2 + 1)
    """
    fields = np.zeros((3, *shape), np.float32)
    rows, columns = heights.shape
    valid = np.isfinite(heights)
    values = np.where(valid, heights, np.float32(0))
    fields[0, :rows, :columns] = values
    fields[1, :rows, :columns] = values * values
    fields[2, :rows, :columns] = valid
    return scipy.fft.rfft2(fields, workers=1)


NO_CORRELATION = -2.0
"""What `pearson_from_sums` returns where either map is flat; a value, since NaN cannot be tested in a kernel."""


@kernel
def pearson_from_sums(count: float, sum_a: float, sum_b: float, sum_aa: float, sum_bb: float, sum_ab: float) -> float:
    """Return Pearson's correlation from the six sums over the common points.

    Parameters
    ----------
    count : float
        Common points, above 0.
    sum_a, sum_b : float
        Of the values of either map there.
    sum_aa, sum_bb, sum_ab : float
        Of their squares and products. Means near zero keep the digits that the differences of sums need.

    Returns
    -------
    float
        −1 to 1 to rounding; `NO_CORRELATION` if either map is flat.
    """
    variance_a = sum_aa - sum_a * sum_a / count
    variance_b = sum_bb - sum_b * sum_b / count
    if variance_a <= _FLAT * sum_aa or variance_b <= _FLAT * sum_bb or variance_a <= 0.0 or variance_b <= 0.0:
        return NO_CORRELATION
    return (sum_ab - sum_a * sum_b / count) / math.sqrt(variance_a * variance_b)


@kernel
def _correlations(sums: NDArray[np.float32], minimum: float, out: NDArray[np.float32]) -> None:
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            count = np.rint(sums[0, i, j])
            if count < minimum or count < 2:
                out[i, j] = np.nan
                continue
            r = pearson_from_sums(count, sums[1, i, j], sums[2, i, j], sums[3, i, j], sums[4, i, j], sums[5, i, j])
            # Not np.isfinite: with reassociation it is optimised away on a computed value.
            out[i, j] = max(-1.0, min(1.0, r)) if r > NO_CORRELATION else np.nan


def correlate_spectra(
    spectra_a: NDArray[np.complex64],
    spectra_b: NDArray[np.complex64],
    shape: tuple[int, int],
    minimum_overlap: float,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the masked correlation of two maps, and their common points, at every cyclic shift.

    Parameters
    ----------
    spectra_a, spectra_b : ndarray of complex64
        From `masked_spectra`, both padded to ``shape``.
    shape : tuple of int
        The padded size.
    minimum_overlap : float
        Shifts with fewer common points have no correlation (NaN).

    Returns
    -------
    correlations, overlaps : ndarray of float32, shape ``shape``
        Entry ``(i, j)`` is for point (0, 0) of A on point (i, j) of B, cyclically.
        Cost: 6 inverse transforms.
    """
    a, aa, ma = np.conj(spectra_a)
    b, bb, mb = spectra_b
    products = np.stack([ma * mb, a * mb, ma * b, aa * mb, ma * bb, a * b])
    sums = scipy.fft.irfft2(products, s=shape, workers=1, overwrite_x=True)
    out = np.empty(shape, np.float32)
    _correlations(sums, minimum_overlap, out)
    return out, sums[0]


def masked_ncc(
    a: NDArray[np.float32], b: NDArray[np.float32], minimum_overlap: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the masked correlation of two maps at every shift.

    Parameters
    ----------
    a, b : ndarray of float32, shapes (m, n) and (p, q)
        NaN marks missing points.
    minimum_overlap : float
        Shifts with fewer common points have no correlation (NaN).

    Returns
    -------
    correlations, overlaps : ndarray of float32, shape (m + p − 1, n + q − 1)
        Entry ``(i, j)``: point (0, 0) of A on point (i − m + 1, j − n + 1) of B.
    """
    full = (a.shape[0] + b.shape[0] - 1, a.shape[1] + b.shape[1] - 1)
    shape = (scipy.fft.next_fast_len(full[0], real=True), scipy.fft.next_fast_len(full[1], real=True))
    spectra = [masked_spectra(centred(x), shape) for x in (a, b)]
    correlations, overlaps = correlate_spectra(spectra[0], spectra[1], shape, minimum_overlap)
    up, left = a.shape[0] - 1, a.shape[1] - 1
    rolled = np.roll(correlations, (up, left), axis=(0, 1))[: full[0], : full[1]]
    return rolled, np.rint(np.roll(overlaps, (up, left), axis=(0, 1))[: full[0], : full[1]])


def centred(heights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the map with the mean of its valid points subtracted; an empty map unchanged."""
    valid = np.isfinite(heights)
    if not valid.any():
        return heights
    return heights - np.float32(heights[valid].mean(dtype=np.float64))
