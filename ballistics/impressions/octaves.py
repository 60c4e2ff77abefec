"""The octaves of wavelength of one mark, for all who look at them in one comparison: each filter runs once."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ballistics.impressions.clipping import CLIP_POINTS, clipped
from ballistics.surfaces import low_pass
from ballistics_kernels.filters import decimate

Heights = NDArray[np.float32]


class Octaves:
    """A mark split into octaves, on coarser grids, as they are asked for.

    Parameters
    ----------
    heights : ndarray of float32, shape (rows, columns)
        Prepared heights in µm; NaN marks missing points.
    spacing_um : float
        Their spacing.
    clip_points : int, optional
        How many of the heights are enough to know their standard deviation, at which they are clipped.
    """

    def __init__(self, heights: Heights, spacing_um: float, clip_points: int = CLIP_POINTS) -> None:
        self.heights = heights
        self.spacing_um = spacing_um
        self._clip_points = clip_points
        self._coarser: dict[tuple[float, int], Heights] = {}
        self._smooth: dict[tuple[float, int, float], NDArray[np.float64]] = {}

    def between(self, factor: int, clip_sigmas: float, shortest_um: float, longest_um: float) -> Heights:
        """Return what lies between two cut-offs.

        Parameters
        ----------
        factor : int
            How many points of the mark a point of the result spans along each axis.
        clip_sigmas : float
            Heights are clipped at this many robust standard deviations before.
        shortest_um, longest_um : float
            ISO cut-offs.

        Returns
        -------
        ndarray of float32, shape (ceil(rows / factor), ceil(columns / factor))
        """
        fine, rough = (self._low_pass(clip_sigmas, factor, cutoff) for cutoff in (shortest_um, longest_um))
        return (fine - rough).astype(np.float32)

    def stacked(self, factor: int, clip_sigmas: float, cutoffs_um: Sequence[float]) -> Heights:
        """Return what lies between each cut-off and the next.

        Parameters
        ----------
        factor : int
            How many points of the mark a point of the result spans along each axis.
        clip_sigmas : float
            Heights are clipped at this many robust standard deviations before.
        cutoffs_um : sequence of float
            ISO cut-offs, from the shortest to the longest; at least two.

        Returns
        -------
        ndarray of float32, shape (cut-offs − 1, ceil(rows / factor), ceil(columns / factor))
            Heights in µm; NaN where missing.
        """
        return np.stack([self.between(factor, clip_sigmas, *band) for band in itertools.pairwise(cutoffs_um)])

    def _low_pass(self, clip_sigmas: float, factor: int, cutoff_um: float) -> NDArray[np.float64]:
        key = clip_sigmas, factor, cutoff_um
        if key not in self._smooth:
            step_um = factor * self.spacing_um
            self._smooth[key] = low_pass(self._on_grid(clip_sigmas, factor), (step_um, step_um), cutoff_um)
        return self._smooth[key]

    def _on_grid(self, clip_sigmas: float, factor: int) -> Heights:
        key = clip_sigmas, factor
        if key not in self._coarser:
            if factor == 1:
                self._coarser[key] = clipped(self.heights, clip_sigmas, self._clip_points)
            else:
                self._coarser[key] = decimate(self._on_grid(clip_sigmas, 1), factor)
        return self._coarser[key]
