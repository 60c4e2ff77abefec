"""Whether one of two marks was written mirrored: found, reported, and never silently matched."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ballistics.impressions.registration import register
from ballistics.impressions.similarity import Similarity, similarity
from ballistics.surfaces.pose import Pose
from ballistics.surfaces.surface import Finding

Heights = NDArray[np.float32]


@dataclass(frozen=True)
class MirrorParameters:
    """By how many nats a mirrored agreement must exceed the direct one to be clear.

    The difference of two similarities is the log likelihood ratio of the two poses. Unrelated marks reach some tens of
    nats by chance and by common form: at most 44 in 120 pairs of simulated heads, milled ones with common lines among
    them; same-source ones are above 1000.
    """

    margin: float = 100.0


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
    direct_score: float,
    parameters: MirrorParameters | None = None,
    *,
    always: bool = False,
) -> MirroredAgreement | None:
    """Register the mirror image of B when the marks as they are agree poorly, and say whether that is better.

    Two exporters of one scanner are known to write mirrored files. No turn makes up for it, so a mirrored same-source
    pair would pass for a different-source one.

    Parameters
    ----------
    a, b : ndarray of float32, shapes (m, n) and (p, q)
        Prepared heights in µm; NaN marks missing points.
    spacing_um : float
        Their common spacing.
    direct_score : float
        Similarity of the marks as they are; NaN when that was insufficient.
    parameters : MirrorParameters, optional
        Defaults as in the class.
    always : bool
        Also look when the marks agree well as they are. Parallel lines of milling or filing agree with their mirror
        image in part, so that a mirrored same-source pair of such marks may pass the margin as it is.

    Returns
    -------
    MirroredAgreement or None
        None when the marks agree well as they are, or no pose was found. Cost: one registration and one similarity
        more, for pairs that agree poorly.

    Examples
    --------
    >>> mark = np.random.default_rng(1).normal(size=(200, 200)).astype(np.float32)
    >>> found = check_mirrored(mark, np.fliplr(mark), 6.25, 0.0)
    >>> found.finding.code, found.finding.severity
    ('mirrored', 'serious')
    """
    p = parameters or MirrorParameters()
    score = 0.0 if math.isnan(direct_score) else direct_score
    if score >= p.margin and not always:
        return None
    image = np.ascontiguousarray(np.fliplr(b))
    registration = register(a, image, spacing_um)
    if registration is None:
        return None
    found = similarity(a, image, spacing_um, registration.pose)
    clear = found.insufficient is None and found.score >= max(score, 0.0) + p.margin
    return MirroredAgreement(registration.pose, found, _finding(found.score, score) if clear else None)


def _finding(mirrored: float, direct: float) -> Finding:
    return Finding(
        "mirrored",
        "serious",
        f"the marks agree when one of them is mirrored ({mirrored:.0f} nats), less so as they are ({direct:.0f}): "
        "one of the two files was probably written with a reversed axis",
        "nothing: compared as they are; find out which file is mirrored, correct it and compare again",
    )
