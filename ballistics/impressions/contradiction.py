"""Whether the two ways to score a comparison contradict each other: said, never hidden behind one of them."""

from __future__ import annotations

from dataclasses import dataclass

from ballistics.findings import Finding
from ballistics.impressions.comparison import HEADLINE_RULE, ImpressionComparison


@dataclass(frozen=True)
class ContradictionParameters:
    """When similarity and count of congruent cells are opposed.

    Unrelated marks reach some tens of nats, at most 125 on all real sets seen (methods: 169 pairs of Ruger SR9 cases);
    twice that is no agreement of chance or class. Below 30 there is nothing that chance does not give. C = 6 congruent
    cells is the literature's criterion (Song 2013).
    """

    clear_nats: float = 250.0
    chance_nats: float = 30.0
    enough_cells: int = 6


def contradiction(
    comparison: ImpressionComparison, parameters: ContradictionParameters | None = None
) -> tuple[Finding, ...]:
    """Return a finding when similarity and count of congruent cells say opposite things of one pair.

    Parameters
    ----------
    comparison : ImpressionComparison
        With its rules judged.
    parameters : ContradictionParameters, optional
        Defaults as in the class.

    Returns
    -------
    tuple of Finding
        ``"scores-disagree"``, serious; empty when the two are not opposed.
    """
    p = parameters or ContradictionParameters()
    alike, found = comparison.similarity, comparison.rules.get(HEADLINE_RULE)
    if alike is None or alike.insufficient is not None or found is None:
        return ()
    count = found.score
    if alike.score >= p.clear_nats and count < p.enough_cells:
        said = f"the whole marks agree clearly ({alike.score:.0f} nats), but only {count:.0f} cells are congruent"
    elif alike.score < p.chance_nats and count >= p.enough_cells:
        said = f"{count:.0f} cells are congruent, but the whole marks agree as by chance ({alike.score:.0f} nats)"
    else:
        return ()
    return (
        Finding(
            "scores-disagree",
            "serious",
            f"{said}; {p.enough_cells} cells are the literature's criterion, and chance gives some tens of nats",
            "both stand as they are: look at where the marks agree before either is relied on",
        ),
    )
