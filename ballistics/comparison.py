"""What every comparison of two marks has, whatever the kind of mark, and the scores that it contributes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from ballistics.findings import Finding
from ballistics.provenance import Provenance

__all__ = ["Comparison", "PairScore", "Score"]

Score = Literal["similarity", "count", "correlation"]


class Comparison(Protocol):
    """The comparison of two marks: of impressions an `ImpressionComparison`, of striae a `StriationComparison`.

    Its provenance names the two marks by the SHA-256 of their heights, ``inputs["mark a"]`` and ``["mark b"]``. How one
    mark lies on the other is of each kind's own form: a `Pose`, or a `Placement` along one direction.
    """

    @property
    def mark_kind(self) -> str:
        """The kind of both marks."""
        ...

    @property
    def insufficient(self) -> str | None:
        """Why no comparison can be stated; None when it can."""
        ...

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was noticed while comparing."""
        ...

    @property
    def provenance(self) -> Provenance | None:
        """Hashes of both marks, method, parameters, versions."""
        ...


@dataclass(frozen=True)
class PairScore:
    """What one comparison contributes: a similarity with its extent, a count with its N, a correlation; or why none.

    Parameters
    ----------
    count : int or None
        What agrees of the parts that were compared, the smaller of the two directions: congruent cells under the
        significance rule, or congruent segments of a signature (CMPS).
    cells : int or None
        Number of cells, or segments, searched in the direction that gave the count; on a tie the larger number.
    accf : float or None
        Correlation at the best place, −1 to 1: of areas for impressions, of profiles for striae.
    similarity : float or None
        Evidence of all octaves less the cost of the search, in nats.
    area_mm2 : float or None
        Common area on which it stands; None for striae.
    insufficient : str or None
        Why the comparison states no score; None when it does.
    length_mm : float or None
        Common length on which the similarity of striae stands; None for impressions.
    """

    count: int | None
    cells: int | None
    accf: float | None
    similarity: float | None
    area_mm2: float | None
    insufficient: str | None = None
    length_mm: float | None = None

    def value(self, score: Score) -> float | None:
        """Return one of the scores; None when there is none."""
        found = {"similarity": self.similarity, "count": self.count, "correlation": self.accf}[score]
        return None if found is None else float(found)
