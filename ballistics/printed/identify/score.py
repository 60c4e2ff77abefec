"""The score of a candidate: what each thing that was measured adds to the odds, and their sum."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib import resources

import numpy as np

from ballistics.printed.identify.coverage import log_odds

#: File of the package, written by `benchmarks/training/printed_score.py`; the shipped one from 552 of the trials
#: listed there.
SCORE_FILE = "identification_score.json"
#: What the score is made of, in the order of `score_values`, and whether more of it speaks for a candidate (1) or
#: against it (−1).
SCORE_VALUES = {
    "coverage": 1,
    "agreement": 1,
    "detail": 1,
    "radii": 1,
    "exactness": 1,
    "missing": -1,
    "added": -1,
}


@dataclass(frozen=True)
class Curve:
    """What one measured value adds to the log-odds: a line from knot to knot, level beyond the last.

    Parameters
    ----------
    name : str
        Of the value.
    knots : tuple of float
        Values, rising.
    added : tuple of float
        Log-odds there; 0 where the value speaks most against a candidate.
    """

    name: str
    knots: tuple[float, ...]
    added: tuple[float, ...]

    def at(self, value: float) -> float:
        """Return what a value adds to the log-odds."""
        return float(np.interp(value, self.knots, self.added))


@dataclass(frozen=True)
class ScoreModel:
    """An additive logistic model: log-odds of being the reference are a base and one curve for each value.

    Hastie & Tibshirani 1986, doi:10.1214/ss/1177013604. Every curve only rises or only falls: more coverage never
    lowers a score, and what each value adds can be read off.

    Parameters
    ----------
    base : float
        Log-odds where every value speaks most against a candidate.
    curves : tuple of Curve
    """

    base: float
    curves: tuple[Curve, ...]

    def added(self, values: Sequence[float]) -> tuple[float, ...]:
        """Return what each value adds to the log-odds."""
        return tuple(curve.at(value) for curve, value in zip(self.curves, values, strict=True))

    def score(self, values: Sequence[float]) -> float:
        """Return the odds as a number between 0 and 1."""
        return 1.0 / (1.0 + math.exp(-(self.base + sum(self.added(values)))))


def _score_text() -> bytes:
    return resources.files("ballistics.printed.identify").joinpath(SCORE_FILE).read_bytes()


def score_file_sha256() -> str:
    """Return the hash of the model that ships with the package."""
    return sha256(_score_text()).hexdigest()


@cache
def score_model() -> ScoreModel:
    """Return the model that ships with the package."""
    head = json.loads(_score_text())
    curves = (Curve(curve["name"], tuple(curve["knots"]), tuple(curve["added"])) for curve in head["curves"])
    return ScoreModel(head["base"], tuple(curves))


def score_values(
    coverage: float, agreement: float, detail: float, radii: int, exactness: float, missing: float, added: float
) -> tuple[float, ...]:
    """Return what the score is made of, in the order of `SCORE_VALUES`; shares as log-odds.

    Parameters
    ----------
    coverage : float
        0–1, see `Cover`: does each surface cover the other?
    agreement : float
        Of descriptors in place, see `Likeness`: is each place like its counterpart, or only flat like it?
    detail : float
        See `Likeness`: plates and boxes cover much of many others and agree with them.
    radii : int
        Number of equal radii: sizes that are far apart are rarer.
    exactness : float
        0–1, see `Fit`: chance brings surfaces near each other, not onto each other.
    missing, added : float
        0–1, see `Fit`: a cut takes away and adds nothing outside, dummy material adds and hides what it takes away;
        chance leaves both.

    Returns
    -------
    tuple of float
        What `ScoreModel.score` takes.
    """
    return log_odds(coverage), agreement, detail, float(radii), exactness, _odds_of_rest(missing), _odds_of_rest(added)


def _odds_of_rest(share: float) -> float:
    # Softened, not cut off: whether 0.1 or 1 % is left matters.
    return math.log((share + 0.01) / (1.01 - share))
