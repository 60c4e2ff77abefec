"""Every number between a scan and a score of striae is a parameter: set by its name, it changes something."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from conftest import data_folder
from scipy.ndimage import gaussian_filter1d

from ballistics.errors import ParameterError
from ballistics.methods import Striated, method_of
from ballistics.settings import numbers
from ballistics.striations import (
    ArcParameters,
    CoarseParameters,
    DirectionParameters,
    LandParameters,
    ShearParameters,
    ShoulderParameters,
    Signature,
    StriatedMarkParameters,
    coarse_lines,
    find_ends,
    find_sheared_area,
    stria_directions,
)
from ballistics.surfaces import read


def names(kind: type) -> list[str]:
    return [field.name for field in fields(kind)]


def changed(parameters: Any, name: str) -> list[Any]:
    """Return the parameters with one of them smaller, and larger, as far as it may be."""
    usual = getattr(parameters, name)
    given = []
    for factor in (0.1, 0.34, 0.8, 1.9, 3, 10, 100):
        try:
            given.append(replace(parameters, **{name: type(usual)(usual * factor)}))
        except ParameterError:
            continue
    return [other for other in given if getattr(other, name) != usual]


def tells(answer: Callable[[Any], Any], usual: Any, name: str) -> bool:
    """Return whether another value of one number gives another answer."""
    before = answer(usual)
    return any(answer(other) != before for other in changed(usual, name))


# How far a profile goes on beyond a foot, the slope there, noise, and how far below the arc the foot lies.
_ENDS = [(200, 0.3, 0.1, 20.0), (200, 0.5, 1.0, 6.0), (12, 0.3, 0.1, 0.0), (30, 0.3, 0.1, 0.0), (200, 0.6, 0.1, 18.0)]


@pytest.fixture(scope="module")
def profiles() -> list[tuple[np.ndarray, np.ndarray]]:
    """Arcs with striae and a scratch that end at deep and at short shoulders, one with a gap beside its foot."""
    rng = np.random.default_rng(1)
    made = []
    for k, (beyond, slope, noise, deep) in enumerate(_ENDS):
        x = np.arange(0.0, 2000.0 + beyond, 3.0)
        z = -((x - 1100.0) ** 2) / 9000.0 + rng.normal(size=len(x)) * noise
        z[x > 2000.0] = z[x <= 2000.0][-1] + slope * (x[x > 2000.0] - 2000.0) - deep
        z[(x > 600.0) & (x < 640.0)] -= 9.0
        z += (k == 0) * 5.0 * np.sin(x / 30.0) * (x < 1850.0)
        there = ~((x > 2018.0) & (x < 2056.0)) if k == 1 else np.ones(len(x), np.bool_)
        made.append((x[there], z[there]))
    # Beyond this foot the profile comes back to a little above the arc.
    x = np.arange(0.0, 2200.0, 3.0)
    arc = -((x - 1100.0) ** 2) / 9000.0
    made.append((x, np.where(x > 2100.0, arc + 1.5, np.where(x > 2000.0, arc[x <= 2000.0][-1], arc))))
    return made


@pytest.mark.parametrize("name", names(ShoulderParameters))
def test_of_the_shoulders(profiles, name) -> None:
    # After several rounds it no longer matters where the first began.
    usual = ShoulderParameters(rounds=1 if name == "beside_middle" else 3)
    assert tells(lambda p: [repr(find_ends(x, z, 3.0, p)) for x, z in profiles], usual, name)


@pytest.mark.parametrize("name", names(ArcParameters))
def test_of_the_arc(profiles, name) -> None:
    level = [(x[:200], -((x[:200] - 300.0) ** 2) / 9000.0) for x, _ in profiles[:1]]
    few = [(x[:31], z[:31]) for x, z in level]
    given = [*profiles, *level, *few]
    assert tells(lambda p: [repr(find_ends(x, z, 3.0, None, p)) for x, z in given], ArcParameters(), name)


@pytest.mark.parametrize("name", names(DirectionParameters))
def test_of_the_direction(name) -> None:
    rng = np.random.default_rng(2)
    y, x = np.mgrid[:90, :90] * 5.0
    heights = np.sin((x + 0.3 * y) / 15.0) + rng.normal(size=x.shape) * 0.6 + np.sin(y / 60.0) * 4.0
    heights[:, 50:] = np.sin((x + 0.8 * y) / 15.0)[:, 50:]
    heights[:, 60:62] += 8.0

    def answer(p: DirectionParameters) -> Any:
        found = stria_directions(heights, (5.0, 5.0), (15.0, 1000.0), p)
        assert found is not None
        return found.direction_deg, found.share, np.nansum(found.coherence)

    if name == "least_coherence":
        assert answer(DirectionParameters()) != answer(DirectionParameters(least_coherence=0.9))
    else:
        assert tells(answer, DirectionParameters(), name)


@pytest.fixture(scope="module")
def coarse_pair() -> tuple[Signature, Signature]:
    """Two signatures that share coarse lines, and fine ones 30 µm beside the coarse ones."""
    rng = np.random.default_rng(3)
    coarse = gaussian_filter1d(rng.normal(size=1400), 18) * 12.0
    fine = gaussian_filter1d(rng.normal(size=1400), 3)
    a = coarse + fine + 0.2 * rng.normal(size=1400)
    b = coarse + np.roll(fine, 19) + 0.2 * rng.normal(size=1400)
    return Signature(a, 1.5625), Signature(b, 1.5625)


@pytest.mark.parametrize("name", ["coarse_um", "fine_um", "step_um", "near_um"])
def test_of_the_places_of_coarse_lines(coarse_pair, name) -> None:
    def answer(p: CoarseParameters) -> Any:
        found = coarse_lines(*coarse_pair, None, p)
        return found and (found.coarse.score, found.fine_evidence, found.fine_points)

    assert tells(answer, CoarseParameters(), name)


@pytest.mark.parametrize("name", ["coarse_nats", "share", "fewest_fine", "chance_sigmas", "chance_nats"])
def test_of_the_verdict_on_coarse_lines(coarse_pair, name) -> None:
    found = coarse_lines(*coarse_pair)
    assert found is not None

    def answer(p: CoarseParameters) -> Any:
        return [
            replace(found, parameters=p, fine_evidence=evidence, fine_points=points, coarse=coarse).alone
            for evidence in (0.0, 3.0, 5.0, 7.0, 12.0, 40.0, 160.0)
            for points in (40.0, 100.0, 400.0)
            for coarse in (found.coarse, replace(found.coarse, score=9.0))
        ]

    assert tells(answer, CoarseParameters(), name)


@pytest.mark.slow
@pytest.mark.parametrize("name", names(ShearParameters))
def test_of_the_sheared_area(name) -> None:
    head = read(data_folder("breech-faces/raw") / "K013sA1.x3p", units="micrometres")
    assert tells(lambda p: find_sheared_area(head, p).mask.tobytes(), ShearParameters(), name)


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("land engraved area", ("preparation.shoulders.reach_um", "preparation.arc.points", "coarse.share")),
        ("tool mark", ("preparation.directions.around_um", "preparation.slant_deg", "coarse.near_um")),
        ("aperture shear", ("preparation.shear.least_height_um", "preparation.bands_needed")),
    ],
)
def test_numbers_are_set_by_name_and_stand_in_the_provenance(kind, names) -> None:
    method = method_of(kind)
    assert isinstance(method, Striated)
    usual = method.parameters()
    assert usual is not None
    known = dict(numbers(usual.preparation, "preparation.")) | dict(numbers(usual.comparison))
    for name in names:
        other = method.parameters(settings={name: str(known[name] * 2)})
        prepared, compared = method.preparation(other), method.comparison(other)
        stated = prepared if name.startswith("preparation.") else compared
        value: Any = stated.parameters
        for part in name.removeprefix("preparation.").split("."):
            value = value[part]
        assert value == known[name] * 2


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: ShoulderParameters(rounds=0),
        lambda: ArcParameters(fewest_points=2),
        lambda: ArcParameters(smallest_sigma_um=0.0),
        lambda: DirectionParameters(around_um=0.0),
        lambda: DirectionParameters(least_coherence=1.0),
        lambda: ShearParameters(steepest_deg=90.0),
        lambda: ShearParameters(beside_wall_um=-1.0),
        lambda: CoarseParameters(coarse_um=30.0),
        lambda: CoarseParameters(step_um=0.0),
        lambda: LandParameters(fewest_bands=0),
        lambda: StriatedMarkParameters(bands_needed=0),
    ],
)
def test_what_makes_no_sense_is_refused(wrong) -> None:
    with pytest.raises(ParameterError):
        wrong()
