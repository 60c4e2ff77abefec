"""Rough poses of a query on a reference: axes on axes, settled on few points, different from each other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ballistics.printed.content.part import Part
from ballistics.printed.describe.axes import axis_poses
from ballistics.printed.describe.cloud import Cloud, moved, scale_of
from ballistics.printed.describe.query import Query, cloud_of, query_of_sample
from ballistics.printed.describe.sampling import sample_surface
from ballistics.printed.describe.signature import signature_of
from ballistics.printed.identify.parameters import DEFAULT
from ballistics.printed.identify.placement import Proposal, RoughPose, propose_by_axes, propose_by_matches, settled
from ballistics.printed.identify.shortlist import Vote
from reference_meshes.disturbances import decimate, posed, similarity
from reference_meshes.solids import Mesh, solid

FEW_RADII, ALL_RADII = DEFAULT.both_radii


def cloud(mesh: Mesh) -> Cloud:
    return cloud_of(signature_of(Part(mesh.vertices, mesh.faces)))


def described(mesh: Mesh) -> Query:
    return query_of_sample(sample_surface(mesh.vertices, mesh.faces))


def off_by(points: np.ndarray, first: np.ndarray, other: np.ndarray) -> float:
    return float(np.linalg.norm(moved(points, first) - moved(points, other), axis=1).max())


@pytest.fixture(scope="module")
def reference() -> Cloud:
    return cloud(solid(80_002))


@pytest.mark.parametrize("mirrored", [False, True])
def test_axes_come_onto_axes_in_the_right_way(reference: Cloud, mirrored: bool):
    pose = similarity(np.random.Generator(np.random.PCG64(5)), True, mirrored, 30.0)
    moving = cloud(posed(solid(80_002), pose))
    poses = axis_poses(moving, reference)
    true = np.linalg.inv(pose)
    errors = [off_by(moving.points, each, true) / reference.size for each in poses]
    assert min(errors) < 0.03
    assert sum(error < 0.1 for error in errors) == 1
    assert sum(np.linalg.det(each[:3, :3]) < 0 for each in poses) == 24
    assert {round(scale_of(each) / scale_of(true), 2) for each in poses} == {1.0}


def test_a_coarse_copy_is_placed_by_its_axes(reference: Cloud):
    pose = similarity(np.random.Generator(np.random.PCG64(6)), True, False, 30.0)
    query = described(decimate(posed(solid(80_002), pose), 0.05))
    proposal = settled(query, reference, propose_by_axes(query, reference, 7))
    assert proposal.vote.reference == 7
    sizes = reference.size * scale_of(pose) / query.cloud.size
    # Radii are compared in whole steps.
    assert proposal.vote.step == pytest.approx(6.0 * np.log2(sizes), abs=1.0)
    assert off_by(query.cloud.points, proposal.poses[0].pose, np.linalg.inv(pose)) < 0.05 * reference.size


def test_poses_that_land_at_one_place_are_one(reference: Cloud):
    query = described(solid(80_002))
    turned = np.diag([-1.0, -1.0, 1.0, 1.0])
    turned[:3, 3] = 2 * reference.points.mean(axis=0) * [1, 1, 0]
    rough = []
    for pose in (np.eye(4), np.eye(4), turned):
        shifted = pose.copy()
        shifted[:3, 3] += 0.01 * reference.size * len(rough)
        rough.append(RoughPose(shifted, 0.0, 0.0, 1.0, 1.0))
    kept = settled(query, reference, Proposal(Vote(0, 0.0, 1.0), tuple(rough))).poses
    assert len(kept) == 2
    assert kept[0].covered > kept[1].covered
    assert off_by(query.cloud.points, kept[0].pose, np.eye(4)) < 0.01 * reference.size
    assert off_by(query.cloud.points, kept[1].pose, np.eye(4)) > 0.1 * reference.size


def test_the_smallest_equal_radii_are_matched(reference: Cloud):
    pose = similarity(np.random.Generator(np.random.PCG64(8)), False, True, 30.0)
    query = described(posed(solid(80_002), pose))
    signature = signature_of(Part(solid(80_002).vertices, solid(80_002).faces))

    def proposed(spoiled: list[int], *radii: int) -> Proposal | None:
        local = signature.local.copy()
        local[spoiled] = np.random.Generator(np.random.PCG64(9)).permutation(local[spoiled], axis=1)
        return propose_by_matches(query, replace(signature, local=local), reference, Vote(0, 0.0, 1.0), radii)

    for radii in ((FEW_RADII,), (ALL_RADII,), (FEW_RADII, ALL_RADII)):
        found = proposed([], *radii)
        assert found is not None
        found_pose = settled(query, reference, found).poses[0].pose
        assert off_by(query.cloud.points, found_pose, np.linalg.inv(pose)) < 0.01 * reference.size
    few, spoiled = proposed([], FEW_RADII), proposed([0, 1, 2, 3], FEW_RADII)
    assert few is not None
    assert spoiled is not None
    assert [each.followed for each in spoiled.poses] == [each.followed for each in few.poses]
    smallest_spoiled = proposed([4, 5], FEW_RADII)
    assert smallest_spoiled is None or smallest_spoiled.priority < few.priority - 3.0
    # With both numbers the poses of each compete.
    both, by_all = proposed([4, 5], FEW_RADII, ALL_RADII), proposed([4, 5], ALL_RADII)
    assert both is not None
    assert by_all is not None
    assert by_all.poses[0].covered in [each.covered for each in both.poses]


def test_no_equal_radii_no_proposal(reference: Cloud):
    query = described(solid(80_002))
    signature = signature_of(Part(solid(80_002).vertices, solid(80_002).faces))
    assert propose_by_matches(query, signature, reference, Vote(0, 40.0, 1.0), (FEW_RADII, ALL_RADII)) is None
