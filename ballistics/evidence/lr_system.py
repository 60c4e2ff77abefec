"""A fitted LR system: from the score of one comparison to a bounded likelihood ratio with its interval."""

from __future__ import annotations

import importlib.metadata
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ballistics.errors import ParameterError
from ballistics.evidence.conditions import Conditions
from ballistics.evidence.likelihood_ratio import BoundState, LikelihoodRatio, Propositions, Status
from ballistics.evidence.models.bounds import Bounds, elub, sample_size_bounds, tightest
from ballistics.evidence.models.score_models import MODELS, RatioModel, fit_model, silverman_bandwidth
from ballistics.evidence.models.uncertainty import resampled_weights
from ballistics.evidence.population import ReferencePopulation
from ballistics.evidence.scores import Booleans, Extent, Floats, ScoreTable
from ballistics.provenance import Provenance, package_versions

_VERSION = "1"
_INTERVAL_PERCENT = (5.0, 95.0)
# A score this many kernel bandwidths beyond every reference score has a density of practically
# zero under both propositions: the guard of Riva et al. 2020, freed from the score's unit.
_RANGE_BANDWIDTHS = 3.0
# Every pair has its own number of cells, or its own common area. A little below the smallest of the reference the
# models still hold; far below, less was compared than in any reference pair. The model over area tends to LR 1 as the
# area becomes small, so its limit is lower.
_LEAST_CELLS, _LEAST_AREA = 0.9, 0.5
# Four firearms have only 35 different bootstrap samples, too few for a 5 % limit; five have 126.
_FEWEST_FIREARMS_FOR_INTERVAL = 5


@dataclass(frozen=True)
class Questioned:
    """The score of the comparison that is to be weighed.

    Parameters
    ----------
    score : float or None
        The score; None when the comparison was insufficient.
    conditions : Conditions
        How it was obtained.
    cells : int, optional
        Number of cells, for counts.
    insufficient : str, optional
        Why the comparison gave no score.
    scans : tuple of str
        SHA-256 of the two scans.
    area_mm2 : float, optional
        Common area of the marks, for the similarity.
    length_mm : float, optional
        Common length of striated marks, for their similarity.
    withheld : str
        Which finding forbids a likelihood ratio (`ballistics.evidence.preconditions`); empty when none does.
    """

    score: float | None
    conditions: Conditions
    cells: int | None = None
    insufficient: str | None = None
    scans: tuple[str, ...] = ()
    area_mm2: float | None = None
    withheld: str = ""
    length_mm: float | None = None

    @property
    def extent(self) -> float | None:
        """How much was compared: cells, mm² or mm; None when the score needs none of them."""
        return next((size for size in (self.cells, self.area_mm2, self.length_mm) if size is not None), None)


@dataclass(frozen=True)
class FittedModel:
    """A model with its bounds and its bootstrap replicates, fitted on one table.

    Parameters
    ----------
    name : str
        Of the model.
    model : RatioModel
        Fitted on the whole table.
    bounds : Bounds
        The tighter of ELUB, on the table's own LRs, and of the sample-size bound.
    replicates : tuple of RatioModel
        Fitted on bootstrap samples of the firearms.
    score_range : tuple of float
        Lowest and highest score that can be evaluated: a little beyond the reference's own. The highest is infinite
        for models that never fall with the score: a score above all of the reference's is stronger, not unknown, and
        its LR is limited by the bound.
    least_extent : float or None
        Fewest cells, or smallest common area in mm² or length in mm, that can be evaluated: nine tenths of the
        reference's fewest, or half of its smallest. There is no upper limit: a larger one is better, not unknown.
    """

    name: str
    model: RatioModel
    bounds: Bounds
    replicates: tuple[RatioModel, ...]
    score_range: tuple[float, float]
    least_extent: float | None

    def log10_lr(self, score: Floats, extent: Extent = None) -> Floats:
        """Return bounded log10 LRs, shape (n,)."""
        return self.bounds.clip(self.model.log10_lr(score, extent))

    def covers(self, score: Floats, extent: Extent = None) -> Booleans:
        """Return whether the reference speaks for each score, shape (n,)."""
        enough = np.ones(len(score), np.bool_)
        if self.least_extent is not None and extent is not None:
            enough = np.asarray(extent >= self.least_extent)
        if self.model.counts:
            return enough
        lowest, highest = self.score_range
        return np.asarray(enough & (score >= lowest) & (score <= highest))

    def interval(self, score: float, extent: float | None) -> tuple[float, float] | None:
        """Return bounded 5 % and 95 % limits of log10 LR over the replicates; None when there are none."""
        if not self.replicates:
            return None
        values, sizes = _one(score, extent)
        sample = [float(model.log10_lr(values, sizes)[0]) for model in self.replicates]
        point = float(self.model.log10_lr(values, sizes)[0])
        low, high = np.percentile(sample, _INTERVAL_PERCENT)
        low, high = self.bounds.clip([min(float(low), point), max(float(high), point)]).tolist()
        return low, high


@dataclass(frozen=True)
class LRSystem:
    """A reference population with a fitted model: evaluates comparisons.

    Parameters
    ----------
    population : ReferencePopulation
        What the model was fitted on.
    model : str
        Its name, one of `ballistics.evidence.models.score_models.MODELS`.
    draws, seed : int
        Bootstrap samples asked for, and the seed of the random numbers.
    fitted : FittedModel or None
        None when the population is insufficient.
    propositions : Propositions
        What is weighed against what.
    left_out : tuple of str
        Firearms that were taken out of the population, since a scan of the comparison is of them.
    unusable : str
        Why nothing was fitted although the population is sufficient; empty otherwise.
    """

    population: ReferencePopulation
    model: str
    draws: int
    seed: int
    fitted: FittedModel | None
    propositions: Propositions
    left_out: tuple[str, ...] = ()
    unusable: str = ""

    def evaluate(self, questioned: Questioned) -> LikelihoodRatio:
        """Return the likelihood ratio of one comparison, or the reason why there is none.

        Raises
        ------
        ParameterError
            When a count model is asked about a score without cells, or one that is no count.
        """
        # A comparison without a score has nothing that a condition could spoil.
        if questioned.score is None or questioned.insufficient:
            reason = questioned.insufficient or "the comparison gave no score"
            return self._without_value("insufficient", reason, questioned)
        refusals = self.population.conditions.refusals(questioned.conditions)
        if questioned.withheld:
            refusals = (questioned.withheld, *refusals)
        if refusals:
            return self._without_value("refused", "; ".join(refusals), questioned)
        if self.fitted is None:
            reason = self.unusable or self.population.insufficient or ""
            return self._without_value("insufficient", reason, questioned)
        outside = _outside(self.fitted, questioned)
        if outside:
            return self._without_value("outside range", outside, questioned)
        value = float(self.fitted.log10_lr(*_one(questioned.score, questioned.extent))[0])
        bounds = self.fitted.bounds
        bound: BoundState = "upper" if value >= bounds.upper else "lower" if value <= bounds.lower else "none"
        return LikelihoodRatio(
            status="evaluated",
            log10_lr=value,
            interval=self.fitted.interval(questioned.score, questioned.extent),
            bound=bound,
            bounds=bounds,
            **self._common(questioned),
        )

    def _without_value(self, status: Status, reason: str, questioned: Questioned) -> LikelihoodRatio:
        return LikelihoodRatio(
            status=status,
            reason=reason,
            bounds=self.fitted.bounds if self.fitted else None,
            **self._common(questioned),
        )

    def _common(self, questioned: Questioned) -> dict[str, Any]:
        population = self.population
        return {
            "population": population.name,
            "n_same": population.n_same,
            "n_different": population.n_different,
            "n_firearms": population.n_firearms,
            "propositions": self.propositions,
            "cautions": self._cautions(questioned),
            "score": questioned.score,
            "cells": questioned.cells,
            "area_mm2": questioned.area_mm2,
            "length_mm": questioned.length_mm,
            "provenance": self._provenance(questioned),
        }

    def _cautions(self, questioned: Questioned) -> tuple[str, ...]:
        cautions = [*self.population.cautions, *self.population.conditions.cautions(questioned.conditions)]
        cautions += [
            f"firearm {firearm} was left out of the reference population: a scan of this comparison is of it"
            for firearm in self.left_out
        ]
        if self.fitted:
            firearms = self.population.n_firearms
            cautions.append(
                f"the bounds count pairs as if they were independent; there are {firearms} firearms, "
                f"that is {firearms * (firearms - 1) // 2} pairs of different firearms"
            )
            if self.draws and not self.fitted.replicates:
                cautions.append(f"too few firearms ({firearms}) for an interval")
        return tuple(cautions)

    def _provenance(self, questioned: Questioned) -> Provenance:
        parameters: dict[str, Any] = {
            "model": self.model,
            "draws": self.draws,
            "seed": self.seed,
            "interval_percent": list(_INTERVAL_PERCENT),
            "range_bandwidths": _RANGE_BANDWIDTHS,
            "least_cells": _LEAST_CELLS,
            "least_area": _LEAST_AREA,
        }
        references: tuple[str, ...] = ()
        if self.fitted:
            parameters["fitted"] = self.fitted.model.parameters()
            parameters["replicates"] = len(self.fitted.replicates)
            parameters["bound_rule"] = self.fitted.bounds.rule
            references = (*self.fitted.model.references, "doi:10.1016/j.scijus.2016.06.003")
        inputs = {"population": self.population.hash}
        inputs |= {f"scan {i + 1}": scan for i, scan in enumerate(questioned.scans)}
        versions = {**package_versions(), "scikit-learn": importlib.metadata.version("scikit-learn")}
        return Provenance("likelihood ratio", _VERSION, parameters, inputs, references, versions)


def fit_lr_system(
    population: ReferencePopulation,
    model: str,
    draws: int = 500,
    seed: int = 1,
    propositions: Propositions | None = None,
) -> LRSystem:
    """Fit a model on a reference population, with bounds and bootstrap replicates.

    A population that cannot carry a model gives a system whose every answer is "insufficient".

    Parameters
    ----------
    population : ReferencePopulation
        The reference.
    model : str
        A name of `ballistics.evidence.models.score_models.MODELS`.
    draws : int
        Bootstrap samples of the firearms, 0 for no interval.
    seed : int
        Of the random numbers.
    propositions : Propositions, optional
        The pair to report on.

    Raises
    ------
    ParameterError
        For an unknown model, or a count model without cells.
    """
    if model not in MODELS:
        raise ParameterError(f"no model '{model}'; there are: {', '.join(MODELS)}")
    fitted = None if population.insufficient else fit_with_bounds(population.table, model, draws, seed)
    return LRSystem(population, model, draws, seed, fitted, propositions or Propositions())


def fit_with_bounds(table: ScoreTable, model: str, draws: int, seed: int) -> FittedModel:
    """Fit a model on a table of comparisons, with bounds and bootstrap replicates of the firearms.

    Parameters
    ----------
    table : ScoreTable
        The reference comparisons.
    model : str
        A name of `ballistics.evidence.models.score_models.MODELS`.
    draws : int
        Bootstrap samples of the firearms; 0 for none. With too few firearms, or when fewer than half of the samples can
        be fitted, there are no replicates.
    seed : int
        Of the random numbers.

    Returns
    -------
    FittedModel

    Raises
    ------
    ParameterError
        For an unknown model, a count model without cells, or when one kind of pair is absent.
    """
    fitted = fit_model(model, table)
    same = table.same_source
    own = fitted.log10_lr(table.score, table.extent)
    bounds = tightest(elub(own, same), sample_size_bounds(int(same.sum()), int((~same).sum())))
    replicates: tuple[RatioModel, ...] = ()
    if draws and len(table.firearms) >= _FEWEST_FIREARMS_FOR_INTERVAL:
        replicates = tuple(fit_model(model, table, weight) for weight in resampled_weights(table, draws, seed))
        if 2 * len(replicates) < draws:
            replicates = ()
    extent = table.extent
    share = _LEAST_CELLS if fitted.counts else _LEAST_AREA
    least = None if extent is None else float(extent.min()) * share
    return FittedModel(model, fitted, bounds, replicates, _score_range(table, fitted.monotone), least)


def _score_range(table: ScoreTable, monotone: bool) -> tuple[float, float]:
    """Return the lowest and highest score that the reference speaks for: its own, and a little beyond."""
    grouped = table.grouped()
    gap = np.diff(grouped.score)
    finest = float(np.median(gap)) if len(gap) else 0.0
    margin = _RANGE_BANDWIDTHS * max(
        silverman_bandwidth(grouped.score, weight, finest) for weight in (grouped.same, grouped.different)
    )
    highest = math.inf if monotone else float(grouped.score[-1]) + margin
    return float(grouped.score[0]) - margin, highest


def _outside(fitted: FittedModel, questioned: Questioned) -> str:
    """Return why the reference does not speak for this score; empty when it does."""
    score, cells = questioned.score, questioned.cells
    assert score is not None
    if not np.isfinite(score):
        raise ParameterError(f"score {score} is not a number; leave it out and say why (insufficient)")
    if fitted.model.counts and (cells is None or score != int(score) or not 0 <= score <= cells):
        raise ParameterError(f"{score:g} of {cells} cells: a count model needs a whole number from 0 to N, and N")
    if fitted.least_extent is not None and not (questioned.extent or 0) > 0:
        raise ParameterError(
            "the reference's scores have a number of cells, an area or a length each: state this score's"
        )
    if fitted.covers(*_one(score, questioned.extent))[0]:
        return ""
    least = fitted.least_extent
    if fitted.model.counts:
        return f"{cells} cells were compared; the reference population speaks for {math.ceil(least or 0)} and more"
    for size, unit in ((questioned.area_mm2, "mm²"), (questioned.length_mm, "mm")):
        if least is not None and size is not None and size < least:
            return f"{size:.2f} {unit} were compared; the reference population speaks for {least:.2f} {unit} and more"
    lowest, highest = fitted.score_range
    speaks_for = f"{lowest:.6g} and more" if math.isinf(highest) else f"{lowest:.6g} to {highest:.6g}"
    return f"score {score:.6g} is outside what the reference population speaks for: {speaks_for}"


def _one(score: float, extent: float | None) -> tuple[Floats, Floats | None]:
    return np.array([score], dtype=np.float64), None if extent is None else np.array([extent], dtype=np.float64)
