"""Templates, the scan of a stack of them, and the cascade: found at any rotation, as a part, and among others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prepared_marks import fadul_mark
from property_tests import examples
from scipy import ndimage

from ballistics.errors import CorruptFileError, ParameterError
from ballistics.library import template
from ballistics.library.relief import relief_of
from ballistics.search import cascade, scan
from ballistics.surfaces.simulation.disturbances import keep_disc, keep_sector, rotate_surface
from ballistics.surfaces.surface import Mark


def annulus(seed: int, points: int = 280, noise: float = 0.0) -> Mark:
    """A breech-face mark on every second point: the waves of one firearm, and the noise of one scan."""
    fields = [np.random.default_rng([seed, k]).normal(size=(points, points)) for k in (0, round(1e6 * noise))]
    heights, own = (field / field.std() for field in (ndimage.gaussian_filter(f, 3.0, mode="wrap") for f in fields))
    y, x = np.indices(heights.shape) - (points - 1) / 2
    radius = np.hypot(y, x)
    inside = (radius < points / 2 - 1) & (radius > points / 5)
    return Mark("breech face", np.where(inside, heights + noise * own, np.nan).astype(np.float32), 12.5)


@pytest.fixture(scope="module")
def marks() -> list[Mark]:
    return [annulus(seed) for seed in range(6)]


@pytest.fixture(scope="module")
def stack(marks: list[Mark]) -> np.ndarray:
    return np.stack([template.make_template(mark).array for mark in marks])


def test_template_is_small_deterministic_and_survives_its_bytes(marks: list[Mark]) -> None:
    made = template.make_template(marks[0])
    record = made.to_bytes()
    assert len(record) == template.RECORD_BYTES <= 65536
    assert record == template.make_template(marks[0]).to_bytes()
    back = template.from_bytes(record)
    assert (back.mark_kind, back.surface_kind, back.version) == ("breech face", "topography", template.VERSION)
    assert back.to_bytes() == record


@pytest.mark.parametrize("record", [b"", b"\0" * template.RECORD_BYTES, b"\xff" * 100])
def test_what_is_no_template_is_refused(record: bytes) -> None:
    with pytest.raises(CorruptFileError, match=r"template of version"):
        template.from_bytes(record)


def test_unknown_kind_of_mark_is_refused(marks: list[Mark]) -> None:
    with pytest.raises(ParameterError, match="toe print"):
        template.make_template(replace(marks[0], kind="toe print"))
    with pytest.raises(ParameterError, match="toe print"):
        scan.make_query(replace(marks[0], kind="toe print"))


@pytest.mark.parametrize(
    "heights",
    [np.full((50, 50), np.nan), np.zeros((60, 60)), np.array([[1.0]]), np.full((3, 200), 5.0), np.eye(80) * 1e6],
)
def test_degenerate_marks_have_templates_and_meet_nothing_by_accident(heights: np.ndarray, stack: np.ndarray) -> None:
    mark = Mark("breech face", heights.astype(np.float32), 12.5)
    record = template.make_template(mark).array
    assert np.isfinite(record.view(template.RECORD)["height_step"]).all()
    found = scan.scan(scan.make_query(mark), np.concatenate([stack, record[None]]))
    assert not np.isnan(found.scores).any()
    assert (found.scores[:6] < 8.0).all()


@examples(5, often=20)
@given(st.floats(-360.0, 360.0))
def test_found_at_every_rotation(theta_deg: float) -> None:
    marks = [annulus(seed) for seed in range(2)]
    stack = np.stack([template.make_template(mark).array for mark in marks])
    found = scan.scan(scan.make_query(rotate_surface(annulus(1, noise=0.5), theta_deg)), stack)
    assert found.scores.argmax() == 1
    assert found.scores[1] > 10.0
    turned = (float(found.theta_deg[1]) - theta_deg + 180.0) % 360.0 - 180.0
    assert abs(turned) <= 2 * 360.0 / template.ANGLES
    assert np.hypot(found.dx_um[1], found.dy_um[1]) <= 100.0


@pytest.mark.parametrize("seed", range(2))
def test_halves_are_found_and_find_the_whole(seed: int, marks: list[Mark], stack: np.ndarray) -> None:
    mark = annulus(seed, noise=0.4)
    halves = (
        keep_sector(rotate_surface(mark, 77.0), 180.0, 60.0 * seed),
        keep_disc(rotate_surface(mark, 200.0), 0.5, seed),
    )
    for half in halves:
        scores = scan.scan(scan.make_query(half), stack).scores
        assert scores.argmax() == seed
        assert scores[seed] > 1.5 * np.delete(scores, seed).max()
        own = template.make_template(half).array[None]
        back = scan.scan(scan.make_query(marks[seed]), np.concatenate([np.delete(stack, seed, 0), own])).scores
        assert back.argmax() == len(stack) - 1


def test_a_score_does_not_depend_on_order_or_number_of_candidates(marks: list[Mark], stack: np.ndarray) -> None:
    query = scan.make_query(rotate_surface(marks[2], 10.0))
    many = np.tile(stack, (30, 1))
    rows = np.random.default_rng(1).permutation(len(many))
    shuffled = scan.scan(query, many, rows)
    for whole, part in zip(scan.scan(query, many), shuffled, strict=True):
        np.testing.assert_array_equal(whole[rows], part)


def test_empty_records_and_other_kinds_are_passed_by(marks: list[Mark], stack: np.ndarray) -> None:
    others = [
        np.zeros((1, template.RECORD_BYTES), np.uint8),
        np.concatenate([stack[:1, :100], np.full((1, template.RECORD_BYTES - 100), 255, np.uint8)], axis=1),
        template.make_template(replace(marks[0], kind="ejector")).array[None],
        template.make_template(replace(marks[0], surface_kind="reflectance")).array[None],
    ]
    scores = scan.scan(scan.make_query(marks[0]), np.concatenate([*others, stack])).scores
    assert np.isneginf(scores[:4]).all()
    assert scores.argmax() == 4
    assert not np.isnan(scores).any()
    assert len(scan.scan(scan.make_query(marks[0]), stack[:0]).scores) == 0


def test_a_wrong_stack_or_row_is_refused(marks: list[Mark], stack: np.ndarray) -> None:
    query = scan.make_query(marks[0])
    with pytest.raises(ParameterError, match="rows of"):
        scan.scan(query, stack[:, :-1])
    with pytest.raises(ParameterError, match="the stack has 6 templates"):
        scan.scan(query, stack, np.array([0, 6]))


def test_relief_evens_out_a_dent(marks: list[Mark]) -> None:
    heights = marks[0].heights_um.copy()
    heights[30:60, 120:150] -= 200.0
    plain, dented = relief_of(marks[0]).heights, relief_of(replace(marks[0], heights_um=heights)).heights
    far = np.zeros(plain.shape, bool)
    far[80:] = True
    far &= np.isfinite(plain) & np.isfinite(dented)
    assert np.corrcoef(plain[far], dented[far])[0, 1] > 0.95
    assert np.nanmax(np.abs(dented)) < 4.0


def test_the_best_by_template_are_ranked_by_similarity(marks: list[Mark], stack: np.ndarray) -> None:
    mark = rotate_surface(annulus(4, noise=0.5), 123.0)
    told: list[tuple[str, int, int]] = []
    rows = np.array([5, 4, 1])
    scores = scan.scan(scan.make_query(mark), stack, rows).scores
    ranking = cascade.compare_best(
        mark, rows, scores, marks.__getitem__, compared=2, progress=lambda *step: told.append(step)
    )
    first, second = ranking.leads
    assert ranking.n_scanned == 3
    assert first.candidate == 4
    assert first.score is not None
    assert first.pose is not None
    assert abs(first.pose.theta_deg - 123.0) < 1.0
    assert second.score is None or second.score < first.score
    assert told[-1] == ("comparing the best", 2, 2)


def test_insufficient_candidates_come_last(marks: list[Mark], stack: np.ndarray) -> None:
    spoiled = {0: replace(marks[0], insufficient="too little is left"), 1: replace(marks[1], spacing_um=6.25)}
    rows = np.arange(len(marks))
    scores = scan.scan(scan.make_query(marks[0]), stack).scores
    leads = cascade.compare_best(marks[0], rows, scores, lambda row: spoiled.get(row, marks[row])).leads
    assert len(leads) == 6
    assert {lead.candidate for lead in leads[-2:]} == {0, 1}
    assert leads[-2].insufficient is not None
    assert "too little is left" in leads[-2].insufficient
    assert leads[-1].insufficient is not None
    assert "spacings" in leads[-1].insufficient
    with pytest.raises(ParameterError, match="at least 1"):
        cascade.compare_best(marks[0], rows, scores, marks.__getitem__, compared=0)


@pytest.mark.slow
def test_real_scans_of_one_firearm_find_each_other() -> None:
    names = ("1-1", "F", "5-1")
    marks = [fadul_mark(name) for name in names]
    stack = np.stack([template.make_template(mark).array for mark in marks])
    scores = scan.scan(scan.make_query(rotate_surface(marks[0], 150.0)), stack).scores
    assert list(np.argsort(-scores)) == [0, 1, 2]
    assert scores[1] > 1.5 * scores[2]
    half = scan.scan(scan.make_query(keep_disc(rotate_surface(marks[0], 60.0), 0.5, 3)), stack).scores
    assert half[1] > 1.5 * half[2]
