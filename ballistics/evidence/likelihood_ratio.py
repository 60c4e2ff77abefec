"""The result of the evidence room: one LikelihoodRatio, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ballistics.evidence.models.bounds import Bounds
from ballistics.methods import BULLET
from ballistics.provenance import Provenance

Status = Literal["evaluated", "insufficient", "outside range", "refused"]
BoundState = Literal["none", "lower", "upper"]


@dataclass(frozen=True)
class Propositions:
    """The pair of propositions that a likelihood ratio weighs.

    Parameters
    ----------
    same_source, different_source : str
        Both, as they stand in the report.
    """

    same_source: str = "The two items were marked by the same firearm."
    different_source: str = "The two items were marked by different firearms."


# A single land says which land of a barrel cut it: two lands of one barrel are different sources. Tools likewise.
PROPOSITIONS: Mapping[str, Propositions] = {
    "land engraved area": Propositions(
        "The two land engraved areas were cut by the same land of one barrel.",
        "The two land engraved areas were cut by different lands, of one barrel or of two.",
    ),
    BULLET: Propositions(
        "The two bullets were fired from the same barrel.",
        "The two bullets were fired from different barrels.",
    ),
    "tool mark": Propositions(
        "The two marks were made by the same edge of one tool.",
        "The two marks were made by different edges, of one tool or of two.",
    ),
}


@dataclass(frozen=True)
class LikelihoodRatio:
    """How much more probable the score is if the items share a source than if they do not.

    Parameters
    ----------
    status : {"evaluated", "insufficient", "outside range", "refused"}
        ``insufficient``: the comparison or the population cannot carry one. ``outside range``: the
        reference has nothing like this score. ``refused``: the score was not obtained as the
        reference's were. Only ``evaluated`` has a value.
    population : str
        Name of the reference population.
    n_same, n_different, n_firearms : int
        Its size.
    propositions : Propositions
        What is weighed against what.
    log10_lr : float or None
        log10 of the likelihood ratio, held within ``bounds``.
    interval : tuple of float or None
        5 % and 95 % limits of log10 LR over bootstrap samples of the firearms, within ``bounds``;
        None when the population has too few firearms for one.
    bound : {"none", "lower", "upper"}
        Whether the value sits on a bound: then it says "at least" or "at most".
    bounds : Bounds or None
        The lowest and highest log10 LR that the population can support.
    reason : str
        Why there is no value; empty when there is one.
    cautions : tuple of str
        What limits the value.
    score, cells, area_mm2, length_mm : float, int, float, float, or None
        What was evaluated: a score, of how many cells, or over which common area or length.
    provenance : Provenance or None
        Model, parameters, hashes, versions.
    """

    status: Status
    population: str
    n_same: int
    n_different: int
    n_firearms: int
    propositions: Propositions
    log10_lr: float | None = None
    interval: tuple[float, float] | None = None
    bound: BoundState = "none"
    bounds: Bounds | None = None
    reason: str = ""
    cautions: tuple[str, ...] = ()
    score: float | None = None
    cells: int | None = None
    area_mm2: float | None = None
    length_mm: float | None = None
    provenance: Provenance | None = None
