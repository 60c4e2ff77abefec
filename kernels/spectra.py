"""Transforms of batches of small maps, without the rows that are padding or are not needed."""

from __future__ import annotations

import numpy as np
import scipy.fft
from numpy.typing import NDArray


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
    """Return the first ``rows`` rows of the inverse transforms, each of ``columns`` columns; destroys its input."""
    half = scipy.fft.ifft(spectra, axis=-2, workers=1, overwrite_x=True)
    return scipy.fft.irfft(half[..., :rows, :], n=columns, workers=1)  # type: ignore[no-any-return,unused-ignore]  # scipy is untyped


def combined_sums(
    cells: tuple[NDArray[np.complex64], ...], others: tuple[NDArray[np.complex64], ...], columns: int, rows: int
) -> NDArray[np.float32]:
    """Return the five slowly varying sums of a masked correlation at every shift.

    Parameters
    ----------
    cells : tuple of ndarray of complex64
        Conjugated spectra of validity, values, squares of the map that is moved.
    others : tuple of ndarray of complex64
        Spectra of validity, values, squares of the map that stays.
    columns, rows : int
        Columns of the padded maps; rows of the result that are needed.

    Returns
    -------
    ndarray of float32, shape (5, …, rows, columns)
        Common points, Σ moved, Σ staying, Σ moved², Σ staying², each where the other is valid.
    """
    count, total, squares = cells
    other_count, other_total, other_squares = others
    products = np.empty((5, *np.broadcast_shapes(count.shape, other_count.shape)), np.complex64)
    np.multiply(count, other_count, out=products[0])
    np.multiply(total, other_count, out=products[1])
    np.multiply(count, other_total, out=products[2])
    np.multiply(squares, other_count, out=products[3])
    np.multiply(count, other_squares, out=products[4])
    return inverse(products, columns, rows)
