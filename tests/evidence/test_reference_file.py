"""The file of a reference: every score of the same comparisons, and nothing altered unnoticed."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from ballistics.errors import CorruptFileError, ParameterError
from ballistics.evidence.conditions import Conditions
from ballistics.evidence.population import ReferencePopulation
from ballistics.evidence.reference_file import ReferenceFile, load_reference
from ballistics.evidence.scores import ScoreTable
from ballistics.methods import METHODS

BASE = Conditions("breech face", ("9 mm",), ("confocal",), "impressed marks", "4", {"cell_um": 468.75}, ("Geco",))
FIREARMS = ("AABC", "ABCD")
SCANS = (["1", "2", "3", "4"], ["5", "6", "7", "8"])


def reference() -> ReferenceFile:
    def made(score, table):
        conditions = replace(BASE, method=f"{BASE.method}; score: {METHODS['breech face'].score_texts[score]}")
        return ReferencePopulation("made up", table, conditions, "for the test")

    alike = ScoreTable.build([900.0, 12.5, 9.0, 20.0], *FIREARMS, None, *SCANS, [3.1, 2.0, 1.5, 2.5])
    counts = ScoreTable.build([20, 1, 0, 2], *FIREARMS, [30, 28, 31, 30], *SCANS)
    correlations = ScoreTable.build([0.7, 0.1, 0.05, 0.2], *FIREARMS, None, *SCANS)
    tables = {"similarity": alike, "count": counts, "correlation": correlations}
    return ReferenceFile(tuple(made(score, table) for score, table in tables.items()))


def test_every_score_comes_back_as_its_own_population(tmp_path):
    written = reference()
    path = tmp_path / "reference.json"
    path.write_bytes(written.to_json())
    found = load_reference(path)
    assert [p.score for p in found] == ["similarity", "count", "correlation"]
    assert [p.to_json() for p in found] == [p.to_json() for p in written.populations]
    assert ReferenceFile(found).to_json() == path.read_bytes()


def test_a_file_of_one_score_of_earlier_versions_is_read(tmp_path):
    population = reference().populations[1]
    path = tmp_path / "reference.json"
    path.write_bytes(population.to_json())
    assert [p.to_json() for p in load_reference(path)] == [population.to_json()]


def test_populations_of_other_comparisons_are_no_one_file():
    alike, counts, _ = reference().populations
    with pytest.raises(ParameterError, match="same comparisons"):
        ReferenceFile((alike, replace(counts, table=counts.table.rows(counts.table.score > 0))))
    with pytest.raises(ParameterError, match="same comparisons"):
        ReferenceFile((alike, replace(counts, source="elsewhere")))


@pytest.mark.parametrize(
    "damage",
    [
        lambda c: c.pop("comparisons"),
        lambda c: c.update(schema="other"),
        lambda c: c["comparisons"]["similarity"].append(3.0),
        lambda c: c["comparisons"]["similarity"].__setitem__(0, 901.0),
        lambda c: c["comparisons"]["firearm_a"].__setitem__(0, "D"),
        lambda c: c["size"].update(firearms=50),
        lambda c: c["conditions"].update(calibres=["7.65 mm"]),
        lambda c: c.update(source="elsewhere"),
        lambda c: c.pop("content_sha256"),
    ],
)
def test_any_altered_value_is_noticed(tmp_path, damage):
    content = json.loads(reference().to_json())
    damage(content)
    path = tmp_path / "reference.json"
    path.write_text(json.dumps(content))
    with pytest.raises(CorruptFileError):
        load_reference(path)


@pytest.mark.parametrize("data", [b"\xff{", b"", b"[]", b"3"])
def test_what_is_no_reference_is_refused(tmp_path, data):
    path = tmp_path / "reference.json"
    path.write_bytes(data)
    with pytest.raises(CorruptFileError):
        load_reference(path)
