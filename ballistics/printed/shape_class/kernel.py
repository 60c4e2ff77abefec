"""How alike two parts are by their shape features: one Gaussian kernel per group, and the mean of some of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ballistics.printed.shape_class.features import GROUPS, ShapeFeatures, flipped_edges

_HISTOGRAMS = ("pair distances", "centre distances", "angles")
#: Groups whose single measures are brought to one scale.
MEASURES = ("proportions", "outlines", "signature")
# A measure is cut off at this number of spreads from the median: one odd value must not make a part unlike everything.
_MOST_SPREADS = 3.0
# Widths of the kernels, in median squared distances between the references.
_WIDTH = 2.0

Rows = dict[str, NDArray[np.float32]]


@dataclass(frozen=True)
class ShapeKernel:
    """References and the measure of likeness learned from them.

    Parameters
    ----------
    references : mapping of str to ndarray of float32, shape (references, length)
        Their features, group by group.
    centres, spreads : mapping of str to ndarray of float64, shape (length,)
        Median and spread of each feature of the groups in `MEASURES`.
    widths : mapping of str to float
        Squared distance at which the likeness by a group is 1/e.
    """

    references: Rows
    centres: dict[str, NDArray[np.float64]]
    spreads: dict[str, NDArray[np.float64]]
    widths: dict[str, float]

    def likeness(self, rows: Rows) -> dict[str, NDArray[np.float64]]:
        """Return the likeness, 0–1, of parts to the references by each group, shape (parts, references)."""
        return {name: np.exp(-self.squared_distances(name, rows[name]) / self.widths[name]) for name in GROUPS}

    def squared_distances(self, name: str, rows: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return squared distances from the references in one group; those of edges in the best of the four flips."""
        from scipy.spatial.distance import cdist

        a, b = self._prepared(name, rows), self._prepared(name, self.references[name])
        if name in _HISTOGRAMS or name in MEASURES:
            return np.asarray(cdist(a, b, "sqeuclidean"))
        best = np.full((len(a), len(b)), np.inf)
        for flipped in flipped_edges(a):
            np.minimum(best, cdist(flipped, b, "sqeuclidean"), out=best)
        return best

    def _prepared(self, name: str, rows: NDArray[np.float32]) -> NDArray[np.float64]:
        values = rows.astype(np.float64)
        if name in _HISTOGRAMS:
            # Distances of roots are Hellinger's, the natural ones of histograms.
            return np.sqrt(values)
        if name in MEASURES:
            return np.clip((values - self.centres[name]) / self.spreads[name], -_MOST_SPREADS, _MOST_SPREADS)
        return values


def stacked(features: Sequence[ShapeFeatures]) -> Rows:
    """Return the features of several parts with one row per part."""
    return {name: np.stack([np.asarray(part[name], dtype=np.float32) for part in features]) for name in GROUPS}


def fitted_kernel(rows: Rows) -> ShapeKernel:
    """Learn medians, spreads and widths from references."""
    centres, spreads = {}, {}
    for name in MEASURES:
        values = rows[name].astype(np.float64)
        low, middle, high = np.percentile(values, (16, 50, 84), axis=0)
        centres[name] = middle
        # Measures that are mostly equal (no holes) would otherwise have no spread.
        spreads[name] = (high - low) / 2.0 + 0.1 * values.std(axis=0) + 1e-3
    unscaled = ShapeKernel(rows, centres, spreads, {})
    widths = {
        name: max(_WIDTH * float(np.median(unscaled.squared_distances(name, rows[name]))), 1e-9) for name in GROUPS
    }
    return ShapeKernel(rows, centres, spreads, widths)


def mean_likeness(by_group: dict[str, NDArray[Any]], groups: Sequence[str]) -> NDArray[np.float64]:
    """Return the mean likeness over some groups."""
    total = np.zeros_like(by_group[groups[0]])
    for name in groups:
        total += by_group[name]
    return total / len(groups)
