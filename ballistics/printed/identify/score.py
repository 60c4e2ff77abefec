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

#: File of the package, written by `benchmarks/training/printed_score.py`; the shipped one from 552 of the trials
#: listed there.
SCORE_FILE = "identification_score.json"


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
    curves = (Curve(one["name"], tuple(one["knots"]), tuple(one["added"])) for one in head["curves"])
    return ScoreModel(head["base"], tuple(curves))
