"""The weight of evidence of two cartridge-case heads: mark by mark, and of all marks together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ballistics.evidence import JointWeight, weigh_together
from ballistics.front.weighing import Weighing
from ballistics.heads import HeadComparison
from ballistics.reports import Evaluation
from ballistics.surfaces import Surface


@dataclass(frozen=True)
class WeighedHeads:
    """What the marks of two heads weigh.

    Parameters
    ----------
    evaluations : mapping of str to Evaluation
        One for every kind of mark that was compared and of which a reference population was given.
    joint : JointWeight
        Their likelihood ratios fused into one, or the reason why they are not.
    """

    evaluations: Mapping[str, Evaluation]
    joint: JointWeight


def weigh_heads(heads: HeadComparison, surfaces: tuple[Surface, Surface], weighing: Weighing) -> WeighedHeads:
    """Weigh every mark of two heads by the references of its kind, and all together.

    Parameters
    ----------
    heads : HeadComparison
    surfaces : tuple of Surface
        Both scans, as read.
    weighing : Weighing
        Populations of one or more kinds of mark; the fusion needs those of different kinds to be of the same scans.
    """
    evaluations = {}
    for kind in heads.compared:
        populations = [p for p in weighing.populations if p.conditions.mark_kind == kind]
        if populations:
            marks = heads.marks_a[kind], heads.marks_b[kind]
            evaluations[kind] = weighing.evaluate(heads.comparisons[kind], marks, surfaces, populations)
    return WeighedHeads(evaluations, weigh_together({kind: e.weighed for kind, e in evaluations.items()}))
