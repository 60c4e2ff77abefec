"""Known disturbances of a scan or mark: turned, tilted, noisy, partial, mirrored; for robustness tests.

Every function takes a `Surface` or a `Mark` and returns a new one of the same class, with a
finding that says what was done. Angles are counted counter-clockwise as displayed with row 0 on
top, from right, as in `ballistics.surfaces.simulation.heads.Pose`. Missing points are NaN and stay missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from ballistics.errors import ParameterError
from ballistics.findings import Finding
from ballistics.provenance import Provenance, sha256_of_array
from ballistics.surfaces.surface import Mark, Surface

Scan = TypeVar("Scan", Surface, Mark)
Floats = NDArray[np.float64]


def rotate_surface(scan: Scan, theta_deg: float) -> Scan:
    """Turn counter-clockwise about the centre; the field grows so that nothing is lost.

    Multiples of 90° are exact (`numpy.rot90`). Other angles are interpolated with cubic splines; a
    point is missing where the nearest point of the original is.

    Parameters
    ----------
    scan : Surface or Mark
    theta_deg : float
        Any angle in degrees.

    Raises
    ------
    ParameterError
        For unequal spacings in rows and columns and an angle that is no multiple of 90°.

    Examples
    --------
    >>> surface = Surface(np.array([[1.0, 2.0]]), (6.25, 6.25))
    >>> rotate_surface(surface, 90.0).heights_um.tolist()
    [[2.0], [1.0]]
    """
    _finite("theta_deg", theta_deg)
    spacing = _spacing(scan)
    quarters, rest = divmod(theta_deg, 90.0)
    heights = np.rot90(_heights(scan), int(quarters) % 4)
    if int(quarters) % 2:
        spacing = spacing[::-1]
    if rest != 0.0:
        if not np.isclose(spacing[0], spacing[1], rtol=1e-9):
            raise ParameterError(f"spacings {spacing} µm differ: resample to one spacing, then turn by {theta_deg}°")
        cosine, sine = np.cos(np.deg2rad(rest)), np.sin(np.deg2rad(rest))
        rows, columns = heights.shape
        shape = (
            int(np.ceil(rows * cosine + columns * sine - 1e-9)),
            int(np.ceil(columns * cosine + rows * sine - 1e-9)),
        )
        heights = _transformed(heights, np.array([[cosine, sine], [-sine, cosine]]), shape)
    return _changed(scan, "rotated", {"theta_deg": theta_deg}, heights, spacing)


def rescale_lateral(scan: Scan, factor: float) -> Scan:
    """Stretch the content about the centre while the stated spacing stays: a lateral scale error.

    Parameters
    ----------
    scan : Surface or Mark
    factor : float
        New over old length of a feature, 0.5 to 2; 1.02 is an error of 2 %.
    """
    _within("factor", factor, 0.5, 2.0)
    heights = _heights(scan)
    shape = (max(1, round(heights.shape[0] * factor)), max(1, round(heights.shape[1] * factor)))
    stretched = heights if factor == 1.0 else _transformed(heights, np.eye(2) / factor, shape)
    return _changed(scan, "lateral scale changed", {"factor": factor}, stretched)


def mirror(scan: Scan) -> Scan:
    """Mirror left to right, as an exporter with another axis convention does."""
    return _changed(scan, "mirrored", {}, np.fliplr(_heights(scan)))


def tilt(scan: Scan, degrees: float, direction_deg: float = 0.0) -> Scan:
    """Add a plane through the centre that rises by tan(degrees) towards a direction.

    Parameters
    ----------
    scan : Surface or Mark
    degrees : float
        Steepness, −80 to 80.
    direction_deg : float
        Direction of the steepest rise.
    """
    _within("degrees", degrees, -80.0, 80.0)
    _finite("direction_deg", direction_deg)
    heights = _heights(scan)
    y, x = _positions(heights.shape, _spacing(scan))
    direction = np.deg2rad(direction_deg)
    plane = np.tan(np.deg2rad(degrees)) * (x * np.cos(direction) - y * np.sin(direction))
    parameters = {"degrees": degrees, "direction_deg": direction_deg}
    return _changed(scan, "tilted", parameters, heights + plane)


def add_noise(scan: Scan, share_of_roughness: float, exponent: float, seed: int) -> Scan:
    """Add Gaussian noise of a given share of the scan's own roughness.

    Parameters
    ----------
    scan : Surface or Mark
        Its roughness is the standard deviation of its valid heights: form must be removed before.
    share_of_roughness : float
        Rms of the noise over the valid points, over the roughness; 0 or more.
    exponent : float
        The noise's amplitude falls as frequency to the power −exponent: 0 white, 1 for 1/f.
    seed : int
    """
    _within("share_of_roughness", share_of_roughness, 0.0, 100.0)
    _within("exponent", exponent, 0.0, 3.0)
    heights = _heights(scan)
    valid = np.isfinite(heights)
    noise = np.random.Generator(np.random.PCG64(seed)).standard_normal(heights.shape)
    if exponent > 0.0:
        spacing = _spacing(scan)
        frequency = np.hypot(
            np.fft.fftfreq(heights.shape[0], spacing[0])[:, None],
            np.fft.rfftfreq(heights.shape[1], spacing[1])[None, :],
        )
        frequency[0, 0] = np.inf
        noise = fft.irfft2(fft.rfft2(noise, workers=1) * frequency**-exponent, s=heights.shape, workers=1)
    if valid.sum() > 1:
        values = noise[valid]
        spread = float(values.std())
        if spread > 0.0:
            noise = (noise - values.mean()) * (share_of_roughness * float(heights[valid].std()) / spread)
    parameters = {"share_of_roughness": share_of_roughness, "exponent": exponent, "seed": seed}
    return _changed(scan, "noise added", parameters, heights + noise)


def drop_out(scan: Scan, share: float, cluster_um: float, seed: int) -> Scan:
    """Make a share of the valid points missing, in clusters.

    Parameters
    ----------
    scan : Surface or Mark
    share : float
        Share of the valid points, 0 to 1; kept to the point.
    cluster_um : float
        Typical size of a cluster; 0 for single points.
    seed : int
    """
    _within("share", share, 0.0, 1.0)
    _within("cluster_um", cluster_um, 0.0, 1e5)
    heights = _heights(scan)
    field = np.random.Generator(np.random.PCG64(seed)).standard_normal(heights.shape)
    if cluster_um > 0.0:
        # Excursions of a Gaussian-smoothed field are about four standard deviations wide.
        field = ndimage.gaussian_filter(field, [cluster_um / 4.0 / s for s in _spacing(scan)], mode="wrap")
    kept = _lowest(heights, field, 1.0 - share)
    parameters = {"share": share, "cluster_um": cluster_um, "seed": seed}
    return _changed(scan, "points dropped out", parameters, np.where(kept, heights, np.nan))


def keep_sector(scan: Scan, width_deg: float, start_deg: float) -> Scan:
    """Keep a sector about the middle of the valid points' bounding box.

    Parameters
    ----------
    scan : Surface or Mark
    width_deg : float
        Opening of the sector, 0 to 360.
    start_deg : float
        Where it begins; it goes counter-clockwise from there.
    """
    _within("width_deg", width_deg, 0.0, 360.0)
    _finite("start_deg", start_deg)
    heights = _heights(scan)
    y, x = _positions(heights.shape, _spacing(scan))
    valid = np.isfinite(heights)
    if valid.any():
        y -= 0.5 * (y[valid].min() + y[valid].max())
        x -= 0.5 * (x[valid].min() + x[valid].max())
    angle = (np.rad2deg(np.arctan2(-y, x)) - start_deg) % 360.0
    angle[angle >= 360.0] = 0.0  # the remainder of a tiny negative number rounds to 360
    parameters = {"width_deg": width_deg, "start_deg": start_deg}
    return _changed(scan, "sector kept", parameters, np.where(angle < width_deg, heights, np.nan))


def keep_disc(scan: Scan, share: float, seed: int) -> Scan:
    """Keep a disc about a random valid point that holds a share of the valid points.

    Parameters
    ----------
    scan : Surface or Mark
    share : float
        Share of the valid points, 0 to 1; kept to the point.
    seed : int
    """
    _within("share", share, 0.0, 1.0)
    heights = _heights(scan)
    kept = _lowest(heights, _distance_to_random_point(scan, seed), share)
    return _changed(scan, "disc kept", {"share": share, "seed": seed}, np.where(kept, heights, np.nan))


def dent(scan: Scan, share: float, depth_um: float, seed: int) -> Scan:
    """Press a round dent: inside it the relief is gone and a bowl is in its place.

    Parameters
    ----------
    scan : Surface or Mark
    share : float
        Share of the valid points inside the dent, 0 to 1; kept to the point.
    depth_um : float
        Depth of the bowl below the mean of what it replaces.
    seed : int
        Of the dent's place.
    """
    _within("share", share, 0.0, 1.0)
    _within("depth_um", depth_um, 0.0, 1e4)
    heights = _heights(scan)
    distance = _distance_to_random_point(scan, seed)
    inside = _lowest(heights, distance, share)
    if inside.any():
        rim = max(float(distance[inside].max()), min(_spacing(scan)))
        bowl = heights[inside].mean() - depth_um * (1.0 - (distance[inside] / rim) ** 2)
        heights[inside] = bowl
    return _changed(scan, "dented", {"share": share, "depth_um": depth_um, "seed": seed}, heights)


def _changed(
    scan: Scan,
    what: str,
    parameters: Mapping[str, Any],
    heights: NDArray[Any],
    spacing: tuple[float, float] | None = None,
) -> Scan:
    """Return the scan with other heights, a finding that says so, and a new provenance."""
    finding = Finding("disturbed", "warning", f"{what} on purpose, for a test: {dict(parameters)}", what)
    inputs = {"array": sha256_of_array(np.asarray(scan.heights_um))}
    provenance = Provenance(f"disturbance: {what}", "1", parameters, inputs)
    findings = (*scan.findings, finding)
    if isinstance(scan, Mark):
        # The region is on the grid of the surface, to which a disturbed mark no longer belongs.
        return replace(
            scan,
            heights_um=np.ascontiguousarray(heights, dtype=np.float32),
            region=None,
            findings=findings,
            provenance=provenance,
        )
    return replace(
        scan,
        heights_um=np.ascontiguousarray(heights, dtype=np.float64),
        spacing_um=spacing if spacing is not None else scan.spacing_um,
        findings=findings,
        provenance=provenance,
    )


def _heights(scan: Surface | Mark) -> Floats:
    """A copy of the heights in float64, which the caller may change."""
    kind = scan.kind if isinstance(scan, Surface) else scan.surface_kind
    if kind not in ("topography", "reflectance"):
        raise ParameterError(f"this scan is of kind '{kind}'; only height maps and images can be disturbed")
    return np.array(scan.heights_um, dtype=np.float64)


def _spacing(scan: Surface | Mark) -> tuple[float, float]:
    return scan.spacing_um if isinstance(scan, Surface) else (scan.spacing_um, scan.spacing_um)


def _positions(shape: tuple[int, ...], spacing: tuple[float, float]) -> tuple[Floats, Floats]:
    """Positions y (down) and x (right) in µm of every point from the centre."""
    lines = ((np.arange(n) - 0.5 * (n - 1)) * s for n, s in zip(shape, spacing, strict=True))
    y, x = np.meshgrid(*lines, indexing="ij")
    return y, x


def _distance_to_random_point(scan: Surface | Mark, seed: int) -> Floats:
    heights = _heights(scan)
    y, x = _positions(heights.shape, _spacing(scan))
    valid = np.flatnonzero(np.isfinite(heights))
    if valid.size == 0:
        return np.hypot(y, x)
    centre = valid[np.random.Generator(np.random.PCG64(seed)).integers(valid.size)]
    return np.asarray(np.hypot(y - y.flat[centre], x - x.flat[centre]))


def _lowest(heights: Floats, field: Floats, share: float) -> NDArray[np.bool_]:
    """Return which valid points belong to the share with the lowest field; ties by position."""
    valid = np.flatnonzero(np.isfinite(heights))
    order = np.argsort(field.flat[valid], kind="stable")
    chosen = np.zeros(heights.size, dtype=bool)
    chosen[valid[order[: round(share * valid.size)]]] = True
    return chosen.reshape(heights.shape)


def _transformed(heights: Floats, matrix: Floats, shape: tuple[int, int]) -> Floats:
    """Sample the map where ``matrix`` takes each point of a new grid, both counted from their centres."""
    valid = np.isfinite(heights)
    if not valid.any():
        return np.full(shape, np.nan)
    # Missing points take their nearest neighbour's height, so that the spline does not ring at holes.
    nearest = ndimage.distance_transform_edt(~valid, return_distances=False, return_indices=True)
    filled = heights[tuple(nearest)]
    offset = (np.array(heights.shape) - 1.0) / 2.0 - matrix @ ((np.array(shape) - 1.0) / 2.0)
    values = ndimage.affine_transform(filled, matrix, offset, shape, order=3, mode="nearest")
    known = ndimage.affine_transform(valid.astype(np.uint8), matrix, offset, shape, order=0, mode="grid-constant")
    values[known == 0] = np.nan
    return np.asarray(values, dtype=np.float64)


def _within(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise ParameterError(f"{name} is {value}; give a value from {low:g} to {high:g}")


def _finite(name: str, value: float) -> None:
    if not np.isfinite(value):
        raise ParameterError(f"{name} is {value}; give a finite number")
