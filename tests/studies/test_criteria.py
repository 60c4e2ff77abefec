"""Acceptance criteria: read strictly, refused when anything is doubtful, held against value or limit."""

from __future__ import annotations

import json
import os
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from property_tests import examples

from ballistics.errors import BallisticsError, CorruptFileError, HostileFileError, ReadError, UnsupportedFormatError
from ballistics.files.rows_file import RowsFile
from ballistics.studies.criteria import Figure, judge, read_criteria, results_when_first_given

SCORES = ("similarity", "count", "correlation")
GOOD = """
name = "Laboratory X, 2026"

[[criterion]]
figure = "Cllr"
at_most = 0.1

[[criterion]]
figure = "AUC"
score = "count"
at_least = 0.98
by = "limit"

[[criterion]]
figure = "insufficient pairs"
at_most = 0.05
"""


def written(folder, text, name="criteria.toml"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_toml_and_json_say_the_same(tmp_path):
    toml = read_criteria(written(tmp_path, GOOD), SCORES)
    rows = [
        {"figure": "Cllr", "at_most": 0.1},
        {"figure": "AUC", "score": "count", "at_least": 0.98, "by": "limit"},
        {"figure": "insufficient pairs", "at_most": 0.05},
    ]
    same = read_criteria(
        written(tmp_path, json.dumps({"name": "Laboratory X, 2026", "criterion": rows}), "c.json"), SCORES
    )
    assert toml.criteria == same.criteria
    assert toml.name == "Laboratory X, 2026"
    assert [c.text for c in toml.criteria] == [
        "Cllr (similarity) at most 0.1",
        "AUC (count), 95 % limit at least 0.98",
        "insufficient pairs at most 0.05",
    ]
    assert toml.sha256 != same.sha256
    assert len(toml.sha256) == 64


def test_judged_by_value_or_by_the_limit_on_the_side_of_the_threshold(tmp_path):
    criteria = read_criteria(written(tmp_path, GOOD), SCORES)
    figures = {
        ("Cllr", "similarity"): Figure(0.1, 0.05, 0.3),
        ("AUC", "count"): Figure(1.0, 0.97, 1.0),
        ("insufficient pairs", ""): Figure(0.06, 0.0, 0.1),
    }
    assert [verdict.met for verdict in judge(criteria, figures)] == [True, False, False]
    # What was not measured, or has no limit, meets nothing.
    figures = {("AUC", "count"): Figure(1.0, None, None)}
    verdicts = judge(criteria, figures)
    assert not any(verdict.met for verdict in verdicts)
    assert verdicts[0].found.reason == "was not measured"


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "no criterion"),
        ("criterion = 3", "no criterion"),
        ("criterion = [3]", "no table"),
        ("x = 1", "key 'x'"),
        ('[[criterion]]\nfigure = "Cllr"\nat_most = 0.1\nat_mots = 1', "at_mots"),
        ('[[criterion]]\nfigure = "Clr"\nat_most = 0.1', "figures are"),
        ('[[criterion]]\nfigure = "Cllr"', "needs at_most, and has none"),
        ('[[criterion]]\nfigure = "Cllr"\nat_least = 0.1', "has at_least"),
        ('[[criterion]]\nfigure = "Cllr"\nat_most = 0.1\nat_least = 0', "at_most and at_least"),
        ('[[criterion]]\nfigure = "Cllr"\nat_most = nan', "nan"),
        ('[[criterion]]\nfigure = "Cllr"\nat_most = inf', "inf"),
        ('[[criterion]]\nfigure = "Cllr"\nat_most = -0.1', "-0.1"),
        ('[[criterion]]\nfigure = "Cllr"\nat_most = true', "not a number"),
        ('[[criterion]]\nfigure = "Cllr"\nat_most = "0.1"', "not a number"),
        ('[[criterion]]\nfigure = "Cllr"\nat_most = 2026-11-30', "not a number"),
        ('[[criterion]]\nfigure = "Cllr"\nat_most = 1' + "0" * 400, "number from 0"),
        ('[[criterion]]\nfigure = "Cllr"\nat_most = 1' + "0" * 9000, "TOML"),
        ('[[criterion]]\nfigure = "Cllr"\nscore = "fame"\nat_most = 1', "there are: similarity"),
        ('[[criterion]]\nfigure = "firearms"\nscore = "count"\nat_least = 1', "leave 'score' out"),
        ('[[criterion]]\nfigure = "firearms"\nby = "limit"\nat_least = 1', "no 95 % limit"),
        ('[[criterion]]\nfigure = "Cllr"\nby = "luck"\nat_most = 1', "'value' or 'limit'"),
        ('[[criterion]]\nfigure = ["Cllr"]\nat_most = 1', "not a text"),
        (('[[criterion]]\nfigure = "Cllr"\nat_most = 1\n') * 2, "a second time"),
        ('name = "\\u001b[31m"\n[[criterion]]\nfigure = "Cllr"\nat_most = 1', "control"),
        ('name = "' + "a" * 300 + '"\n[[criterion]]\nfigure = "Cllr"\nat_most = 1', "longer"),
        ("a = " + "[" * 30_000, "TOML"),
        (b"\xff\xfe\x00", "TOML"),
        (b"\x00" * 100, "TOML"),
    ],
)
def test_what_is_doubtful_is_refused(tmp_path, text, word):
    with pytest.raises(BallisticsError) as caught:
        read_criteria(written(tmp_path, text), SCORES)
    assert word in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        '{"criterion": [{"figure": "Cllr", "at_most": NaN}]}',
        '{"criterion": [{"figure": "Cllr", "at_most": 1, "at_most": 100}]}',
        '{"criterion": [{"figure": "Cllr", "at_most": 1' + "0" * 5000 + "}]}",
        "[" * 60_000,
        '{"a":' * 10_000,
        "[]",
        "null",
        "7",
        "",
    ],
)
def test_json_that_says_two_things_or_nothing_is_refused(tmp_path, text):
    with pytest.raises(CorruptFileError):
        read_criteria(written(tmp_path, text, "c.json"), SCORES)


def test_size_format_and_place(tmp_path):
    with pytest.raises(HostileFileError, match="larger"):
        read_criteria(written(tmp_path, b" " * 70_000), SCORES)
    many = "".join(f'[[criterion]]\nfigure = "Cllr"\nat_most = {n}\n' for n in range(101))
    with pytest.raises(HostileFileError, match="101"):
        read_criteria(written(tmp_path, many), SCORES)
    with pytest.raises(UnsupportedFormatError):
        read_criteria(written(tmp_path, GOOD, "criteria.yaml"), SCORES)
    with pytest.raises(ReadError):
        read_criteria(tmp_path / "absent.toml", SCORES)
    with pytest.raises(ReadError):
        read_criteria(tmp_path, SCORES)
    os.mkfifo(tmp_path / "pipe.toml")
    with pytest.raises(ReadError, match="no file"):
        read_criteria(tmp_path / "pipe.toml", SCORES)


@examples(40)
@given(st.binary(max_size=80), st.sampled_from(["a.toml", "a.json"]))
def test_any_bytes_give_criteria_or_an_error_of_the_tree(tmp_path_factory, data, name):
    path = written(tmp_path_factory.getbasetemp(), GOOD.encode()[: len(data)] + data, name)
    with suppress(BallisticsError):
        read_criteria(path, SCORES)


def test_when_criteria_were_first_given_is_kept(tmp_path):
    criteria = read_criteria(written(tmp_path, GOOD), SCORES)
    other = read_criteria(written(tmp_path, GOOD + "\n"), SCORES)
    work = tmp_path / "work"
    assert results_when_first_given(work, criteria) == 0
    with RowsFile(work / "pairs.jsonl") as rows:
        for number in range(2):
            rows.append({"a": number})
    with open(work / "pairs.jsonl", "ab") as file:
        file.write(b'{"torn')
    # Stated before anything was measured; the other only when two pairs were known.
    assert results_when_first_given(work, criteria) == 0
    assert results_when_first_given(work, other) == 2
    with RowsFile(work / "pairs.jsonl") as rows:
        rows.append({"a": 3})
    assert results_when_first_given(work, other) == 2


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    criteria = read_criteria(written(tmp_path, GOOD), SCORES)
    (tmp_path / "work").write_bytes(b"a file")
    with pytest.raises(BallisticsError, match="work"):
        results_when_first_given(tmp_path / "work", criteria)
