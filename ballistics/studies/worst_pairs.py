"""The pairs whose score speaks most against the truth: where a validator looks first."""

from __future__ import annotations

from dataclasses import dataclass

from ballistics.evidence import Score, Study
from ballistics.studies.scan_pairs import ScannedPair, ScoredScans

MOST = 10


@dataclass(frozen=True)
class RankedPair:
    """One of the worst pairs of its kind by one score.

    Parameters
    ----------
    pair : ScannedPair
        The two scans, their scores and pose.
    score : Score
        By which it is one of the worst.
    rank : int
        1 is the worst.
    same_source : bool
        The kind.
    log10_lr : float
        Its source-disjoint LR on that score.
    """

    pair: ScannedPair
    score: Score
    rank: int
    same_source: bool
    log10_lr: float


def worst_pairs(scored: ScoredScans, study: Study, score: Score, same_source: bool) -> tuple[RankedPair, ...]:
    """Return the `MOST` lowest same-source or highest different-source pairs by a score; ties as the scans stand.

    Parameters
    ----------
    scored : ScoredScans
        All scans and pairs.
    study : Study
        Of that score: only pairs that are part of it are ranked.
    score : Score
        Which.
    same_source : bool
        Which kind.
    """
    table = study.population.table
    index = {scan.sha256: i for i, scan in enumerate(scored.scans) if not scan.left_out}
    rows = []
    for row, (value, same, lr) in enumerate(
        zip(table.score.tolist(), table.same_source.tolist(), study.cross.log10_lr.tolist(), strict=True)
    ):
        if same == same_source:
            a, b = sorted((index[table.scan_a[row]], index[table.scan_b[row]]))
            rows.append((value if same else -value, a, b, lr))
    worst = sorted(rows)[:MOST]
    wanted = {(a, b) for _, a, b, _ in worst}
    pairs = {(pair.a, pair.b): pair for pair in scored.pairs if (pair.a, pair.b) in wanted}
    ranked = enumerate(worst, 1)
    return tuple(RankedPair(pairs[a, b], score, rank, same_source, lr) for rank, (_, a, b, lr) in ranked)
