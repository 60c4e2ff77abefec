"""The breech face as one primer of a simulated shot meets it: bare, worn, fouled, lightly pressed, dragged along."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from ballistics.surfaces.simulation.breech_faces import breech_face_canvas
from ballistics.surfaces.simulation.fields import (
    CANVAS_POINTS,
    CANVAS_SPACING_UM,
    Canvas,
    generator,
    red_field,
    red_profile,
)
from ballistics.surfaces.simulation.parameters import Firearm, Shot

Field = NDArray[np.float32]

_SMOOTH = 1.0 / 6.0  # relief of bare patches over that of the others
_FOULED = 0.3  # share of the face that bears residue
_RING_SPACING_UM = 4.0
_RING_POINTS = 2048  # 4.1 mm to either side


def made_face(firearm: Firearm, face: Canvas) -> Canvas:
    """Return a firearm's face with its bare patches and the form that its make has in common.

    Parameters
    ----------
    firearm : Firearm
        Its ``bare_share``, ``make_seed`` and ``make_um``; where they are 0, the face comes back as it is.
    face : Canvas
        Relief of the finish, in µm.
    """
    relief = face.coefficients
    if firearm.bare_share > 0.0:
        relief = relief * (1.0 - (1.0 - _SMOOTH) * _patches(firearm.seed, "bare", firearm.bare_share, 250.0, 1200.0))
    if firearm.make_um > 0.0:
        line = (np.arange(CANVAS_POINTS) - CANVAS_POINTS // 2) * CANVAS_SPACING_UM
        radius = np.hypot(line[:, None], line[None, :])
        rings = red_profile(generator(firearm.make_seed, "make"), _RING_POINTS, _RING_SPACING_UM, 60.0, 400.0)
        relief = relief + firearm.make_um * np.interp(radius / _RING_SPACING_UM, np.arange(_RING_POINTS), rings)
    return face if relief is face.coefficients else Canvas(relief.astype(np.float32), face.spacing_um)


def pressed_face(firearm: Firearm, shot: Shot, face: Canvas) -> Canvas:
    """Return the relief that a shot's primer takes from its firearm's face, in µm, towards the primer.

    Use has changed the face (`Shot.wear_share`); residue lies on it (`Shot.residue_um`); the primer does not reach
    its lowest parts (`Shot.unpressed_share`, the bearing curve of ISO 21920-2); and while it is pressed it slides
    (`Shot.face_drag_um`), so that every point of the impression is the mean of the face along the way.

    Parameters
    ----------
    firearm : Firearm
        Seed, finish and direction of the drag.
    shot : Shot
        Where all four are 0, the face comes back as it is.
    face : Canvas
        From `made_face`.
    """
    relief = face.coefficients
    if shot.wear_share > 0.0:
        change = np.float32(np.sqrt(shot.wear_share) * relief.std(dtype=np.float64)) * _change(firearm)
        relief = np.float32(np.sqrt(1.0 - shot.wear_share)) * relief + change
    if shot.residue_um > 0.0:
        deposit = _patches(shot.seed, "residue", _FOULED, 60.0, 400.0)
        relief = relief + np.float32(shot.residue_um) * deposit
    if shot.unpressed_share > 0.0:
        relief = np.maximum(relief, np.float32(np.quantile(relief[::3, ::3], shot.unpressed_share)))
    if shot.face_drag_um > 0.0:
        relief = _dragged(relief, shot.face_drag_um, firearm.drag_direction_deg)
    return face if relief is face.coefficients else Canvas(np.asarray(relief, dtype=np.float32), face.spacing_um)


@lru_cache(maxsize=2)
def _change(firearm: Firearm) -> Field:
    """What use puts in the place of the face as new, of unit rms: granular, whatever the finish."""
    seed = int(generator(firearm.seed, "wear").integers(2**62))
    return breech_face_canvas("granular", seed, seed, 1.0).coefficients


def _patches(seed: int, purpose: str, share: float, short_um: float, long_um: float) -> Field:
    """Soft patches that cover a share of the face: 1 inside, 0 outside."""
    field = red_field(generator(seed, purpose), short_um, long_um, 1.0)
    excess = (field - np.float32(np.quantile(field[::3, ::3], 1.0 - share))) / np.float32(0.12)
    return np.asarray(0.5 + 0.5 * np.tanh(0.5 * excess), dtype=np.float32)


def _dragged(relief: Field, length_um: float, direction_deg: float) -> Field:
    """Return the mean of the relief over a way about each point, by its spectrum; the middle stays, and so the pose."""
    direction = np.deg2rad(direction_deg)
    fy = np.fft.fftfreq(relief.shape[0], CANVAS_SPACING_UM)[:, None]
    fx = np.fft.rfftfreq(relief.shape[1], CANVAS_SPACING_UM)[None, :]
    transfer = np.sinc(length_um * (fx * np.cos(direction) - fy * np.sin(direction)))
    spectrum = fft.rfft2(relief, workers=1) * transfer.astype(np.float32)
    return np.asarray(fft.irfft2(spectrum, s=relief.shape, workers=1), dtype=np.float32)
