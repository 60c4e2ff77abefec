"""The cascade of a search: templates of all candidates at every rotation, then a full comparison of the best."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ballistics.errors import ParameterError
from ballistics.impressions.mark_parameters import MARK_PARAMETERS, NOT_IMPRESSED
from ballistics.impressions.registration import register
from ballistics.impressions.similarity import similarity
from ballistics.search.scan import make_query, scan
from ballistics.surfaces.pose import Pose
from ballistics.surfaces.surface import Mark
from kernels.correlation import centred

METHOD, VERSION = "template scan at every rotation, registration and similarity of the best", "1"

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Lead:
    """A candidate to look at: intelligence, not evidence. It carries no likelihood ratio, on purpose.

    Parameters
    ----------
    candidate : int
        Its row in the stack.
    template_score : float
        By which it came to be compared, see `ballistics.search.scan.ScanScores`.
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
    at_or_above : int or None
        How many of the known different-source scores are as high; None when none are known.
    percentile : float or None
        Share of them that are lower, in percent.
    """

    candidate: int
    template_score: float
    score: float | None = None
    accf: float | None = None
    overlap_fraction: float | None = None
    pose: Pose | None = None
    insufficient: str | None = None
    at_or_above: int | None = None
    percentile: float | None = None


@dataclass(frozen=True)
class Ranking:
    """The leads of a search, best first, and what was done to find them.

    Parameters
    ----------
    leads : tuple of Lead
    n_scanned : int
        Candidates whose template was scanned.
    n_compared : int
        Candidates that were compared in full.
    n_different : int
        Known different-source scores.
    """

    leads: tuple[Lead, ...]
    n_scanned: int
    n_compared: int
    n_different: int


def rank(
    mark: Mark,
    stack: NDArray[np.uint8],
    load_mark: Callable[[int], Mark],
    *,
    rows: NDArray[np.int64] | None = None,
    top: int = 20,
    compared: int = 40,
    different_source: NDArray[np.float64] | None = None,
    progress: Progress | None = None,
) -> Ranking:
    """Rank candidates by how well they agree with a mark.

    Every candidate's template is scanned; those with the best template scores are registered with the mark over the
    full circle and ranked by their similarity. Nothing here depends on the number of threads or on the order of rows.

    Parameters
    ----------
    mark : Mark
        What is searched for.
    stack : ndarray of uint8, shape (n, `ballistics.search.template.RECORD_BYTES`)
        Templates, usually mapped into memory.
    load_mark : callable
        Takes a row of the stack and returns its prepared mark.
    rows : ndarray of int64, optional
        The rows that the class filter admits; default all.
    top : int
        Longest list that is returned, at least 1.
    compared : int
        How many are compared in full, at least ``top``.
    different_source : ndarray of float64, optional
        Similarity scores of pairs known to come from different firearms, of the same kind of mark and method.
    progress : callable, optional
        Told the stage, how many are done, and how many there are.

    Raises
    ------
    ParameterError
        When ``top`` is below 1, ``compared`` below ``top``, or the mark's kind is not known.

    Examples
    --------
    >>> from ballistics.search.template import make_template
    >>> rng = np.random.default_rng(1)
    >>> marks = [Mark("breech face", rng.normal(size=(300, 300)).astype(np.float32), 6.25) for _ in range(3)]
    >>> stack = np.stack([make_template(m).array for m in marks])
    >>> turned = replace(marks[1], heights_um=np.rot90(marks[1].heights_um).copy())
    >>> lead = rank(turned, stack, marks.__getitem__, top=1).leads[0]
    >>> lead.candidate, round(lead.pose.theta_deg)
    (1, 90)
    """
    if top < 1 or compared < top:
        raise ParameterError(f"{top} leads of {compared} compared were asked for; list at least 1, compare as many")
    admitted = np.arange(len(stack)) if rows is None else np.unique(np.asarray(rows, np.int64))
    if progress is not None:
        progress("scanning templates", 0, len(admitted))
    scores = scan(make_query(mark), stack, admitted).scores
    if progress is not None:
        progress("scanning templates", len(admitted), len(admitted))
    return compare_best(
        mark,
        admitted,
        scores,
        load_mark,
        top=top,
        compared=compared,
        different_source=different_source,
        progress=progress,
    )


def compare_best(
    mark: Mark,
    rows: NDArray[np.int64],
    template_scores: NDArray[np.float32],
    load_mark: Callable[[int], Mark],
    *,
    top: int = 20,
    compared: int = 40,
    different_source: NDArray[np.float64] | None = None,
    progress: Progress | None = None,
) -> Ranking:
    """Do the second half of `rank`: compare the candidates with the best template scores, and rank them.

    Parameters
    ----------
    rows : ndarray of int64, shape (n,)
        Candidates; the others as of `rank`.
    template_scores : ndarray of float32, shape (n,)
        Of the scan; −inf for a candidate that could not be scanned.
    """
    scanned = np.flatnonzero(np.isfinite(template_scores))
    best = scanned[np.lexsort((rows[scanned], -template_scores[scanned]))][:compared]
    leads = []
    for done, k in enumerate(best, 1):
        row = int(rows[k])
        leads.append(compared_lead(mark, load_mark(row), row, float(template_scores[k])))
        if progress is not None:
            progress("comparing the best", done, len(best))
    known = np.sort(different_source) if different_source is not None else np.empty(0)
    leads = sorted((held_against(lead, known) for lead in leads), key=_order)[:top]
    return Ranking(tuple(leads), len(scanned), len(best), len(known))


def compared_lead(mark: Mark, candidate: Mark, row: int, template_score: float) -> Lead:
    """Register a candidate with the mark and measure their similarity."""
    lead = Lead(row, template_score)
    for name, one in (("the mark searched for", mark), ("the candidate", candidate)):
        if one.insufficient is not None:
            return replace(lead, insufficient=f"{name} is insufficient: {one.insufficient}")
    if mark.kind not in MARK_PARAMETERS:
        reason = NOT_IMPRESSED.get(mark.kind, f"marks of kind '{mark.kind}' are not compared as impressions")
        return replace(lead, insufficient=reason)
    if abs(mark.spacing_um - candidate.spacing_um) > 1e-3 * mark.spacing_um:
        return replace(
            lead,
            insufficient=f"the marks have different spacings: {mark.spacing_um:g} and {candidate.spacing_um:g} µm",
        )
    parameters = MARK_PARAMETERS[mark.kind]
    a, b = (centred(np.ascontiguousarray(one.heights_um, np.float32)) for one in (mark, candidate))
    registration = register(a, b, mark.spacing_um, parameters.registration)
    if registration is None:
        return replace(lead, insufficient="no pose lays a quarter of the smaller mark on the other")
    found = similarity(a, b, mark.spacing_um, registration.pose, parameters.similarity)
    return replace(
        lead,
        score=None if found.insufficient else found.score,
        accf=registration.accf,
        overlap_fraction=registration.overlap_fraction,
        pose=registration.pose,
        insufficient=found.insufficient,
    )


def held_against(lead: Lead, different_source: NDArray[np.float64]) -> Lead:
    """Say how many known different-source scores, in ascending order, are as high as a lead's."""
    if lead.score is None or not len(different_source):
        return lead
    below = int(np.searchsorted(different_source, lead.score, side="left"))
    n = len(different_source)
    return replace(lead, at_or_above=n - below, percentile=100.0 * below / n)


def _order(lead: Lead) -> tuple[float, float, int]:
    score = lead.score if lead.score is not None else -math.inf
    return -score, -lead.template_score, lead.candidate
