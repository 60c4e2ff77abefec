"""A mirrored mark is found and reported; marks that are not mirrored are left in peace."""

from __future__ import annotations

import numpy as np
import pytest

from ballistics.impressions.mirrored import check_mirrored
from ballistics.impressions.registration import register
from ballistics.impressions.similarity import similarity
from ballistics.surfaces.disturbances import mirror, rotate_surface
from ballistics.surfaces.preparation import prepare
from ballistics.surfaces.simulation import simulate_population
from ballistics.surfaces.surface import Mark


def score(a: Mark, b: Mark) -> float:
    """Similarity of the marks as they are."""
    registration = register(a.heights_um, b.heights_um, a.spacing_um)
    assert registration is not None
    return similarity(a.heights_um, b.heights_um, a.spacing_um, registration.pose).score


@pytest.fixture(scope="module", params=["granular", "milled"])
def heads(request: pytest.FixtureRequest) -> list[Mark]:
    """Two firearms, two shots of the first."""
    population = list(simulate_population(2, 2, 9, breech_faces=(request.param,), field_mm=5.0))
    return [prepare(head.surface) for head in population[:3]]


def test_mirrored_marks_of_one_firearm_are_found(heads: list[Mark]) -> None:
    a, b, _ = heads
    straight = score(a, b)
    image = rotate_surface(mirror(b), 40.0)
    direct = score(a, image)
    # Lines of milling agree with their mirror image in part: then only a look that was asked for finds it.
    found = check_mirrored(a.heights_um, image.heights_um, a.spacing_um, direct, always=True)
    assert found is not None
    assert found.finding is not None
    assert direct + 100 < found.similarity.score
    assert (found.finding.code, found.finding.severity) == ("mirrored", "serious")
    assert found.similarity.score == pytest.approx(straight, rel=0.15)


def test_other_firearms_are_not_called_mirrored(heads: list[Mark]) -> None:
    a, _, other = heads
    found = check_mirrored(a.heights_um, other.heights_um, a.spacing_um, score(a, other))
    assert found is not None
    assert found.finding is None


def test_marks_that_agree_are_not_looked_at_unless_asked(heads: list[Mark]) -> None:
    a, b, _ = heads
    direct = score(a, b)
    assert check_mirrored(a.heights_um, b.heights_um, a.spacing_um, direct) is None
    asked = check_mirrored(a.heights_um, b.heights_um, a.spacing_um, direct, always=True)
    assert asked is not None
    assert asked.finding is None


def test_no_direct_result_and_empty_marks() -> None:
    mark = np.random.default_rng(1).normal(size=(200, 200)).astype(np.float32)
    found = check_mirrored(mark, np.ascontiguousarray(np.fliplr(mark)), 6.25, float("nan"))
    assert found is not None
    assert found.finding is not None
    empty = np.full((200, 200), np.nan, np.float32)
    assert check_mirrored(mark, empty, 6.25, 0.0) is None
