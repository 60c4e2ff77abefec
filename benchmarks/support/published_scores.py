"""What published score files give: models and metrics beside the published values, bounds, calibration."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ballistics.errors import ReadError
from ballistics.evidence.crossvalidation import cross_validate
from ballistics.evidence.lr_system import FittedModel, fit_with_bounds
from ballistics.evidence.metrics import auc, cllr, cllr_min, equal_error_rate, measure
from ballistics.evidence.models.bounds import elub
from ballistics.evidence.models.count_fitting import CountModel
from ballistics.evidence.models.count_models import (
    BetaBinomial,
    BetaCorrelatedBinomial,
    Binomial,
    CorrelatedBinomial,
)
from ballistics.evidence.models.count_tails import log_lower_tail, log_upper_tail, negative_log_likelihood
from ballistics.evidence.models.score_models import CountRatio, KernelRatio, RatioModel, fit_model
from ballistics.evidence.score_files import read_pair_truth, read_scores
from ballistics.evidence.scores import Booleans, Floats, Integers, ScoreTable
from benchmarks.support.record import Context, Record

_NAME = "evidence"
_ZHANG = "published, Zhang 2021"
_METHODS = "methods.md §3.2"
_SEED = 1
_GOAL = 0.02
# The models a training split may choose between, by its own cross-validation.
_NFI = {
    "aperture shear": ("aperture_shear", "ccf", ("kernel density", "logistic", "isotonic")),
    "firing pin": ("firing_pin_impression", "cmc", ("beta-binomial", "kernel density", "isotonic")),
    "breech face": ("breech_face_impression", "cmc", ("beta-binomial", "kernel density", "isotonic")),
}


def published_scores(context: Context) -> Iterator[Record]:
    """Yield what the published score files give; needs the folder ``scores`` of the real data."""
    folder = context.data / "scores"
    if not folder.is_dir():
        raise ReadError(f"{folder} is absent: this benchmark needs the published score files")
    weller, fadul = (_nist(folder, name) for name in ("weller", "fadul"))
    yield from _weller_models(weller)
    yield from _published_tails(weller)
    yield from _fadul_models(fadul)
    yield from _song_2020()
    for name, table, lower, upper in (("Fadul", fadul, -1.81, 2.85), ("Weller", weller, -2.57, 3.61)):
        yield from _bounds(name, table, lower, upper)
        yield from _source_disjoint(name, table)
    yield from _nfi_metrics(folder)
    for mark in _NFI:
        yield from _calibration(folder, mark, context.quick)


def _record(metric: str, value: float, unit: str, goal: str, protocol: str, n: int, seed: int | None = None) -> Record:
    return Record(_NAME, metric, float(value), unit, goal, protocol, n, seed)


def _nist(folder: Path, name: str) -> ScoreTable:
    path = folder / f"{name}_cmc_nist.csv"
    return read_pair_truth(path, "# CMCs", "Reference", "Compare", "KM or KNM", "KM", cells="# Cells")


def _counts(table: ScoreTable, same: bool) -> tuple[Integers, Integers]:
    chosen = table.rows(table.same_source == same)
    return chosen.score.astype(np.int64), chosen.cells if chosen.cells is not None else np.empty(0, np.int64)


def _weller_models(table: ScoreTable) -> Iterator[Record]:
    k, n = _counts(table, True)
    likely, squares = "Weller KM counts, maximum likelihood", "Weller KM counts, least squares on the mixture over N"
    binomial = Binomial.fit(k, n)
    yield _record("Weller KM binomial p", binomial.p, "", f".907974, {_METHODS}", likely, len(k))
    correlated = CorrelatedBinomial.fit_least_squares(k, n)
    yield _record("Weller KM correlated binomial p", correlated.p, "", f".913017, {_METHODS}", squares, len(k))
    yield _record("Weller KM correlated binomial r", correlated.r, "", f".0208705, {_METHODS}", squares, len(k))
    fitted = BetaBinomial.fit_least_squares(k, n)
    yield _record("Weller KM beta-binomial alpha (NLS)", fitted.alpha, "", f"26.2919, {_METHODS}", squares, len(k))
    yield _record("Weller KM beta-binomial beta (NLS)", fitted.beta, "", f"2.6336, {_METHODS}", squares, len(k))
    both = BetaCorrelatedBinomial.fit_least_squares(k, n)
    for name, value, goal in (("alpha", both.alpha, "64.128"), ("beta", both.beta, "6.304"), ("r", both.r, ".0162")):
        yield _record(f"Weller KM beta-correlated binomial {name}", value, "", f"{goal}, {_METHODS}", squares, len(k))
    fitted = BetaBinomial.fit(k, n)
    yield _record("Weller KM beta-binomial alpha (MLE)", fitted.alpha, "", f"21.10, {_METHODS}", likely, len(k))
    yield _record("Weller KM beta-binomial beta (MLE)", fitted.beta, "", f"2.13, {_METHODS}", likely, len(k))
    for model, goal in ((binomial, "999.07"), (CorrelatedBinomial.fit(k, n), "908.54"), (fitted, "870.74")):
        value = negative_log_likelihood(model, k, n)
        yield _record(f"Weller KM {model.name} -ln L", value, "nat", f"{goal}, {_METHODS}", likely, len(k))
    k, n = _counts(table, False)
    likely = "Weller KNM counts, maximum likelihood"
    yield _record("Weller KNM binomial p", Binomial.fit(k, n).p, "", f".00112089, {_METHODS}", likely, len(k))
    yield _record(
        "Weller KNM correlated binomial r", CorrelatedBinomial.fit(k, n).r, "", f".0001648, {_METHODS}", likely, len(k)
    )


def _published_tails(table: ScoreTable) -> Iterator[Record]:
    protocol = "P(k < 6 | N = 42) at the parameters as published"
    models: tuple[tuple[CountModel, str], ...] = (
        (Binomial(0.908), "2.43e-33"),
        (CorrelatedBinomial(0.9130, 0.0209), "4.53e-32"),
        (BetaBinomial(26.29, 2.63), "1.80e-12"),
        (BetaCorrelatedBinomial(64.12, 6.3, 0.02), "3.85e-17"),
    )
    for model, goal in models:
        value = float(np.exp(log_lower_tail(model, 6, 42)))
        yield _record(f"E2 {model.name}", value, "", f"{goal}, {_ZHANG}", protocol, 0)
    k, n = _counts(table, False)
    fitted: tuple[tuple[CountModel, str], ...] = (
        (Binomial.fit(k, n), f"1.01e-11, {_ZHANG}"),
        (CorrelatedBinomial.fit(k, n), f"3.19e-11, {_METHODS}; published 3.12e-11"),
        (BetaBinomial.fit(k, n), f"5.2e-11, {_METHODS}; published 5.48e-13, which is an error"),
    )
    for model, goal in fitted:
        value = float(np.exp(log_upper_tail(model, 6, 42)))
        yield _record(f"E1 {model.name}", value, "", goal, "P(k >= 6 | N = 42), Weller KNM, MLE", len(k))


def _fadul_models(table: ScoreTable) -> Iterator[Record]:
    k, n = _counts(table, True)
    likely, squares = BetaBinomial.fit(k, n), BetaBinomial.fit_least_squares(k, n)
    for name, value, goal in (
        ("KM binomial p", Binomial.fit(k, n).p, ".878186"),
        ("KM beta-binomial alpha (MLE)", likely.alpha, "6.239"),
        ("KM beta-binomial beta (MLE)", likely.beta, ".844"),
        ("KM beta-binomial alpha (NLS)", squares.alpha, "4.927"),
        ("KM beta-binomial beta (NLS)", squares.beta, ".6625"),
    ):
        yield _record(f"Fadul {name}", value, "", f"{goal}, {_METHODS}", "Fadul KM counts", len(k))
    for model, goal in ((Binomial.fit(k, n), "210.63"), (CorrelatedBinomial.fit(k, n), "171.68"), (likely, "152.93")):
        value = negative_log_likelihood(model, k, n)
        yield _record(
            f"Fadul KM {model.name} -ln L", value, "nat", f"{goal}, {_METHODS}", "Fadul KM counts, MLE", len(k)
        )
    k, n = _counts(table, False)
    beta = BetaBinomial.fit(k, n)
    for name, value, goal in (
        ("KNM binomial p", Binomial.fit(k, n).p, ".0025819"),
        ("KNM beta-binomial alpha (MLE)", beta.alpha, "2.88"),
        ("KNM beta-binomial beta (MLE)", beta.beta, "1113"),
    ):
        yield _record(f"Fadul {name}", value, "", f"{goal}, {_METHODS}", "Fadul KNM counts, MLE", len(k))


def _song_2020() -> Iterator[Record]:
    """LRs of Song 2020 at its own parameters, unbounded: tails that no bound of ours would report."""
    for name, p, alpha, beta, n, high, lr_high, lr_low in (
        ("Fadul", 0.0053, 9.22, 0.87, 19, 15, "2.18e29 refit, 2.14e29 published", "1126 refit, 1.13e3 published"),
        ("Weller", 0.0011, 10.61, 0.81, 24, 14, "4.9e32 refit, 6.52e32 published", "2367 refit, 2.27e3 published"),
    ):
        k, cells = np.array([high, 2]), np.array([n, n])
        log_lr = BetaBinomial(alpha, beta).log_pmf(k, cells) - Binomial(p).log_pmf(k, cells)
        protocol = f"p, alpha, beta as printed, N = {n}"
        source = "methods.md §3.3"
        yield _record(f"{name} LR1 at k = {high}", float(np.exp(log_lr[0])), "", f"{lr_high}, {source}", protocol, 0)
        yield _record(f"{name} LR2 at k = 2", float(np.exp(-log_lr[1])), "", f"{lr_low}, {source}", protocol, 0)


def _bounds(name: str, table: ScoreTable, lower: float, upper: float) -> Iterator[Record]:
    values = fit_model("beta-binomial", table).log10_lr(table.score, table.cells)
    bounds = elub(values, table.same_source)
    protocol = f"ELUB on the {name} counts published by NIST, beta-binomial / binomial LRs"
    yield _record(f"{name} lower bound", bounds.lower, "log10 LR", f"{lower}, methods.md §3.5", protocol, len(table))
    yield _record(f"{name} upper bound", bounds.upper, "log10 LR", f"{upper}, methods.md §3.5", protocol, len(table))


def _source_disjoint(name: str, table: ScoreTable) -> Iterator[Record]:
    result = cross_validate(table, "beta-binomial", seed=_SEED)
    metrics = measure(result.log10_lr, table)
    protocol = f"{name} counts published by NIST, source-disjoint: {result.n_fits} fits, bounded LRs"
    yield _record(f"{name} Cllr", metrics.cllr, "bit", "at most 0.05", protocol, len(table), _SEED)
    yield _record(f"{name} Cllr - Cllr_min", metrics.cllr_cal, "bit", "", protocol, len(table), _SEED)
    misleading = metrics.misleading_same + metrics.misleading_different
    yield _record(f"{name} misleading LRs", misleading, "pairs", "0", protocol, len(table), _SEED)
    yield _record(
        f"{name} share of firearms with a misleading LR, 95 % upper limit",
        metrics.misleading_firearms_limit,
        "",
        "",
        "exact binomial over firearms",
        metrics.n_firearms,
    )


def _nfi_metrics(folder: Path) -> Iterator[Record]:
    published = {
        "aperture shear": ("0.9997", "0.0063", "0.0215"),
        "firing pin": ("0.9980", "0.0044", "0.028"),
        "breech face": ("0.9545", "0.092", "0.281"),
    }
    for mark, (name, score, _) in _NFI.items():
        table = _nfi(folder, name, score)
        same, protocol = table.same_source, f"NFI {mark}, raw {score}, all pairs"
        values = (
            ("AUC", auc(table.score, same)),
            ("EER", equal_error_rate(table.score, same)[0]),
            ("Cllr_min", cllr_min(table.score, same)),
        )
        for (metric, value), goal in zip(values, published[mark], strict=True):
            unit = "bit" if metric == "Cllr_min" else ""
            yield _record(f"NFI {mark} {metric}", value, unit, f"{goal}, methods.md §1.7", protocol, len(table))


def _nfi(folder: Path, name: str, score: str, where: tuple[str, str] | None = None) -> ScoreTable:
    cells = "n" if score == "cmc" else None
    return read_scores(folder / f"{name}.csv", score, "weapon1", "weapon2", cells, where)


def _calibration(folder: Path, mark: str, quick: bool) -> Iterator[Record]:
    """Calibrate on the training firearms of each split, test on the others.

    The model marked * was chosen by source-disjoint cross-validation inside the training part
    alone; the others are shown so that nobody has to ask. The test parts of the three splits
    share no firearm, and their LRs are also measured together.
    """
    name, score, candidates = _NFI[mark]
    splits = ("split1",) if quick else ("split1", "split2", "split3")
    tested: dict[str, list[tuple[Floats, Booleans]]] = {model: [] for model in (*candidates, "*")}
    for split in splits:
        train, test = (_nfi(folder, name, score, (split, part)) for part in ("t", "v"))
        chosen = min(candidates, key=lambda model: _training_cost(train, model))
        for model in candidates:
            fitted = fit_with_bounds(train, model, draws=0, seed=_SEED)
            bounded, raw = (f.log10_lr(test.score, test.cells) for f in (fitted, fitted.model))
            tested[model].append((bounded, test.same_source))
            if model == chosen:
                tested["*"].append((bounded, test.same_source))
            label = f"NFI {mark} {split} {model}{'*' if model == chosen else ''}"
            protocol = f"fitted and bounded on t of {split}, tested on v; * chosen by cross-validation in t"
            yield from _cost_records(label, mark, protocol, bounded, test.same_source)
            unbounded = cllr(raw, test.same_source) - cllr_min(raw, test.same_source)
            yield _record(f"{label} Cllr - Cllr_min, no bounds", unbounded, "bit", "", protocol, len(test), _SEED)
            if model == candidates[0] and mark != "breech face":
                yield from _calibration_by_chance(f"NFI {mark} {split} {model}", fitted, test, 5 if quick else 60)
    if len(splits) > 1:
        for model, parts in tested.items():
            values, same = (np.concatenate([part[i] for part in parts]) for i in (0, 1))
            protocol = "LRs of the three v parts together, each fitted and bounded on its own t"
            yield from _cost_records(f"NFI {mark} all splits {model}", mark, protocol, values, same)


def _calibration_by_chance(label: str, fitted: FittedModel, test: ScoreTable, draws: int) -> Iterator[Record]:
    """Yield the calibration cost that chance alone gives a model that is exactly true.

    Test pairs are drawn from the model itself. PAV fits their small number better than the true model does: the
    difference in Cllr is that cost.
    """
    random = np.random.Generator(np.random.PCG64(_SEED))
    same = test.same_source
    costs = []
    for _ in range(draws):
        values = fitted.log10_lr(_drawn(fitted.model, test, random), test.cells)
        costs.append(cllr(values, same) - cllr_min(values, same))
    protocol = "scores of the v part drawn from the model fitted on t: no calibration error but chance and the bounds"
    label = f"{label}, model true: Cllr - Cllr_min"
    yield _record(f"{label}, mean", float(np.mean(costs)), "bit", "", protocol, draws, _SEED)
    share = float(np.mean(np.array(costs) <= _GOAL))
    yield _record(f"{label}, share of draws at most {_GOAL}", share, "", "", protocol, draws, _SEED)
    corners = cllr([fitted.bounds.upper, fitted.bounds.lower], [True, False])
    yield _record(f"{label}, if every LR were right and at its bound", corners, "bit", "", protocol, len(test))


def _drawn(model: RatioModel, test: ScoreTable, random: np.random.Generator) -> Floats:
    """Draw a score for each pair of the test part from the model's own distributions."""
    same = test.same_source
    if isinstance(model, KernelRatio):
        out = np.empty(len(test))
        for kind, weight, width in (
            (True, model.same, model.bandwidth_same),
            (False, model.different, model.bandwidth_different),
        ):
            n = int((same == kind).sum())
            out[same == kind] = random.choice(model.score, n, p=weight / weight.sum()) + width * random.normal(size=n)
        return out
    assert isinstance(model, CountRatio)
    assert test.cells is not None
    out = np.empty(len(test))
    for i, (kind, n) in enumerate(zip(same, test.cells, strict=True)):
        k = np.arange(n + 1)
        share = np.exp((model.same if kind else model.different).log_pmf(k, np.full(n + 1, n)))
        out[i] = random.choice(k, p=share / share.sum())
    return out


def _cost_records(label: str, mark: str, protocol: str, values: Floats, same: Booleans) -> Iterator[Record]:
    goal = "" if mark == "breech face" else f"at most {_GOAL}"
    total = cllr(values, same)
    yield _record(f"{label} Cllr", total, "bit", "", protocol, len(same), _SEED)
    calibration = total - cllr_min(values, same)
    yield _record(f"{label} Cllr - Cllr_min", calibration, "bit", goal, protocol, len(same), _SEED)


def _training_cost(train: ScoreTable, model: str) -> float:
    return cllr(cross_validate(train, model, groups=5, seed=_SEED).log10_lr, train.same_source)
