"""A calibrated answer to one question with two answers, learned so that it holds on sources never trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ballistics.printed.shape_class.kernel import mean_likeness

#: Fewest examples on each side.
FEWEST = 3
# A source without which too little of a side is left is split into this number of folds.
_SPLITS = 3

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ShapeMachine:
    """A margin between two kinds of references, and what it is worth.

    Parameters
    ----------
    groups : tuple of str
        Feature groups in use.
    weights : ndarray of float64, shape (references,)
        Of each reference in the margin; 0 for most.
    offset : float
        Added to the margin.
    slope, intercept : float
        Log odds of the first kind against the second = slope × margin + intercept.
    """

    groups: tuple[str, ...]
    weights: Floats
    offset: float
    slope: float
    intercept: float

    def odds(self, likeness: dict[str, Floats]) -> Floats:
        """Return the odds of the first kind against the second, from likenesses of shape (parts, references)."""
        # Not a product of matrices: its bytes would depend on the threads of BLAS.
        margins = np.einsum("pr,r->p", mean_likeness(likeness, self.groups), self.weights) + self.offset
        return odds_of(margins, self.slope, self.intercept)


@dataclass(frozen=True)
class Learned:
    """A machine and the margins of the references when their source was left out; NaN where there is none."""

    machine: ShapeMachine
    left_out: Floats


def odds_of(margins: Floats, slope: float, intercept: float) -> Floats:
    """Return odds, kept finite.

    Parameters
    ----------
    margins : ndarray of float64, shape (parts,)
        On which side of the boundary each part lies, and how far.
    slope, intercept : float
        As of `ShapeMachine`.

    Returns
    -------
    ndarray of float64, shape (parts,)
        Of the first kind against the second, from exp(−50) to exp(50).
    """
    return np.asarray(np.exp(np.clip(slope * margins + intercept, -50.0, 50.0)))


def learn_machine(
    likeness: dict[str, Floats],
    first: Bools,
    second: Bools,
    sources: NDArray[np.object_],
    candidates: Sequence[tuple[str, ...]],
    *,
    penalty: float,
    most_false: float,
    least_left: float,
) -> Learned:
    """Choose feature groups, learn a margin and calibrate it.

    Parameters
    ----------
    likeness : mapping of str to ndarray, shape (references, references)
        Of the references to each other, group by group.
    first, second : ndarray of bool, shape (references,)
        The two kinds; other references are not used. At least `FEWEST` of each.
    sources : ndarray of str objects, shape (references,)
    candidates : sequence of tuple of str
        Sets of groups; the one with the largest area under the curve on left-out sources is taken, the first of equals.
    penalty : float
        Of a support vector machine's margin violations.
    most_false : float
        The area is that up to this false-positive rate.
    least_left : float
        A source without which less than this share of a kind, or fewer than `FEWEST`, would be left, is
        left out a third at a time: calibration is then too sure, but rests on something.

    Notes
    -----
    Support vector machine: Cortes & Vapnik 1995, doi:10.1023/A:1022627411411.
    """
    folds = _folds(first, second, sources, least_left)
    tried = [_left_out(mean_likeness(likeness, groups), first, second, folds, penalty) for groups in candidates]
    best = 0
    if len(candidates) > 1:
        best = int(np.argmax([round(_area(margins, first, second, most_false), 6) for margins in tried]))
    margins = tried[best]
    weights, offset = _margin(mean_likeness(likeness, candidates[best]), first, second, penalty)
    machine = ShapeMachine(candidates[best], weights, offset, *_log_odds(margins, first, second))
    return Learned(machine, margins)


def _folds(first: Bools, second: Bools, sources: NDArray[np.object_], least_left: float) -> NDArray[np.int64]:
    """Return what is left out together: a source, or a third of one without which too little of a kind is left."""
    numbers = {source: k for k, source in enumerate(sorted(set(sources)))}
    own = np.array([numbers[source] for source in sources])
    folds = own.copy()
    following = len(numbers)
    for kind in (first, second):
        for number in np.unique(own[kind]):
            inside = kind & (own == number)
            if kind.sum() - inside.sum() < max(FEWEST, least_left * kind.sum()) and inside.sum() >= FEWEST:
                folds[inside] = following + np.arange(int(inside.sum())) % _SPLITS
                following += _SPLITS
    return folds


def _margin(alike: Floats, first: Bools, second: Bools, penalty: float) -> tuple[Floats, float]:
    """Return the weight of every reference and the offset."""
    from sklearn.svm import SVC

    rows = np.flatnonzero(first | second)
    machine = SVC(C=penalty, kernel="precomputed", class_weight="balanced")
    machine.fit(alike[np.ix_(rows, rows)], first[rows].astype(np.int64))
    weights = np.zeros(len(first))
    weights[rows[machine.support_]] = machine.dual_coef_[0]
    return weights, float(machine.intercept_[0])


def _left_out(alike: Floats, first: Bools, second: Bools, folds: NDArray[np.int64], penalty: float) -> Floats:
    """Return the margin of each reference, learned without its fold; NaN where too little is left to learn from."""
    margins = np.full(len(folds), np.nan)
    for fold in np.unique(folds[first | second]):
        out = folds == fold
        if min((first & ~out).sum(), (second & ~out).sum()) >= FEWEST:
            weights, offset = _margin(alike, first & ~out, second & ~out, penalty)
            margins[out] = np.einsum("pr,r->p", alike[out], weights) + offset
    return margins


def _area(margins: Floats, first: Bools, second: Bools, most_false: float) -> float:
    from sklearn.metrics import roc_auc_score

    rows = np.isfinite(margins) & (first | second)
    if not 0 < first[rows].sum() < rows.sum():
        return 0.0
    return float(roc_auc_score(first[rows], margins[rows], max_fpr=most_false))


def _log_odds(margins: Floats, first: Bools, second: Bools) -> tuple[float, float]:
    """Return slope and intercept of the log odds by Platt's method (doi:10.1007/s10994-007-5018-6).

    His targets stay short of 0 and 1, so that separable margins do not give certainty. Margins that point the wrong
    way on left-out sources say nothing: the slope is then 0, and the odds are those of the counts.
    """
    from sklearn.linear_model import LogisticRegression

    rows = np.isfinite(margins) & (first | second)
    positive = first[rows]
    yes, no = int(positive.sum()), int((~positive).sum())
    of_counts = float(np.log(first.sum() / second.sum()))
    if min(yes, no) < FEWEST:
        return 0.0, of_counts
    target = np.where(positive, (yes + 1.0) / (yes + 2.0), 1.0 / (no + 2.0))
    line = LogisticRegression(C=1e6, max_iter=1000)
    line.fit(
        np.tile(margins[rows], 2)[:, None],
        np.repeat([1, 0], len(target)),
        sample_weight=np.concatenate([target, 1.0 - target]),
    )
    slope = float(line.coef_[0, 0])
    return (slope, float(line.intercept_[0])) if slope > 0.0 else (0.0, of_counts)
