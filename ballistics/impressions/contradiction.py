"""Whether the two ways to score a comparison contradict each other: said, never hidden behind one of them."""

from __future__ import annotations

from ballistics.findings import Finding
from ballistics.impressions.comparison import HEADLINE_RULE, ImpressionComparison

# Unrelated marks reach some tens of nats, at most 125 on all real sets seen (methods: 169 pairs of Ruger SR9 cases);
# twice that is no agreement of chance or class. Below 30 there is nothing that chance does not give.
_CLEAR_NATS, _CHANCE_NATS = 250.0, 30.0
# C = 6 congruent cells is the literature's criterion (Song 2013).
_ENOUGH_CELLS = 6


def contradiction(comparison: ImpressionComparison) -> tuple[Finding, ...]:
    """Return a finding when similarity and count of congruent cells say opposite things of one pair.

    Parameters
    ----------
    comparison : ImpressionComparison
        With its rules judged.

    Returns
    -------
    tuple of Finding
        ``"scores-disagree"``, serious; empty when the two are not opposed.
    """
    alike, found = comparison.similarity, comparison.rules.get(HEADLINE_RULE)
    if alike is None or alike.insufficient is not None or found is None:
        return ()
    count = found.score
    if alike.score >= _CLEAR_NATS and count < _ENOUGH_CELLS:
        said = f"the whole marks agree clearly ({alike.score:.0f} nats), but only {count:.0f} cells are congruent"
    elif alike.score < _CHANCE_NATS and count >= _ENOUGH_CELLS:
        said = f"{count:.0f} cells are congruent, but the whole marks agree as by chance ({alike.score:.0f} nats)"
    else:
        return ()
    return (
        Finding(
            "scores-disagree",
            "serious",
            f"{said}; {_ENOUGH_CELLS} cells are the literature's criterion, and chance gives some tens of nats",
            "both stand as they are: look at where the marks agree before either is relied on",
        ),
    )
