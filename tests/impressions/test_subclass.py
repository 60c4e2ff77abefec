"""The subclass warning: shared lines are found and taken off, whatever their form; granular marks raise no alarm."""

from __future__ import annotations

import math

import numpy as np
import pytest
from families import fast_and_slow
from prepared_marks import fadul_mark

from ballistics.impressions.comparing import compare, exchanged
from ballistics.impressions.comparison import CellSearch, DirectionVerdict, ImpressionComparison
from ballistics.impressions.subclass import SubclassParameters, find_regular_marks
from ballistics.surfaces.preparation.preparing import prepare
from ballistics.surfaces.simulation.breech_faces import BreechFace
from ballistics.surfaces.simulation.fields import generator, red_field, red_profile
from ballistics.surfaces.simulation.heads import simulate_firearm, simulate_head, simulate_shot
from ballistics.surfaces.surface import Mark

SPACING = 6.25


def grains(seed: int) -> np.ndarray:
    """Isotropic heights of unit rms on the plane of a mark."""
    return red_field(generator(seed, "grains"), 18.0, 250.0, 1.2, 600, SPACING)


def profile(seed: int, across_um: np.ndarray) -> np.ndarray:
    """Heights of unit rms that depend on one coordinate only."""
    values = red_profile(generator(seed, "lines"), 4096, 2.0, 30.0, 250.0)
    return np.interp(across_um / 2.0 + 2048, np.arange(4096), values)


def plane() -> tuple[np.ndarray, np.ndarray]:
    line = (np.arange(600) - 299.5) * SPACING
    y, x = np.meshgrid(line, line, indexing="ij")
    return y, x


def mark(heights: np.ndarray) -> Mark:
    """A breech-face mark: a ring cut out of heights."""
    y, x = plane()
    radius = np.hypot(y, x)
    return Mark("breech face", np.where((radius > 800) & (radius < 1750), heights, np.nan).astype(np.float32), SPACING)


def straight(seed: int, lines_deg: float) -> np.ndarray:
    y, x = plane()
    t = math.radians(lines_deg)
    return profile(seed, x * math.sin(t) + y * math.cos(t))


def circles(seed: int, centre_x: float, centre_y: float) -> np.ndarray:
    y, x = plane()
    return profile(seed, np.hypot(x - centre_x, y - centre_y) - math.hypot(centre_x, centre_y))


def shares(result: ImpressionComparison, rule: str = "significance") -> tuple[int, int]:
    """Congruent and explained cells of both directions together."""
    assert result.a_in_b is not None
    assert result.b_in_a is not None
    verdicts = result.rules[rule].a_in_b, result.rules[rule].b_in_a
    searches = result.a_in_b, result.b_in_a
    return (
        sum(v.count for v in verdicts),
        sum(s.explained_count(v) for s, v in zip(searches, verdicts, strict=True)),
    )


def severities(result: ImpressionComparison) -> list[str]:
    return [f.severity for f in result.findings if f.code == "regular-manufacturing-marks"]


def simulated(kind: BreechFace, firearm: int, shot: int, cutter: int | None = None) -> Mark:
    head = simulate_head(simulate_firearm(firearm, kind, cutter_seed=cutter), simulate_shot(shot), field_mm=5.0)
    return prepare(head.surface)


def test_isotropic_marks_have_no_regular_marks() -> None:
    own, two, shared = grains(1), grains(2), grains(3)
    result = compare(mark(shared + 0.4 * own), mark(shared + 0.4 * two))
    congruent, explained = shares(result)
    assert congruent > 50
    assert explained == 0
    assert result.a_in_b is not None
    assert result.a_in_b.regular is not None
    assert result.a_in_b.regular.patterns == ()
    assert severities(result) == []


@pytest.mark.parametrize("lines_deg", [0.0, 37.0, 120.0])
def test_shared_parallel_lines_explain_the_agreement(lines_deg: float) -> None:
    lines = 1.5 * straight(4, lines_deg)
    result = compare(mark(lines + grains(1)), mark(lines + grains(2)))
    assert result.a_in_b is not None
    assert result.a_in_b.regular is not None
    (pattern,) = result.a_in_b.regular.patterns
    # Arcs about a far centre are as good as straight.
    assert abs((pattern.lines_deg - lines_deg + 90.0) % 180.0 - 90.0) <= 5.0
    congruent, explained = shares(result)
    assert explained >= 0.85 * congruent > 0
    assert severities(result) == ["serious"]


def test_shared_circles_about_the_centre_explain_the_agreement() -> None:
    lines = 1.5 * circles(4, 100.0, -150.0)
    result = compare(mark(lines + grains(1)), mark(lines + grains(2)))
    assert result.a_in_b is not None
    assert result.a_in_b.regular is not None
    pattern = result.a_in_b.regular.patterns[0]
    assert pattern.form == "circular"
    assert math.hypot(pattern.centre_x_um - 100.0, pattern.centre_y_um + 150.0) < 300.0
    congruent, explained = shares(result)
    assert explained >= 0.85 * congruent > 0


def test_agreement_that_remains_without_the_lines_is_counted() -> None:
    lines, individual = 1.5 * straight(4, 30.0), 0.8 * grains(3)
    result = compare(mark(lines + individual + 0.3 * grains(1)), mark(lines + individual + 0.3 * grains(2)))
    assert result.a_in_b is not None
    assert result.a_in_b.regular is not None
    assert result.a_in_b.regular.patterns
    congruent, explained = shares(result)
    assert explained <= 0.2 * congruent
    remaining = result.a_in_b.regular.remaining[result.rules["significance"].a_in_b.congruent]
    # The individual part alone, with its own noise: 0.64 / (0.64 + 0.09).
    assert np.median(remaining) == pytest.approx(0.88, abs=0.1)


def test_two_sets_of_crossing_lines_are_both_taken_off() -> None:
    lines = straight(4, 20.0) + straight(5, 95.0)
    result = compare(mark(lines + 0.6 * grains(1)), mark(lines + 0.6 * grains(2)))
    assert result.a_in_b is not None
    assert result.a_in_b.regular is not None
    assert len(result.a_in_b.regular.patterns) == 2
    congruent, explained = shares(result)
    assert explained >= 0.85 * congruent > 0


def test_exchanging_the_marks_exchanges_the_directions() -> None:
    lines = 1.5 * straight(4, 30.0)
    a, b = mark(lines + grains(1)), mark(lines + grains(2))
    direct, other = compare(a, b), compare(b, a)
    assert direct.a_in_b is not None
    assert other.b_in_a is not None
    assert direct.a_in_b.regular is not None
    assert other.b_in_a.regular is not None
    np.testing.assert_array_equal(direct.a_in_b.regular.explained, other.b_in_a.regular.explained)
    assert direct.findings == other.findings == exchanged(direct).findings


def test_too_few_cells_have_no_agreement_to_explain() -> None:
    n = 12
    zeros = np.zeros(n)
    search = CellSearch(
        0.0, np.arange(n), np.arange(n), zeros, zeros, zeros + 1, zeros, zeros, zeros, zeros, zeros, zeros + 0.9, zeros
    )
    verdict = DirectionVerdict(np.arange(n) < 5, None, zeros, zeros, zeros, zeros, zeros, zeros + 0.9)  # type: ignore[arg-type]
    lines = straight(4, 0.0).astype(np.float32)
    found = find_regular_marks(lines, lines, SPACING, 468.75, search, [verdict])
    assert found.patterns == ()
    assert not found.explained.any()
    # The same cells are explained when so few are enough.
    found = find_regular_marks(lines, lines, SPACING, 468.75, search, [verdict], SubclassParameters(fewest_cells=5))
    assert found.explained.sum() == 5


@pytest.mark.parametrize("names", [("3-1", "3-2"), ("8-1", "8-2")])
def test_real_granular_marks_raise_no_alarm(names: tuple[str, str]) -> None:
    result = compare(*(fadul_mark(name) for name in names))
    congruent, explained = shares(result)
    assert congruent > 30
    assert explained == 0
    assert severities(result) == []


@pytest.mark.parametrize("kind", fast_and_slow(["milled"], ["filed"]))
@pytest.mark.slow
def test_simulated_slides_that_share_a_cutter_are_warned_of(kind: BreechFace) -> None:
    result = compare(simulated(kind, 36, 1, cutter=9), simulated(kind, 46, 2, cutter=9))
    counted = [shares(result, rule) for rule in result.rules]
    assert sum(c for c, _ in counted) > 20
    assert sum(e for _, e in counted) >= 0.8 * sum(c for c, _ in counted)
    assert severities(result) == ["serious"]
