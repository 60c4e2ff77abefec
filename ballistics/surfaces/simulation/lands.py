"""Simulated scans of land engraved areas, from seeds: only the measured surface of a mark, with its ground truth."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from ballistics.errors import ParameterError
from ballistics.provenance import Provenance, sha256_of_array
from ballistics.surfaces.simulation.fields import CANVAS_SPACING_UM, generator, red_field, red_profile
from ballistics.surfaces.surface import Surface

Floats = NDArray[np.float64]

# Profiles are made this fine, and long enough that no land shows their period.
_PROFILE_SPACING_UM = 0.5
_PROFILE_POINTS = 8192
_FIELD_POINTS = 640


@dataclass(frozen=True)
class LandSource:
    """What leaves its striae on the lands of bullets.

    Parameters
    ----------
    seed : int
        Of what is its own.
    make_seed : int
        Of what it shares with those made before and after it: coarse lines of the tool that made them all.
    lands : int
    width_um : float
        Between the shoulders.
    slant_deg : float
        Of the striae to the columns of the scan; positive when they lean to the right going down.
    radius_mm : float
        Of the arc across a land.
    own_um, shared_um : float
        Rms of the fine lines of its own (10 to 250 µm) and of the coarse ones that it shares (90 to 500 µm).
    """

    seed: int
    make_seed: int = 0
    lands: int = 6
    width_um: float = 1900.0
    slant_deg: float = 0.0
    radius_mm: float = 4.5
    own_um: float = 0.8
    shared_um: float = 0.8

    def __post_init__(self) -> None:
        if not 1 <= self.lands <= 40 or not 300.0 <= self.width_um <= 3500.0:
            raise ParameterError("a source has 1 to 40 lands, each 300 to 3500 µm wide")


@dataclass(frozen=True)
class LandShot:
    """One bullet: what happened to the striae when they were made, and to the scan.

    Parameters
    ----------
    seed : int
    wear : float
        Share, in variance, of the fine lines that are others than when the source was new.
    own_share : float
        Share of the variance of a land's striae that no other shot repeats; it differs from land to land about this.
    contact : float
        Share of the land that was engraved at all.
    pitting : float
        Share of the area covered by pits.
    slippage_um : float
        By how far the striae are smeared across, at most, over the first third of the land's length.
    stretch : float
        By which factor distances across are longer.
    noise_um : float
        Rms of the instrument's noise, from point to point.
    missing : float
        Share of the width that is missing, from one side.
    shoulders : tuple of bool
        Whether the left and the right shoulder are on the scan.
    false_shoulder_um : float
        How far inside the right shoulder a ridge of displaced metal, along the striae, ends; 0 for none.
    """

    seed: int
    wear: float = 0.1
    own_share: float = 0.35
    contact: float = 0.8
    pitting: float = 0.01
    slippage_um: float = 15.0
    stretch: float = 1.0
    noise_um: float = 0.08
    missing: float = 0.0
    shoulders: tuple[bool, bool] = (True, True)
    false_shoulder_um: float = 0.0


@dataclass(frozen=True, eq=False)
class SimulatedLand:
    """A simulated scan of a land, and where its ends truly are.

    Parameters
    ----------
    surface : Surface
    ends_um : tuple of float
        Feet of the shoulders on the middle row, from the middle of the first column; beyond the scan when absent.
    striae_um : ndarray of float64
        The profile that the source has there, across the land, in steps of ``step_um``.
    step_um : float
    """

    surface: Surface
    ends_um: tuple[float, float]
    striae_um: Floats = field(repr=False)
    step_um: float = _PROFILE_SPACING_UM


def simulate_land(
    source: LandSource, shot: LandShot, land: int, *, spacing_um: float = 1.5625, length_um: float = 400.0
) -> SimulatedLand:
    """Simulate the scan of one land of one bullet.

    Parameters
    ----------
    source : LandSource
    shot : LandShot
    land : int
        From 0; counted round.
    spacing_um : float
    length_um : float
        Of the scan along the striae.

    Examples
    --------
    >>> made = simulate_land(LandSource(1), LandShot(2), 0, spacing_um=3.125)
    >>> made.surface.heights_um.shape, round(made.ends_um[1] - made.ends_um[0])
    ((128, 752), 1900)
    """
    land = land % source.lands
    rng = generator(shot.seed, f"land {land}")
    margin = 190.0
    slack = rng.uniform(-40.0, 40.0)
    # A shoulder that is not on the scan lies this far beyond its edge.
    beyond = [margin + slack if there else -rng.uniform(20.0, 60.0) for there in shot.shoulders]
    rows = max(3, round(length_um / spacing_um))
    columns = max(3, math.floor((source.width_um * shot.stretch + sum(beyond)) / spacing_um))
    left = beyond[0]
    right = left + source.width_um * shot.stretch
    y = (np.arange(rows) - 0.5 * (rows - 1))[:, None] * spacing_um
    x = np.arange(columns)[None, :] * spacing_um
    slant = math.tan(math.radians(source.slant_deg + rng.uniform(-0.7, 0.7)))
    across = x - slant * y
    # From the middle of the land, as long as it is on the source.
    u = (across - 0.5 * (left + right)) / shot.stretch
    striae = land_striae(source, shot, land)
    smear = shot.slippage_um * np.clip(1.0 - 3.0 * (np.arange(rows) + 0.5) / rows, 0.0, 1.0)
    relief = np.empty((rows, columns))
    places = (np.arange(len(striae)) - 0.5 * len(striae)) * _PROFILE_SPACING_UM
    for r in range(rows):
        profile = striae if smear[r] < 1.0 else gaussian_filter1d(striae, smear[r] / _PROFILE_SPACING_UM, mode="wrap")
        relief[r] = np.interp(u[r], places, profile)
    ground = _field(shot.seed, f"contact {land}", rows, columns, spacing_um, 20.0, 400.0)
    touched = ground < np.quantile(ground, shot.contact)
    bare = 0.35 * _field(shot.seed, f"bare {land}", rows, columns, spacing_um, 6.0, 40.0)
    relief = np.where(touched, relief, bare - 0.8)
    if shot.pitting > 0:
        pits = _field(shot.seed, f"pits {land}", rows, columns, spacing_um, 25.0, 120.0)
        limit = np.quantile(pits, shot.pitting)
        relief -= np.where(pits < limit, 4.0 + 6.0 * np.minimum(limit - pits, 1.0), 0.0)
    radius = source.radius_mm * 1000.0 * shot.stretch
    apex = 0.5 * (left + right) + rng.uniform(-60.0, 60.0)
    heights = np.sqrt(np.maximum(radius**2 - (across - apex) ** 2, 0.0)) - radius + relief
    heights += _shoulders(across, (left, right), rng)
    if shot.false_shoulder_um > 0:
        inside = right - shot.false_shoulder_um
        heights += 14.0 * np.clip((across - inside) / 25.0, 0.0, 1.0) * (across < inside + 70.0)
    heights += rng.normal(0.0, shot.noise_um, heights.shape) + math.tan(math.radians(rng.uniform(-1.0, 1.0))) * y
    heights[_lost(heights, spacing_um, rng)] = np.nan
    if shot.missing > 0:
        lost = shot.missing * (right - left)
        heights[:, x[0] < left + lost if rng.random() < 0.5 else x[0] > right - lost] = np.nan
    provenance = Provenance(
        "simulated land engraved area", "2",
        {"source": asdict(source), "shot": asdict(shot), "land": land, "spacing_um": spacing_um},
        {"array": sha256_of_array(heights)},
    )  # fmt: skip
    surface = Surface(heights, (spacing_um, spacing_um), provenance=provenance)
    return SimulatedLand(surface, (left, right), striae)


def land_striae(source: LandSource, shot: LandShot, land: int) -> Floats:
    """Return the profile, across a land, that a shot left: 4 mm about its middle, in steps of 0.5 µm.

    Parameters
    ----------
    source : LandSource
        The barrel: its own striae and those that it shares with its make.
    shot : LandShot
        How worn the barrel is, and what this shot left of its own.
    land : int
        Which land of the barrel.

    Returns
    -------
    ndarray of float64
        Heights in µm.
    """
    own = _profile(source.seed, f"own {land}", 10.0, 250.0)
    shared = _profile(source.make_seed, f"shared {land}", 90.0, 500.0)
    worn = _profile(source.seed + 7919 * shot.seed, f"worn {land}", 10.0, 250.0)
    this = _profile(shot.seed, f"shot {source.seed} {land}", 10.0, 250.0)
    fine = math.sqrt(1.0 - shot.wear) * own + math.sqrt(shot.wear) * worn
    odds = generator(shot.seed, f"share {source.seed} {land}").beta(4.0 * shot.own_share, 4.0 * (1.0 - shot.own_share))
    fine = math.sqrt(1.0 - odds) * fine + math.sqrt(odds) * this
    return source.own_um * fine + source.shared_um * shared


def _profile(seed: int, purpose: str, short_um: float, long_um: float) -> Floats:
    return red_profile(generator(seed, purpose), _PROFILE_POINTS, _PROFILE_SPACING_UM, short_um, long_um)


def _field(
    seed: int, purpose: str, rows: int, columns: int, spacing_um: float, short_um: float, long_um: float
) -> Floats:
    """Return a random field of unit rms at the points of a scan; it is periodic beyond 3.2 mm."""
    from scipy.ndimage import map_coordinates

    made = red_field(generator(seed, purpose), short_um, long_um, 1.0, points=_FIELD_POINTS)
    y, x = np.mgrid[:rows, :columns] * (spacing_um / CANVAS_SPACING_UM)
    return np.asarray(map_coordinates(made, [y, x], order=1, mode="grid-wrap"), dtype=np.float64)


def _shoulders(across: Floats, ends: tuple[float, float], rng: np.random.Generator) -> Floats:
    """Return the flanks beyond both ends: steep, then the groove's level; each a little different."""
    out = np.zeros(across.shape)
    for distance in (ends[0] - across, across - ends[1]):
        height, run = rng.uniform(25.0, 70.0), rng.uniform(30.0, 80.0)
        t = np.clip(distance / run, 0.0, 1.0)
        out += height * t * t * (3.0 - 2.0 * t) + 0.12 * np.clip(distance, 0.0, None)
    return out


def _lost(heights: Floats, spacing_um: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Return the points that an instrument does not see: most of what is steeper than 50°, a few of the others."""
    slope = np.abs(np.gradient(heights, spacing_um, axis=1))
    odds = np.where(slope > math.tan(math.radians(50.0)), 0.7, 0.01)
    return np.asarray(rng.random(heights.shape) < odds)
