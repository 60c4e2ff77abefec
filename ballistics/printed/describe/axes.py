"""The principal axes of a surface, and the poses that bring those of one surface onto those of another."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
from numpy.typing import NDArray

from ballistics.printed.describe.cloud import Cloud

# Axes have no sign, and those of nearly equal spread no order: every way to bring three onto three, mirrored ways too.
_WAYS = np.array(
    [np.diag(signs)[list(order)] for order in permutations(range(3)) for signs in product((1.0, -1.0), repeat=3)]
)


def principal_axes(points: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the directions of greatest spread as rows, largest first, and the standard deviations along them."""
    centred = points - points.mean(axis=0)
    # Not a product of matrices: its bytes could depend on the threads of BLAS.
    variances, columns = np.linalg.eigh(np.einsum("ni,nj->ij", centred, centred) / len(points))
    return columns.T[::-1].copy(), np.sqrt(np.maximum(variances[::-1], 0.0))


def axis_poses(query: Cloud, reference: Cloud) -> NDArray[np.float64]:
    """Return the similarities that bring the principal axes of one surface onto those of another, shape (48, 4, 4).

    Sizes are made equal by the root mean square distance from the centre, which coarse facets and noise change least.
    Vranić, Saupe & Richter 2001, doi:10.1109/MMSP.2001.962749.
    """
    (axes, spreads), (axes_there, spreads_there) = principal_axes(query.points), principal_axes(reference.points)
    scale = float(np.sqrt((spreads_there**2).sum() / (spreads**2).sum()))
    poses = np.tile(np.eye(4), (len(_WAYS), 1, 1))
    poses[:, :3, :3] = scale * np.einsum("ji,njk,kl->nil", axes_there[::-1], _WAYS, axes[::-1])
    poses[:, :3, 3] = reference.points.mean(axis=0) - np.einsum(
        "nij,j->ni", poses[:, :3, :3], query.points.mean(axis=0)
    )
    return poses
