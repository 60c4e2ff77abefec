"""Where a profile is not to be trusted: rougher, from point to point, than the rest of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from ballistics.striations.signature import Floats


def unsound(
    heights_um: Floats, spacing_um: float, largest_roughness: float, around_um: float, largest_leap: float
) -> NDArray[np.bool_]:
    """Return the points around which a profile is rougher than elsewhere: steep walls, dirt, optical noise.

    The mean size of the second difference over ``around_um`` is compared with its median over the profile. Striae are
    smooth at the scale of points; what an instrument could not measure well is not.

    Parameters
    ----------
    heights_um : ndarray of float64, shape (n,)
        NaN for missing points.
    spacing_um : float
    largest_roughness : float
        In multiples of the median; infinite to trust all.
    around_um : float
    largest_leap : float
        A single second difference counts no more than this multiple of their median.

    Returns
    -------
    ndarray of bool, shape (n,)
        False for missing points.

    Examples
    --------
    >>> x = np.arange(1000.0)
    >>> z = np.sin(x / 20.0) + np.random.default_rng(1).normal(size=1000) * 0.01
    >>> z[400:440] += np.random.default_rng(2).normal(size=40) * 0.5
    >>> found = unsound(z, 1.0, 2.0, 20.0, 20.0)
    >>> bool(found[400:440].all()), int(found.sum()) < 80
    (True, True)
    """
    valid = np.isfinite(heights_um)
    leaps = np.full(len(heights_um), np.nan)
    leaps[1:-1] = np.abs(heights_um[2:] - 2.0 * heights_um[1:-1] + heights_um[:-2])
    known = np.isfinite(leaps)
    if not known.any():
        return np.zeros(len(heights_um), np.bool_)
    cap = largest_leap * float(np.median(leaps[known]))
    width = max(1, round(around_um / spacing_um))
    total = uniform_filter1d(np.where(known, np.minimum(leaps, cap), 0.0), width)
    number = uniform_filter1d(known.astype(np.float64), width)
    # Not to be found between missing points, roughness is unknown there: such points are left as they are.
    mean = np.where(number > 1e-9, total / np.maximum(number, 1e-9), 0.0)
    limit = largest_roughness * float(np.median(mean[known]))
    return np.asarray(valid & (mean > limit) & (limit > 0.0))
