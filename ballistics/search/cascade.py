"""The second half of a search: the candidates whose templates agree best are compared in full, and ranked."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ballistics.errors import ParameterError
from ballistics.impressions import MARK_PARAMETERS, NOT_IMPRESSED, register, similarity
from ballistics.methods import compare, method_of, pair_score
from ballistics.progress import Progress
from ballistics.striations import StriationComparison
from ballistics.surfaces import Mark, Pose
from ballistics_kernels.impressions import centred

METHOD, VERSION = "template scan at every rotation, registration and similarity of the best", "1"
STRIATED_METHOD, STRIATED_VERSION = "correlation of signatures at every lag, similarity of the best", "1"


@dataclass(frozen=True)
class Lead:
    """A candidate to look at: intelligence, not evidence. It carries no likelihood ratio, on purpose.

    Parameters
    ----------
    candidate : int
        Its row in the stack.
    template_score : float
        Score of the template scan, by which it was selected for comparison; see `ballistics.search.scan.ScanScores`.
    score : float or None
        Similarity in nats (`ballistics.impressions.similarity`), by which leads are ranked; None when insufficient.
    accf : float or None
        Areal correlation at the pose.
    overlap_fraction : float or None
        Common area as a share of the smaller mark.
    pose : Pose or None
        How the candidate lies on the mark that was searched for.
    insufficient : str or None
        Why the comparison states nothing; such leads come last.
    """

    candidate: int
    template_score: float
    score: float | None = None
    accf: float | None = None
    overlap_fraction: float | None = None
    pose: Pose | None = None
    insufficient: str | None = None


@dataclass(frozen=True)
class Ranking:
    """The candidates that were compared, best first.

    Parameters
    ----------
    leads : tuple of Lead
    n_scanned : int
        Candidates whose template could be scanned.
    """

    leads: tuple[Lead, ...]
    n_scanned: int


def compare_best(
    mark: Mark,
    rows: NDArray[np.int64],
    template_scores: NDArray[np.float32],
    load_mark: Callable[[int], Mark],
    *,
    compared: int = 40,
    progress: Progress | None = None,
) -> Ranking:
    """Compare the candidates with the best template scores, and rank them by how well they agree with a mark.

    They are registered with the mark over the full circle and ranked by their similarity. Nothing here depends on the
    number of threads or on the order of candidates.

    Parameters
    ----------
    mark : Mark
        What is searched for.
    rows : ndarray of int64, shape (n,)
        Numbers of the candidates.
    template_scores : ndarray of float32, shape (n,)
        Of `ballistics.search.scan.scan`; −inf for a candidate that could not be scanned.
    load_mark : callable
        Takes the number of a candidate and returns its prepared mark.
    compared : int
        How many are compared, at least 1.
    progress : callable, optional
        Told the stage, how many are done, and how many there are.

    Raises
    ------
    ParameterError
        When ``compared`` is below 1.

    Examples
    --------
    >>> from ballistics.search.scan import make_query, scan
    >>> from ballistics.library.template import make_template
    >>> rng = np.random.default_rng(1)
    >>> marks = [Mark("breech face", rng.normal(size=(300, 300)).astype(np.float32), 6.25) for _ in range(3)]
    >>> stack = np.stack([make_template(m).array for m in marks])
    >>> turned = replace(marks[1], heights_um=np.rot90(marks[1].heights_um).copy())
    >>> scores = scan(make_query(turned), stack).scores
    >>> lead = compare_best(turned, np.arange(3), scores, marks.__getitem__, compared=1).leads[0]
    >>> lead.candidate, round(lead.pose.theta_deg)
    (1, 90)
    """
    if compared < 1:
        raise ParameterError(f"{compared} candidates were to be compared; at least 1 is needed")
    scanned = np.flatnonzero(np.isfinite(template_scores))
    best = scanned[np.lexsort((rows[scanned], -template_scores[scanned]))][:compared]
    leads = []
    for done, k in enumerate(best, 1):
        row = int(rows[k])
        leads.append(compared_lead(mark, load_mark(row), row, float(template_scores[k])))
        if progress is not None:
            progress("comparing the best", done, len(best))
    return Ranking(tuple(sorted(leads, key=_order)), len(scanned))


def compared_lead(mark: Mark, candidate: Mark, row: int, template_score: float) -> Lead:
    """Register a candidate with the mark and measure their similarity.

    Parameters
    ----------
    mark : Mark
        The mark that was searched for.
    candidate : Mark
        A mark that the template scan selected.
    row : int
        Of the candidate in the stack.
    template_score : float
        Of the template scan; passed on to the lead.

    Returns
    -------
    Lead
        Insufficient when the two cannot be compared, or too little of them is common.
    """
    lead = Lead(row, template_score)
    for name, either in (("the mark searched for", mark), ("the candidate", candidate)):
        if either.insufficient is not None:
            return replace(lead, insufficient=f"{name} is insufficient: {either.insufficient}")
    if method_of(mark.kind).family == "striated":
        return _striated_lead(lead, mark, candidate)
    if mark.kind not in MARK_PARAMETERS:
        reason = NOT_IMPRESSED.get(mark.kind, f"marks of kind '{mark.kind}' are not compared as impressions")
        return replace(lead, insufficient=reason)
    if abs(mark.spacing_um - candidate.spacing_um) > 1e-3 * mark.spacing_um:
        return replace(
            lead,
            insufficient=f"the marks have different spacings: {mark.spacing_um:g} and {candidate.spacing_um:g} µm",
        )
    parameters = MARK_PARAMETERS[mark.kind]
    a, b = (centred(np.ascontiguousarray(either.heights_um, np.float32)) for either in (mark, candidate))
    registration = register(a, b, mark.spacing_um, parameters.registration)
    if registration is None:
        return replace(lead, insufficient=parameters.registration.no_pose())
    found = similarity(a, b, mark.spacing_um, registration.pose, parameters.similarity)
    return replace(
        lead,
        score=None if found.insufficient else found.score,
        accf=registration.accf,
        overlap_fraction=registration.overlap_fraction,
        pose=registration.pose,
        insufficient=found.insufficient,
    )


def method_for(mark_kind: str) -> tuple[str, str]:
    """Return method and version of a search for marks of a kind."""
    return (STRIATED_METHOD, STRIATED_VERSION) if method_of(mark_kind).family == "striated" else (METHOD, VERSION)


def _striated_lead(lead: Lead, mark: Mark, candidate: Mark) -> Lead:
    """Compare two striated marks in full; both lie with their striae upright, so that the pose is a shift."""
    comparison = compare(mark, candidate)
    assert isinstance(comparison, StriationComparison)
    found, placement = comparison.similarity, comparison.placement
    if comparison.insufficient is not None or found is None or placement is None:
        return replace(lead, insufficient=comparison.insufficient)
    shorter_um = min(float(np.isfinite(m.heights_um).any(axis=0).sum()) * m.spacing_um for m in (mark, candidate))
    correlation = pair_score(comparison).accf
    return replace(
        lead,
        score=found.score,
        accf=correlation,
        overlap_fraction=min(found.overlap_um / shorter_um, 1.0),
        pose=Pose(0.0, placement.lag_um, 0.0),
    )


def _order(lead: Lead) -> tuple[float, float, int]:
    score = lead.score if lead.score is not None else -math.inf
    return -score, -lead.template_score, lead.candidate
