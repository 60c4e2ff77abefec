"""A mirrored or inverted mark is found and reported; marks that are not are left in peace."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from families import fast_and_slow
from prepared_marks import simulated_heads

from ballistics.evidence.preconditions import withholding
from ballistics.findings import Finding
from ballistics.impressions.comparing import compare
from ballistics.impressions.mirrored import AsTheyAre, MirroredAgreement, check_inverted, check_mirrored
from ballistics.impressions.octaves import Octaves
from ballistics.impressions.registration import RegistrationSearch, register
from ballistics.impressions.similarity import similarity
from ballistics.surfaces.simulation.disturbances import mirror, rotate_surface
from ballistics.surfaces.surface import Mark

# Its fixture alone costs seconds.
pytestmark = pytest.mark.slow


def as_they_are(a: Mark, b: Mark) -> AsTheyAre:
    """How the marks agree as they are."""
    search = RegistrationSearch(a.heights_um, b.heights_um, a.spacing_um)
    direct = search.direct()
    assert direct is not None
    score = similarity(a.heights_um, b.heights_um, a.spacing_um, direct.pose).score
    return AsTheyAre(Octaves(a.heights_um, a.spacing_um), b.heights_um, search, direct, score)


def looked_at(a: Mark, b: Mark) -> tuple[float, MirroredAgreement | None]:
    """Similarity of the marks as they are, and what the mirror check says."""
    direct = as_they_are(a, b)
    return direct.score, check_mirrored(direct)


def negative(mark: Mark) -> Mark:
    """Return a mark with its heights inverted."""
    return replace(mark, heights_um=-mark.heights_um)


def inverted_heights(a: Mark, b: Mark) -> Finding | None:
    """Return what the check of inverted heights says."""
    return check_inverted(as_they_are(a, b))


@pytest.fixture(scope="module", params=["granular", "milled"])
def heads(request: pytest.FixtureRequest) -> list[Mark]:
    """Two firearms, two shots of the first."""
    return [head.mark for head in simulated_heads(request.param)]


def test_mirrored_marks_of_one_firearm_are_found(heads: list[Mark]) -> None:
    a, b, _ = heads
    straight, _ = looked_at(a, b)
    direct, found = looked_at(a, rotate_surface(mirror(b), 40.0))
    assert found is not None
    assert found.finding is not None
    assert direct + 100 < found.similarity.score
    assert (found.finding.code, found.finding.severity) == ("mirrored", "serious")
    assert found.similarity.score == pytest.approx(straight, rel=0.15)


def test_other_firearms_are_not_called_mirrored(heads: list[Mark]) -> None:
    a, _, other = heads
    _, found = looked_at(a, other)
    assert found is None or found.finding is None


def test_the_mirror_image_of_marks_that_agree_does_not_agree_better(heads: list[Mark]) -> None:
    a, b, _ = heads
    found = looked_at(a, b)[1]
    assert found is None or found.finding is None


@pytest.mark.slow
def test_compare_reports_a_mirrored_mark(heads: list[Mark]) -> None:
    a, b, other = heads
    image = mirror(b)
    found = compare(a, image)
    assert "mirrored" in {finding.code for finding in found.findings}
    assert found.similarity is not None
    assert found.similarity.score < compare(a, b).similarity.score  # type: ignore[union-attr]  # checked above
    assert "mirrored" not in {finding.code for finding in compare(a, other).findings}
    assert withholding(compare(a, negative(b)).findings) == ("inverted",)


@pytest.mark.parametrize("is_cast", [False, True])
def test_inverted_heights_of_one_firearm_are_found(heads: list[Mark], is_cast: bool) -> None:
    a, b, other = heads
    found = inverted_heights(a, negative(mirror(b) if is_cast else b))
    assert found is not None
    assert (found.code, found.severity) == ("inverted", "serious")
    assert ("and the mark mirrored" in found.message) is is_cast
    for straight in (b, other, negative(other)):
        assert inverted_heights(a, straight) is None


@pytest.mark.slow
@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("columns", fast_and_slow([413, 414], [411]))
def test_the_mirror_image_is_registered_as_if_it_were_given(heads: list[Mark], kept: bool, columns: int) -> None:
    a, b, _ = heads
    image = np.ascontiguousarray(mirror(rotate_surface(b, 70.0)).heights_um[:, 60 : 60 + columns])
    search = RegistrationSearch(a.heights_um, image, a.spacing_um, mirror_too=kept)
    first = search.direct()
    found = search.mirrored()
    given = register(a.heights_um, np.ascontiguousarray(np.fliplr(image)), a.spacing_um)
    assert first is not None
    assert found is not None
    assert given is not None
    # Lines can lock in one too far, as the blocks of the coarse level fall; never in the search that shares them alone.
    assert found.accf >= given.accf - 2e-3
    if found.accf > given.accf + 2e-3:
        return
    assert found.pose.theta_deg == pytest.approx(given.pose.theta_deg, abs=0.1)
    assert (found.pose.dx_um, found.pose.dy_um) == pytest.approx((given.pose.dx_um, given.pose.dy_um), abs=4.0)


def test_a_mirror_image_that_agrees_less_on_the_coarse_level_is_not_followed(heads: list[Mark]) -> None:
    a, b, _ = heads
    assert RegistrationSearch(a.heights_um, b.heights_um, a.spacing_um).mirrored(0.9) is None
