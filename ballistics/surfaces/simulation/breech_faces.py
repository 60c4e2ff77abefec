"""Topography of simulated breech faces: granular, milled and filed, each from a seed."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ballistics.errors import ParameterError
from ballistics.surfaces.simulation.fields import (
    CANVAS_POINTS,
    CANVAS_SPACING_UM,
    Canvas,
    generator,
    red_field,
    red_profile,
    unit_rms,
)

BreechFace = Literal["granular", "milled", "filed"]
BREECH_FACES: tuple[BreechFace, ...] = get_args(BreechFace)

_PROFILE_SPACING_UM = 2.0
_PROFILE_POINTS = 8192  # 16 mm: any path across the canvas, plus the play of the cutter's centre


def breech_face_canvas(kind: BreechFace, seed: int, cutter_seed: int, rms_um: float) -> Canvas:
    """Return the topography that a breech face presses into primers, in µm.

    Parameters
    ----------
    kind : {"granular", "milled", "filed"}
        How the breech face was finished.
    seed : int
        Of the individual structure, that of one firearm.
    cutter_seed : int
        Of the regular marks of a milling cutter; firearms that share it share them (subclass). A filed face shows them
        between the strokes of the file when the cutter is not its own.
    rms_um : float
        Root mean square height in µm.
    """
    if kind == "granular":
        field = _granular(seed)
    elif kind == "milled":
        # The individual structure (chips, wear, chatter) is weaker than the regular marks.
        field = unit_rms(_milled(cutter_seed) + np.float32(0.6) * _granular(seed))
    elif kind == "filed":
        field = _filed(seed) + np.float32(0.3) * _granular(seed)
        if cutter_seed != seed:
            # Filed so lightly that the milling is still there, as strong as the strokes.
            field = field + _milled(cutter_seed)
        field = unit_rms(field)
    else:
        raise ParameterError(f"breech face '{kind}' is not known; choose one of {', '.join(BREECH_FACES)}")
    return Canvas(np.asarray(field * np.float32(rms_um), dtype=np.float32), CANVAS_SPACING_UM)


def _granular(seed: int) -> NDArray[np.float32]:
    """Blasted or cast: isotropic, red between 18 and 400 µm, pits deeper than the crests are high."""
    field = red_field(generator(seed, "granular"), 18.0, 400.0, 1.6)
    return unit_rms(field - np.float32(0.12) * field * field)


def _milled(cutter_seed: int) -> NDArray[np.float32]:
    """Feed marks of a cutter: straight lines or arcs, nearly periodic, the same along each line."""
    rng = generator(cutter_seed, "cutter")
    direction = rng.uniform(0.0, 2.0 * np.pi)
    feed_um = rng.uniform(70.0, 180.0)
    arc = rng.random() < 0.5
    radius_um = rng.uniform(4000.0, 12000.0)
    y, x = _plane()
    if arc:
        across = np.hypot(y - radius_um * np.sin(direction), x - radius_um * np.cos(direction)) - radius_um
    else:
        across = y * np.sin(direction) + x * np.cos(direction)
    s = np.arange(_PROFILE_POINTS) * _PROFILE_SPACING_UM
    # Chatter moves the lines a little to and fro: no real feed is exactly periodic.
    phase = 2.0 * np.pi * s / feed_um + 0.8 * red_profile(rng, s.size, _PROFILE_SPACING_UM, 300.0, 4000.0)
    cusps = np.abs(np.sin(0.5 * phase + rng.uniform(0.0, np.pi)))
    cusps = (cusps - cusps.mean()) / cusps.std()
    profile = 0.75 * cusps + 0.65 * red_profile(rng, s.size, _PROFILE_SPACING_UM, 20.0, 350.0)
    return unit_rms(_along(profile, across))


def _filed(seed: int) -> NDArray[np.float32]:
    """Hand filing: straight scratches in two crossing sets, each stroke of its own length."""
    rng = generator(seed, "file")
    main = rng.uniform(0.0, np.pi)
    crossing = main + np.deg2rad(rng.uniform(35.0, 90.0))
    y, x = _plane()
    field = np.zeros_like(y)
    for centre, strokes, weight in ((main, 5, 1.0), (crossing, 4, 0.7)):
        for _ in range(strokes):
            angle = centre + np.deg2rad(rng.normal(0.0, 4.0))
            across = y * np.sin(angle) + x * np.cos(angle)
            along = x * np.sin(angle) - y * np.cos(angle)
            scratches = red_profile(rng, _PROFILE_POINTS, _PROFILE_SPACING_UM, 18.0, 250.0)
            # Only the deeper half of a file's teeth cut: grooves in an otherwise even face.
            profile = np.minimum(scratches + 0.3, 0.0)
            reach = 0.5 + 0.5 * np.tanh(red_profile(rng, _PROFILE_POINTS, _PROFILE_SPACING_UM, 1500.0, 9000.0))
            field += np.float32(weight) * _along(profile, across) * _along(reach, along)
    return unit_rms(field)


def _plane() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    line = ((np.arange(CANVAS_POINTS) - CANVAS_POINTS // 2) * CANVAS_SPACING_UM).astype(np.float32)
    y, x = np.meshgrid(line, line, indexing="ij")
    return y, x


def _along(profile: NDArray[np.float64], position_um: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the profile's values at positions in µm counted from its middle (linear, clamped)."""
    index = position_um / np.float32(_PROFILE_SPACING_UM) + np.float32(profile.size // 2)
    lower = np.clip(index.astype(np.int32), 0, profile.size - 2)
    values = profile.astype(np.float32)
    start = values[lower]
    return np.asarray(start + (index - lower) * (values[lower + 1] - start), dtype=np.float32)
