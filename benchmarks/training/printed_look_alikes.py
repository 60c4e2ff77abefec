"""What tells look-alikes apart, and how alike they are: python -m benchmarks.training.printed_look_alikes.

Solids with a few primitives added or taken away, disturbed, and placed where they belong. It prints what
`IdentificationParameters.beside_as_whole`, ``straying_floor``, ``straying_most`` and ``told_apart`` were chosen by.
"""

from __future__ import annotations

import argparse
import math
import sys
from itertools import combinations

import numpy as np
from rich.progress import track

from ballistics.printed.collection.collection import Collection
from ballistics.printed.describe.descriptors import SIGNATURE_STEPS
from ballistics.printed.describe.query import query_of_sample
from ballistics.printed.describe.sampling import sample_surface
from ballistics.printed.describe.signature import signature_of
from ballistics.printed.identify.judgement import fit_candidate
from ballistics.printed.identify.parameters import DEFAULT
from ballistics.printed.identify.verdict import straying_of
from benchmarks.support.printed_items import part_of
from benchmarks.support.printed_planted import look_alikes
from reference_meshes.disturbances import DISTURBANCES
from reference_meshes.solids import Mesh, solid

_FIRST_SEED = 360_000
_SOLIDS, _VARIANTS = 10, 16
_DISTURBED = ("decimation to 20 %", "noise 0.5 %", "re-mesh", "sliced and reconstructed")


def measured(mesh: Mesh, name: str, seed: int, collection: Collection) -> tuple[list[float], list[float]]:
    """Return score and straying of a disturbed solid on each reference, placed where it belongs.

    Parameters
    ----------
    mesh : Mesh
    name : str
        Of the disturbance.
    seed : int
    collection : Collection
        The solid itself and its variants, in one frame.
    """
    query, pose = DISTURBANCES[name].apply(mesh, np.random.Generator(np.random.PCG64([seed, len(name)])))
    described = query_of_sample(sample_surface(query.vertices, query.faces))
    true = np.asarray(np.linalg.inv(pose), np.float64)
    scale = float(abs(np.linalg.det(pose[:3, :3])) ** (1 / 3))
    scores, strays = [], []
    for row in range(len(collection)):
        cloud = collection.cloud(row)
        step = 6.0 * math.log2(cloud.size * scale / described.cloud.size)
        if not any(radius + round(step) in SIGNATURE_STEPS for radius in described.steps):
            continue
        fit = fit_candidate(described, collection.signature(row), cloud, step, [true])
        scores.append(fit.score)
        strays.append(straying_of(described, cloud, fit.pose, DEFAULT))
    return scores, strays


def main() -> int:
    """Print how alike variants are, and how often the right one is first."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--solids", type=int, default=_SOLIDS)
    solids = parser.parse_args().solids
    apart: list[float] = []
    by_score: list[bool] = []
    by_straying: list[bool] = []
    told: list[bool] = []
    near: list[bool] = []
    for seed in track(range(_FIRST_SEED, _FIRST_SEED + solids), description="solids"):
        mesh = solid(seed)
        collection = Collection()
        # The right one last: of equals the first is taken.
        for k, variant in enumerate(look_alikes(mesh, _VARIANTS, np.random.Generator(np.random.PCG64(seed)))):
            collection.enrol(signature_of(part_of(variant)), f"variant {k}")
        collection.enrol(signature_of(part_of(mesh)), "original")
        whole = collection.whole().astype(np.float64)
        apart += [float(((whole[a] - whole[b]) ** 2).sum()) for a, b in combinations(range(len(whole)), 2)]
        for name in _DISTURBED:
            scores, strays = measured(mesh, name, seed, collection)
            is_right = int(np.argmin(strays)) == len(strays) - 1
            by_score.append(int(np.argmax(scores)) == len(scores) - 1)
            by_straying.append(is_right)
            first, second = sorted(strays)[:2]
            (told if second >= DEFAULT.told_apart * first else near).append(is_right)
    share = float(np.mean(np.array(apart) <= DEFAULT.beside_as_whole))
    print(f"{len(apart)} pairs of look-alikes, {100.0 * share:.0f} % within {DEFAULT.beside_as_whole:g}")
    print(f"{len(by_score)} queries, right one first: {sum(by_score)} by the score, {sum(by_straying)} by the straying")
    further = f"second further by {DEFAULT.told_apart:g}"
    print(f"{further}: right {sum(told)} of {len(told)}; nearer: {sum(near)} of {len(near)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
