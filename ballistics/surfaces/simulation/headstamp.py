"""Head stamp of simulated cartridge cases: strokes like letters on a ring round the primer."""

from __future__ import annotations

import numpy as np

from ballistics.surfaces.simulation.fields import Floats, generator
from ballistics.surfaces.simulation.parameters import PRIMER_RADIUS_UM, Shot

_PLACES = 12  # glyphs and gaps round the ring
_RING_UM = 1350.0  # from the primer's edge to the middle of the letters
_LETTER_UM = (800.0, 560.0)  # height and width


def head_stamp_depth(shot: Shot, y_um: Floats, x_um: Floats) -> Floats:
    """Return how deep the head stamp is at positions relative to the primer's centre.

    Parameters
    ----------
    shot : Shot
        Its ammunition's seed gives the letters, its ``head_turn_deg`` turns them.
    y_um, x_um : ndarray of float64, shape (n,)
        Positions in µm.

    Returns
    -------
    ndarray of float64, shape (n,)
        Depth in µm, 0 beside the strokes.
    """
    rng = generator(shot.ammunition.seed, "head stamp")
    depth_um, half_width_um = rng.uniform(40.0, 80.0), rng.uniform(65.0, 95.0)
    ring = PRIMER_RADIUS_UM[shot.ammunition.primer] + _RING_UM
    clearance = np.full(y_um.shape, np.inf)
    for place in range(_PLACES):
        written = rng.random() < 0.8
        # Corners and middles of the letter's box, visited in a random order: strokes like L, V, N, Z.
        corners = rng.permutation(6)[: rng.integers(3, 6)]
        if not written:
            continue
        angle = np.deg2rad(shot.head_turn_deg + 360.0 * place / _PLACES)
        # In letter coordinates v points outward (the top of the letter) and u to its right.
        v = x_um * np.cos(angle) - y_um * np.sin(angle) - ring
        u = x_um * np.sin(angle) + y_um * np.cos(angle)
        reach = half_width_um
        near = np.flatnonzero((np.abs(v) < 0.5 * _LETTER_UM[0] + reach) & (np.abs(u) < 0.5 * _LETTER_UM[1] + reach))
        if near.size == 0:
            continue
        u, v = u[near], v[near]
        nodes_u = (corners % 2 - 0.5) * _LETTER_UM[1]
        nodes_v = (corners // 2 - 1.0) * 0.5 * _LETTER_UM[0]
        for i in range(corners.size - 1):
            distance = _to_segment(u, v, nodes_u[i], nodes_v[i], nodes_u[i + 1], nodes_v[i + 1])
            clearance[near] = np.minimum(clearance[near], distance)
    t = np.clip((half_width_um - clearance) / (0.5 * half_width_um), 0.0, 1.0)
    return np.asarray(depth_um * t * t * (3.0 - 2.0 * t), dtype=np.float64)


def _to_segment(u: Floats, v: Floats, u0: float, v0: float, u1: float, v1: float) -> Floats:
    """Distance of points to a straight stroke."""
    du, dv = u1 - u0, v1 - v0
    t = np.clip(((u - u0) * du + (v - v0) * dv) / (du * du + dv * dv), 0.0, 1.0)
    return np.hypot(u - u0 - t * du, v - v0 - t * dv)
