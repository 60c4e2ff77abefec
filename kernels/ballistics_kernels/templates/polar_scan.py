"""Correlation of one map with many at every rotation and many shifts, from the angular spectra of their rings."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ballistics_kernels.accelerate import kernel

LANES = 64
"""Candidates side by side in the innermost loops."""

OVERLAP_ANGLES = 32
"""Angles at which the overlap is evaluated: it varies slowly."""

RINGS_AT_ONCE = 4
"""The coefficients of each mode are padded with zeros to a multiple of this."""

# Unsigned, so that numba does not look for negative indices.
_ONE, _TWO, _THREE, _FOUR = np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(4)


class Spectra(NamedTuple):
    """Something of the heights of marks, and the same of where they are valid."""

    heights: NDArray[np.float32]
    mask: NDArray[np.float32]


class ModeRanges(NamedTuple):
    """Where the coefficients of each angular mode begin and end, of heights, shape (modes,), and of masks."""

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    mask_starts: NDArray[np.int64]
    mask_ends: NDArray[np.int64]


class BestPoses(NamedTuple):
    """The best pose of each candidate, shape (LANES,).

    Parameters
    ----------
    best : ndarray of float32
        The greatest value; 0 when none is positive.
    where : ndarray of int32
        Shift · angles + angle, −1 for none. The candidate's content at angle φ meets the query's at φ + angle.
    spread : ndarray of float32
        Root mean square of the values over all poses that count; 0 for none.
    """

    best: NDArray[np.float32]
    where: NDArray[np.int32]
    spread: NDArray[np.float32]


@kernel
def unpack(
    records: NDArray[np.int8], steps: NDArray[np.float32], places: NDArray[np.int64], stack: NDArray[np.float32]
) -> None:
    """Spread the quantised coefficients of some candidates over the lanes of a stack.

    Parameters
    ----------
    records : ndarray of int8, shape (candidates, coefficients, 2)
        At most `LANES` candidates.
    steps : ndarray of float32, shape (candidates,)
        The value of one unit of each.
    places : ndarray of int64, shape (coefficients,)
        Where each coefficient goes, counted with the padding.
    stack : ndarray of float32, shape (padded coefficients / 4, 8, LANES)
        Real and imaginary parts of four coefficients in each row; places of padding and lanes without a candidate
        become 0. Cost: one pass over both.
    """
    stack[:] = np.float32(0)
    for i in range(records.shape[0]):
        step = steps[i]
        for k in range(places.shape[0]):
            row, part = divmod(places[k], RINGS_AT_ONCE)
            stack[row, 2 * part, i] = step * np.float32(records[i, k, 0])
            stack[row, 2 * part + 1, i] = step * np.float32(records[i, k, 1])


@kernel
def accumulate(
    query: NDArray[np.float32],
    stack: NDArray[np.float32],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    spectrum: NDArray[np.float32],
) -> None:
    """Sum query · conj(candidate) over the rings of each mode, for all lanes.

    Parameters
    ----------
    query : ndarray of float32, shape (padded coefficients, 2)
        Real and imaginary parts.
    stack : ndarray of float32, shape (padded coefficients / 4, 8, LANES)
        As `unpack` fills it.
    starts, ends : ndarray of int64, shape (modes,)
        The coefficients of each mode that are summed; multiples of 4.
    spectrum : ndarray of float32, shape (2, modes, LANES)
        Filled: real and imaginary parts. Cost: 4 multiplications per coefficient and lane.
    """
    for m in range(starts.shape[0]):
        re = spectrum[0, m]
        im = spectrum[1, m]
        for lane in range(LANES):
            re[lane] = np.float32(0)
            im[lane] = np.float32(0)
        k = np.uint64(starts[m])
        end = np.uint64(ends[m])
        while k < end:
            q0, p0 = query[k, 0], query[k, 1]
            q1, p1 = query[k + _ONE, 0], query[k + _ONE, 1]
            q2, p2 = query[k + _TWO, 0], query[k + _TWO, 1]
            q3, p3 = query[k + _THREE, 0], query[k + _THREE, 1]
            row = stack[k // _FOUR]
            for lane in range(LANES):
                c0, d0 = row[0, lane], row[1, lane]
                c1, d1 = row[2, lane], row[3, lane]
                c2, d2 = row[4, lane], row[5, lane]
                c3, d3 = row[6, lane], row[7, lane]
                re[lane] += q0 * c0 + p0 * d0 + q1 * c1 + p1 * d1 + q2 * c2 + p2 * d2 + q3 * c3 + p3 * d3
                im[lane] += p0 * c0 - q0 * d0 + p1 * c1 - q1 * d1 + p2 * c2 - q2 * d2 + p3 * c3 - q3 * d3
            k += _FOUR


@kernel
def to_angles(
    spectrum: NDArray[np.float32], turns: NDArray[np.float32], work: NDArray[np.float32], other: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return real sequences of n values from their spectra X: Re X[0] + Σ 2 Re(X[m] exp(2πi m j / n)) for each j.

    Parameters
    ----------
    spectrum : ndarray of float32, shape (2, n / 2, LANES)
        Real and imaginary parts of modes 0 to n/2 − 1; n/2 is a power of 4.
    turns : ndarray of float32, shape (n, 2)
        cos and sin of 2πk/n.
    work, other : ndarray of float32, shape (2, n / 2, LANES)
        Overwritten; one of them is returned.

    Returns
    -------
    ndarray of float32, shape (2, n / 2, LANES)
        Values 0, 2, 4, … and 1, 3, 5, … Cost: about 2.5 n log₂ n operations per lane.

    References
    ----------
    Stockham's self-sorting transform: Cochran et al. 1967, doi:10.1109/PROC.1967.5957.
    """
    half = spectrum.shape[1]
    # Even and odd values become real and imaginary parts of one complex sequence of half the length.
    for lane in range(LANES):
        work[0, 0, lane] = spectrum[0, 0, lane]
        work[1, 0, lane] = spectrum[0, 0, lane]
    for k in range(1, half):
        c, s = turns[k, 0], turns[k, 1]
        a, b, d, e = spectrum[0, k], spectrum[0, half - k], spectrum[1, k], spectrum[1, half - k]
        out_re, out_im = work[0, k], work[1, k]
        for lane in range(LANES):
            difference = a[lane] - b[lane]
            total = d[lane] + e[lane]
            out_re[lane] = a[lane] + b[lane] - c * total - s * difference
            out_im[lane] = d[lane] - e[lane] + c * difference - s * total
    source, target = work.reshape(2, half * LANES), other.reshape(2, half * LANES)
    n = half
    width = LANES
    while n > 1:
        quarter = n // 4
        for p in range(quarter):
            step = p * (turns.shape[0] // n)
            c1, s1 = turns[step, 0], turns[step, 1]
            c2, s2 = turns[2 * step, 0], turns[2 * step, 1]
            c3, s3 = turns[3 * step, 0], turns[3 * step, 1]
            _butterflies(
                source, target, p * width, quarter * width, 4 * p * width, width, ((c1, s1), (c2, s2), (c3, s3))
            )
        source, target = target, source
        n = quarter
        width *= 4
    return source.reshape(2, half, LANES)


@kernel
def _butterflies(
    source: NDArray[np.float32],
    target: NDArray[np.float32],
    start: int,
    stride: int,
    to: int,
    width: int,
    turns: tuple[tuple[float, float], tuple[float, float], tuple[float, float]],
) -> None:
    """Do ``width`` transforms of length 4, positive sign, and turn their results by three angles (cos, sin)."""
    (c1, s1), (c2, s2), (c3, s3) = turns
    a_re, a_im = source[0, start : start + width], source[1, start : start + width]
    start += stride
    b_re, b_im = source[0, start : start + width], source[1, start : start + width]
    start += stride
    c_re, c_im = source[0, start : start + width], source[1, start : start + width]
    start += stride
    d_re, d_im = source[0, start : start + width], source[1, start : start + width]
    w_re, w_im = target[0, to : to + width], target[1, to : to + width]
    to += width
    x_re, x_im = target[0, to : to + width], target[1, to : to + width]
    to += width
    y_re, y_im = target[0, to : to + width], target[1, to : to + width]
    to += width
    z_re, z_im = target[0, to : to + width], target[1, to : to + width]
    for k in range(width):
        sum_re, sum_im = a_re[k] + c_re[k], a_im[k] + c_im[k]
        dif_re, dif_im = a_re[k] - c_re[k], a_im[k] - c_im[k]
        odd_re, odd_im = b_re[k] + d_re[k], b_im[k] + d_im[k]
        # i · (b − d)
        turned_re, turned_im = d_im[k] - b_im[k], b_re[k] - d_re[k]
        w_re[k] = sum_re + odd_re
        w_im[k] = sum_im + odd_im
        u_re, u_im = dif_re + turned_re, dif_im + turned_im
        x_re[k] = c1 * u_re - s1 * u_im
        x_im[k] = c1 * u_im + s1 * u_re
        v_re, v_im = sum_re - odd_re, sum_im - odd_im
        y_re[k] = c2 * v_re - s2 * v_im
        y_im[k] = c2 * v_im + s2 * v_re
        t_re, t_im = dif_re - turned_re, dif_im - turned_im
        z_re[k] = c3 * t_re - s3 * t_im
        z_im[k] = c3 * t_im + s3 * t_re


@kernel
def overlap_roots(
    spectrum: NDArray[np.float32],
    turns: NDArray[np.float32],
    least: NDArray[np.float32],
    roots: NDArray[np.float32],
    counted: NDArray[np.float32],
) -> None:
    """Fill 1 / √overlap at each angle, 0 where the overlap is below the least, from the modes of the overlap.

    Parameters
    ----------
    spectrum : ndarray of float32, shape (2, modes, LANES)
    turns : ndarray of float32, shape (OVERLAP_ANGLES, 2)
        cos and sin of 2πk / OVERLAP_ANGLES.
    least : ndarray of float32, shape (LANES,)
        More than 0.
    roots : ndarray of float32, shape (OVERLAP_ANGLES, LANES)
        Filled.
    counted : ndarray of float32, shape (LANES,)
        The number of angles with enough overlap is added.
    """
    for j in range(OVERLAP_ANGLES):
        row = roots[j]
        first = spectrum[0, 0]
        for lane in range(LANES):
            row[lane] = first[lane]
        for m in range(1, spectrum.shape[1]):
            c, s = np.float32(2) * turns[m * j % OVERLAP_ANGLES, 0], np.float32(2) * turns[m * j % OVERLAP_ANGLES, 1]
            re, im = spectrum[0, m], spectrum[1, m]
            for lane in range(LANES):
                row[lane] += c * re[lane] - s * im[lane]
        for lane in range(LANES):
            enough = row[lane] >= least[lane]
            counted[lane] += np.float32(1) if enough else np.float32(0)
            row[lane] = np.float32(1) / np.sqrt(row[lane]) if enough else np.float32(0)


@kernel
def scan_block(
    query: Spectra,
    stack: Spectra,
    ranges: ModeRanges,
    turns: Spectra,
    least: NDArray[np.float32],
    found: BestPoses,
) -> None:
    """Find for each candidate the shift and rotation of the query with the greatest sum of products / √overlap.

    Parameters
    ----------
    query : Spectra, shapes (shifts, padded coefficients, 2) and (shifts, padded mask coefficients, 2)
        Of the query's rings for each of its shifts, the modes one after another; and of where it is valid.
    stack : Spectra, shapes (padded coefficients / 4, 8, LANES)
        Those of the candidates, see `unpack`.
    ranges : ModeRanges
        The coefficients of each mode that are not 0 in all candidates; there are 64 modes, or 256.
    turns : Spectra, shapes (2 · modes, 2) and (OVERLAP_ANGLES, 2)
        cos and sin of the multiples of the step of angle.
    least : ndarray of float32, shape (LANES,)
        Least overlap; poses with less do not count.
    found : BestPoses
        Filled.

    Notes
    -----
    NaN may not occur. Cost per shift and candidate: 4 multiplications per coefficient, one transform of ``2 · modes``
    real values, and a pass over them: 0.3 to 0.5 µs. A rotation is a cyclic shift of angle, so that one product of
    angular spectra holds all rotations (circular harmonics: Hsu & Arsenault 1982, doi:10.1364/AO.21.004016).
    """
    starts, ends, mask_starts, mask_ends = ranges
    best, where, spread = found
    modes = starts.shape[0]
    spectrum = np.empty((2, modes, LANES), np.float32)
    work = np.empty((2, modes, LANES), np.float32)
    other = np.empty((2, modes, LANES), np.float32)
    overlap = np.empty((2, mask_starts.shape[0], LANES), np.float32)
    roots = np.empty((OVERLAP_ANGLES, LANES), np.float32)
    counted = np.zeros(LANES, np.float32)
    best[:] = np.float32(0)
    where[:] = -1
    spread[:] = np.float32(0)
    pairs = modes // OVERLAP_ANGLES
    for s in range(query.heights.shape[0]):
        accumulate(query.mask[s], stack.mask, mask_starts, mask_ends, overlap)
        overlap_roots(overlap, turns.mask, least, roots, counted)
        accumulate(query.heights[s], stack.heights, starts, ends, spectrum)
        values = to_angles(spectrum, turns.heights, work, other)
        for p in range(modes):
            # The overlap of an angle holds for the angles around it.
            root = roots[((p + pairs // 2) // pairs) % OVERLAP_ANGLES]
            for part in range(2):
                row = values[part, p]
                index = np.int32((s * modes + p) * 2 + part)
                for lane in range(LANES):
                    z = row[lane] * root[lane]
                    spread[lane] += z * z
                    above = z > best[lane]
                    best[lane] = z if above else best[lane]
                    where[lane] = index if above else where[lane]
    for lane in range(LANES):
        poses = np.float32(2 * pairs) * counted[lane]
        spread[lane] = np.sqrt(spread[lane] / poses) if poses > np.float32(0) else np.float32(0)
