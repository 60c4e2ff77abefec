"""Is a part shaped like a handgun, a long gun, a firearm's part, or an ordinary thing? Learned from a laboratory's own
references: nothing is known before training, and no trained model is part of the package.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ballistics.errors import ParameterError
from ballistics.printed.shape_class.features import FEATURES_VERSION, GROUPS, ShapeFeatures
from ballistics.printed.shape_class.kernel import ShapeKernel, fitted_kernel, mean_likeness, stacked
from ballistics.printed.shape_class.machine import FEWEST, Learned, ShapeMachine, learn_machine, odds_of
from ballistics.provenance import Provenance, package_versions, sha256_of_array

SHAPE_CLASS_VERSION = "1"
HANDGUN, LONG_GUN, PART, ORDINARY = "handgun-like", "long-gun-like", "part-like", "ordinary"
CLASSES = (HANDGUN, LONG_GUN, PART, ORDINARY)
UNKNOWN = "unknown"

#: Share of the ordinary references that may be flagged when their source was left out of the training.
FALSE_POSITIVE_RATE = 0.02
# Share of the references that are called unlike all others when their source was left out.
_UNLIKE_RATE = 0.02
# The likeness to the references is the mean over this number of nearest ones.
_NEAREST = 3
# Of margin violations: firearms lie among many ordinary things; the two kinds of firearms are few and overlap.
_PENALTY_FIREARM, _PENALTY_KIND = 10.0, 1.0
# Feature groups are chosen by what they do at few false positives.
_MOST_FALSE = 0.1
# Sources differ in style, and in how many of each kind of firearm they hold: with a source that holds most of a kind
# left out, a machine learns the style of the others instead of the kind.
_LEAST_LEFT_KIND = 1.0 / 3.0
_DISTANCES = ("pair distances", "centre distances", "angles")
_EDGES = ("edges side", "edges top", "edges front")
#: Sets of feature groups that training chooses from, for each question by itself.
CANDIDATES: tuple[tuple[str, ...], ...] = (
    ("pair distances",),
    _DISTANCES,
    ("signature",),
    ("proportions",),
    _EDGES,
    ("outlines", "edges side"),
    (*_DISTANCES, "proportions"),
    (*_DISTANCES, "proportions", "outlines", "edges side"),
    (*_DISTANCES, "proportions", "outlines", *_EDGES),
    tuple(GROUPS),
)


@dataclass(frozen=True)
class ShapeClass:
    """What a part is shaped like: a lead for an examiner; it says what a shape resembles, not what a thing is or does.

    Parameters
    ----------
    label : str
        One of `CLASSES`, or ``"unknown"``: the part is unlike every reference, or nothing is flagged and yet
        "ordinary" is not more probable than all others together.
    probabilities : mapping of str to float
        Of each class, together 1, for a part from a collection with the shares of classes that the references have.
    whole_score, part_score : float
        0–1: probability of a whole handgun or long gun, and of a part, against an ordinary thing alone.
    whole_flagged, part_flagged : bool
        Whether the score passes the level that at most 2 % of the ordinary references passed when their source was
        left out of the training.
    likeness : float
        0–1: to the nearest references, of any class.
    unlike_all : bool
        Whether the likeness is below that of 98 % of the references to those of other sources. The probabilities
        then rest on no reference like it.
    provenance : Provenance
    """

    label: str
    probabilities: Mapping[str, float]
    whole_score: float
    part_score: float
    whole_flagged: bool
    part_flagged: bool
    likeness: float
    unlike_all: bool
    provenance: Provenance = field(repr=False)


@dataclass(frozen=True)
class ShapeClassifier:
    """A trained classifier; made by `train`, kept by `ballistics.printed.shape_class.classifier_file`.

    Parameters
    ----------
    kernel : ShapeKernel
        The references' features, and how alike two parts are by them.
    whole, part, kind : ShapeMachine or None
        Whole firearm or ordinary; part or ordinary; handgun or long gun. None where the references were too few.
    whole_level, part_level : float
        Score above which a whole firearm, and a part, is flagged; 1 where no such class was learned.
    least_likeness : float
        Likeness below which a part is unlike all references.
    counts, sources : mapping of str to int
        References of each class, and their sources. What was learned from one source could only be calibrated within
        it: its probabilities are too sure.
    """

    kernel: ShapeKernel
    whole: ShapeMachine | None
    part: ShapeMachine | None
    kind: ShapeMachine | None
    whole_level: float
    part_level: float
    least_likeness: float
    counts: Mapping[str, int]
    sources: Mapping[str, int]

    def classify(self, features: ShapeFeatures) -> ShapeClass:
        """Say what a part is shaped like.

        Parameters
        ----------
        features : mapping of str to ndarray
            From `ballistics.printed.shape_class.features.shape_features`.

        Returns
        -------
        ShapeClass
        """
        alike = self.kernel.likeness(stacked([features]))
        whole, part = (0.0 if machine is None else float(machine.odds(alike)[0]) for machine in (self.whole, self.part))
        if self.kind is not None:
            kind = float(self.kind.odds(alike)[0])
            handgun = kind / (1.0 + kind)
        else:
            both = self.counts[HANDGUN] + self.counts[LONG_GUN]
            handgun = self.counts[HANDGUN] / both if both else 0.0
        total = 1.0 + whole + part
        probabilities = {
            HANDGUN: whole * handgun / total,
            LONG_GUN: whole * (1.0 - handgun) / total,
            PART: part / total,
            ORDINARY: 1.0 / total,
        }
        whole_score, part_score = whole / (1.0 + whole), part / (1.0 + part)
        whole_flagged, part_flagged = whole_score > self.whole_level, part_score > self.part_level
        likeness = float(_nearest(_over_all(alike))[0])
        unlike_all = likeness < self.least_likeness
        label = UNKNOWN
        if not unlike_all:
            if whole_flagged and not (part_flagged and part > whole):
                label = HANDGUN if handgun >= 0.5 else LONG_GUN
            elif part_flagged:
                label = PART
            elif probabilities[ORDINARY] >= 0.5:
                label = ORDINARY
        provenance = self._provenance({name: sha256_of_array(features[name]) for name in GROUPS})
        return ShapeClass(
            label, probabilities, whole_score, part_score, whole_flagged, part_flagged, likeness, unlike_all, provenance
        )

    def _provenance(self, inputs: dict[str, str]) -> Provenance:
        machines = {"whole": self.whole, "part": self.part, "kind": self.kind}
        parameters: dict[str, Any] = {
            "features_version": FEATURES_VERSION,
            "references": dict(self.counts),
            "sources": dict(self.sources),
            "whole_level": self.whole_level,
            "part_level": self.part_level,
            "least_likeness": self.least_likeness,
        }
        for name, machine in machines.items():
            if machine is not None:
                parameters[f"{name}_groups"] = machine.groups
                parameters[f"{name}_weights_sha256"] = sha256_of_array(machine.weights)
        references = (
            "10.1023/A:1022627411411",
            "10.1007/s10994-007-5018-6",
            "10.1093/biomet/71.1.11",
            "10.1145/571647.571648",
            "10.1109/CVPR.2005.177",
        )
        versions = {**package_versions(), "scikit-learn": importlib.metadata.version("scikit-learn")}
        return Provenance("shape class", SHAPE_CLASS_VERSION, parameters, inputs, references, versions)


def train(
    features: Sequence[ShapeFeatures],
    labels: Sequence[str],
    sources: Sequence[str],
    *,
    candidates: Sequence[tuple[str, ...]] = CANDIDATES,
) -> ShapeClassifier:
    """Learn shape classes from a laboratory's references.

    Parameters
    ----------
    features : sequence of mapping
        From `ballistics.printed.shape_class.features.shape_features`.
    labels : sequence of str
        One of `CLASSES` for each.
    sources : sequence of str
        Where each comes from (a repository, an author, a case). Things of one source resemble each other; what a
        classifier is worth shows only on sources that it was not trained on, so all choices are made that way.
    candidates : sequence of tuple of str
        Sets of feature groups to choose from.

    Returns
    -------
    ShapeClassifier
        The same input gives the same classifier.

    Raises
    ------
    ParameterError
        Lengths differ, a label is unknown, or there are fewer than 3 ordinary references, or fewer than 3 whole
        firearms and also fewer than 3 parts.

    Notes
    -----
    Whole firearms against ordinary things, parts against ordinary things, and handguns against long guns are three
    questions, each with its own support vector machine, feature groups and calibration on left-out sources. The odds
    against "ordinary" of all classes together give the probabilities (Begg & Gray 1984, doi:10.1093/biomet/71.1.11).

    Examples
    --------
    >>> from ballistics.printed.content.part import Part
    >>> from ballistics.printed.shape_class.features import shape_features
    >>> corners = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    >>> faces = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])
    >>> stand_ins = [Part(corners * (10, 10, k), faces) for k in (60, 64, 68, 70, 75, 80)]  # no firearm: long wedges
    >>> others = [Part(corners * (10, 10, k), faces) for k in (7, 8, 9, 10, 11, 12)]
    >>> described = [shape_features(part) for part in stand_ins + others]
    >>> classifier = train(described, ["long-gun-like"] * 6 + ["ordinary"] * 6, ["a", "b", "c"] * 4)
    >>> classifier.classify(shape_features(Part(corners * (11, 10, 66), faces))).label
    'long-gun-like'
    """
    names = np.array(labels, dtype=object)
    origin = np.array(sources, dtype=object)
    whole, part = np.isin(names, (HANDGUN, LONG_GUN)), names == PART
    handgun, long_gun, ordinary = names == HANDGUN, names == LONG_GUN, names == ORDINARY
    _check(len(features), names, origin)
    kernel = fitted_kernel(stacked(features))
    alike = kernel.likeness(kernel.references)

    def learned(first: NDArray[np.bool_], second: NDArray[np.bool_], between_kinds: bool) -> Learned | None:
        if min(first.sum(), second.sum()) < FEWEST:
            return None
        return learn_machine(
            alike,
            first,
            second,
            origin,
            candidates,
            penalty=_PENALTY_KIND if between_kinds else _PENALTY_FIREARM,
            most_false=1.0 if between_kinds else _MOST_FALSE,
            least_left=_LEAST_LEFT_KIND if between_kinds else 0.0,
        )

    wholes, parts = learned(whole, ordinary, False), learned(part, ordinary, False)
    kinds = learned(handgun, long_gun, True)
    foreign = np.where(origin[:, None] == origin[None], -1.0, _over_all(alike))
    likeness = _nearest(foreign)[(foreign >= 0.0).sum(axis=1) >= _NEAREST]
    return ShapeClassifier(
        kernel,
        None if wholes is None else wholes.machine,
        None if parts is None else parts.machine,
        None if kinds is None else kinds.machine,
        _level(wholes, ordinary),
        _level(parts, ordinary),
        float(np.quantile(likeness, _UNLIKE_RATE)) if len(likeness) else 0.0,
        {name: int((names == name).sum()) for name in CLASSES},
        {name: len(set(origin[names == name])) for name in CLASSES},
    )


def _check(count: int, names: NDArray[np.object_], origin: NDArray[np.object_]) -> None:
    if not count == len(names) == len(origin):
        raise ParameterError(f"{count} features, {len(names)} labels, {len(origin)} sources; give one of each per part")
    unknown = sorted({str(name) for name in names} - set(CLASSES))
    if unknown:
        raise ParameterError(f"there is no class {unknown[0]!r}; use {', '.join(CLASSES)}")
    whole, part, ordinary = (int(np.isin(names, own).sum()) for own in (CLASSES[:2], (PART,), (ORDINARY,)))
    if ordinary < FEWEST or max(whole, part) < FEWEST:
        raise ParameterError(
            f"the references are {ordinary} ordinary things, {whole} whole firearms and {part} parts; "
            f"at least {FEWEST} ordinary ones and {FEWEST} of another kind are needed"
        )


def _level(learned: Learned | None, ordinary: NDArray[np.bool_]) -> float:
    """Return the score that at most the permitted share of left-out ordinary references passes."""
    if learned is None:
        return 1.0
    margins = learned.left_out[ordinary & np.isfinite(learned.left_out)]
    if not len(margins):
        return 1.0
    machine = learned.machine
    odds = np.sort(odds_of(margins, machine.slope, machine.intercept))[::-1]
    level = float(odds[int(FALSE_POSITIVE_RATE * len(odds))])
    return level / (1.0 + level)


def _over_all(alike: dict[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    return mean_likeness(alike, tuple(GROUPS))


def _nearest(alike: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.sort(alike, axis=1)[:, -_NEAREST:].mean(axis=1))
