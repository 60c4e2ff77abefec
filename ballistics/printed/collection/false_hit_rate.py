"""How often unrelated queries hit a collection, as it was measured on the collection itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class FalseHitRate:
    """Hits of queries that have no relative among the references searched.

    Parameters
    ----------
    queries, hits : int
        Queries, and how many of them had a hit.
    references : int
        How many references the collection had when this was measured.
    method : str
        Version of the identification that was measured.
    seed : int
        Of the choice of queries.
    """

    queries: int
    hits: int
    references: int
    method: str
    seed: int

    @property
    def rate(self) -> float:
        """Share of the queries that had a hit, 0–1."""
        return self.hits / self.queries

    @property
    def upper(self) -> float:
        """Upper 95 % confidence limit of the rate, 0–1: exact binomial, one-sided (Clopper & Pearson 1934).

        doi:10.1093/biomet/26.4.404.

        Examples
        --------
        >>> round(FalseHitRate(100, 0, 50, "8", 1).upper, 4), FalseHitRate(3, 3, 50, "8", 1).upper
        (0.0295, 1.0)
        """
        from scipy.stats import beta

        if self.hits >= self.queries:
            return 1.0
        return float(beta.ppf(0.95, self.hits + 1, self.queries - self.hits))

    @classmethod
    def of(cls, content: Mapping[str, Any] | None) -> FalseHitRate | None:
        """Return what a manifest says, None when it says nothing.

        Raises
        ------
        ValueError, KeyError, TypeError
            The manifest contradicts itself.
        """
        if content is None:
            return None
        counts = [content[name] for name in ("queries", "hits", "references", "seed")]
        if not all(isinstance(value, int) and not isinstance(value, bool) for value in counts):
            raise ValueError("a count of the false hits is no whole number")
        queries, hits, references, seed = counts
        if not (0 <= hits <= queries and queries > 0 and references > 0):
            raise ValueError(f"{hits} false hits of {queries} queries among {references} references cannot be")
        return cls(queries, hits, references, str(content["method"]), seed)
