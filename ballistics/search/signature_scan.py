"""The signature scan: one striated mark against the stored signatures of all others, over all lags."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ballistics.library import signature_template as stored
from ballistics.striations import CorrelationParameters, best_correlations
from ballistics.surfaces import Mark

# Marks unpacked at a time; memory stays at some 30 MB for any library.
_AT_ONCE = 4096
# Less than half, so that what is left of a damaged land is found too; below it, chance agrees well somewhere.
_OVERLAP = CorrelationParameters(minimum_overlap=0.4)


def signature_scan(mark: Mark) -> Callable[[NDArray[np.uint8], NDArray[np.int64]], NDArray[np.float32]]:
    """Return what scores the records at some places of a stack of signature templates.

    The score is Fisher's z of the best correlation over all lags times the square root of the common points, so that
    short overlaps, which agree by chance, do not come first. −inf where there is no correlation.

    Parameters
    ----------
    mark : Mark
        What is searched for.
    """
    query = stored.coarse_signature(mark)

    def scores(records: NDArray[np.uint8], slots: NDArray[np.int64]) -> NDArray[np.float32]:
        found = np.full(len(slots), -np.inf, np.float32)
        for start in range(0, len(slots), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            best = best_correlations(query, stored.profiles(records[slots[part]]), _OVERLAP)
            z = np.arctanh(np.clip(best[:, 0], -0.9999, 0.9999)) * np.sqrt(np.maximum(best[:, 2] - 3.0, 0.0))
            found[part] = np.where(np.isfinite(z), z, -np.inf)
        return found

    return scores
