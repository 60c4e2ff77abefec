"""From a similarity in nats and the area, or length, it stands on to log10 LR: two log-normal densities given it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Self

import numpy as np

from ballistics.errors import ParameterError
from ballistics.evidence.scores import Extent, Floats, GroupedScores, sizes_of

_LN10 = float(np.log(10.0))
# The price of the search that a similarity has already paid: ln of the number of independent poses, 11.4 to 13.7 on
# all pairs of Fadul's set. Added back, a score is evidence before the search, and chance scores spread evenly.
_SEARCH_COST_NATS = 12.0
# Striae are searched along one direction only: a land of 2 mm has some 400 lags that its shortest octave tells apart.
_SEARCH_COST_OF_LAGS_NATS = 6.0
# A spread of 10 % is less than any two scans of one mark show; a reference of two equal pairs does not know better.
_LEAST_DEVIATION = 0.1


@dataclass(frozen=True)
class AreaRatio:
    """LR of a similarity s over a common area A: the ratio of two densities of u = ln(s + 12 nats), given A.

    Evidence adds up over area, so among same-source pairs u is about ``same_mean`` + ln A. Among different-source pairs
    what chance gives does not grow with the area and what a class shares does: u is about ``different_mean`` +
    ``different_slope`` · ln A, with a slope between 0 and 1. Both densities are normal with one deviation, the larger
    of the two classes'. One deviation makes the LR rise with the score everywhere, and the larger one errs towards 1.
    As the area becomes small the two means meet, and the LR becomes 1 whatever the score.

    Parameters
    ----------
    same_mean, different_mean : float
        Mean of u at 1 mm².
    different_slope : float
        0 to 1.
    deviation : float
        Standard deviation of u within each class, at least 0.1.

    Examples
    --------
    >>> import numpy as np
    >>> from ballistics.evidence.scores import ScoreTable
    >>> table = ScoreTable.build([900.0, 1500.0, 9.0, 16.0], "PQPP", "PQQR", area_mm2=[3.0, 4.0, 2.0, 3.0])
    >>> model = AreaRatio.fit(table.grouped())
    >>> bool(np.all(np.diff(model.log10_lr(np.array([5.0, 50.0, 500.0]), np.full(3, 3.0))) > 0))
    True
    """

    same_mean: float
    different_mean: float
    different_slope: float
    deviation: float
    counts: ClassVar[bool] = False
    monotone: ClassVar[bool] = True
    references: ClassVar[tuple[str, ...]] = ("doi:10.1201/9781315140919",)
    search_cost_nats: ClassVar[float] = _SEARCH_COST_NATS

    @classmethod
    def fit(cls, grouped: GroupedScores) -> Self:
        """Fit both densities on distinct scores with weights.

        Raises
        ------
        ParameterError
            When the table has no common areas, or one kind of pair is absent.
        """
        score, area = sizes_of(grouped)
        if not grouped.same.any() or not grouped.different.any():
            raise ParameterError("the model needs same-source and different-source pairs; one of the two is absent")
        u, x = cls._log_evidence(score), np.log(area)
        same_mean = _mean(u - x, grouped.same)
        spread = _mean((x - _mean(x, grouped.different)) ** 2, grouped.different)
        covariance = _mean((x - _mean(x, grouped.different)) * u, grouped.different)
        slope = float(np.clip(covariance / spread, 0.0, 1.0)) if spread > 0 else 0.0
        different_mean = _mean(u - slope * x, grouped.different)
        deviation = max(
            _deviation(u - x - same_mean, grouped.same, 1),
            _deviation(u - slope * x - different_mean, grouped.different, 2),
            _LEAST_DEVIATION,
        )
        return cls(same_mean, different_mean, slope, deviation)

    def log10_lr(self, score: Floats, extent: Extent = None) -> Floats:
        """Return log10 LR of scores in nats over areas in mm², never falling with the score, shape (n,)."""
        if extent is None:
            raise ParameterError("this model needs each pair's own common area or length")
        u, x = self._log_evidence(np.asarray(score, np.float64)), np.log(np.asarray(extent, np.float64))
        same, different = self.same_mean + x, self.different_mean + self.different_slope * x
        apart = np.maximum(same - different, 0.0)
        return np.asarray(apart * (u - (same + different) / 2) / self.deviation**2 / _LN10)

    def parameters(self) -> dict[str, Any]:
        """Return means, slope and deviation, and the search cost that is added back."""
        return {"search cost, nats": self.search_cost_nats, **asdict(self)}

    @classmethod
    def _log_evidence(cls, score: Floats) -> Floats:
        """Return u = ln(s + search cost); evidence below 1 nat counts as 1."""
        return np.asarray(np.log(np.maximum(score + cls.search_cost_nats, 1.0)))


@dataclass(frozen=True)
class LengthRatio(AreaRatio):
    """LR of the similarity of two striated marks over a common length L in mm: the same, with ln L and 6 nats.

    Evidence of striae adds up over the length that two signatures share, as that of impressions does over area; the
    search went over lags only, and has cost less.
    """

    search_cost_nats: ClassVar[float] = _SEARCH_COST_OF_LAGS_NATS


def _mean(values: Floats, weight: Floats) -> float:
    return float(weight @ values / weight.sum())


def _deviation(residual: Floats, weight: Floats, fitted: int) -> float:
    """Return the standard deviation of residuals after ``fitted`` parameters; 0 when none is left to tell it."""
    freedom = float(weight.sum()) - fitted
    return float(np.sqrt(weight @ residual**2 / freedom)) if freedom > 0 else 0.0
