"""The relief of a simulated cartridge-case head as a function of the position in the firearm frame."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ballistics.surfaces.simulation.breech_faces import breech_face_canvas
from ballistics.surfaces.simulation.face import made_face, pressed_face
from ballistics.surfaces.simulation.fields import Canvas, Floats, generator, red_field, red_profile
from ballistics.surfaces.simulation.firing_pins import PinTip, pin_contact, pin_tip, tip_relief
from ballistics.surfaces.simulation.headstamp import head_stamp_depth
from ballistics.surfaces.simulation.parameters import PRIMER_RADIUS_UM, Firearm, Shot

_CHAMFER_UM = 320.0  # from the primer's edge to where the case head is flat
_GAP_UM = 130.0  # the part of it that is counted as the gap
_LIP_UM = 25.0  # the lip of the aperture mark, outside its wall
_WALL_UM = 35.0  # width of the aperture mark's wall
_RIM_UM = 55.0  # decay length of the crater rim
_RIM_LABEL_UM = 90.0  # where the crater rim is counted as such: down to a fifth of its height
_SHEAR_HALF_ANGLE = np.deg2rad(55.0)
_STRIAE_REACH_UM = 150.0  # their decay length from the aperture's edge inwards
_STRIA_UM = 4.0
_STRIA_POINTS = 1600


class Label(IntEnum):
    """Values of the label map."""

    OUTSIDE = 0
    BREECH_FACE = 1
    FIRING_PIN = 2
    APERTURE = 3
    DRAG = 4
    PRIMER_EDGE = 5
    CASE_HEAD = 6


@dataclass(frozen=True, eq=False)
class _Marks:
    """The random functions that belong to one firearm."""

    breech_face: Canvas
    striae: Floats  # of the aperture's edge, in µm across the direction of shear
    pin: PinTip


@lru_cache(maxsize=2)
def _marks(firearm: Firearm) -> _Marks:
    # Cached because making the canvas costs more than drawing a shot with it, and shots come in rows.
    rng = generator(firearm.seed, "striae")
    face = breech_face_canvas(firearm.breech_face, firearm.seed, firearm.cutter_seed, firearm.breech_face_rms_um)
    return _Marks(
        made_face(firearm, face),
        red_profile(rng, _STRIA_POINTS, _STRIA_UM, 15.0, 250.0),
        pin_tip(firearm),
    )


@dataclass(frozen=True, eq=False)
class _ShotFields:
    """The random functions that belong to one shot."""

    texture: Canvas
    peel: Canvas
    contact: Canvas
    contact_threshold: float
    flat_phases: Floats


def _shot_fields(firearm: Firearm, shot: Shot) -> _ShotFields:
    rng = generator(shot.seed, "surface")
    texture = Canvas(red_field(rng, 18.0, 250.0, 1.1), 5.0)
    peel = Canvas(red_field(rng, 80.0, 300.0, 0.5, 270, 20.0), 20.0)
    patches = red_field(rng, 200.0, 1200.0, 1.0, 216, 25.0)
    # The threshold is taken over the annulus, so that the share holds there and not on average.
    line = (np.arange(216) - 108) * 25.0
    radius = np.hypot(line[:, None], line[None, :])
    annulus = (radius < shot.ammunition.flat_radius_um) & (radius > max(firearm.aperture_half_um))
    threshold = float(np.quantile(patches[annulus], 1.0 - shot.contact))
    return _ShotFields(texture, peel, Canvas(patches, 25.0), threshold, rng.uniform(0.0, 2.0 * np.pi, 3))


def relief(firearm: Firearm, shot: Shot, y_um: Floats, x_um: Floats) -> tuple[Floats, NDArray[np.uint8]]:
    """Return heights in µm over the case head, and labels, at positions in the firearm frame.

    Parameters
    ----------
    firearm, shot : Firearm, Shot
        What made the marks; pose and measurement of the shot have no part in it.
    y_um, x_um : ndarray of float64, shape (n, m)
        Positions in µm, y down and x to the right.

    Returns
    -------
    heights : ndarray of float64, shape (n, m)
    labels : ndarray of uint8, shape (n, m)
        Values of `Label`.
    """
    ammunition, fields = shot.ammunition, _shot_fields(firearm, shot)
    edge = PRIMER_RADIUS_UM[ammunition.primer]
    py, px = y_um - shot.primer_offset_um[0], x_um - shot.primer_offset_um[1]
    radius = np.hypot(py, px)
    heights = np.empty_like(radius)
    labels = np.full(radius.shape, Label.CASE_HEAD, dtype=np.uint8)
    labels[radius < edge + _GAP_UM] = Label.OUTSIDE

    primer = radius < edge
    case = ~primer
    heights[case] = _case_head(shot, fields, py[case], px[case], radius[case])
    heights[primer], labels[primer] = _primer(firearm, shot, fields, y_um[primer], x_um[primer])
    return heights, labels


def _case_head(shot: Shot, fields: _ShotFields, py: Floats, px: Floats, radius: Floats) -> Floats:
    edge = PRIMER_RADIUS_UM[shot.ammunition.primer]
    bottom = shot.ammunition.edge_depth_um - shot.ammunition.level_um
    inward = np.clip(1.0 - (radius - edge) / _CHAMFER_UM, 0.0, 1.0)
    heights = -bottom * (0.3 * inward + 0.7 * (1.0 - np.sqrt(1.0 - inward * inward)))
    heights += 0.9 * fields.texture.at(py, px) + 0.8 * fields.peel.at(py, px)
    return heights - head_stamp_depth(shot, py, px)


def _primer(
    firearm: Firearm, shot: Shot, fields: _ShotFields, y: Floats, x: Floats
) -> tuple[Floats, NDArray[np.uint8]]:
    """The primer cup: its form, its texture, and every mark on it (all arrays 1-D)."""
    ammunition, marks = shot.ammunition, _marks(firearm)
    edge = PRIMER_RADIUS_UM[ammunition.primer]
    py, px = y - shot.primer_offset_um[0], x - shot.primer_offset_um[1]
    radius = np.hypot(py, px)
    angle = np.arctan2(-py, px)
    a, b, c = fields.flat_phases
    border = ammunition.flat_radius_um * (
        1.0 + 0.008 * np.cos(angle + a) + 0.005 * np.cos(2.0 * angle + b) + 0.003 * np.cos(5.0 * angle + c)
    )
    rolled = np.clip((radius - border) / (edge - border), 0.0, 1.0)
    # The flat ends in a kink where the breech face stopped pressing, then the cup's own roll goes on.
    form = ammunition.level_um - ammunition.edge_depth_um * (
        0.35 * rolled + 0.65 * (1.0 - np.sqrt(1.0 - rolled * rolled))
    )
    form -= ammunition.dome_um * np.minimum(radius / border, 1.0) ** 2
    labels = np.where(radius < border, Label.BREECH_FACE, Label.PRIMER_EDGE).astype(np.uint8)
    texture = ammunition.texture_um * fields.texture.at(y, x)

    heights = form.copy()
    flat = radius < border
    face = pressed_face(firearm, shot, marks.breech_face)
    heights[flat] += _impression(shot, fields, face, y[flat], x[flat], texture[flat])
    rest = ~flat
    peel = 4.0 * np.minimum(4.0 * rolled[rest], 1.0) * fields.peel.at(y[rest], x[rest])
    heights[rest] += peel + texture[rest]

    near = np.hypot(y, x) < max(firearm.aperture_half_um) * 1.5 + shot.shear_um + shot.drag_um + 200.0
    inner = (heights[near], labels[near], form[near], texture[near])
    heights[near], labels[near] = _aperture(firearm, shot, marks, y[near], x[near], *inner)
    heights[near], labels[near] = _firing_pin(firearm, shot, marks, y[near], x[near], heights[near], labels[near])
    return heights, labels


def _impression(shot: Shot, fields: _ShotFields, face: Canvas, y: Floats, x: Floats, texture: Floats) -> Floats:
    """The breech face's negative where it touched the primer, else the primer's own texture."""
    excess = (fields.contact.at(y, x) - fields.contact_threshold) / 0.12
    contact = 0.5 + 0.5 * np.tanh(0.5 * excess)
    taken = shot.ammunition.impressibility * contact
    return -taken * face.at(y, x) + (1.0 - 0.5 * contact) * texture


def _aperture(
    firearm: Firearm,
    shot: Shot,
    marks: _Marks,
    y: Floats,
    x: Floats,
    heights: Floats,
    labels: NDArray[np.uint8],
    form: Floats,
    texture: Floats,
) -> tuple[Floats, NDArray[np.uint8]]:
    """Primer flowed back into the aperture, the lip round it, and the area sheared beside it."""
    cy, cx = firearm.aperture_centre_um
    u, v = _turned(y - cy, x - cx, firearm.aperture_turn_deg)
    half_y, half_x = firearm.aperture_half_um
    corner = half_x if firearm.aperture == "round" else 120.0
    over_y, over_x = np.abs(u) - half_y + corner, np.abs(v) - half_x + corner
    outside = np.hypot(np.maximum(over_y, 0.0), np.maximum(over_x, 0.0))
    distance = outside + np.minimum(np.maximum(over_y, over_x), 0.0) - corner

    down, right = _direction(firearm.drag_direction_deg)
    toward = (y - cy) * down + (x - cx) * right
    across = (y - cy) * right - (x - cx) * down
    striae = _profile(marks.striae, across)

    step = _smooth_step(-distance / _WALL_UM)
    plateau = form + shot.flow_um * (1.0 - 0.25 * toward / half_y)
    # The aperture's edge draws the striae, so that the middle, where the pin strikes, has none.
    drawn = np.exp(np.minimum(distance, 0.0) / _STRIAE_REACH_UM)
    plateau += texture + (1.5 if shot.shear_um > 0.0 else 0.4) * drawn * striae
    heights = heights + step * (plateau - heights)
    # The metal that flowed into the aperture was drawn from beside it: a moat.
    heights -= 0.12 * shot.flow_um * np.exp(-np.maximum(distance, 0.0) / 40.0) * (1.0 - step)
    labels = np.where(distance < _LIP_UM, Label.APERTURE, labels).astype(np.uint8)

    if shot.shear_um > 0.0:
        cosine = toward / np.maximum(np.hypot(y - cy, x - cx), 1.0)
        limit = np.cos(_SHEAR_HALF_ANGLE)
        reach = shot.shear_um * np.clip((cosine - limit) / (1.0 - limit), 0.0, 1.0)
        sheared = (distance >= 0.0) & (distance < reach)
        part = distance[sheared] / reach[sheared]
        smear = form[sheared] + (0.6 - 0.35 * part) * shot.flow_um + 1.5 * striae[sheared]
        heights[sheared] = smear + texture[sheared]
        labels[sheared & (labels != Label.PRIMER_EDGE)] = Label.DRAG
    return heights, labels


def _firing_pin(
    firearm: Firearm,
    shot: Shot,
    marks: _Marks,
    y: Floats,
    x: Floats,
    heights: Floats,
    labels: NDArray[np.uint8],
) -> tuple[Floats, NDArray[np.uint8]]:
    """The firing-pin impression, its crater rim, the marks of the tip, and the drag mark."""
    depth = firearm.pin_depth_um * shot.pin_depth_ratio
    scale = shot.pin_depth_ratio**0.35
    half = (firearm.pin_half_um[0] * scale, firearm.pin_half_um[1] * scale)
    mean_half = 0.5 * (half[0] + half[1])
    cy, cx = firearm.pin_centre_um
    u, v = pin_y, pin_x = _turned(y - cy, x - cx, firearm.aperture_turn_deg)
    q = _footprint(firearm, u / half[0], v / half[1])
    bowl = depth * _bowl(firearm, q)
    rim_distance = np.abs(q - 1.0) * mean_half
    beyond = q - 1.0
    drag = np.zeros(q.shape, dtype=bool)
    if shot.drag_um > 0.0:
        down, right = _direction(firearm.drag_direction_deg)
        u, v = _turned(y - cy - down * shot.drag_um, x - cx - right * shot.drag_um, firearm.aperture_turn_deg)
        q_drag = _footprint(firearm, u / (0.8 * half[0]), v / (0.8 * half[1]))
        bowl = np.maximum(bowl, 0.4 * depth * _bowl(firearm, q_drag))
        drag = (q_drag < 1.0) & (q >= 1.0)
        beyond = np.minimum(beyond, 0.8 * (q_drag - 1.0))
        rim_distance = np.abs(beyond) * mean_half
    tip = q < 1.0
    rim = shot.rim_um * np.exp(-rim_distance / _RIM_UM)
    heights = heights + rim - bowl
    heights[tip] += tip_relief(shot, marks.pin, pin_contact(shot), pin_y[tip], pin_x[tip], q[tip] * mean_half)
    labels = np.where((beyond >= 0.0) & (beyond * mean_half < _RIM_LABEL_UM), Label.APERTURE, labels)
    labels[drag] = Label.DRAG
    labels[tip] = Label.FIRING_PIN
    return heights, labels.astype(np.uint8)


def _footprint(firearm: Firearm, u: Floats, v: Floats) -> Floats:
    """Distance from the centre in units of the impression's border."""
    if firearm.firing_pin == "rectangular":
        return np.asarray((u**6 + v**6) ** (1.0 / 6.0), dtype=np.float64)
    return np.hypot(u, v)


def _bowl(firearm: Firearm, q: Floats) -> Floats:
    """Depth over the greatest depth: the blunter the tip, the flatter the floor."""
    power = {"hemispherical": 0.85, "elliptical": 0.65, "rectangular": 0.45}[firearm.firing_pin]
    return np.asarray(np.maximum(1.0 - q * q, 0.0) ** power, dtype=np.float64)


def _direction(angle_deg: float) -> tuple[float, float]:
    """Unit vector (y, x) of an angle counted counter-clockwise from right as displayed."""
    angle = np.deg2rad(angle_deg)
    return -float(np.sin(angle)), float(np.cos(angle))


def _turned(y: Floats, x: Floats, angle_deg: float) -> tuple[Floats, Floats]:
    """Coordinates along the axes of a thing that is turned counter-clockwise by the angle."""
    angle = np.deg2rad(angle_deg)
    return y * np.cos(angle) + x * np.sin(angle), x * np.cos(angle) - y * np.sin(angle)


def _profile(profile: Floats, position_um: Floats) -> Floats:
    index = position_um / _STRIA_UM + profile.size // 2
    return np.interp(index, np.arange(profile.size), profile)


def _smooth_step(t: Floats) -> Floats:
    t = np.clip(t, 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)
