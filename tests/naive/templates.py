"""Plain twins of the template scan: polar maps, and their correlation at every rotation."""

from __future__ import annotations

import numpy as np

from naive.filters import sample


def polar_samples(heights, centre_y, centre_x, ring_step, rings, angles):
    """Heights on rings, and where they are known; `heights` without a border, NaN where missing."""
    values, valid = np.zeros((2, rings, angles))
    for k in range(rings):
        for j in range(angles):
            phi = 2 * np.pi * j / angles
            value = sample(
                heights, centre_y + (k + 0.5) * ring_step * np.sin(phi), centre_x + (k + 0.5) * ring_step * np.cos(phi)
            )
            if np.isfinite(value):
                values[k, j], valid[k, j] = value, 1
    return values, valid


def angular_products(query, candidate, modes, n_modes):
    """Σ query · conj(candidate) over the coefficients of each mode; complex coefficients, their modes."""
    out = np.zeros(n_modes, complex)
    for q, c, m in zip(query, candidate, modes, strict=True):
        out[m] += q * np.conj(c)
    return out


def at_angles(spectrum, n):
    """Re X[0] + Σ 2 Re(X[m] exp(2πi m j / n)) at each of n angles."""
    out = np.zeros(n)
    for j in range(n):
        out[j] = spectrum[0].real
        for m in range(1, len(spectrum)):
            out[j] += 2 * (spectrum[m] * np.exp(2j * np.pi * m * j / n)).real
    return out


def scan_candidate(query, query_mask, candidate, candidate_mask, modes, mask_modes, n_modes, n_mask_modes, least):
    """Best value / √overlap over shifts and angles, its place, and the root mean square over the poses that count.

    `query` and `query_mask` have a row for each shift.
    """
    n, coarse = 2 * n_modes, 32
    best, where, squares, count = 0.0, -1, 0.0, 0
    for s in range(len(query)):
        overlap = at_angles(angular_products(query_mask[s], candidate_mask, mask_modes, n_mask_modes), coarse)
        values = at_angles(angular_products(query[s], candidate, modes, n_modes), n)
        per = n // coarse
        for j in range(n):
            # An overlap holds for the angles around its own: half of them before it, half from it on.
            area = overlap[((j // 2 + per // 4) // (per // 2)) % coarse]
            if area < least:
                continue
            z = values[j] / np.sqrt(area)
            squares += z * z
            count += 1
            if z > best:
                best, where = z, s * n + j
    return best, where, np.sqrt(squares / count) if count else 0.0
