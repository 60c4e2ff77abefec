"""Simulated cartridge-case heads with exact ground truth: firearm × shot, from seeds, to any number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from ballistics.errors import ParameterError
from ballistics.provenance import Provenance, sha256_of_array
from ballistics.surfaces.pose import Pose
from ballistics.surfaces.simulation.breech_faces import BREECH_FACES, BreechFace
from ballistics.surfaces.simulation.difficulty import Difficulty, named_difficulty
from ballistics.surfaces.simulation.fields import CANVAS_SPACING_UM, Canvas, Floats, generator, red_field
from ballistics.surfaces.simulation.parameters import (
    APERTURES,
    FIRING_PINS,
    Ammunition,
    Firearm,
    Shot,
    simulate_ammunition,
    simulate_firearm,
    simulate_shot,
    stated,
)
from ballistics.surfaces.simulation.relief import Label, relief
from ballistics.surfaces.surface import Surface

__all__ = [
    "Ammunition",
    "Firearm",
    "Label",
    "Shot",
    "SimulatedHead",
    "simulate_ammunition",
    "simulate_firearm",
    "simulate_head",
    "simulate_population",
    "simulate_shot",
]

VERSION = "1"
_LARGEST_POINTS = 8192  # a side; 0.5 GiB of heights


@dataclass(frozen=True, eq=False)
class SimulatedHead:
    """A simulated scan and the truth about it.

    Parameters
    ----------
    surface : Surface
        The scan, topography in µm.
    labels : ndarray of uint8, shape (rows, columns)
        What each point is, see `Label`: 0 outside (primer gap), 1 breech face, 2 firing pin,
        3 aperture with its lip, and crater rim, 4 drag and shear, 5 rolled primer edge, 6 case head.
    firearm, shot : Firearm, Shot
        All parameters.
    firearm_id, shot_id : int
        Numbers in the population; 0 when made alone.
    """

    surface: Surface
    labels: NDArray[np.uint8]
    firearm: Firearm
    shot: Shot
    firearm_id: int = 0
    shot_id: int = 0

    @property
    def region(self) -> NDArray[np.bool_]:
        """True on the breech-face region: the flat annulus of the primer without firing pin, aperture,
        drag, shear and rolled edge. Missing points and patches without contact are inside it."""
        return np.asarray(self.labels == Label.BREECH_FACE)

    @property
    def pose(self) -> Pose:
        """Where the firearm frame lies on the scan, in the convention of `Pose`."""
        return self.shot.pose


def simulate_head(firearm: Firearm, shot: Shot, *, spacing_um: float = 6.25, field_mm: float = 5.6) -> SimulatedHead:
    """Simulate the scan of one fired cartridge-case head.

    Parameters
    ----------
    firearm, shot : Firearm, Shot
        What is drawn; the same parameters give the same bytes.
    spacing_um : float
        Distance between neighbouring points, 0.5 to 100 µm.
    field_mm : float
        Side of the square scan, 0.1 to 20 mm.

    Raises
    ------
    ParameterError
        For a spacing or field out of range, or more than 8192 points a side.

    Examples
    --------
    >>> head = simulate_head(simulate_firearm(1), simulate_shot(2), spacing_um=25.0)
    >>> head.surface.heights_um.shape
    (224, 224)
    >>> bool(head.region.any())
    True
    """
    if not 0.5 <= spacing_um <= 100.0:
        raise ParameterError(f"spacing_um is {spacing_um}; a simulated scan needs 0.5 to 100 µm")
    if not 0.1 <= field_mm <= 20.0:
        raise ParameterError(f"field_mm is {field_mm}; a simulated scan needs 0.1 to 20 mm")
    points = round(1000.0 * field_mm / spacing_um)
    if points > _LARGEST_POINTS:
        raise ParameterError(
            f"{points} points a side are more than {_LARGEST_POINTS}; take a wider spacing or a smaller field"
        )
    line = (np.arange(points) - 0.5 * (points - 1)) * spacing_um
    scan_y, scan_x = np.meshgrid(line, line, indexing="ij")
    y, x = _to_firearm_frame(shot.pose, scan_y, scan_x)
    heights, labels = relief(firearm, shot, y, x)
    heights = _measured(shot, heights, labels == Label.BREECH_FACE, (y, x), (scan_y, scan_x), spacing_um)
    of_firearm, of_shot = stated(firearm, shot)
    parameters = {
        "firearm": of_firearm,
        "shot": of_shot,
        "spacing_um": spacing_um,
        "field_mm": field_mm,
    }
    surface = Surface(
        heights,
        (spacing_um, spacing_um),
        metadata={"creator": "ballistics.simulate", "comment": "simulated, not evidence"},
        provenance=Provenance(
            "simulated cartridge-case head", VERSION, parameters, {"array": sha256_of_array(heights)}
        ),
    )
    return SimulatedHead(surface, labels, firearm, shot)


def simulate_population(
    n_firearms: int,
    n_shots: int,
    seed: int,
    *,
    breech_faces: Sequence[BreechFace] = BREECH_FACES,
    spacing_um: float | None = None,
    field_mm: float = 5.6,
    first_firearm: int = 0,
    difficulty: str | Difficulty = "easy",
) -> Iterator[SimulatedHead]:
    """Simulate a population of firearms and test fires, one head at a time.

    Kinds of breech face, firing pin and aperture go round in turn; primer size (one in four is
    large), makes of ammunition (five of each size) and all dimensions are drawn. Head number k
    depends on the seed and its own two numbers only.

    Parameters
    ----------
    n_firearms, n_shots : int
        Number of firearms, and of heads for each.
    seed : int
        Non-negative.
    breech_faces : sequence of {"granular", "milled", "filed"}
        Finishes that occur.
    spacing_um, field_mm : float
        As in `simulate_head`; by default the spacing of the difficulty's instrument, 6.25 µm for ``"easy"``.
    first_firearm : int
        Number of the first firearm, to continue a population or to share it among workers.
    difficulty : str or Difficulty
        How hard it is to tell its firearms apart: a name of `DIFFICULTIES`, or ranges of one's own.

    Yields
    ------
    SimulatedHead
        With its ``firearm_id`` and ``shot_id``; all shots of a firearm, then the next firearm.

    Raises
    ------
    ParameterError
        For a negative number or seed, no breech face, or a difficulty that is not known.

    Examples
    --------
    >>> heads = simulate_population(2, 2, seed=7, spacing_um=50.0)
    >>> [(head.firearm_id, head.shot_id) for head in heads]
    [(0, 0), (0, 1), (1, 0), (1, 1)]
    """
    if min(n_firearms, n_shots, seed, first_firearm) < 0 or not breech_faces:
        raise ParameterError(
            f"n_firearms={n_firearms}, n_shots={n_shots}, seed={seed}, first_firearm={first_firearm}, "
            f"{len(breech_faces)} breech faces: give numbers of 0 or more, and at least one breech face"
        )
    hardness = named_difficulty(difficulty) if isinstance(difficulty, str) else difficulty
    spacing = hardness.spacing_um if spacing_um is None else spacing_um
    return _population(n_firearms, n_shots, seed, tuple(breech_faces), spacing, field_mm, first_firearm, hardness)


def _population(
    n_firearms: int,
    n_shots: int,
    seed: int,
    breech_faces: tuple[BreechFace, ...],
    spacing_um: float,
    field_mm: float,
    first_firearm: int,
    hardness: Difficulty,
) -> Iterator[SimulatedHead]:
    make_seed = int(generator(seed, "make").integers(2**62))
    for firearm_id in range(first_firearm, first_firearm + n_firearms):
        kind, rest = firearm_id % len(breech_faces), firearm_id // len(breech_faces)
        rng = generator(seed, f"firearm {firearm_id}")
        firearm = simulate_firearm(
            int(rng.integers(2**62)),
            breech_face=breech_faces[kind],
            firing_pin=FIRING_PINS[rest % len(FIRING_PINS)],
            aperture=APERTURES[rest // len(FIRING_PINS) % len(APERTURES)],
        )
        firearm = hardness.firearm(firearm, make_seed)
        large = rng.random() < 0.25
        for shot_id in range(n_shots):
            rng = generator(seed, f"firearm {firearm_id} shot {shot_id}")
            make = int(generator(seed, f"ammunition {rng.integers(5)}").integers(2**62))
            ammunition = simulate_ammunition(make, "large pistol" if large else "small pistol")
            shot = hardness.shot(simulate_shot(int(rng.integers(2**62)), ammunition))
            head = simulate_head(firearm, shot, spacing_um=spacing_um, field_mm=field_mm)
            yield SimulatedHead(head.surface, head.labels, firearm, shot, firearm_id, shot_id)


def _to_firearm_frame(pose: Pose, scan_y: Floats, scan_x: Floats) -> tuple[Floats, Floats]:
    cosine, sine = _cosine_and_sine(pose.theta_deg)
    y, x = scan_y - pose.dy_um, scan_x - pose.dx_um
    return y * cosine + x * sine, x * cosine - y * sine


def _cosine_and_sine(theta_deg: float) -> tuple[float, float]:
    """Cosine and sine, exact at multiples of 90°."""
    quarters, rest = divmod(theta_deg, 90.0)
    cosine, sine = float(np.cos(np.deg2rad(rest))), float(np.sin(np.deg2rad(rest)))
    for _ in range(int(quarters) % 4):
        cosine, sine = -sine, cosine
    return cosine, sine


def _measured(
    shot: Shot,
    heights: Floats,
    region: NDArray[np.bool_],
    frame: tuple[Floats, Floats],
    scan: tuple[Floats, Floats],
    spacing_um: float,
) -> Floats:
    """What the instrument makes of the relief: missing points, blunted waves, ripple, tilt, noise, outliers."""
    missing = _missing(shot, heights, region, frame, spacing_um)
    if shot.transfer_cutoff_um > 0.0:
        heights = _blunted(heights, shot.transfer_cutoff_um / spacing_um)
    if shot.ripple_um > 0.0:
        ripple = red_field(generator(shot.seed, "ripple"), 30.0, 300.0, 1.0)
        heights += shot.ripple_um * Canvas(ripple, CANVAS_SPACING_UM).at(*scan)
    rng = generator(shot.seed, "instrument")
    if shot.noise_um > 0.0:
        heights += shot.noise_um * rng.standard_normal(heights.shape)
    if shot.spike_share > 0.0:
        count = int(rng.binomial(heights.size, shot.spike_share))
        where = rng.choice(heights.size, count, replace=False)
        heights.flat[where] += rng.choice((-1.0, 1.0), count) * rng.uniform(10.0, 100.0, count)
    if shot.tilt_deg != 0.0:
        direction = np.deg2rad(shot.tilt_direction_deg)
        slope = np.tan(np.deg2rad(shot.tilt_deg))
        heights += slope * (scan[1] * np.cos(direction) - scan[0] * np.sin(direction))
    heights[missing] = np.nan
    return heights


def _blunted(heights: Floats, cutoff_points: float) -> Floats:
    """Pass heights through a Gaussian transfer function that halves waves of the cut-off (ISO 16610-21), in grid steps.

    In the spectrum, because such a Gaussian is narrower than a coarse grid can sample.
    """
    margin = int(np.ceil(cutoff_points))
    padded = np.pad(heights, margin, mode="reflect")
    fy, fx = np.fft.fftfreq(padded.shape[0])[:, None], np.fft.rfftfreq(padded.shape[1])[None, :]
    transfer = np.exp(-np.log(2.0) * cutoff_points**2 * (fy * fy + fx * fx))
    blunted = fft.irfft2(fft.rfft2(padded, workers=1) * transfer, s=padded.shape, workers=1)
    return np.ascontiguousarray(blunted[margin:-margin, margin:-margin])


def _missing(
    shot: Shot,
    heights: Floats,
    region: NDArray[np.bool_],
    frame: tuple[Floats, Floats],
    spacing_um: float,
) -> NDArray[np.bool_]:
    missing = np.zeros(heights.shape, dtype=bool)
    if shot.steepest_deg >= 90.0 and shot.dropout_share <= 0.0:
        return missing
    slope_y, slope_x = np.gradient(heights, spacing_um)
    slope = np.hypot(slope_y, slope_x)
    clusters = Canvas(red_field(generator(shot.seed, "dropouts"), 70.0, 300.0, 0.8, 270, 20.0), 20.0).at(*frame)
    if shot.steepest_deg < 90.0:
        # The limit varies with the light that comes back, so the border of a hole is ragged.
        missing |= slope > np.tan(np.deg2rad(shot.steepest_deg)) * (1.0 - 0.15 * clusters)
    if shot.dropout_share > 0.0 and region.any():
        score = clusters + np.minimum(slope / 0.3, 1.0)
        missing |= score > np.quantile(score[region], 1.0 - shot.dropout_share)
    return missing
