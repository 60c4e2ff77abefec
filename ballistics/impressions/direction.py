"""One direction of a comparison: the cells of one mark, swept over the other, as every congruence rule judges them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ballistics.impressions.cells import AngleSweep, CellSearcher
from ballistics.impressions.octaves import Octaves
from ballistics.impressions.similarity import Similarity

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Direction:
    """One direction of a comparison, ready to be judged.

    Parameters
    ----------
    searcher : CellSearcher
        It can search again where a rule demands it.
    sweep : AngleSweep
        Its result over all angles.
    tiled, searched : ndarray of float32
        The two marks; NaN marks missing points.
    alike : Similarity
        That of the two marks at the searcher's pose.
    octaves : Octaves, optional
        Those of the tiled mark, where they are at hand: the similarity has filtered most of them already.
    """

    searcher: CellSearcher
    sweep: AngleSweep
    tiled: NDArray[np.float32]
    searched: NDArray[np.float32]
    alike: Similarity
    octaves: Octaves | None = None
    _searched: dict[tuple[Any, ...], tuple[Floats, NDArray[np.int64], Floats, Floats]] = field(default_factory=dict)

    def best_near(
        self, angles: tuple[int, ...], x_um: float, y_um: float, tolerance_um: float
    ) -> tuple[Floats, NDArray[np.int64], Floats, Floats]:
        """Search again near a common displacement, once for all rules that ask (`CellSearcher.best_near`).

        Parameters
        ----------
        angles : tuple of int
            Indices of the trial angles to search.
        x_um, y_um : float
            The common displacement, in Chen's convention.
        tolerance_um : float
            Greatest deviation along each axis.

        Returns
        -------
        tuple of ndarray
            As of `CellSearcher.best_near`; shared by all who ask the same, and so not to be written to.
        """
        asked = (angles, x_um, y_um, tolerance_um)
        if asked not in self._searched:
            self._searched[asked] = self.searcher.best_near(np.array(angles), x_um, y_um, tolerance_um)
        return self._searched[asked]

    @property
    def relative_deg(self) -> Floats:
        """Trial angles relative to the global pose."""
        return self.sweep.thetas_deg - self.sweep.expected_theta_deg


def best_angles(sweep: AngleSweep) -> NDArray[np.int64]:
    """Return the index of the angle at which each cell agrees best; 0 where it has no place at all."""
    best: NDArray[np.int64] = np.where(sweep.exact, sweep.correlations, -np.inf).argmax(axis=1)
    return best
