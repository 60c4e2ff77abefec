"""From two files to a report: the same result as step by step, its views, its weight, and what is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest

import ballistics
from ballistics.errors import ParameterError, WriteError
from ballistics.front.file_comparison import compare_files


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    folder = tmp_path_factory.mktemp("front")
    found = []
    for number, head in enumerate(ballistics.simulate_population(2, 2, 5, breech_faces=["granular"], spacing_um=12.5)):
        if number < 3:
            found.append(folder / f"case-{number}.x3p")
            ballistics.write_x3p(found[-1], head.surface)
    return found


@pytest.fixture(scope="module")
def same(paths):
    return compare_files(*paths[:2])


def test_it_is_the_comparison_of_the_steps(paths, same):
    marks = [ballistics.prepare(ballistics.read(path)) for path in paths[:2]]
    step_by_step = ballistics.compare(*marks)
    assert same.comparison.similarity == step_by_step.similarity
    assert same.comparison.provenance == step_by_step.provenance
    assert same.similarity == step_by_step.similarity.score
    assert same.insufficient is None


def test_the_aligned_marks_agree_where_both_have_points(same):
    a, b = same.aligned()
    assert a.shape == b.shape
    both = np.isfinite(a) & np.isfinite(b)
    assert np.corrcoef(a[both], b[both])[0, 1] == pytest.approx(same.comparison.accf, abs=0.02)


def test_lines_tables_and_pictures(same):
    found = same.scores
    assert repr(same) == (
        f"<FileComparison: breech face, case-0.x3p and case-1.x3p, similarity {found.similarity:.0f} nats, "
        f"{found.count} of {found.cells} cells, correlation {found.accf:.3f}>"
    )
    frame = same.to_frame()
    assert list(frame["score"][:2]) == ["similarity", "significance"]
    assert frame["value"][0] == found.similarity
    assert same.to_dict() == json.loads(same.json())
    assert same.plot().get_title() == "A: case-0.x3p   B: case-1.x3p"
    assert "<img" in same._repr_html_()


@pytest.mark.slow
def test_the_report_is_the_same_every_time_and_replaces_nothing(same, tmp_path):
    first = ballistics.report(same, tmp_path / "one.html")
    second = ballistics.report(same, tmp_path / "two.html")
    assert first.read_bytes() == second.read_bytes()
    with pytest.raises(WriteError, match="exists already"):
        ballistics.report(same, first)
    with pytest.raises(ParameterError, match=r"written as .html"):
        ballistics.report(same, tmp_path / "one.docx")


def test_progress_is_told_and_an_error_says_which_scan(paths, tmp_path):
    told = []
    (tmp_path / "b.x3p").write_bytes(b"nothing")
    with pytest.raises(ballistics.ReadError) as caught:
        compare_files(paths[0], tmp_path / "b.x3p", progress=lambda *words: told.append(words[:3]))
    assert caught.value.scan == "b"
    assert told == [("reading and preparing", 0, 2), ("reading and preparing", 1, 2)]


def test_what_is_stated_for_both_or_for_each(paths):
    with pytest.raises(ParameterError, match="one for both scans, or a pair"):
        compare_files(*paths[:2], units=("micrometres",) * 3)
    with pytest.raises(ParameterError, match="not known"):
        compare_files(*paths[:2], "nonsense")


@pytest.mark.slow
def test_insufficient_is_a_result(paths, tmp_path):
    surface = ballistics.Surface(np.random.default_rng(1).normal(size=(300, 300)), (6.25, 6.25))
    ballistics.write_x3p(tmp_path / "noise.x3p", surface)
    found = compare_files(paths[0], tmp_path / "noise.x3p")
    assert found.insufficient
    assert "insufficient" in repr(found)
    assert found.rows() == []
    with pytest.raises(ParameterError, match="not registered"):
        found.aligned()
    assert "<img" in found._repr_html_()
    assert "insufficient" in ballistics.report(found, tmp_path / "r.html").read_text("utf-8").lower()


@pytest.mark.slow
def test_a_folder_becomes_a_data_frame(paths):
    frame = ballistics.compare_folder(paths[0].parent)
    assert len(frame) == 3
    assert frame["similarity"].idxmax() == 0
    assert set(frame["scan_a"]) | set(frame["scan_b"]) == {path.name for path in paths}
