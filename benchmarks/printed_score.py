"""Fits the score of a candidate on the development half: python -m benchmarks.printed_score FOLDER."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import Progress
from sklearn.linear_model import LogisticRegression

from ballistics.printed.identification import identify
from benchmarks.__main__ import DEFAULT_DATA
from benchmarks.printed import Store, collection_of, items, part_of, same_reference
from benchmarks.printed_disturbances import DISTURBANCES

_SEED = 9001  # the reported runs have another
_SOLIDS = 170
_QUERIES = 6
_TAUGHT = (
    "decimation to 5 %",
    "noise 1 %",
    "cut to 50 %",
    "cut to 25 %",
    "dummy material",
    "holes and struts",
    "dummy + mirror + scale",
    "cut + scale + noise",
    "sliced and reconstructed",
)


def candidates(folder: Path) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the features of the candidates of disturbed development meshes, and which are the right reference."""
    listed = [item for item in items(DEFAULT_DATA, _SOLIDS) if not item.reported]
    features, right = [], []
    with Progress() as progress:
        collection = collection_of(listed, Store(folder), progress)
        task = progress.add_task("queries", total=len(_TAUGHT) * _QUERIES)
        for number, name in enumerate(_TAUGHT):
            for k in range(_QUERIES):
                rng = np.random.Generator(np.random.PCG64([_SEED, number, k]))
                item = listed[int(rng.integers(len(listed)))]
                query, _ = DISTURBANCES[name].apply(item.mesh(), rng)
                for one in identify(part_of(query), collection).candidates:
                    coverage = min(max(one.coverage, 0.01), 0.99)
                    features.append([math.log(coverage / (1.0 - coverage)), one.agreement])
                    right.append(same_reference(collection, one.row, item.name))
                progress.advance(task)
    return np.array(features), np.array(right)


def main() -> int:
    """Print the weights for ``ballistics.printed.verification``."""
    features, right = candidates(Path(sys.argv[1]))
    fitted = LogisticRegression(C=10.0).fit(features, right)
    print(f"{len(right)} candidates, {right.sum()} right; weights {fitted.coef_[0]}, base {fitted.intercept_[0]:.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
