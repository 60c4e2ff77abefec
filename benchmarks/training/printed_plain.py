"""Descriptors of the places of plain bodies: python -m benchmarks.training.printed_plain OUT.npz."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ballistics.printed.describe.descriptors import DESCRIPTOR_STEP, SIGNATURE_RADII, local_descriptors
from ballistics.printed.describe.sampling import sample_surface
from ballistics.printed.describe.signature import coarse_points
from reference_meshes.plain_bodies import plain_body
from reference_meshes.solids import Mesh

# What ships with the package: bodies and places of each, and how far apart places are kept, squared, in standard
# deviations; two disturbed descriptors of one place are 24 apart on average.
_FIRST_SEED = 900_000
_BODIES = 400
_PLACES = 140
_APART = 12.0
_BLOCK = 400


def places_of(mesh: Mesh) -> NDArray[np.int8]:
    """Return the descriptors of the first places of a body at all radii of a signature, shape (places, 24)."""
    sample = sample_surface(mesh.vertices, mesh.faces)
    few = coarse_points(sample)[0][:_PLACES]
    local = local_descriptors(sample, few, tuple(share * sample.size_mm for share in SIGNATURE_RADII))
    return np.asarray(local[local[:, :, 0] != -128])


def thinned(places: NDArray[np.int8]) -> NDArray[np.int8]:
    """Return a subset of descriptors, in their order: no two are near each other, and each of all is near one."""
    limit = _APART / DESCRIPTOR_STEP**2
    # Squares of whole numbers below 2^24: exact in single precision, whatever the order of the sums.
    left = places.astype(np.float32)
    kept: list[NDArray[np.float32]] = []
    while len(left):
        chosen: list[NDArray[np.float32]] = []
        for place in left[:_BLOCK]:
            if not chosen or ((np.array(chosen) - place) ** 2).sum(axis=1).min() > limit:
                chosen.append(place)
        new = np.array(chosen)
        squares = (left**2).sum(axis=1)[:, None] + (new**2).sum(axis=1) - 2.0 * (left @ new.T)
        left = left[squares.min(axis=1) > limit]
        kept.append(new)
    return np.concatenate(kept).astype(np.int8)


def main() -> int:
    """Write the places for `ballistics.printed.describe.plainness`."""
    bodies = [places_of(plain_body(_FIRST_SEED + k, rounded=True)) for k in range(_BODIES)]
    places = thinned(np.concatenate(bodies))
    np.savez_compressed(Path(sys.argv[1]), places=places)
    print(f"{len(places)} of {sum(map(len, bodies))} places of {_BODIES} plain bodies")
    return 0


if __name__ == "__main__":
    sys.exit(main())
