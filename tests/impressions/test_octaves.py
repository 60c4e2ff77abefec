"""The octaves of a mark: those of the filters by themselves, whoever asked first."""

from __future__ import annotations

import numpy as np

from ballistics.impressions.clipping import clipped
from ballistics.impressions.octaves import Octaves
from ballistics.surfaces import low_pass
from ballistics_kernels.filters import decimate


def test_octaves_are_differences_of_filtered_heights_whatever_was_asked_before() -> None:
    rng = np.random.default_rng(2)
    heights = rng.normal(size=(90, 71)).astype(np.float32)
    heights[:30, 40:] = np.nan
    octaves = Octaves(heights, 6.25)
    octaves.between(4, 3.0, 62.5, 125.0)
    octaves.between(2, 2.0, 31.25, 62.5)
    for factor, sigmas, shortest, longest in ((2, 3.0, 31.25, 62.5), (1, 3.0, 31.25, 62.5), (2, 2.0, 62.5, 125.0)):
        coarse = decimate(clipped(heights, sigmas), factor)
        step_um = 6.25 * factor
        expected = low_pass(coarse, (step_um, step_um), shortest) - low_pass(coarse, (step_um, step_um), longest)
        np.testing.assert_array_equal(octaves.between(factor, sigmas, shortest, longest), expected.astype(np.float32))


def test_stacked_octaves_share_one_grid() -> None:
    heights = np.random.default_rng(3).normal(size=(60, 50)).astype(np.float32)
    octaves = Octaves(heights, 6.25)
    stack = octaves.stacked(2, 3.0, (31.25, 62.5, 125.0))
    assert stack.shape == (2, 30, 25)
    np.testing.assert_array_equal(stack[1], Octaves(heights, 6.25).between(2, 3.0, 62.5, 125.0))
