"""How whole bullets are scored."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ballistics.comparison import PairScore, Score
from ballistics.findings import Finding
from ballistics.methods.method import Family
from ballistics.provenance import Provenance
from ballistics.striations import BulletComparison

#: What whole bullets are called where marks have a kind.
BULLET = "bullet"
_BULLETS_METHOD = "bullets, all lands against all, evidence of the best phase"
_BULLETS_VERSION = "1"


@dataclass(frozen=True)
class ScoredBullets:
    """The comparison of two whole bullets, as the evidence room takes it.

    Parameters
    ----------
    score : PairScore
        Of `Bullets.score`, or why there is none.
    provenance : Provenance
        Of `Bullets.comparison`.
    findings : tuple of Finding
    mark_kind : str
    """

    score: PairScore
    provenance: Provenance
    findings: tuple[Finding, ...] = ()
    mark_kind: str = BULLET

    @property
    def insufficient(self) -> str | None:
        """Why there is no score; None when there is."""
        return self.score.insufficient


@dataclass(frozen=True)
class Bullets:
    """How whole bullets are scored: by all their lands against all, in the best phase."""

    kind: str = BULLET
    mark_kind: str = "land engraved area"
    family: Family = "striated"
    score_texts: Mapping[Score, str] = field(
        default_factory=lambda: {
            "similarity": "similarity of the bullets in nats, over the common length of the best phase's lands",
            "count": "congruent matching profile segments (CMPS) of all pairs of the best phase",
            "correlation": "mean correlation of the pairs of the best phase",
        }
    )
    score_names: Mapping[Score, str] = field(
        default_factory=lambda: {
            "similarity": "similarity of the bullets (nats)",
            "count": "congruent segments of all lands (CMPS)",
            "correlation": "mean correlation of the lands",
        }
    )

    def comparison(self, of_lands: Provenance) -> Provenance:
        """Return method, version and parameters of a comparison of bullets whose lands were compared so."""
        parameters = {"lands": of_lands.method, "version of lands": of_lands.version, **of_lands.parameters}
        parameters["mark kind"] = self.kind
        return replace(of_lands, method=_BULLETS_METHOD, version=_BULLETS_VERSION, parameters=parameters)

    def score(self, bullets: BulletComparison, pairs: Sequence[PairScore]) -> PairScore:
        """Return the scores of two bullets.

        Parameters
        ----------
        bullets : BulletComparison
        pairs : sequence of PairScore
            Of the pairs of lands in its best phase.

        Returns
        -------
        PairScore
            Similarity in the best phase over the common length of its pairs, congruent segments of all of them, mean
            of their correlations.
        """
        if bullets.insufficient is not None:
            return PairScore(None, None, None, None, None, bullets.insufficient)
        scored = [pair for pair in pairs if pair.insufficient is None]
        correlations = [pair.accf for pair in scored if pair.accf is not None]
        return PairScore(
            sum(pair.count or 0 for pair in scored),
            sum(pair.cells or 0 for pair in scored),
            math.fsum(correlations) / len(correlations) if correlations else None,
            float(bullets.score),
            None,
            length_mm=bullets.overlap_um * 1e-3,
        )

    def scores(self, comparison: Any) -> PairScore:
        """Return the scores of `ScoredBullets`."""
        score: PairScore = comparison.score
        return score
