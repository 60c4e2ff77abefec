"""Simulated firing-pin tips: what a pin's own surface adds to the floor of its impression."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ballistics.surfaces.simulation.fields import Canvas, Floats, generator, red_field, red_profile
from ballistics.surfaces.simulation.parameters import Firearm, Shot

_SPACING_UM = 1.5  # 1.62 mm in all: wider than any pin
_RING_UM = 4.0
_RING_POINTS = 1600
_RINGS_RMS_UM = 0.8
_CONTACT_SPACING_UM = 8.0
_CONTACT_POINTS = 216


@dataclass(frozen=True, eq=False)
class PinTip:
    """The relief of one firearm's firing-pin tip, in µm.

    Parameters
    ----------
    rings : ndarray of float64, shape (n,)
        Turning marks by distance from the middle.
    grain : Canvas
        Irregular structure: wear, nicks, the blasted or hardened surface.
    """

    rings: Floats
    grain: Canvas


@dataclass(frozen=True, eq=False)
class PinContact:
    """How one primer took the tip's relief.

    Parameters
    ----------
    contact : Canvas
        Where it is above ``threshold``, the primer touched the tip.
    threshold : float
    texture : Canvas
        The stretched metal's own texture, of unit rms.
    """

    contact: Canvas
    threshold: float
    texture: Canvas


def pin_tip(firearm: Firearm) -> PinTip:
    """Return the relief of a firearm's firing-pin tip."""
    rng = generator(firearm.seed, "firing pin")
    grain = red_field(rng, 4.0, 110.0, 1.2, spacing_um=_SPACING_UM)
    return PinTip(
        _RINGS_RMS_UM * red_profile(generator(firearm.seed, "pin rings"), _RING_POINTS, _RING_UM, 25.0, 150.0),
        Canvas(grain * np.float32(firearm.pin_rms_um), _SPACING_UM),
    )


def pin_contact(shot: Shot) -> PinContact:
    """Return how the primer of one shot took the tip: the share `Shot.contact` of it, in soft patches."""
    rng = generator(shot.seed, "pin surface")
    texture = red_field(rng, 4.0, 80.0, 1.0, spacing_um=_SPACING_UM)
    patches = red_field(rng, 60.0, 500.0, 1.0, _CONTACT_POINTS, _CONTACT_SPACING_UM)
    return PinContact(
        Canvas(patches, _CONTACT_SPACING_UM),
        float(np.quantile(patches, 1.0 - shot.contact)),
        Canvas(texture, _SPACING_UM),
    )


def tip_relief(shot: Shot, tip: PinTip, surface: PinContact, y_um: Floats, x_um: Floats, ring_um: Floats) -> Floats:
    """Return what the tip adds to the floor of the impression.

    Parameters
    ----------
    shot : Shot
        Its ammunition says how readily it takes marks and how rough it is.
    tip : PinTip
    surface : PinContact
    y_um, x_um : ndarray of float64, shape (n,)
        Positions from the middle of the tip, along its axes.
    ring_um : ndarray of float64, shape (n,)
        Distance from the middle, counted along the tip's own form.

    Returns
    -------
    ndarray of float64, shape (n,)
        Heights in µm: the tip's negative where it touched, and the metal's own texture, weaker there.
    """
    excess = (surface.contact.at(y_um, x_um) - surface.threshold) / 0.12
    contact = 0.5 + 0.5 * np.tanh(0.5 * excess)
    index = ring_um / _RING_UM + _RING_POINTS // 2
    pressed = np.interp(index, np.arange(_RING_POINTS), tip.rings) + tip.grain.at(y_um, x_um)
    texture = shot.ammunition.texture_um * surface.texture.at(y_um, x_um)
    return np.asarray((1.0 - 0.5 * contact) * texture - shot.ammunition.impressibility * contact * pressed)
