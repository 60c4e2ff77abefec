"""The comparison of two impressed marks, on real and simulated scans."""

from __future__ import annotations

import dataclasses
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from families import fast_and_slow
from prepared_marks import fadul_mark, simulated_heads

from ballistics.evidence.preconditions import withholding
from ballistics.impressions.comparing import MINIMUM_CELLS, compare
from ballistics.impressions.comparison import ImpressionComparison
from ballistics.impressions.congruence import RULES
from ballistics.surfaces.simulation.disturbances import rotate_surface
from ballistics.surfaces.surface import Mark


def counts(result: ImpressionComparison) -> dict[str, tuple[int, int]]:
    """Counts of both directions under each rule."""
    return {name: (rule.a_in_b.count, rule.b_in_a.count) for name, rule in result.rules.items()}


def plain(value: object) -> object:
    """A result as nested tuples and bytes, to be compared exactly."""
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tobytes()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return tuple(plain(getattr(value, f.name)) for f in dataclasses.fields(value))
    if hasattr(value, "items"):
        return tuple((k, plain(v)) for k, v in value.items())
    return pickle.dumps(value)


@pytest.fixture(scope="module")
def heads() -> list[Mark]:
    """Three simulated marks: two of one firearm, one of another, at random poses."""
    return [head.mark for head in simulated_heads("granular")]


@pytest.fixture(scope="module")
def first_pair() -> tuple[list[Mark], ImpressionComparison]:
    """Two Fadul scans of one firearm, and their comparison as they lie."""
    marks = [fadul_mark(name) for name in ("1-1", "1-2")]
    return marks, compare(*marks)


def test_fadul_pairs_are_told_apart() -> None:
    first, two, other = (fadul_mark(name) for name in ("1-1", "1-2", "2-1"))
    same, different = compare(first, two), compare(first, other)
    assert min(counts(same)["significance"]) >= 15
    for name, pair in counts(same).items():
        assert min(pair) >= 14, name
    for name, rule in different.rules.items():
        if name != "ncma":
            assert rule.score <= 4, name
            assert max(counts(different)[name]) <= 4, name
    assert same.accf > 0.55
    assert different.accf < 0.45


def test_displaced_fadul_pair_keeps_its_cells() -> None:
    # Displaced by more than half a cell: windows centred on the image keep 5 of about 30.
    result = compare(fadul_mark("8-1"), fadul_mark("Q"))
    assert result.rules["significance"].score >= 0.85 * min(result.a_in_b.n_cells, result.b_in_a.n_cells)


@pytest.mark.parametrize("theta", fast_and_slow([0.0], [33.0]))
def test_a_scan_and_its_copy_are_told(first_pair: tuple[list[Mark], ImpressionComparison], theta: float) -> None:
    (mark, _), pair = first_pair
    copy = rotate_surface(mark, theta) if theta else mark
    found = compare(mark, dataclasses.replace(copy, heights_um=np.round(copy.heights_um, 2)))
    assert ("one-measurement", "serious") in [(finding.code, finding.severity) for finding in found.findings]
    assert "one-measurement" in withholding(found.findings)
    assert "one-measurement" not in [finding.code for finding in pair.findings]


@pytest.mark.parametrize("theta", fast_and_slow([11.0, 90.0], [45.0, 158.3, 271.0]))
@pytest.mark.parametrize("turned", [0, 1])
def test_turning_either_scan_keeps_every_count(
    first_pair: tuple[list[Mark], ImpressionComparison], theta: float, turned: int
) -> None:
    marks, before = list(first_pair[0]), counts(first_pair[1])
    marks[turned] = rotate_surface(marks[turned], theta)
    after = counts(compare(*marks))
    for name, pair in before.items():
        if name != "cmcR pooled":
            assert np.abs(np.subtract(pair, after[name])).max() <= 3, name


def test_exchanging_the_marks_exchanges_the_roles_exactly(heads: list[Mark]) -> None:
    forth, back = compare(heads[0], heads[1]), compare(heads[1], heads[0])
    assert plain(forth.a_in_b) == plain(back.b_in_a)
    assert plain(forth.b_in_a) == plain(back.a_in_b)
    for name in RULES:
        assert forth.rules[name].score == back.rules[name].score
        assert plain(forth.rules[name].a_in_b) == plain(back.rules[name].b_in_a)
    assert (forth.accf, forth.overlap_um2) == (back.accf, back.overlap_um2)
    assert back.pose is not None
    x, y = forth.pose.apply(*back.pose.apply(123.0, -45.0))
    assert (x, y) == (pytest.approx(123.0), pytest.approx(-45.0))


@pytest.mark.slow
def test_pose_of_simulated_heads_is_found(heads: list[Mark]) -> None:
    a, b, _ = simulated_heads("milled")
    result = compare(a.mark, b.mark)
    truth = a.pose.after(b.pose.inverse())
    assert (result.pose.theta_deg - truth.theta_deg + 180) % 360 - 180 == pytest.approx(0, abs=0.3)
    assert result.rules["significance"].score >= 15
    assert compare(heads[0], heads[2]).rules["significance"].score <= 3


@pytest.mark.slow
def test_result_is_the_same_bytes_in_threads_and_alone(heads: list[Mark]) -> None:
    alone = plain(compare(heads[0], heads[1]))
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(lambda _: plain(compare(heads[0], heads[1])), range(4)))
    assert all(result == alone for result in together)


def test_a_mark_agrees_with_itself_in_every_cell(heads: list[Mark]) -> None:
    result = compare(heads[0], heads[0])
    for name in ("original", "convergence", "consensus", "significance"):
        assert counts(result)[name] == (result.a_in_b.n_cells, result.b_in_a.n_cells)
    assert result.accf == pytest.approx(1.0, abs=1e-6)
    assert np.nanmax(np.hypot(result.a_in_b.xs_um, result.a_in_b.ys_um)) < 10.0


def test_marks_that_cannot_be_compared_are_insufficient_with_the_reason(heads: list[Mark]) -> None:
    mark = heads[0]
    scrap = dataclasses.replace(mark, heights_um=mark.heights_um[:160, :200])
    crumb = dataclasses.replace(mark, heights_um=mark.heights_um[200:230, 60:90])
    empty = dataclasses.replace(mark, heights_um=np.full((50, 50), np.nan, np.float32))
    flat = dataclasses.replace(mark, heights_um=np.zeros((400, 400), np.float32))
    cases = [
        (dataclasses.replace(mark, kind="firing pin"), "different kinds"),
        (dataclasses.replace(mark, surface_kind="reflectance"), "not commensurable"),
        (dataclasses.replace(mark, spacing_um=12.5), "different spacings"),
        (dataclasses.replace(mark, insufficient="nothing there"), "nothing there"),
        (scrap, f"{MINIMUM_CELLS} are needed"),
        (crumb, "common area"),
        (empty, "no pose"),
        (flat, "no pose"),
    ]
    for other, words in cases:
        for pair in ((mark, other), (other, mark)):
            result = compare(*pair)
            assert words in (result.insufficient or ""), words
            assert result.rules == {}
            assert result.provenance is not None


def test_provenance_names_all_that_is_needed_to_repeat_it(heads: list[Mark]) -> None:
    provenance = compare(heads[0], heads[1]).provenance
    assert provenance is not None
    assert set(provenance.inputs) == {"mark a", "mark b"}
    assert set(provenance.parameters["rules"]) == set(RULES)
    assert provenance.parameters["cells"]["cell_um"] == 468.75
    assert any("10.1016/j.forsciint.2017.08.033" in reference for reference in provenance.references)
