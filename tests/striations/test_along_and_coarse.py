"""Where two marks agree along their striae, and coarse lines counted apart from fine ones."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from conftest import data_folder

from ballistics.errors import ParameterError
from ballistics.striations import (
    AgreementMap,
    AlongParameters,
    Land,
    Signature,
    agreement_map,
    coarse_lines,
    compare_signatures,
    land_of,
    similarity,
)
from ballistics.surfaces import LandShot, LandSource, read, simulate_land


@cache
def land(bullet: int, number: int) -> Land:
    return land_of(read(data_folder("bullets/hamby44-barrel1") / f"Barrel_1-Bullet_{bullet}-Land_{number}.x3p"))


def mapped(a: Land, b: Signature) -> AgreementMap:
    found = similarity(a.signature, b)
    assert a.patch is not None
    assert found.placement is not None
    return agreement_map(a.patch, a.signature, b, found.placement)


@pytest.mark.slow
def test_lands_of_one_source_agree_in_many_windows_others_in_few() -> None:
    # Lands 1 and 5, 2 and 6, 3 and 1 were engraved by the same.
    same = [mapped(land(1, k), land(2, m).signature).share for k, m in ((1, 5), (2, 6), (3, 1))]
    others = [mapped(land(1, k), land(2, m).signature).share for k, m in ((1, 4), (2, 3), (3, 6))]
    assert min(same) > 0.5
    assert max(others) < 0.2


@pytest.mark.slow
def test_the_map_shows_where_along_the_striae_a_damaged_land_agrees() -> None:
    source = LandSource(1)
    whole = land_of(simulate_land(source, LandShot(2, own_share=0.2, slippage_um=0.0, contact=1.0), 0).surface)
    scan = simulate_land(source, LandShot(3, own_share=0.2, slippage_um=0.0, contact=1.0), 0, length_um=800.0).surface
    heights = scan.heights_um.copy()
    # The lower half bears the striae of another source.
    other = simulate_land(LandSource(9), LandShot(3, slippage_um=0.0, contact=1.0), 0, length_um=800.0).surface
    columns = min(heights.shape[1], other.heights_um.shape[1])
    heights[256:, :columns] = other.heights_um[256:, :columns]
    mixed = land_of(replace(scan, heights_um=heights))
    assert mixed.patch is not None
    # The alignment keeps the half that agrees with itself best; the map tells which half is the other mark's.
    patch = replace(
        mixed.patch,
        heights_um=np.asarray(land_of(scan).patch.heights_um),  # type: ignore[union-attr]
    )
    good = agreement_map(patch, land_of(scan).signature, whole.signature, _placed(land_of(scan), whole))
    assert good.share > 0.5
    half = replace(patch, heights_um=patch.heights_um.copy(), mask=land_of(scan).patch.mask)  # type: ignore[union-attr]
    half.heights_um[256:] = np.roll(half.heights_um[256:], 97, axis=1)
    found = agreement_map(half, land_of(scan).signature, whole.signature, _placed(land_of(scan), whole))
    upper, lower = found.along[:6], found.along[7:]
    assert np.nanmean(upper) > 0.5
    assert np.nanmean(lower) < 0.15


def _placed(a: Land, b: Land):  # type: ignore[no-untyped-def]
    found = similarity(a.signature, b.signature)
    assert found.placement is not None
    return found.placement


def test_marks_of_different_spacing_have_a_map() -> None:
    source = LandSource(4)
    fine = land_of(simulate_land(source, LandShot(5, own_share=0.2), 0).surface)
    rough = land_of(simulate_land(source, LandShot(6, own_share=0.2), 0, spacing_um=3.1).surface)
    assert mapped(fine, rough.signature).share > 0.4
    assert mapped(rough, fine.signature).share > 0.4
    with pytest.raises(ParameterError, match="window"):
        AlongParameters(step_um=0.0)
    with pytest.raises(ParameterError, match="chance"):
        AlongParameters(chance=0.7)


@pytest.mark.slow
def test_coarse_lines_alone_are_said_and_counted_apart() -> None:
    def signature(seed: int, shot: int, number: int) -> Signature:
        source = LandSource(seed, 77, own_um=0.5, shared_um=1.5)
        return land_of(simulate_land(source, LandShot(shot, own_share=0.3), number).surface).signature

    said = []
    for number in range(4):
        first, again, neighbour = signature(1, 11, number), signature(1, 12, number), signature(2, 21, number)
        found = compare_signatures(first, neighbour)
        said.append("coarse-lines-only" in [f.code for f in found.findings])
        assert found.coarse is not None
        assert found.coarse.alone == said[-1]
        assert "coarse-lines-only" not in [f.code for f in compare_signatures(first, again).findings]
        other = compare_signatures(first, signature(3, 31, number + 1))
        assert "coarse-lines-only" not in [f.code for f in other.findings]
    assert sum(said) >= 3


def test_coarse_lines_are_the_same_whichever_way_they_are_asked_for() -> None:
    a, b = land(1, 1).signature, land(2, 5).signature
    found = coarse_lines(a, b)
    assert found is not None
    assert not found.alone
    for x, y in ((b, a), (a.reversed(), b.reversed()), (b.reversed(), a.reversed())):
        again = coarse_lines(x, y)
        assert again is not None
        assert (again.coarse.score, again.fine_evidence, again.fine_points) == (
            found.coarse.score, found.fine_evidence, found.fine_points
        )  # fmt: skip


def test_marks_without_coarse_octaves_have_no_coarse_lines() -> None:
    rng = np.random.default_rng(1)
    short = Signature(rng.normal(size=100), 1.5625)
    assert coarse_lines(short, short) is None
