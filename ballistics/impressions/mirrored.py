"""Whether one of two marks was written mirrored, or its heights inverted: found, reported, never silently matched."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ballistics.findings import Finding
from ballistics.impressions.octaves import Octaves
from ballistics.impressions.registration import Registration, RegistrationSearch
from ballistics.impressions.similarity import Similarity, SimilarityParameters, similarity_of
from ballistics.surfaces import Pose

Heights = NDArray[np.float32]

# An inverted mark is followed where it reaches this share of the direct score on the coarse level. Unrelated marks
# reach 1.26 at most, one in eighteen of them this (Fadul, every second scan, and the given ones of TopMatch). Inverted
# marks of one source reach 1.26 to 3; of those of TopMatch, inverted or as casts, 11 of 12 are told, of unrelated ones
# none of 16. No parameter: it changes no score, so that reference populations hold with any.
_INVERTED_SHARE = 1.2


@dataclass(frozen=True)
class MirrorParameters:
    """When a mirror image is looked at, and by how much its agreement must be the better one.

    Marks whose areal correlation reaches a half share so much as they are that no mirror image can share more, unless
    it is regular manufacturing marks that agree: parallel lines agree with their mirror image too.

    Below that agreement the mirror image must reach a share of the direct score on the coarse level of the registration
    to be followed. In the end it must reach more than the whole; marks of one source reached 1.08 and more (all of
    TopMatch, every third pair of Fadul, simulated ones), and unrelated marks 0.76 to 1.2.

    The difference of two similarities is the log likelihood ratio of the two poses. Unrelated marks reach some tens of
    nats by chance and by common form: at most 44 in 120 pairs of simulated heads, milled ones with common lines among
    them; same-source ones are above 1000.
    """

    agreement: float = 0.5
    coarse_share: float = 0.9
    margin_nats: float = 100.0


@dataclass(frozen=True)
class MirroredAgreement:
    """How A and the mirror image of B agree.

    Parameters
    ----------
    pose : Pose
        How B lies on A after its columns are reversed.
    similarity : Similarity
        At that pose.
    finding : Finding or None
        ``"mirrored"``, serious, when the mirrored agreement is clear; None otherwise.
    """

    pose: Pose
    similarity: Similarity
    finding: Finding | None


def check_mirrored(
    a: Heights,
    b: Heights,
    spacing_um: float,
    search: RegistrationSearch,
    direct: Registration,
    direct_score: float,
    octaves: SimilarityParameters | None = None,
    parameters: MirrorParameters | None = None,
    octaves_of_a: Octaves | None = None,
) -> MirroredAgreement | None:
    """Register the mirror image of B on A, and say whether the marks agree better that way.

    A mirror image that correlates clearly less on the coarse level of the registration, or does not correlate better in
    the end, is not looked at further.

    Two exporters of one scanner are known to write mirrored files. No turn makes up for it, so a mirrored same-source
    pair would pass for a different-source one.

    Parameters
    ----------
    a, b : ndarray of float32, shapes (m, n) and (p, q)
        Prepared heights in µm; NaN marks missing points.
    spacing_um : float
        Their common spacing.
    search : RegistrationSearch
        Of these marks.
    direct : Registration
        How the marks lie as they are.
    direct_score : float
        Similarity there; NaN when that was insufficient.
    octaves : SimilarityParameters, optional
        Those of the kind of mark.
    parameters : MirrorParameters, optional
        Defaults as in the class.
    octaves_of_a : Octaves, optional
        Where they are at hand, from the direct similarity.

    Returns
    -------
    MirroredAgreement or None
        None when no pose of the mirror image correlates better.

    Examples
    --------
    >>> mark = np.random.default_rng(1).normal(size=(200, 200)).astype(np.float32)
    >>> image = np.fliplr(mark)
    >>> search = RegistrationSearch(mark, image, 6.25)
    >>> found = check_mirrored(mark, image, 6.25, search, search.direct(), 0.0)
    >>> found.finding.code, found.finding.severity
    ('mirrored', 'serious')
    """
    p, octaves = parameters or MirrorParameters(), octaves or SimilarityParameters()
    found = search.mirrored(p.coarse_share if direct.accf < p.agreement else 0.0)
    if found is None or _strength(found) <= _strength(direct):
        return None
    score = 0.0 if math.isnan(direct_score) else direct_score
    image = Octaves(np.ascontiguousarray(np.fliplr(b)), spacing_um, octaves.clip_points)
    agreement = similarity_of(octaves_of_a or Octaves(a, spacing_um, octaves.clip_points), image, found.pose, octaves)
    return MirroredAgreement(
        found.pose, agreement, _finding(agreement.score, score) if _clear(agreement, score, p) else None
    )


def check_inverted(
    a: Heights,
    b: Heights,
    spacing_um: float,
    search: RegistrationSearch,
    direct: Registration,
    direct_score: float,
    octaves: SimilarityParameters | None = None,
    parameters: MirrorParameters | None = None,
    octaves_of_a: Octaves | None = None,
) -> Finding | None:
    """Say whether the marks agree better with the heights of one of them inverted, or inverted and mirrored.

    So they do where one is of a cast, or was written with its height axis pointing down. A whole scan shows it by its
    firing-pin impression that stands up; a scan that was cut to the breech face does not.

    Parameters
    ----------
    a, b, spacing_um, search, direct, direct_score, octaves, parameters, octaves_of_a
        As of `check_mirrored`.

    Returns
    -------
    Finding or None
        ``"inverted"``, serious, when that agreement is clear.

    Examples
    --------
    >>> mark = np.random.default_rng(1).normal(size=(200, 200)).astype(np.float32)
    >>> search = RegistrationSearch(mark, -mark, 6.25)
    >>> check_inverted(mark, -mark, 6.25, search, search.direct(), 0.0).code
    'inverted'
    """
    p, octaves = parameters or MirrorParameters(), octaves or SimilarityParameters()
    # Where as they are the marks agree beyond chance, and better when inverted, lines agree with their neighbours.
    other = search.inverted(_INVERTED_SHARE if direct.accf < p.agreement else 1.0)
    if other is None or _strength(other[0]) <= _strength(direct):
        return None
    found, is_mirrored = other
    score = 0.0 if math.isnan(direct_score) else direct_score
    turned = Octaves(np.ascontiguousarray(-np.fliplr(b) if is_mirrored else -b), spacing_um, octaves.clip_points)
    agreement = similarity_of(octaves_of_a or Octaves(a, spacing_um, octaves.clip_points), turned, found.pose, octaves)
    return _inverted(agreement.score, score, is_mirrored) if _clear(agreement, score, p) else None


def _clear(agreement: Similarity, score: float, p: MirrorParameters) -> bool:
    return agreement.insufficient is None and agreement.score >= max(score, 0.0) + p.margin_nats


def _strength(registration: Registration) -> float:
    """Return the correlation weighted by the evidence that it stands on, as registration weights it."""
    return registration.accf * math.sqrt(registration.overlap_fraction)


def _finding(mirrored: float, direct: float) -> Finding:
    return Finding(
        "mirrored",
        "serious",
        f"the marks agree when one of them is mirrored ({mirrored:.0f} nats), less so as they are ({direct:.0f}): "
        "one of the two files was probably written with a reversed axis",
        "nothing: compared as they are; find out which file is mirrored, correct it and compare again",
    )


def _inverted(inverted: float, direct: float, is_mirrored: bool) -> Finding:
    also = " and the mark mirrored" if is_mirrored else ""
    return Finding(
        "inverted",
        "serious",
        f"the marks agree with the heights of one of them inverted{also} ({inverted:.0f} nats), less so as they are "
        f"({direct:.0f}): one of the two files is of a cast, or was written with its heights turned over",
        "nothing: compared as they are; find out which file it is, correct it or scan the original, and compare again",
    )
