"""Simulated images: a simulated cartridge-case head as a comparison microscope shows it under a ring light."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace

import numpy as np

from ballistics.errors import ParameterError
from ballistics.provenance import Provenance, sha256_of_array
from ballistics.surfaces.simulation.fields import Floats, generator
from ballistics.surfaces.simulation.heads import Firearm, Shot, SimulatedHead, simulate_head
from ballistics.surfaces.surface import Surface

VERSION = "1"

# Slopes and lamps for which the ring is summed; between the slopes it is interpolated.
_STEEPEST, _SLOPES, _LAMPS = 20.0, 600, 360


@dataclass(frozen=True)
class RingLight:
    """The light, the metal and the camera of a simulated image.

    Parameters
    ----------
    elevation_deg : float
        Height of the lamps over the plane of the case head, 5 to 85.
    unevenness : float
        How much brighter the ring is on one side than on average, 0 to 1.
    bright_side_deg : float
        Which side, counter-clockwise from right as displayed.
    specular_share : float
        Part of the light that is mirrored, 0 to 1; the rest is scattered after Lambert.
    lobe_deg : float
        Width (standard deviation) of the mirrored lobe, as a turn of the surface's normal, 1 to 45.
    falloff : float
        How much darker the corners of the field are than its middle, 0 to 1.
    exposure : float
        Median intensity of the image, 0 to 1; what comes out brighter than 1 is saturated.
    noise : float
        Noise of the camera at full intensity, rms; it falls with the root of the intensity.
    """

    elevation_deg: float = 65.0
    unevenness: float = 0.05
    bright_side_deg: float = 90.0
    specular_share: float = 0.8
    lobe_deg: float = 7.0
    falloff: float = 0.1
    exposure: float = 0.35
    noise: float = 0.01

    def __post_init__(self) -> None:
        for name, low, high in (
            ("elevation_deg", 5.0, 85.0),
            ("unevenness", 0.0, 1.0),
            ("bright_side_deg", -360.0, 360.0),
            ("specular_share", 0.0, 1.0),
            ("lobe_deg", 1.0, 45.0),
            ("falloff", 0.0, 1.0),
            ("exposure", 0.01, 1.0),
            ("noise", 0.0, 1.0),
        ):
            if not low <= getattr(self, name) <= high:
                raise ParameterError(f"{name} is {getattr(self, name)}; give a value from {low:g} to {high:g}")


def simulate_light(seed: int) -> RingLight:
    """Draw a ring light and a camera's settings from a seed, as they vary from one image to the next.

    Examples
    --------
    >>> simulate_light(1) == simulate_light(1)
    True
    """
    if seed < 0:
        raise ParameterError(f"the seed is {seed}; give a whole number of 0 or more")
    rng = generator(seed, "ring light")
    return RingLight(
        unevenness=float(rng.uniform(0.0, 0.1)),
        bright_side_deg=float(rng.uniform(0.0, 360.0)),
        falloff=float(rng.uniform(0.0, 0.2)),
        exposure=float(rng.uniform(0.25, 0.45)),
        noise=float(rng.uniform(0.005, 0.02)),
    )


def simulate_image(
    firearm: Firearm, shot: Shot, light: RingLight | None = None, *, pixel_um: float = 5.0, field_mm: float = 5.0
) -> SimulatedHead:
    """Simulate the image of one fired cartridge-case head under a ring light.

    Every point is a small mirror and a small scatterer of one material, turned by the slope of the relief. Idealised:
    the camera looks straight down from far away and everything is in focus; no point shadows or lights another;
    the metal is of one colour, without tarnish, dirt or lacquer; the lamps are a thin ring, far away. Under a
    perfectly even ring such an image shows how steep each point is and not which way it falls; that the ring is
    uneven adds a little of the direction.

    Parameters
    ----------
    firearm, shot : Firearm, Shot
        As for `simulate_head`; the shot's instrument (noise, dropouts, outliers) has no part in an image.
    light : RingLight, optional
        By default as in the class.
    pixel_um : float
        Size of a pixel; by default that of Tong 2014.
    field_mm : float
        Side of the square field.

    Returns
    -------
    SimulatedHead
        Its surface is of kind ``"reflectance"``, 256 grey levels from 0 to 1.

    Raises
    ------
    ParameterError
        For a pixel or field out of range.

    Examples
    --------
    >>> from ballistics.surfaces.simulation.heads import simulate_firearm, simulate_shot
    >>> image = simulate_image(simulate_firearm(1), simulate_shot(2), pixel_um=25.0)
    >>> image.surface.kind, image.surface.heights_um.shape
    ('reflectance', (200, 200))
    """
    light = light or RingLight()
    clean = replace(shot, noise_um=0.0, dropout_share=0.0, steepest_deg=90.0, spike_share=0.0)
    head = simulate_head(firearm, clean, spacing_um=pixel_um, field_mm=field_mm)
    image = ring_light_image(head.surface.heights_um, pixel_um, light, shot.seed)
    parameters = {
        "firearm": asdict(firearm),
        "shot": asdict(shot),
        "light": asdict(light),
        "pixel_um": pixel_um,
        "field_mm": field_mm,
    }
    surface = Surface(
        image,
        (pixel_um, pixel_um),
        kind="reflectance",
        metadata=head.surface.metadata,
        provenance=Provenance(
            "simulated image under a ring light", VERSION, parameters, {"array": sha256_of_array(image)}
        ),
    )
    return SimulatedHead(surface, head.labels, firearm, shot)


def ring_light_image(heights_um: Floats, pixel_um: float, light: RingLight, seed: int) -> Floats:
    """Return the image of a relief: intensities from 0 to 1 in 256 levels.

    Parameters
    ----------
    heights_um : ndarray of float64, shape (rows, columns), at least 2 × 2
        Heights in µm, none missing.
    pixel_um : float
        Spacing of the heights, and size of a pixel.
    light : RingLight
        Light, metal and camera.
    seed : int
        Of the camera's noise.

    Returns
    -------
    ndarray of float64, shape (rows, columns)

    Examples
    --------
    >>> flat = ring_light_image(np.zeros((3, 3)), 5.0, RingLight(noise=0.0, falloff=0.0, exposure=0.4), 0)
    >>> bool((flat == 102 / 255).all())
    True
    """
    down, right = np.gradient(heights_um, pixel_um)
    slope = np.hypot(down, right)
    slopes, even, uneven = _ring(light)
    bright = math.radians(light.bright_side_deg)
    # A surface that rises to the left and falls to the right looks to the right.
    towards = -(right * math.cos(bright) - down * math.sin(bright)) / np.maximum(slope, 1e-12)
    image = np.interp(slope, slopes, even) + light.unevenness * towards * np.interp(slope, slopes, uneven)
    line = np.linspace(-1.0, 1.0, len(image))
    image *= 1.0 - light.falloff * 0.5 * (line[:, None] ** 2 + line[None, :] ** 2)
    image *= light.exposure / float(np.median(image))
    rng = generator(seed, "camera")
    image += light.noise * np.sqrt(np.clip(image, 0.0, 1.0)) * rng.standard_normal(image.shape)
    return np.asarray(np.rint(255.0 * np.clip(image, 0.0, 1.0)) / 255.0)


def _ring(light: RingLight) -> tuple[Floats, Floats, Floats]:
    """Return slopes, and the light that each sends up: from an even ring, and from one that varies as the cosine.

    A lamp at azimuth φ from the direction that a facet faces; the ring's brightness is 1 + u cos(φ − φ₀), so that the
    facet's is f₀ + u cos(ψ − φ₀) f₁ with f₀ and f₁ the first two moments of the response over the ring.
    """
    gentle, steep = np.linspace(0.0, 1.0, _SLOPES // 2, endpoint=False), np.geomspace(1.0, _STEEPEST, _SLOPES // 2)
    slopes = np.concatenate([gentle, steep])
    tilt = np.arctan(slopes)[:, None]
    azimuth = (np.arange(_LAMPS) + 0.5) * (2.0 * math.pi / _LAMPS)
    elevation = math.radians(light.elevation_deg)
    lamp = math.cos(elevation) * np.cos(azimuth), math.cos(elevation) * np.sin(azimuth), math.sin(elevation)
    normal_x, normal_z = np.sin(tilt), np.cos(tilt)
    scattered = np.maximum(normal_x * lamp[0] + normal_z * lamp[2], 0.0)
    # The facet that mirrors a lamp into the camera lies half-way between the two directions.
    half = np.stack([lamp[0], lamp[1], np.full(_LAMPS, lamp[2] + 1.0)])
    half /= np.sqrt((half**2).sum(axis=0))
    off = np.arccos(np.clip(normal_x * half[0] + normal_z * half[2], -1.0, 1.0))
    mirrored = np.exp(-0.5 * (off / math.radians(light.lobe_deg)) ** 2)
    response = (1.0 - light.specular_share) * scattered + light.specular_share * mirrored
    return slopes, response.mean(axis=1), (response * np.cos(azimuth)).mean(axis=1)
