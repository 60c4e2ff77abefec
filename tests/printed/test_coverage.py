"""Two surfaces at a pose: coverage at several poses, and registration of poses that are a little off."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from ballistics.printed.content.part import Part
from ballistics.printed.describe.cloud import Cloud, moved
from ballistics.printed.describe.query import cloud_of
from ballistics.printed.describe.signature import signature_of
from ballistics.printed.identify.coverage import coverages, covered
from ballistics.printed.identify.placement import refine
from reference_meshes.disturbances import cut
from reference_meshes.solids import Mesh, solid


def cloud(mesh: Mesh) -> Cloud:
    return cloud_of(signature_of(Part(mesh.vertices, mesh.faces)))


@pytest.fixture(scope="module")
def whole() -> Cloud:
    return cloud(solid(80_002))


@pytest.fixture(scope="module")
def half() -> Cloud:
    return cloud(cut(solid(80_002), 0.5, np.random.Generator(np.random.PCG64(3))))


def off(size: float, share: float) -> np.ndarray:
    pose = np.eye(4)
    pose[:3, :3] = (1.0 + share) * Rotation.from_rotvec([share, -share, 2 * share]).as_matrix()
    pose[:3, 3] = share * size * np.array([0.5, -0.3, 0.4])
    return pose


def test_coverage_at_several_poses_is_that_at_each(whole: Cloud, half: Cloud):
    mirrored = np.diag([-1.0, 1.0, 1.0, 1.0])
    poses = np.stack([np.eye(4), off(whole.size, 0.02), mirrored, off(whole.size, 10.0)])
    found = np.transpose(coverages(half, whole, poses))
    for pose, own in zip(poses, found, strict=True):
        alone = covered(half, whole, pose)
        assert own.tolist() == [alone.coverage, alone.query_shares[-1], alone.reference_shares[-1]]
    assert found[0, 0] > 0.6
    assert found[0, 1] > 0.9
    assert 0.4 < found[0, 2] < 0.65
    assert (np.diff(found[[0, 1, 3]], axis=0) < 0).all()
    assert found[3].tolist() == [0.0, 0.0, 0.0]


def test_a_rough_pose_of_a_half_is_settled_by_few_points_and_rounds(whole: Cloud, half: Cloud):
    pose = off(whole.size, 0.02)
    settled = refine(half.beginning(300), whole, pose, 4)
    before, after = (np.linalg.norm(moved(half.points, p) - half.points, axis=1).mean() for p in (pose, settled))
    assert after < 0.25 * before
    assert settled[3].tolist() == [0.0, 0.0, 0.0, 1.0]
    assert coverages(half, whole, settled[None])[0] > coverages(half, whole, pose[None])[0]


def test_registration_stops_where_too_little_is_near(whole: Cloud, half: Cloud):
    pose = off(whole.size, 10.0)
    assert (refine(half, whole, pose) == pose).all()
