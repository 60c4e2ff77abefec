"""Transforms of batches of small maps, without the rows that are padding or are not needed."""

from __future__ import annotations

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from ballistics_kernels.accelerate import kernel


def forward(fields: NDArray[np.float32], rows: int) -> NDArray[np.complex64]:
    """Return the real 2D transforms of fields padded with zeros to ``rows`` rows.

    Parameters
    ----------
    fields : ndarray of float32, shape (…, m, n)
        m at most ``rows``; the rows of padding are not transformed along their length.
    rows : int
        Rows of the padded fields.

    Returns
    -------
    ndarray of complex64, shape (…, rows, n // 2 + 1)
    """
    half = scipy.fft.rfft(fields, workers=1)
    return scipy.fft.fft(half, n=rows, axis=-2, workers=1, overwrite_x=True)  # type: ignore[no-any-return,unused-ignore]  # scipy is untyped


def inverse(spectra: NDArray[np.complex64], columns: int, rows: int) -> NDArray[np.float32]:
    """Return the first rows of the inverse transforms of maps.

    Parameters
    ----------
    spectra : ndarray of complex64, shape (…, m, columns // 2 + 1)
        From `forward`, or products of these; destroyed.
    columns : int
        Columns of the maps.
    rows : int
        Rows that are needed, at most m; the others are not transformed along their length.

    Returns
    -------
    ndarray of float32, shape (…, rows, columns)
    """
    half = scipy.fft.ifft(spectra, axis=-2, workers=1, overwrite_x=True)
    return scipy.fft.irfft(half[..., :rows, :], n=columns, workers=1)  # type: ignore[no-any-return,unused-ignore]  # scipy is untyped


@kernel
def _products(moved: NDArray[np.complex64], stays: NDArray[np.complex64], out: NDArray[np.complex64]) -> None:
    """Fill (maps, 5, points) with the products of the conjugated spectra of one side, (3, maps, points), and the other.

    In pairs: validity with validity, values and squares, each way. The other side may be one map for all.
    """
    pairs = ((0, 0), (1, 0), (0, 1), (2, 0), (0, 2))
    for c in range(out.shape[0]):
        other = min(c, stays.shape[1] - 1)
        for q in range(5):
            x, y, z = moved[pairs[q][0], c], stays[pairs[q][1], other], out[c, q]
            for k in range(z.size):
                z[k] = x[k].conjugate() * y[k]


def combined_sums(
    moved: NDArray[np.complex64], stays: NDArray[np.complex64], columns: int, rows: int
) -> NDArray[np.float32]:
    """Return the five slowly varying sums of a masked correlation at every shift.

    Parameters
    ----------
    moved, stays : ndarray of complex64, shape (3, maps, m, n)
        Spectra of validity, values, squares of the maps that are moved, and of those that stay, or of one that stays
        for all.
    columns, rows : int
        Columns of the padded maps; rows of the result that are needed.

    Returns
    -------
    ndarray of float32, shape (maps, 5, rows, columns)
        Common points, Σ moved, Σ staying, Σ moved², Σ staying², each where the other is valid.
    """
    _, maps, m, n = moved.shape
    products = np.empty((maps, 5, m, n), np.complex64)
    _products(moved.reshape(3, maps, m * n), stays.reshape(3, -1, m * n), products.reshape(maps, 5, m * n))
    return inverse(products, columns, rows)
