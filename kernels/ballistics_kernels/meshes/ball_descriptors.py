"""What a surface looks like inside a ball, whatever its turn or handedness: spherical-harmonic energies of shells."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ballistics_kernels.accelerate import kernel
from ballistics_kernels.meshes.cell_grid import sort_into_cells

DEGREES = 7  # spherical-harmonic degrees 0 … 6
SHELLS = 7
LENGTH = DEGREES * SHELLS + DEGREES * (SHELLS - 1)  # energies of each shell, and of each shell with the next


@kernel
def harmonics(x: float, y: float, z: float, recurrence: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    """Compute the real spherical harmonics of degrees 0 … 6 of a unit vector.

    Parameters
    ----------
    x, y, z : float
        The unit vector.
    recurrence : ndarray of float64, shape (3, 7, 7)
        `harmonic_recurrence()`.
    out : ndarray of float64, shape (49,)
        Filled, degree by degree: orders −l … l of degree l stand at l² … l² + 2l.
    """
    # Legendre functions divided by sin^m; the sine goes into the cosines and sines of the longitude.
    c = 1.0
    s = 0.0
    for m in range(DEGREES):
        before = 0.0
        now = recurrence[0, m, m]
        for degree in range(m, DEGREES):
            if m == 0:
                out[degree * degree + degree] = now
            else:
                out[degree * degree + degree + m] = now * c
                out[degree * degree + degree - m] = now * s
            after = recurrence[1, degree, m] * z * now - recurrence[2, degree, m] * before
            before = now
            now = after
        c, s = x * c - y * s, x * s + y * c


def harmonic_recurrence() -> NDArray[np.float64]:
    """Return the numbers from which `harmonics` computes degree by degree, [kind, degree, order ≥ 0], shape (3, 7, 7).

    Kind 0 holds the values of degree = order without the sine, kinds 1 and 2 the factors of the two degrees before;
    so normed that each real harmonic has mean square 1 over the sphere.
    """
    out = np.zeros((3, DEGREES, DEGREES))
    value = 1.0
    for m in range(DEGREES):
        out[0, m, m] = value * (1.0 if m == 0 else np.sqrt(2.0))
        value *= np.sqrt((2 * m + 3) / (2 * m + 2))
        for degree in range(m, DEGREES):
            up = degree + 1
            across = up * up - m * m
            out[1, degree, m] = np.sqrt((2 * up - 1) * (2 * up + 1) / across)
            out[2, degree, m] = np.sqrt((2 * up + 1) * (degree * degree - m * m) / (max(2 * up - 3, 1) * across))
    return out


@kernel
def ball_descriptors(
    points: NDArray[np.float64],
    centres: NDArray[np.float64],
    radius: float,
    least: int,
    recurrence: NDArray[np.float64],
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Describe the points inside a ball around each centre.

    The points are shared out over 7 concentric shells (linearly between neighbouring ones), each shell is expanded
    into spherical harmonics, and what a turn or a reflection of the ball cannot change is kept: the energy of each
    degree in each shell, and the product of each degree between neighbouring shells, as signed square roots. All is
    divided by the number of points, so that their density carries no information.

    Parameters
    ----------
    points : ndarray of float64, shape (n, 3)
        An even sample of a surface; finite.
    centres : ndarray of float64, shape (balls, 3)
        Finite.
    radius : float
        Of the balls, positive, in the unit of the points.
    least : int
        A ball with fewer points is not described.
    recurrence : ndarray of float64
        `harmonic_recurrence()`.

    Returns
    -------
    descriptors : ndarray of float32, shape (balls, 91)
        0 where a ball is not described.
    counts : ndarray of int64, shape (balls,)
        Points in each ball. Cost: points in the balls × 300 multiplications.

    Notes
    -----
    Energies of shells: Kazhdan et al. 2003, doi:10.2312/SGP/SGP03/156-165; products between shells keep the turn of
    one against the other, which energies alone lose.
    """
    balls = centres.shape[0]
    out = np.zeros((balls, LENGTH), np.float32)
    counts = np.zeros(balls, np.int64)
    origin, shape, starts, rows = sort_into_cells(points, radius)
    found = np.empty((4, points.shape[0]), np.float64)  # x, y, z of the direction, place among the shells
    by_shell = np.empty((4, points.shape[0]), np.float64)
    work = np.empty((4, points.shape[0]), np.float64)
    ends = np.empty(SHELLS + 1, np.int64)
    filled = np.empty(SHELLS + 1, np.int64)
    sums = np.empty((SHELLS + 1, DEGREES * DEGREES), np.float64)
    for b in range(balls):
        count, used = _gather(points, centres[b], radius, origin, shape, starts, rows, found)
        counts[b] = count
        if count < least:
            continue
        # By shells, so that what follows runs along the points.
        ends[:] = 0
        for i in range(used):
            ends[int(found[3, i]) + 1] += 1
        for shell in range(SHELLS):
            ends[shell + 1] += ends[shell]
        filled[:] = ends
        for i in range(used):
            inner = int(found[3, i])
            place = filled[inner]
            filled[inner] += 1
            by_shell[0, place] = found[0, i]
            by_shell[1, place] = found[1, i]
            by_shell[2, place] = found[2, i]
            by_shell[3, place] = found[3, i] - inner
        _shell_sums(by_shell, ends, used, recurrence, work, sums)
        # Row 0 of the sums is the centre; the last row, what lies nearest to the edge, is left out: it fades.
        at = 0
        for shell in range(SHELLS):
            for degree in range(DEGREES):
                own = 0.0
                other = 0.0
                for h in range(degree * degree, (degree + 1) * (degree + 1)):
                    own += sums[shell, h] * sums[shell, h]
                    other += sums[shell, h] * sums[shell + 1, h]
                out[b, at + degree] = np.sqrt(own) / count
                if shell < SHELLS - 1:
                    root = np.sqrt(abs(other)) / count
                    out[b, SHELLS * DEGREES + at + degree] = root if other >= 0.0 else -root
            at += DEGREES
    return out, counts


@kernel
def _gather(
    points: NDArray[np.float64],
    centre: NDArray[np.float64],
    radius: float,
    origin: NDArray[np.float64],
    shape: NDArray[np.int64],
    starts: NDArray[np.int64],
    rows: NDArray[np.int64],
    found: NDArray[np.float64],
) -> tuple[int, int]:
    """Write direction and place among the shells (0 … 7) of the points of a ball.

    Return how many points are in it, and how many were written: one at the very centre has no direction.
    """
    count = 0
    used = 0
    i0 = int(np.floor((centre[0] - origin[0]) / radius))
    j0 = int(np.floor((centre[1] - origin[1]) / radius))
    k0 = int(np.floor((centre[2] - origin[2]) / radius))
    low = max(k0 - 1, 0)
    high = min(k0 + 2, shape[2])
    if high <= low:
        return 0, 0
    for i in range(max(i0 - 1, 0), min(i0 + 2, shape[0])):
        for j in range(max(j0 - 1, 0), min(j0 + 2, shape[1])):
            first = (i * shape[1] + j) * shape[2]
            for r in range(starts[first + low], starts[first + high]):
                p = rows[r]
                x = points[p, 0] - centre[0]
                y = points[p, 1] - centre[1]
                z = points[p, 2] - centre[2]
                square = x * x + y * y + z * z
                if square >= radius * radius:
                    continue
                count += 1
                off = np.sqrt(square)
                if off < 1e-9 * radius:
                    continue
                found[0, used] = x / off
                found[1, used] = y / off
                found[2, used] = z / off
                # Shell k is centred on k / 7 of the radius.
                found[3, used] = min(off / radius * SHELLS, SHELLS - 1e-12)
                used += 1
    return count, used


@kernel
def _shell_sums(
    directions: NDArray[np.float64],
    ends: NDArray[np.int64],
    used: int,
    recurrence: NDArray[np.float64],
    work: NDArray[np.float64],
    sums: NDArray[np.float64],
) -> None:
    """Add up the harmonics of `harmonics` over the points of each shell, shared out between it and the next."""
    sums[:] = 0.0
    x, y, z, outer = directions[0], directions[1], directions[2], directions[3]
    before, now, c, s = work[0], work[1], work[2], work[3]
    for i in range(used):
        c[i] = 1.0
        s[i] = 0.0
    for m in range(DEGREES):
        for i in range(used):
            before[i] = 0.0
            now[i] = recurrence[0, m, m]
        for degree in range(m, DEGREES):
            middle = degree * degree + degree
            for shell in range(SHELLS):
                even = 0.0
                even_outer = 0.0
                odd = 0.0
                odd_outer = 0.0
                # Slices, so that the compiler knows of no negative index and works on several points at a time.
                low, high = ends[shell], ends[shell + 1]
                legendre, cosines, sines, share = now[low:high], c[low:high], s[low:high], outer[low:high]
                for i in range(high - low):
                    value = legendre[i] * cosines[i]
                    even += value
                    even_outer += value * share[i]
                    value = legendre[i] * sines[i]
                    odd += value
                    odd_outer += value * share[i]
                sums[shell, middle + m] += even - even_outer
                sums[shell + 1, middle + m] += even_outer
                if m > 0:
                    sums[shell, middle - m] += odd - odd_outer
                    sums[shell + 1, middle - m] += odd_outer
            up = recurrence[1, degree, m]
            down = recurrence[2, degree, m]
            for i in range(used):
                after = up * z[i] * now[i] - down * before[i]
                before[i] = now[i]
                now[i] = after
        for i in range(used):
            cosine = x[i] * c[i] - y[i] * s[i]
            s[i] = x[i] * s[i] + y[i] * c[i]
            c[i] = cosine
