"""Acceptance criteria that a laboratory states before a study: read, and checked against what was measured."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, get_args

from ballistics.errors import CorruptFileError, HostileFileError, ReadError, UnsupportedFormatError
from ballistics.files import RowsFile, make_work_folder, parse_json

Relation = Literal["at most", "at least"]
By = Literal["value", "limit"]

# Figures of one score; each with the way it is better, and whether a 95 % limit of it is known.
OF_A_SCORE: Mapping[str, tuple[Relation, bool]] = {
    "Cllr": ("at most", True),
    "Cllr_min": ("at most", True),
    "Cllr_cal": ("at most", False),
    "AUC": ("at least", True),
    "AUC of the LR": ("at least", True),
    "equal error rate": ("at most", False),
    "misleading same-source pairs": ("at most", True),
    "misleading different-source pairs": ("at most", True),
    "misleading firearms": ("at most", True),
    "largest misleading LR": ("at most", False),
    "repeatability of log10 LR": ("at most", False),
}
# Figures of the set.
OF_THE_SET: Mapping[str, tuple[Relation, bool]] = {
    "insufficient pairs": ("at most", True),
    "withheld pairs": ("at most", True),
    "scans left out": ("at most", True),
    "firearms": ("at least", False),
    "same-source pairs": ("at least", False),
    "different-source pairs": ("at least", False),
}
_MOST_BYTES, _MOST_CRITERIA, _MOST_LETTERS = 65_536, 100, 200
_KEYS = ("figure", "score", "by", "at_most", "at_least")


@dataclass(frozen=True)
class Criterion:
    """One figure and what it must not pass.

    Parameters
    ----------
    figure : str
        A name of `OF_A_SCORE` or `OF_THE_SET`.
    score : str
        Which score; empty for figures of the set.
    relation : {"at most", "at least"}
        On which side the figure must lie.
    threshold : float
        What it must not pass.
    by : {"value", "limit"}
        What is compared with the threshold: the value itself, or its 95 % limit on the side of the threshold, which
        is stricter.
    """

    figure: str
    score: str
    relation: Relation
    threshold: float
    by: By = "value"

    @property
    def text(self) -> str:
        """The criterion in words.

        Examples
        --------
        >>> Criterion("AUC", "similarity", "at least", 0.98, "limit").text
        'AUC (similarity), 95 % limit at least 0.98'
        """
        of = f" ({self.score})" if self.score else ""
        return f"{self.figure}{of}{', 95 % limit' if self.by == 'limit' else ''} {self.relation} {self.threshold:g}"


@dataclass(frozen=True)
class Criteria:
    """A file of criteria.

    Parameters
    ----------
    name : str
        What the laboratory calls them.
    criteria : tuple of Criterion
        In the order of the file.
    sha256 : str
        Of the file.
    file_name : str
        Its name, without its folder.
    """

    name: str
    criteria: tuple[Criterion, ...]
    sha256: str
    file_name: str


@dataclass(frozen=True)
class Figure:
    """A measured value with its 95 % limits, or why there is none.

    Parameters
    ----------
    value, low, high : float or None
        None when it could not be measured.
    reason : str
        Why not; empty when it was.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    reason: str = ""


@dataclass(frozen=True)
class Verdict:
    """A criterion and whether what was measured meets it.

    Parameters
    ----------
    criterion : Criterion
    found : Figure
    met : bool
        A figure that could not be measured meets nothing.
    """

    criterion: Criterion
    found: Figure
    met: bool


@dataclass(frozen=True)
class Acceptance:
    """What became of the criteria that were stated before a study.

    Parameters
    ----------
    criteria : Criteria
        The file.
    finished_pairs : int
        Pairs whose comparison was finished in the folder of work when the file was first given with it.
    verdicts : tuple of Verdict
        In the order of the file.
    """

    criteria: Criteria
    finished_pairs: int
    verdicts: tuple[Verdict, ...]

    @property
    def met(self) -> bool:
        """Whether every criterion is met."""
        return all(verdict.met for verdict in self.verdicts)


def judge(criteria: Criteria, figures: Mapping[tuple[str, str], Figure]) -> tuple[Verdict, ...]:
    """Check every criterion against the figures, by (figure, score); the score of a figure of the set is empty."""
    verdicts = []
    for criterion in criteria.criteria:
        found = figures.get((criterion.figure, criterion.score), Figure(None, reason="was not measured"))
        at_most = criterion.relation == "at most"
        value = found.value if criterion.by == "value" else found.high if at_most else found.low
        met = value is not None and (value <= criterion.threshold if at_most else value >= criterion.threshold)
        verdicts.append(Verdict(criterion, found, met))
    return tuple(verdicts)


def read_criteria(path: str | Path, scores: tuple[str, ...]) -> Criteria:
    """Read acceptance criteria from a TOML or JSON file.

    TOML: ``name = "…"`` and for each criterion a table ``[[criterion]]`` with ``figure``, one of ``at_most`` and
    ``at_least`` (a number; shares as .05 for 5 %), and optionally ``score`` (default: the first) and
    ``by = "limit"``, when not the value but its 95 % limit is meant. JSON: the same with a list ``"criterion"``.

    Parameters
    ----------
    path : path
        At most 64 KiB and 100 criteria.
    scores : tuple of str
        The scores that are studied, the headline first.

    Raises
    ------
    ReadError
        When the file cannot be opened.
    UnsupportedFormatError
        When its name ends neither in .toml nor in .json.
    HostileFileError
        When it is larger than any list of criteria.
    CorruptFileError
        When it is not such a file: a key or figure that is not known is never passed over.
    """
    path = Path(path)
    data = _bytes(path)
    content = _parsed(path, data)
    _known(path, content, ("name", "criterion"), "the file")
    name = _text(path, content.get("name", path.name), "name")
    rows = content.get("criterion")
    if not isinstance(rows, list) or not rows:
        raise CorruptFileError(f"{path} states no criterion: give at least one [[criterion]] with figure and at_most")
    if len(rows) > _MOST_CRITERIA:
        raise HostileFileError(f"{path} states {len(rows)} criteria; at most {_MOST_CRITERIA} are read")
    criteria = tuple(_criterion(path, number, row, scores) for number, row in enumerate(rows, 1))
    seen: set[tuple[str, str, str, str]] = set()
    for number, criterion in enumerate(criteria, 1):
        key = criterion.figure, criterion.score, criterion.relation, criterion.by
        if key in seen:
            raise CorruptFileError(f"{path}, criterion {number}: '{criterion.text}' is stated a second time")
        seen.add(key)
    return Criteria(name, criteria, sha256(data).hexdigest(), path.name)


def results_when_first_given(work: Path, criteria: Criteria) -> int:
    """Return how many finished pairs the folder of work held when these criteria were first given with it.

    0 says that they were stated before anything was measured there. It is noted in ``criteria.jsonl`` of the folder.
    """
    pairs = work / "pairs.jsonl"
    with RowsFile(work / "criteria.jsonl", strict=True) as kept:
        for row in kept.read():
            if row.get("sha256") == criteria.sha256 and isinstance(row.get("finished_pairs"), int):
                return int(row["finished_pairs"])
        with RowsFile(pairs, strict=True) as rows:
            finished = sum(1 for _ in rows.places())
        make_work_folder(work, "prepared marks, and scores of their pairs")
        kept.append({"sha256": criteria.sha256, "file": criteria.file_name, "finished_pairs": finished})
    return finished


def _bytes(path: Path) -> bytes:
    try:
        # A pipe or a device would be waited for, perhaps for ever.
        if not path.is_file():
            raise ReadError(f"{path} is no file: give the acceptance criteria as a .toml or .json file")
        with open(path, "rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise ReadError(f"{path} cannot be read: {error.strerror}") from error
    if len(data) > _MOST_BYTES:
        raise HostileFileError(f"{path} is larger than {_MOST_BYTES} bytes: not a list of acceptance criteria")
    return data


def _parsed(path: Path, data: bytes) -> dict[str, Any]:
    kind = path.suffix.lower()
    if kind not in (".toml", ".json"):
        raise UnsupportedFormatError(f"{path}: acceptance criteria are read from .toml or .json, not '{path.suffix}'")
    if kind == ".json":
        content = parse_json(data, str(path), "a list of acceptance criteria")
    else:
        try:
            content = tomllib.loads(data.decode("utf-8-sig"))
        except (ValueError, RecursionError) as error:
            said = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
            raise CorruptFileError(f"{path} is not TOML: {said}") from error
    if not isinstance(content, dict):
        raise CorruptFileError(f"{path} is no table with 'criterion' in it")
    return content


def _known(path: Path, content: Mapping[str, Any], keys: tuple[str, ...], where: str) -> None:
    unknown = sorted(set(content) - set(keys))
    if unknown:
        raise CorruptFileError(f"{path}: {where} has the key {unknown[0][:60]!r}; known are {', '.join(keys)}")


def _criterion(path: Path, number: int, row: Any, scores: tuple[str, ...]) -> Criterion:
    where = f"criterion {number}"
    if not isinstance(row, dict):
        raise CorruptFileError(f"{path}: {where} is no table of {', '.join(_KEYS)}")
    _known(path, row, _KEYS, where)
    figure = _text(path, row.get("figure"), f"{where}, figure")
    known = {**OF_A_SCORE, **OF_THE_SET}
    if figure not in known:
        raise CorruptFileError(f"{path}: {where} is about '{figure}'; figures are: {', '.join(known)}")
    better, has_limit = known[figure]
    score = ""
    if figure in OF_A_SCORE:
        score = _text(path, row.get("score", scores[0]), f"{where}, score")
        if score not in scores:
            raise CorruptFileError(f"{path}: {where} names the score '{score}'; there are: {', '.join(scores)}")
    elif "score" in row:
        raise CorruptFileError(f"{path}: {where}: '{figure}' is of the whole set; leave 'score' out")
    stated = [name for name in ("at_most", "at_least") if name in row]
    if stated != [better.replace(" ", "_")]:
        raise CorruptFileError(
            f"{path}: {where} ('{figure}') needs {better.replace(' ', '_')}, and has {' and '.join(stated) or 'none'}"
        )
    by = _text(path, row.get("by", "value"), f"{where}, by")
    if by not in get_args(By):
        raise CorruptFileError(f"{path}: {where}: by is '{by}'; it is 'value' or 'limit'")
    if by == "limit" and not has_limit:
        raise CorruptFileError(f"{path}: {where}: no 95 % limit of '{figure}' is known; leave 'by' out")
    return Criterion(figure, score, better, _number(path, row[stated[0]], f"{where}, {stated[0]}"), by)  # type: ignore[arg-type]


def _text(path: Path, value: Any, where: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise CorruptFileError(f"{path}: {where} is not a text")
    if len(value) > _MOST_LETTERS or not value.isprintable():
        raise CorruptFileError(f"{path}: {where} is longer than {_MOST_LETTERS} letters, or has control characters")
    return value.strip()


def _number(path: Path, value: Any, where: str) -> float:
    # True is a whole number to Python.
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise CorruptFileError(f'{path}: {where} is not a number (write 0.05, not "5 %")')
    if not 0 <= value <= 1e12:
        raise CorruptFileError(f"{path}: {where} is {value!s:.40}; it is a number from 0 to 1e12")
    return float(value)
