"""Runs the open protocol on a collection: found and accepted by disguise, false hits of what has no relative there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ballistics.errors import ParameterError
from ballistics.files import RowsFile
from ballistics.printed.collection.collection import Collection
from ballistics.printed.describe.geometry_hashes import copy_relation
from ballistics.printed.describe.plainness import PLAIN_WORTH
from ballistics.printed.describe.signature import Signature
from ballistics.printed.identify.false_hits import FEWEST_REFERENCES, relatives
from ballistics.printed.identify.identification import IDENTIFICATION_VERSION, identify
from ballistics.printed.protocol.disguises import DISGUISES, Disguise
from ballistics.provenance import Provenance, sha256_of_array

#: Changes whenever the same collection could give other figures.
PROTOCOL_VERSION = "1"
#: Known queries by disguise unless more are asked for.
QUERIES = 20
#: Columns of the table of `ProtocolResult.rows`.
PROTOCOL_COLUMNS = ("measure", "disguise", "queries", "count", "rate", "lower_95", "upper_95")
_SEED = 2026

Tell = Callable[[int, int], None]


@dataclass(frozen=True)
class Rate:
    """A count of queries, as a rate with its exact interval.

    Parameters
    ----------
    measure : str
        What was counted.
    disguise : str
        What was done to the queries; ``"all"`` for all together.
    queries, count : int
    """

    measure: str
    disguise: str
    queries: int
    count: int

    @property
    def rate(self) -> float:
        """Share of the queries, 0–1."""
        return self.count / self.queries

    @property
    def interval(self) -> tuple[float, float]:
        """Two-sided 95 % confidence interval: exact binomial (Clopper & Pearson 1934), doi:10.1093/biomet/26.4.404.

        Examples
        --------
        >>> [round(limit, 4) for limit in Rate("found", "all", 20, 19).interval]
        [0.7513, 0.9987]
        >>> Rate("found", "all", 20, 20).interval[1], Rate("false hit", "all", 20, 0).interval[0]
        (1.0, 0.0)
        """
        from scipy.stats import beta

        k, n = self.count, self.queries
        lower = 0.0 if k == 0 else float(beta.ppf(0.025, k, n - k + 1))
        upper = 1.0 if k == n else float(beta.ppf(0.975, k + 1, n - k))
        return lower, upper


@dataclass(frozen=True)
class ProtocolResult:
    """What the protocol measured on a collection.

    Parameters
    ----------
    rates : tuple of Rate
    references, plain : int
        References, and how many of them are too plain to be named.
    held_out : float
        Mean number of references that were held out with each unknown query.
    seed : int
    provenance : Provenance
    """

    rates: tuple[Rate, ...]
    references: int
    plain: int
    held_out: float
    seed: int
    provenance: Provenance

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield each rate as a row of a table."""
        for rate in self.rates:
            lower, upper = rate.interval
            values = (rate.measure, rate.disguise, rate.queries, rate.count)
            rounded = (round(value, 6) for value in (rate.rate, lower, upper))
            yield dict(zip(PROTOCOL_COLUMNS, (*values, *rounded), strict=True))


@dataclass(frozen=True)
class _Answer:
    """What one query found: of a known one, the right reference; of an unknown one, whether anything was accepted."""

    first: bool = False
    accepted: bool = False
    another: bool = False
    held_out: int = 0


def run_protocol(
    collection: Collection,
    queries: int = QUERIES,
    seed: int = _SEED,
    tell: Tell | None = None,
    disguises: Sequence[Disguise] = DISGUISES,
    kept: RowsFile | None = None,
) -> ProtocolResult:
    """Measure on a collection itself how often its references are found under disguise, and others are hit.

    Parameters
    ----------
    collection : Collection
        At least 20 references.
    queries : int
        Known queries by disguise; unknown ones are as many by disguise. At most the number of references.
    seed : int
        Of the choice of queries and of the disguises: the same seed and collection give the same figures.
    tell : callable, optional
        Told the queries done and all queries.
    disguises : sequence of Disguise
        What is done to the queries. Figures of a part of them, or of others, are not those of the protocol.
    kept : RowsFile, optional
        Where each answer is kept at once, so that a run that was stopped goes on; answers of other collections,
        versions or seeds in it are passed over.

    Returns
    -------
    ProtocolResult
        Of known queries: the right reference is first, is accepted, another one is accepted beside it. Of unknown ones:
        any is accepted.

    Raises
    ------
    ParameterError
        Fewer than 20 references, or no query.

    Notes
    -----
    Known queries are references, disguised; the collection holds them. Unknown queries are references, disguised, that
    are searched where they and their relatives are held out: copies, versions, what is of the same file or folder. A
    copy of the right reference counts as the right one. Cost: some CPU seconds for each query. See
    ``docs/protocol-printed.md``.
    """
    if len(collection) < FEWEST_REFERENCES:
        raise ParameterError(
            f"the collection has {len(collection)} references; a rate needs at least {FEWEST_REFERENCES}: enrol more"
        )
    if queries < 1:
        raise ParameterError(f"queries is {queries}; give at least 1")
    queries = min(queries, len(collection))
    total, done = 2 * queries * len(disguises), 0
    answers = _Answers(collection, seed, kept)
    rates: list[Rate] = []
    held: list[int] = []
    for number, disguise in enumerate(disguises):
        generator = np.random.Generator(np.random.PCG64([seed, number]))
        chosen = generator.permutation(len(collection))
        # Known and unknown queries are different references, where there are enough.
        known, unknown = chosen[:queries], chosen[::-1][:queries]
        found: dict[bool, list[_Answer]] = {True: [], False: []}
        for is_known, rows in ((True, known), (False, unknown)):
            for row in rows.tolist():
                found[is_known].append(answers.of(number, disguise, row, is_known))
                done += 1
                if tell is not None:
                    tell(done, total)
        counts = {
            "right first": sum(answer.first for answer in found[True]),
            "right accepted": sum(answer.accepted for answer in found[True]),
            "another accepted beside it": sum(answer.another for answer in found[True]),
            "false hit": sum(answer.another for answer in found[False]),
        }
        held += [answer.held_out for answer in found[False]]
        rates += [Rate(measure, disguise.name, queries, count) for measure, count in counts.items()]
    plain = sum(collection.worth(row) < PLAIN_WORTH for row in range(len(collection)))
    made = _provenance(collection, queries, seed, disguises)
    return ProtocolResult(tuple(_with_totals(rates)), len(collection), plain, float(np.mean(held)), seed, made)


class _Answers:
    """The queries of a collection, each asked once: what was kept of an earlier run is not asked again."""

    def __init__(self, collection: Collection, seed: int, kept: RowsFile | None) -> None:
        self._collection, self._seed, self._kept = collection, seed, kept
        self._run = {
            "protocol": PROTOCOL_VERSION,
            "identification": IDENTIFICATION_VERSION,
            "collection": sha256_of_array(collection.whole()),
            "seed": seed,
        }
        self._known: dict[tuple[str, int, bool], _Answer] = {}
        for row in () if kept is None else kept.read():
            if all(row.get(name) == value for name, value in self._run.items()):
                self._known[row["disguise"], row["row"], row["known"]] = _Answer(**row["answer"])

    def of(self, number: int, disguise: Disguise, row: int, is_known: bool) -> _Answer:
        """Return what a reference under a disguise finds."""
        # The number is part of the seed of the disguise.
        name = f"{number} {disguise}"
        key = name, row, is_known
        if key not in self._known:
            query = disguise.apply(self._collection.signature(row), _rng(self._seed, number, row))
            self._known[key] = self._as_known(query, row) if is_known else self._as_unknown(query, row)
            if self._kept is not None:
                said = {"disguise": name, "row": row, "known": is_known, "answer": asdict(self._known[key])}
                self._kept.append({**self._run, **said})
        return self._known[key]

    def _as_known(self, query: Signature, row: int) -> _Answer:
        found = identify(query, self._collection, most=5)
        own = [_same(self._collection, candidate.row, row) for candidate in found.candidates]
        hits = [_same(self._collection, candidate.row, row) for candidate in found.accepted]
        return _Answer(bool(own) and own[0], any(hits), not all(hits))

    def _as_unknown(self, query: Signature, row: int) -> _Answer:
        out = relatives(self._collection, row)
        left = self._collection.without([self._collection.references[other].name for other in out])
        return _Answer(another=bool(identify(query, left, most=1).accepted), held_out=len(out))


def _rng(seed: int, number: int, row: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64([seed, number, row]))


def _same(collection: Collection, row: int, truth: int) -> bool:
    """Whether a reference is the right one, or an exact copy of it under another name."""
    if row == truth:
        return True
    keys = collection.references[row].keys, collection.references[truth].keys
    return keys[0] is not None and keys[1] is not None and copy_relation(keys[0], keys[1]) is not None


def _with_totals(rates: list[Rate]) -> Iterator[Rate]:
    for measure in dict.fromkeys(rate.measure for rate in rates):
        own = [rate for rate in rates if rate.measure == measure]
        yield from own
        yield Rate(measure, "all", sum(rate.queries for rate in own), sum(rate.count for rate in own))


def _provenance(collection: Collection, queries: int, seed: int, disguises: Sequence[Disguise]) -> Provenance:
    return Provenance(
        "open protocol for the detection of known printed parts",
        PROTOCOL_VERSION,
        {
            "identification_version": IDENTIFICATION_VERSION,
            "references": len(collection),
            "queries_by_disguise": queries,
            "seed": seed,
            "disguises": [disguise.name for disguise in disguises],
        },
        {"collection": sha256_of_array(collection.whole())},
        ("doi:10.1093/biomet/26.4.404",),
    )
