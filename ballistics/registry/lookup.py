"""Lookup: from a serial as it was read, and names as somebody spells them, to the firearms of the registry.

A serial is found by exact keys: those that it can mean when characters are unknown or doubtful, and those within one
character of it. That is a few hundred look-ups in an index, whatever the size of the registry, in plain SQL.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

import sqlalchemy as sa
from rapidfuzz import fuzz, process
from rapidfuzz.distance import Levenshtein
from sqlalchemy.engine import Connection

from ballistics.errors import ParameterError
from ballistics.registry.ranking import COSTS, Agreement, Candidate, Costs, agreement
from ballistics.registry.records import clean_text
from ballistics.registry.serials import SerialPattern, neighbours, read_pattern
from ballistics.registry.spelling import calibre_key, makers, name_key
from ballistics.registry.tables import firearms, names, serials

# Keys asked for in one statement; both databases allow more.
_KEYS_AT_ONCE = 800
# Keys that are enumerated for unknown characters: two anywhere in the alphabet of folded keys. Beyond, ranges are read.
_MOST_KEYS = 1100
# Readings of doubtful characters whose neighbours are looked up too.
_MOST_READINGS = 4
# Rows read for an open pattern, or in search of several misreadings. More are not ranked, and the answer says so.
_MOST_ROWS = 5000
_MOST_CHANGES = 2
# The same when one of the characters that were read may be wrong too: one such range for each character.
_MOST_ROWS_EACH = 500
_LEAST_KNOWN = 2
# Names that cost so much do not agree: more than two that are spelled otherwise, less than one that differs.
_LEAST_POOR = 1.0


@dataclass(frozen=True)
class Question:
    """What is known of a firearm.

    Parameters
    ----------
    serial : str
        As read: ``?`` for an unknown character, ``[38]`` for a doubtful one, ``*`` for any number of characters.
    make, model, calibre : str
        In any script and spelling; empty where not known.
    """

    serial: str = ""
    make: str = ""
    model: str = ""
    calibre: str = ""


@dataclass(frozen=True)
class Hit:
    """A firearm that answers a question.

    Parameters
    ----------
    rank : int
        From 1; equal costs rank in the order of registration.
    firearm : int
        Its number in the registry.
    source, source_key : str
        Who keeps the record, and its number there.
    component : str
        The component whose serial was found; empty for the firearm's own.
    serial, make, model, calibre : str
        As recorded.
    cost : float
        The sum of what disagrees; 0 for nothing. It orders, and says nothing about a probability.
    reasons : tuple of str
        Why it stands where it does, field by field.
    """

    rank: int
    firearm: int
    source: str
    source_key: str
    component: str
    serial: str
    make: str
    model: str
    calibre: str
    cost: float
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """The firearms that answer a question, best first.

    Parameters
    ----------
    question : Question
    hits : tuple of Hit
    candidates : int
        How many serials or firearms were ranked.
    complete : bool
        False when more fitted than are ranked: say more of the serial, or the make.
    """

    question: Question
    hits: tuple[Hit, ...]
    candidates: int
    complete: bool


def find(connection: Connection, question: Question, limit: int = 10, costs: Costs = COSTS) -> Answer:
    """Return the firearms of a registry that answer a question best.

    Parameters
    ----------
    connection : Connection
    question : Question
        It must state a serial or a make.
    limit : int
        How many to return, from 1 to 1000.
    costs : Costs

    Raises
    ------
    ParameterError
        When it states neither serial nor make, or the limit is out of range.
    """
    if not 1 <= limit <= 1000:
        raise ParameterError(f"limit={limit} is not between 1 and 1000")
    asked = Question(*(clean_text(getattr(question, name), name) for name in ("serial", "make", "model", "calibre")))
    if not asked.serial and not asked.make:
        raise ParameterError("give a serial (also in part: 12?4*) or a make: the registry is looked up by them")
    search = _Search(connection, asked, costs)
    ranked = search.ranked()[:limit]
    return Answer(asked, tuple(_hits(connection, ranked)), search.candidates, search.complete)


class _Search:
    def __init__(self, connection: Connection, asked: Question, costs: Costs) -> None:
        self._connection = connection
        self._asked = asked
        self._costs = costs
        self._patterns = read_pattern(asked.serial) if asked.serial else ()
        self._best: dict[int, tuple[Agreement, Candidate]] = {}
        self.candidates = 0
        self.complete = True

    def ranked(self) -> list[tuple[Agreement, Candidate]]:
        if not self._patterns:
            self._consider(self._named())
        else:
            self._consider(self._read())
            if self._is_poor():
                self._consider(self._misread())
        return sorted(self._best.values(), key=lambda found: (found[0].cost, found[1].firearm))

    def _is_poor(self) -> bool:
        """Whether nothing was found whose names agree: then more than one character may have been misread."""
        return min((found.of_names for found, _ in self._best.values()), default=math.inf) >= _LEAST_POOR

    def _consider(self, candidates: Iterable[Candidate]) -> None:
        names = (self._asked.make, self._asked.model, self._asked.calibre)
        for candidate in candidates:
            self.candidates += 1
            found = agreement(self._patterns, names, candidate, self._costs)
            other = self._best.get(candidate.firearm)
            if other is None or found.cost < other[0].cost:
                self._best[candidate.firearm] = (found, candidate)

    def _read(self) -> Iterator[Candidate]:
        """Find what the serial can mean as it was read, and where one character of it was misread."""
        keys: set[str] = set()
        for pattern in self._patterns:
            meant = pattern.keys(_MOST_KEYS)
            if meant is None:
                yield from self._fitting(pattern)
                continue
            keys.update(meant)
            if len(meant) <= _MOST_READINGS:
                keys.update(chain.from_iterable(map(neighbours, meant)))
        yield from self._keyed(keys)

    def _misread(self) -> Iterator[Candidate]:
        for pattern in self._patterns:
            if pattern.is_read:
                yield from self._changed(pattern)
            elif not pattern.is_open:
                yield from self._widened(pattern)

    def _widened(self, pattern: SerialPattern) -> Iterator[Candidate]:
        """Take each of the characters that were read for misread, beside those that are unknown."""
        unread = []
        for wider in pattern.widened():
            meant, like = wider.keys(_MOST_KEYS), wider.like()
            if meant is not None:
                yield from self._keyed(meant)
            elif max(len(_known(like)), len(_known(like[::-1]))) >= _LEAST_KNOWN:
                yield from self._fitting(wider, _MOST_ROWS_EACH)
            else:
                unread.append(wider)
        if not unread:
            return
        # With both ends unread all serials of the make are looked at, once.
        query = self._of_make(_CANDIDATES.where(sa.or_(*(serials.c.key.like(wider.like()) for wider in unread))))
        if query is not None:
            fits = [wider.regex().fullmatch for wider in unread]
            rows = self._limited(query.order_by(serials.c.firearm, serials.c.number))
            yield from (_candidate(row) for row in rows if any(fit(row.key) for fit in fits))

    def _keyed(self, keys: Iterable[str]) -> Iterator[Candidate]:
        ordered = iter(sorted(keys))
        while chunk := list(islice(ordered, _KEYS_AT_ONCE)):
            yield from self._rows(_BY_KEYS, keys=chunk)

    def _fitting(self, pattern: SerialPattern, most: int = _MOST_ROWS) -> Iterator[Candidate]:
        """Read the range of the index that the pattern's beginning or end leaves, and keep what fits."""
        like = pattern.like()
        start, end = _known(like), _known(like[::-1])
        column, known, shape = (serials.c.key, start, like)
        if len(end) > len(start):
            column, known, shape = (serials.c.reversed, end, like[::-1])
        query = _CANDIDATES.where(column.like(shape))
        if known:
            query = query.where(column >= known, column < _after(known))
        query = query.order_by(column, serials.c.firearm, serials.c.number)
        fits = pattern.regex().fullmatch
        # Those of the make first, so that a pattern that fits many does not cut them off.
        for restricted in (self._of_make(query), query):
            yield from (_candidate(row) for row in self._limited(restricted, most) if fits(row.key))

    def _changed(self, pattern: SerialPattern) -> Iterator[Candidate]:
        """Find serials with more than one character changed: half of the serial was read rightly."""
        (key,) = pattern.keys(1) or ("",)
        half = len(key) // 2
        if half < 2:
            return
        for column, known in ((serials.c.key, key[:half]), (serials.c.reversed, key[::-1][:half])):
            query = _CANDIDATES.where(column >= known, column < _after(known))
            query = query.order_by(column, serials.c.firearm, serials.c.number)
            for row in self._limited(query if (of_make := self._of_make(query)) is None else of_make):
                if Levenshtein.distance(key, row.key, score_cutoff=_MOST_CHANGES) <= _MOST_CHANGES:
                    yield _candidate(row)

    def _limited(self, query: Any, most: int = _MOST_ROWS) -> list[Any]:
        rows = list(self._connection.execute(query.limit(most + 1))) if query is not None else []
        self.complete &= len(rows) <= most
        return rows[:most]

    def _rows(self, query: Any, **values: Any) -> Iterator[Candidate]:
        return map(_candidate, self._connection.execute(query, values))

    def _of_make(self, query: Any) -> Any:
        """Restrict a query to the firearms of the make; None when no make is given, or none is so called."""
        found = self._ids("make", self._asked.make) if self._asked.make else []
        return query.where(firearms.c.make.in_(found)) if found else None

    def _ids(self, kind: str, name: str) -> list[int]:
        """Return the numbers of the recorded names that mean the same, or else of those that resemble it."""
        key = name_key(name)
        keys = {key}
        if kind == "make":
            meant = makers().get(key, key)
            keys |= {other for other, own in makers().items() if own == meant}
        rows = list(
            self._connection.execute(
                sa.select(names.c.id, names.c.key, names.c.written).where(names.c.kind == kind).order_by(names.c.id)
            )
        )
        if kind == "calibre":
            meant = calibre_key(name)
            return [row.id for row in rows if calibre_key(row.written) == meant]
        same = [row.id for row in rows if row.key in keys]
        if same:
            return same
        close = process.extract(
            key, {row.id: row.key for row in rows}, scorer=fuzz.ratio, score_cutoff=self._costs.least_ratio, limit=50
        )
        return sorted(number for _, _, number in close)

    def _named(self) -> Iterator[Candidate]:
        """Find firearms by their names alone."""
        query = _NAMED.order_by(firearms.c.id)
        for kind in ("make", "model", "calibre"):
            if asked := getattr(self._asked, kind):
                query = query.where(firearms.c[kind].in_(self._ids(kind, asked)))
        yield from map(_candidate, self._limited(query))


_MAKE, _MODEL, _CALIBRE = names.alias("make"), names.alias("model"), names.alias("calibre")
_NAMES = (_MAKE.c.written.label("make"), _MODEL.c.written.label("model"), _CALIBRE.c.written.label("calibre"))


def _joined(first: Any) -> Any:
    return (
        first.join(_MAKE, _MAKE.c.id == firearms.c.make)
        .join(_MODEL, _MODEL.c.id == firearms.c.model)
        .join(_CALIBRE, _CALIBRE.c.id == firearms.c.calibre)
    )


_CANDIDATES = sa.select(
    serials.c.firearm, serials.c.component, serials.c.written.label("serial"), serials.c.key, *_NAMES
).select_from(_joined(serials.join(firearms, firearms.c.id == serials.c.firearm)))
_BY_KEYS = _CANDIDATES.where(serials.c.key.in_(sa.bindparam("keys", expanding=True)))
_NAMED = sa.select(
    firearms.c.id.label("firearm"),
    sa.literal("").label("component"),
    sa.func.coalesce(serials.c.written, "").label("serial"),
    *_NAMES,
).select_from(_joined(firearms.outerjoin(serials, sa.and_(serials.c.firearm == firearms.c.id, serials.c.number == 0))))


def _candidate(row: Any) -> Candidate:
    return Candidate(row.firearm, row.component, row.serial, row.make, row.model, row.calibre)


def _known(like: str) -> str:
    """Return what a pattern begins with before the first sign that stands for something else."""
    return like.split("%")[0].split("_")[0]


def _after(prefix: str) -> str:
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)


def _hits(connection: Connection, ranked: list[tuple[Agreement, Candidate]]) -> Iterator[Hit]:
    numbers = [candidate.firearm for _, candidate in ranked]
    kept = {
        row.id: row
        for row in connection.execute(
            sa.select(firearms.c.id, firearms.c.source, firearms.c.source_key).where(firearms.c.id.in_(numbers))
        )
    }
    for rank, (found, candidate) in enumerate(ranked, 1):
        row = kept[candidate.firearm]
        yield Hit(
            rank,
            candidate.firearm,
            row.source,
            row.source_key,
            candidate.component,
            candidate.serial,
            candidate.make,
            candidate.model,
            candidate.calibre,
            found.cost,
            found.reasons,
        )
