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


@dataclass(frozen=True, eq=False)
class AsTheyAre:
    """How two marks agree as they are: what every other way is held against.

    Parameters
    ----------
    a : Octaves
        Of the mark that stays.
    b : ndarray of float32, shape (p, q)
        Prepared heights of the other in µm, with the same spacing; NaN marks missing points.
    search : RegistrationSearch
        Of these marks.
    registration : Registration
        How they lie.
    score : float
        Similarity there; NaN when that was insufficient.
    """

    a: Octaves
    b: Heights
    search: RegistrationSearch
    registration: Registration
    score: float

    def of_turned(self, b: Heights, pose: Pose, octaves: SimilarityParameters) -> Similarity:
        """Return the similarity of A and what B was turned into.

        Parameters
        ----------
        b : ndarray of float32, shape (p, q)
            B with its columns reversed, its heights inverted, or both.
        pose : Pose
            How it lies on A.
        octaves : SimilarityParameters
        """
        turned = Octaves(np.ascontiguousarray(b), self.a.spacing_um, octaves.clip_points)
        return similarity_of(self.a, turned, pose, octaves)

    def is_clearly_less(self, agreement: Similarity, p: MirrorParameters) -> bool:
        """Return whether the marks agree clearly better the other way."""
        return agreement.insufficient is None and agreement.score >= max(self.known_score, 0.0) + p.margin_nats

    @property
    def known_score(self) -> float:
        """The similarity; 0 where it was insufficient."""
        return 0.0 if math.isnan(self.score) else self.score


def check_mirrored(
    direct: AsTheyAre, octaves: SimilarityParameters | None = None, parameters: MirrorParameters | None = None
) -> MirroredAgreement | None:
    """Register the mirror image of B on A, and say whether the marks agree better that way.

    A mirror image that correlates clearly less on the coarse level of the registration, or does not correlate better in
    the end, is not looked at further.

    Two exporters of one scanner are known to write mirrored files. No turn makes up for it, so a mirrored same-source
    pair would pass for a different-source one.

    Parameters
    ----------
    direct : AsTheyAre
        The marks, and how they agree without a mirror.
    octaves : SimilarityParameters, optional
        Those of the kind of mark.
    parameters : MirrorParameters, optional
        Defaults as in the class.

    Returns
    -------
    MirroredAgreement or None
        None when no pose of the mirror image correlates better.

    Examples
    --------
    >>> mark = np.random.default_rng(1).normal(size=(200, 200)).astype(np.float32)
    >>> image = np.fliplr(mark)
    >>> search = RegistrationSearch(mark, image, 6.25)
    >>> found = check_mirrored(AsTheyAre(Octaves(mark, 6.25), image, search, search.direct(), 0.0))
    >>> found.finding.code, found.finding.severity
    ('mirrored', 'serious')
    """
    p, octaves = parameters or MirrorParameters(), octaves or SimilarityParameters()
    found = direct.search.mirrored(p.coarse_share if direct.registration.accf < p.agreement else 0.0)
    if found is None or _strength(found) <= _strength(direct.registration):
        return None
    agreement = direct.of_turned(np.fliplr(direct.b), found.pose, octaves)
    is_clear = direct.is_clearly_less(agreement, p)
    return MirroredAgreement(found.pose, agreement, _finding(agreement.score, direct.known_score) if is_clear else None)


def check_inverted(
    direct: AsTheyAre, octaves: SimilarityParameters | None = None, parameters: MirrorParameters | None = None
) -> Finding | None:
    """Say whether the marks agree better with the heights of one of them inverted, or inverted and mirrored.

    So they do where one is of a cast, or was written with its height axis pointing down. A whole scan shows it by its
    firing-pin impression that stands up; a scan that was cut to the breech face does not.

    Parameters
    ----------
    direct, octaves, parameters
        As of `check_mirrored`.

    Returns
    -------
    Finding or None
        ``"inverted"``, serious, when that agreement is clear.

    Examples
    --------
    >>> mark = np.random.default_rng(1).normal(size=(200, 200)).astype(np.float32)
    >>> search = RegistrationSearch(mark, -mark, 6.25)
    >>> check_inverted(AsTheyAre(Octaves(mark, 6.25), -mark, search, search.direct(), 0.0)).code
    'inverted'
    """
    p, octaves = parameters or MirrorParameters(), octaves or SimilarityParameters()
    # Where as they are the marks agree beyond chance, and better when inverted, lines agree with their neighbours.
    other = direct.search.inverted(_INVERTED_SHARE if direct.registration.accf < p.agreement else 1.0)
    if other is None or _strength(other[0]) <= _strength(direct.registration):
        return None
    found, is_mirrored = other
    agreement = direct.of_turned(-np.fliplr(direct.b) if is_mirrored else -direct.b, found.pose, octaves)
    if not direct.is_clearly_less(agreement, p):
        return None
    return _inverted(agreement.score, direct.known_score, is_mirrored)


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
