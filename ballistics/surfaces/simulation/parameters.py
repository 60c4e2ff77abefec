"""What a simulated scan depends on: firearm, ammunition, shot and pose, drawn from seeds."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

import numpy as np

from ballistics.errors import ParameterError
from ballistics.surfaces.pose import Pose
from ballistics.surfaces.simulation.breech_faces import BREECH_FACES, BreechFace
from ballistics.surfaces.simulation.fields import generator

FiringPin = Literal["hemispherical", "elliptical", "rectangular"]
Aperture = Literal["round", "rectangular"]
Primer = Literal["small pistol", "large pistol"]
FIRING_PINS: tuple[FiringPin, ...] = get_args(FiringPin)
APERTURES: tuple[Aperture, ...] = get_args(Aperture)

# Radius of the primer cup in µm: small 4.45 mm and large 5.33 mm in diameter (SAAMI Z299.3).
PRIMER_RADIUS_UM: dict[Primer, float] = {"small pistol": 2225.0, "large pistol": 2665.0}


_SHOT_RANGES = (
    ("contact", 0.0, 1.0),
    ("pin_depth_ratio", 0.2, 3.0),
    ("flow_um", 0.0, 300.0),
    ("rim_um", 0.0, 200.0),
    ("drag_um", 0.0, 1000.0),
    ("shear_um", 0.0, 1000.0),
    ("head_turn_deg", -360.0, 360.0),
    ("tilt_deg", 0.0, 45.0),
    ("tilt_direction_deg", -360.0, 360.0),
    ("noise_um", 0.0, 100.0),
    ("dropout_share", 0.0, 1.0),
    ("steepest_deg", 0.0, 90.0),
    ("spike_share", 0.0, 1.0),
    ("wear_share", 0.0, 1.0),
    ("residue_um", 0.0, 50.0),
    ("unpressed_share", 0.0, 0.99),
    ("face_drag_um", 0.0, 1000.0),
    ("transfer_cutoff_um", 0.0, 500.0),
    ("ripple_um", 0.0, 50.0),
)
# Parameters that make pairs hard. Records of heads without any of them do not list them.
HARDER = (
    ("bare_share", "make_seed", "make_um"),
    ("wear_share", "residue_um", "unpressed_share", "face_drag_um", "transfer_cutoff_um", "ripple_um"),
)


@dataclass(frozen=True)
class Firearm:
    """What a firearm leaves on every cartridge case: the look of its marks, not its construction.

    Positions are in the *firearm frame*: µm, x to the right and y down, origin where the middle of
    the primer sits on average; angles in degrees, counter-clockwise as displayed.

    Parameters
    ----------
    seed : int
        Of all individual structure.
    breech_face : {"granular", "milled", "filed"}
        Finish of the breech face.
    firing_pin : {"hemispherical", "elliptical", "rectangular"}
        Shape of the firing-pin impression.
    aperture : {"round", "rectangular"}
        Shape of the mark of the firing-pin aperture.
    cutter_seed : int
        Of the regular milling marks; firearms that share it share them. Filed faces show such marks under the strokes
        of the file when it is not the firearm's own seed.
    breech_face_rms_um : float
        Roughness of the breech face.
    aperture_half_um : tuple of float
        Half height (y) and half width (x) of the aperture mark before it is turned.
    aperture_turn_deg : float
        Orientation of the aperture mark and of the firing-pin impression.
    aperture_centre_um, pin_centre_um : tuple of float
        Centres (y, x).
    pin_half_um : tuple of float
        Half height and half width of a firing-pin impression of ``pin_depth_um``.
    pin_depth_um : float
        Usual depth of the firing-pin impression.
    pin_rms_um : float
        Roughness of the firing pin's tip beside its turning marks.
    drag_direction_deg : float
        Where the firing pin drags to, where the aperture shears the primer, and along which the face drags.
    bare_share : float
        Share of the breech face, 0 to 0.95, that is nearly smooth (a sixth of the relief), in patches of some tenths of
        a millimetre: a face with few features.
    make_seed, make_um : int, float
        Concentric form, and its rms, that all firearms of a make have in common: class, not individual.
    """

    seed: int
    breech_face: BreechFace
    firing_pin: FiringPin
    aperture: Aperture
    cutter_seed: int
    breech_face_rms_um: float
    aperture_half_um: tuple[float, float]
    aperture_turn_deg: float
    aperture_centre_um: tuple[float, float]
    pin_centre_um: tuple[float, float]
    pin_half_um: tuple[float, float]
    pin_depth_um: float
    drag_direction_deg: float
    pin_rms_um: float
    bare_share: float = 0.0
    make_seed: int = 0
    make_um: float = 0.0

    def __post_init__(self) -> None:
        _seed(self.make_seed)
        for name, high in (("bare_share", 0.95), ("make_um", 50.0)):
            if not 0.0 <= getattr(self, name) <= high:
                raise ParameterError(f"{name} is {getattr(self, name)}; give a value from 0 to {high:g}")


@dataclass(frozen=True)
class Ammunition:
    """A make of ammunition: its primer, and how readily it takes marks.

    Parameters
    ----------
    seed : int
        Of the letters of the head stamp.
    primer : {"small pistol", "large pistol"}
        Size of the primer cup.
    flat_radius_um : float
        Radius up to which the breech face presses the primer flat.
    edge_depth_um : float
        How far the rolled edge falls below the flat.
    dome_um : float
        How much higher the middle of the flat is than its border.
    level_um : float
        Height of the flat over the case head.
    impressibility : float
        Share of the breech face's relief that the primer takes, 0 to 1.
    texture_um : float
        Roughness (rms) of the primer itself, between 15 and 200 µm.
    """

    seed: int
    primer: Primer
    flat_radius_um: float
    edge_depth_um: float
    dome_um: float
    level_um: float
    impressibility: float
    texture_um: float


@dataclass(frozen=True)
class Shot:
    """One fired cartridge case and the measurement of it.

    Values out of range raise `ParameterError`.

    Parameters
    ----------
    seed : int
        Of everything that is peculiar to this shot.
    ammunition : Ammunition
        What was fired.
    contact : float
        Share of the breech-face region that was impressed, 0 to 1; the rest, in soft patches of
        some tenths of a millimetre, shows the primer's own texture.
    pin_depth_ratio : float
        Depth of the firing-pin impression over the firearm's usual depth.
    flow_um : float
        Height to which the primer flowed back into the aperture.
    rim_um : float
        Height of the crater rim raised round the firing-pin impression.
    drag_um : float
        Length of the firing pin's drag mark; 0 for none.
    shear_um : float
        Width of the area beside the aperture that was sheared; 0 for none.
    primer_offset_um : tuple of float
        Centre (y, x) of the primer in the firearm frame: play of the cartridge in the chamber.
    head_turn_deg : float
        Orientation of the head stamp.
    tilt_deg, tilt_direction_deg : float
        Tilt under the microscope: the surface rises by tan(tilt) towards the direction, which is
        counted on the scan, counter-clockwise from right as displayed.
    pose : Pose
        Where the firearm frame lies on the scan.
    noise_um : float
        Instrument noise, rms, independent from point to point.
    dropout_share : float
        Share of the breech-face region that is missing, in clusters, preferably on slopes.
    steepest_deg : float
        Slopes steeper than this are missing everywhere; 90 for none.
    spike_share : float
        Share of points that are outliers of 10 to 100 µm.
    wear_share : float
        Share of the variance of the face as new, 0 to 1, that use has replaced when this shot is fired. The change
        goes one way: two shots with shares s and t have faces that correlate as cos(asin √s − asin √t).
    residue_um : float
        Thickness of deposits on three tenths of the face at this shot: fouling, sealant, metal of earlier primers.
    unpressed_share : float
        Light contact: share of the face, 0 to 0.99, the lowest by its bearing curve, that the primer does not reach.
    face_drag_um : float
        How far the primer slid over the face while it was still pressed, along the firearm's drag direction.
    transfer_cutoff_um : float
        Wavelength of which the instrument shows half the amplitude (Gaussian transfer function); 0 for a perfect one.
    ripple_um : float
        Rms of the instrument's own relief at waves from 30 to 300 µm: gel, dust under it, stitching.
    """

    seed: int
    ammunition: Ammunition
    contact: float = 0.8
    pin_depth_ratio: float = 1.0
    flow_um: float = 25.0
    rim_um: float = 12.0
    drag_um: float = 0.0
    shear_um: float = 0.0
    primer_offset_um: tuple[float, float] = (0.0, 0.0)
    head_turn_deg: float = 0.0
    tilt_deg: float = 0.0
    tilt_direction_deg: float = 0.0
    pose: Pose = field(default_factory=Pose)
    noise_um: float = 0.0
    dropout_share: float = 0.0
    steepest_deg: float = 90.0
    spike_share: float = 0.0
    wear_share: float = 0.0
    residue_um: float = 0.0
    unpressed_share: float = 0.0
    face_drag_um: float = 0.0
    transfer_cutoff_um: float = 0.0
    ripple_um: float = 0.0

    def __post_init__(self) -> None:
        _seed(self.seed)
        for name, low, high in _SHOT_RANGES:
            if not low <= getattr(self, name) <= high:
                raise ParameterError(f"{name} is {getattr(self, name)}; give a value from {low:g} to {high:g}")


def stated(firearm: Firearm, shot: Shot) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return all parameters of a head for its record; those of `HARDER` only where any of them is in force."""
    both = asdict(firearm), asdict(shot)
    if not any(values[name] for values, names in zip(both, HARDER, strict=True) for name in names):
        for values, names in zip(both, HARDER, strict=True):
            for name in names:
                del values[name]
    return both


def simulate_firearm(
    seed: int,
    breech_face: BreechFace = "granular",
    firing_pin: FiringPin = "hemispherical",
    aperture: Aperture = "round",
    cutter_seed: int | None = None,
) -> Firearm:
    """Draw a firearm from a seed.

    Parameters
    ----------
    seed : int
        Non-negative.
    breech_face : {"granular", "milled", "filed"}
        Finish of the breech face.
    firing_pin : {"hemispherical", "elliptical", "rectangular"}
        Shape of the firing-pin impression.
    aperture : {"round", "rectangular"}
        Shape of the aperture mark.
    cutter_seed : int, optional
        Of the regular milling marks, to give two firearms, milled or lightly filed, the same (subclass) marks; by
        default the firearm's own.

    Raises
    ------
    ParameterError
        For a kind that is not known or a negative seed.

    Examples
    --------
    >>> simulate_firearm(1, breech_face="milled").breech_face
    'milled'
    """
    _choice("breech face", breech_face, BREECH_FACES)
    _choice("firing pin", firing_pin, FIRING_PINS)
    _choice("aperture", aperture, APERTURES)
    _seed(seed)
    if cutter_seed is not None:
        _seed(cutter_seed)
    rng = generator(seed, "firearm")
    if aperture == "round":
        radius = rng.uniform(780.0, 1080.0)
        half = (radius, radius)
    else:
        half = (rng.uniform(880.0, 1060.0), rng.uniform(620.0, 740.0))
    aperture_centre = (rng.normal(0.0, 50.0), rng.normal(0.0, 50.0))
    pin_long = rng.uniform(450.0, 620.0) if firing_pin == "hemispherical" else rng.uniform(480.0, 620.0)
    pin_short = pin_long if firing_pin == "hemispherical" else pin_long * rng.uniform(0.55, 0.75)
    return Firearm(
        seed=seed,
        breech_face=breech_face,
        firing_pin=firing_pin,
        aperture=aperture,
        cutter_seed=seed if cutter_seed is None else cutter_seed,
        breech_face_rms_um=float(rng.uniform(1.8, 3.0)),
        aperture_half_um=(float(half[0]), float(half[1])),
        aperture_turn_deg=float(rng.uniform(-4.0, 4.0)),
        aperture_centre_um=(float(aperture_centre[0]), float(aperture_centre[1])),
        pin_centre_um=(
            float(aperture_centre[0] + rng.normal(0.0, 40.0)),
            float(aperture_centre[1] + rng.normal(0.0, 40.0)),
        ),
        pin_half_um=(float(pin_long), float(pin_short)),
        pin_depth_um=float(rng.uniform(160.0, 320.0)),
        drag_direction_deg=float(rng.uniform(60.0, 120.0)),
        pin_rms_um=float(rng.uniform(0.7, 1.5)),
    )


def simulate_ammunition(seed: int, primer: Primer = "small pistol") -> Ammunition:
    """Draw a make of ammunition from a seed.

    Parameters
    ----------
    seed : int
        Non-negative.
    primer : {"small pistol", "large pistol"}
        Size of the primer cup.

    Raises
    ------
    ParameterError
        For a primer that is not known or a negative seed.

    Examples
    --------
    >>> 0.0 < simulate_ammunition(1).impressibility <= 1.0
    True
    """
    _choice("primer", primer, tuple(PRIMER_RADIUS_UM))
    _seed(seed)
    rng = generator(seed, "ammunition")
    return Ammunition(
        seed=seed,
        primer=primer,
        flat_radius_um=PRIMER_RADIUS_UM[primer] - float(rng.uniform(450.0, 560.0)),
        edge_depth_um=float(rng.uniform(180.0, 300.0)),
        dome_um=float(rng.uniform(1.0, 8.0)),
        level_um=float(rng.uniform(-90.0, 10.0)),
        impressibility=float(rng.uniform(0.65, 1.0)),
        texture_um=float(rng.uniform(0.3, 0.75)),
    )


def simulate_shot(seed: int, ammunition: Ammunition | None = None) -> Shot:
    """Draw a shot and its measurement from a seed; change single values with `dataclasses.replace`.

    Parameters
    ----------
    seed : int
        Non-negative.
    ammunition : Ammunition, optional
        What was fired; by default a make drawn from the seed, with a small pistol primer.

    Raises
    ------
    ParameterError
        For a negative seed.

    Examples
    --------
    >>> simulate_shot(1) == simulate_shot(1)
    True
    """
    _seed(seed)
    rng = generator(seed, "shot")
    return Shot(
        seed=seed,
        ammunition=ammunition if ammunition is not None else simulate_ammunition(seed),
        contact=float(rng.uniform(0.7, 0.97)),
        pin_depth_ratio=float(rng.uniform(0.85, 1.15)),
        flow_um=float(rng.uniform(10.0, 65.0)),
        rim_um=float(rng.uniform(4.0, 25.0)),
        drag_um=float(rng.uniform(80.0, 350.0)) if rng.random() < 0.6 else 0.0,
        shear_um=float(rng.uniform(60.0, 280.0)) if rng.random() < 0.5 else 0.0,
        primer_offset_um=(float(rng.normal(0.0, 30.0)), float(rng.normal(0.0, 30.0))),
        head_turn_deg=float(rng.uniform(0.0, 360.0)),
        tilt_deg=float(np.abs(rng.normal(0.0, 0.6))),
        tilt_direction_deg=float(rng.uniform(0.0, 360.0)),
        pose=Pose(
            float(rng.uniform(0.0, 360.0)), dy_um=float(rng.normal(0.0, 80.0)), dx_um=float(rng.normal(0.0, 80.0))
        ),
        noise_um=float(rng.uniform(0.05, 0.25)),
        dropout_share=float(rng.uniform(0.0, 0.04)),
        # Confocal and photometric instruments lose steep walls; gel-based ones bridge them.
        steepest_deg=float(rng.uniform(28.0, 45.0)) if rng.random() < 0.6 else 90.0,
        spike_share=float(rng.uniform(0.0, 2e-4)),
    )


def _choice(what: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ParameterError(f"{what} '{value}' is not known; choose one of {', '.join(known)}")


def _seed(seed: int) -> None:
    if seed < 0:
        raise ParameterError(f"the seed is {seed}; give a whole number of 0 or more")
