"""Learns the metric of the local descriptors on generated solids.

python -m benchmarks.training.printed_metric OUT.npz
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import track
from scipy.linalg import eigh
from scipy.spatial import cKDTree

from ballistics.printed.describe.descriptors import SIGNATURE_RADII, raw_descriptors
from ballistics.printed.describe.sampling import sample_surface
from reference_meshes.disturbances import DISTURBANCES
from reference_meshes.solids import solid

_FIRST_SEED = 1_000_000  # the benchmark's own solids have seeds below 100 000
_SOLIDS = 270
_KEYPOINTS = 300
_DIMENSIONS = 24
_CELLS = 4096
_TAUGHT = (
    "decimation to 5 %",
    "noise 0.5 %",
    "noise 1 %",
    "re-mesh",
    "cut to 50 %",
    "dummy material",
    "holes and struts",
    "dummy + mirror + scale",
    "sliced and reconstructed",
)


def pairs() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return descriptors of the same places before and after a disturbance, row by row."""
    before, after = [], []
    for k in track(range(_SOLIDS), "disturbing solids"):
        rng = np.random.Generator(np.random.PCG64(_FIRST_SEED + k))
        mesh = solid(_FIRST_SEED + k)
        disturbed, pose = DISTURBANCES[_TAUGHT[(k // 5) % len(_TAUGHT)]].apply(mesh, rng)
        first = sample_surface(mesh.vertices, mesh.faces)
        second = sample_surface(disturbed.vertices, disturbed.faces)
        factor = abs(np.linalg.det(pose[:3, :3])) ** (1 / 3)
        centres = first.points_mm[:_KEYPOINTS]
        # The second sample has its own keypoints, up to half their distance away: the metric learns to bear that too.
        distance, row = cKDTree(second.points_mm[:1000]).query(centres @ pose[:3, :3].T + pose[:3, 3])
        seen = distance < 0.03 * first.size_mm * factor
        for share in SIGNATURE_RADII:
            radius = share * first.size_mm
            a = raw_descriptors(first, centres[seen], radius)
            jitter = 2.0 ** rng.uniform(-1 / 12, 1 / 12)
            b = raw_descriptors(second, second.points_mm[row[seen]], radius * factor * jitter)
            described = ~(np.isnan(a[:, 0]) | np.isnan(b[:, 0]))
            before.append(a[described])
            after.append(b[described])
    return np.concatenate(before).astype(np.float64), np.concatenate(after).astype(np.float64)


def learn(before: NDArray[np.float64], after: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean and the directions with most variance between places over variance at one place.

    A direction is weighted by the root of 1 − 1/ratio: the log-likelihood ratio of "same place" against "other place"
    for normal descriptors is then, up to a constant, minus half the squared distance.
    """
    both = np.concatenate([before, after])
    mean = both.mean(axis=0)
    total = np.cov(both.T)
    change = before - after
    within = change.T @ change / (2 * len(change))
    within += 1e-4 * np.trace(within) / len(within) * np.eye(len(within))
    ratio, directions = eigh(total, within)
    best = np.argsort(-ratio)[:_DIMENSIONS]
    signs = np.sign(directions[np.abs(directions[:, best]).argmax(axis=0), best])
    return mean, directions[:, best] * signs * np.sqrt(1 - 1 / ratio[best])


def main() -> int:
    """Learn and write the metric and the centres of the index cells."""
    import faiss

    before, after = pairs()
    mean, directions = learn(before, after)
    projected = ((np.concatenate([before, after]) - mean) @ directions).astype(np.float32)
    clustering = faiss.Kmeans(_DIMENSIONS, _CELLS, niter=8, seed=1, max_points_per_centroid=60)
    clustering.train(projected)
    centres = np.asarray(clustering.centroids)
    np.savez(
        Path(sys.argv[1]),
        mean=mean.astype(np.float32),
        directions=directions.astype(np.float32),
        centres=centres.astype(np.float16),
    )
    print(f"{len(before)} pairs; variance between places over variance at one place kept in {_DIMENSIONS} directions")
    return 0


if __name__ == "__main__":
    sys.exit(main())
