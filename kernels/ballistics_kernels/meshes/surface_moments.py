"""Integrals over the surface of a triangle mesh: exact for polynomials, whatever the triangulation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ballistics_kernels.accelerate import kernel

# Symmetric quadrature on the triangle, exact up to degree 6 (12 points): Dunavant 1985, doi:10.1002/nme.1620210612.
_WEIGHTS = np.array([0.116786275726379] * 3 + [0.050844906370207] * 3 + [0.082851075618374] * 6)
_A, _B = 0.249286745170910, 0.063089014491502
_C, _D, _E = 0.310352451033784, 0.636502499121399, 0.053145049844817
_POINTS = np.array(
    [
        [1 - 2 * _A, _A, _A], [_A, 1 - 2 * _A, _A], [_A, _A, 1 - 2 * _A],
        [1 - 2 * _B, _B, _B], [_B, 1 - 2 * _B, _B], [_B, _B, 1 - 2 * _B],
        [_C, _D, _E], [_C, _E, _D], [_D, _C, _E], [_D, _E, _C], [_E, _C, _D], [_E, _D, _C],
    ]
)  # fmt: skip


@kernel
def area_and_centroid(vertices: NDArray[np.float64], faces: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the area of a mesh, the centroid of its surface, and its signed volume.

    Parameters
    ----------
    vertices : ndarray of float64, shape (n, 3)
        Any length unit; finite.
    faces : ndarray of int64, shape (m, 3)
        Rows of ``vertices``, in range.

    Returns
    -------
    ndarray of float64, shape (5,)
        Area, centroid (x, y, z; 0 when the area is 0), and volume about the first vertex: the enclosed volume if the
        mesh is closed and its faces look outwards, negative if they look inwards. Cost: m.
    """
    out = np.zeros(5, np.float64)
    if vertices.shape[0] == 0:
        return out
    ox, oy, oz = vertices[0, 0], vertices[0, 1], vertices[0, 2]
    for f in range(faces.shape[0]):
        ax = vertices[faces[f, 0], 0] - ox
        ay = vertices[faces[f, 0], 1] - oy
        az = vertices[faces[f, 0], 2] - oz
        bx = vertices[faces[f, 1], 0] - ox
        by = vertices[faces[f, 1], 1] - oy
        bz = vertices[faces[f, 1], 2] - oz
        cx = vertices[faces[f, 2], 0] - ox
        cy = vertices[faces[f, 2], 1] - oy
        cz = vertices[faces[f, 2], 2] - oz
        nx = (by - ay) * (cz - az) - (bz - az) * (cy - ay)
        ny = (bz - az) * (cx - ax) - (bx - ax) * (cz - az)
        nz = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        area = 0.5 * np.sqrt(nx * nx + ny * ny + nz * nz)
        out[0] += area
        out[1] += area * (ax + bx + cx) / 3.0
        out[2] += area * (ay + by + cy) / 3.0
        out[3] += area * (az + bz + cz) / 3.0
        out[4] += (ax * nx + ay * ny + az * nz) / 6.0
    if out[0] > 0.0:
        out[1] = out[1] / out[0] + ox
        out[2] = out[2] / out[0] + oy
        out[3] = out[3] / out[0] + oz
    return out


@kernel
def surface_moments(
    vertices: NDArray[np.float64], faces: NDArray[np.int64], centre: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Integrate products of position and normal over the surface; turning a face inside out changes nothing.

    Parameters
    ----------
    vertices, faces
        As for `area_and_centroid`.
    centre : ndarray of float64, shape (3,)
        Origin of the positions x.

    Returns
    -------
    second : ndarray of float64, shape (3, 3)
        ∫ x xᵀ dA.
    third : ndarray of float64, shape (3, 3, 3)
        ∫ x ⊗ x ⊗ x dA.
    normals : ndarray of float64, shape (3, 3)
        ∫ n nᵀ dA; faces without area add nothing.
    pull : ndarray of float64, shape (3,)
        ∫ n (n · x) |x|² dA.
    scalars : ndarray of float64, shape (3,)
        ∫ |x|⁴ dA, ∫ |x|⁶ dA and ∫ (n · x)² dA.

    Notes
    -----
    Exact up to rounding for the polynomials above. Cost: 12 m evaluations.
    """
    second = np.zeros((3, 3), np.float64)
    third = np.zeros((3, 3, 3), np.float64)
    normals = np.zeros((3, 3), np.float64)
    pull = np.zeros(3, np.float64)
    scalars = np.zeros(3, np.float64)
    corner = np.empty((3, 3), np.float64)
    n = np.empty(3, np.float64)
    x = np.empty(3, np.float64)
    for f in range(faces.shape[0]):
        for c in range(3):
            for k in range(3):
                corner[c, k] = vertices[faces[f, c], k] - centre[k]
        ax, ay, az = corner[1, 0] - corner[0, 0], corner[1, 1] - corner[0, 1], corner[1, 2] - corner[0, 2]
        bx, by, bz = corner[2, 0] - corner[0, 0], corner[2, 1] - corner[0, 1], corner[2, 2] - corner[0, 2]
        n[0] = ay * bz - az * by
        n[1] = az * bx - ax * bz
        n[2] = ax * by - ay * bx
        length = np.sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2])
        if length <= 0.0:
            continue
        area = 0.5 * length
        height = 0.0
        for k in range(3):
            n[k] /= length
            height += n[k] * corner[0, k]
        for i in range(3):
            for j in range(3):
                normals[i, j] += area * n[i] * n[j]
        scalars[2] += area * height * height
        square_sum = 0.0
        for q in range(_WEIGHTS.size):
            weight = area * _WEIGHTS[q]
            square = 0.0
            for k in range(3):
                x[k] = _POINTS[q, 0] * corner[0, k] + _POINTS[q, 1] * corner[1, k] + _POINTS[q, 2] * corner[2, k]
                square += x[k] * x[k]
            scalars[0] += weight * square * square
            scalars[1] += weight * square * square * square
            square_sum += weight * square
            for i in range(3):
                for j in range(i, 3):
                    product = weight * x[i] * x[j]
                    second[i, j] += product
                    for k in range(j, 3):
                        third[i, j, k] += product * x[k]
        for k in range(3):
            pull[k] += n[k] * height * square_sum
    for i in range(3):
        for j in range(3):
            a, b = min(i, j), max(i, j)
            second[i, j] = second[a, b]
            for k in range(3):
                low = min(a, k)
                high = max(b, k)
                third[i, j, k] = third[low, i + j + k - low - high, high]
    return second, third, normals, pull, scalars
