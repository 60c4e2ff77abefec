"""The breech-face region of a scan, found from the physics of an impressed primer."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from ballistics.errors import ParameterError
from ballistics.surfaces.filtering.levelling import Form, fit_form
from ballistics.surfaces.regions.annulus import Annulus, best_annulus, polar_positions
from ballistics.surfaces.regions.coarse_relief import STEP_MM, STEP_UM, CoarseRelief, coarse_relief, relief_of_blocks
from ballistics.surfaces.regions.cut_outs import is_disc, is_flat_cut_out, measured_area
from ballistics.surfaces.regions.head_centre import HeadCentre, find_head_centre
from ballistics.surfaces.regions.region_geometry import Circle, distance, nearest, refined, robust_circle
from ballistics.surfaces.surface import Surface

REFERENCES = ("doi:10.1016/0031-3203(81)90009-1", "doi:10.1080/01621459.1984.10477105")

# What counts as breech face: flat, and level with the rest of it.
_RADII_MM = np.arange(0.1, 2.75, 0.5 * STEP_MM)  # a large primer ends at 2.67 mm
_STEEPEST = math.tan(math.radians(6.0))  # roll-off, aperture edge and lip are 8° and more
_STEP_SIGMAS = 3.5
_SMALLEST_STEP_UM, _LARGEST_STEP_UM = 5.0, 20.0
_WORST = -2.0  # one very bad point weighs no more than two good ones
_HOLE = -0.15  # a wall or hole that could not be measured; or a large dropout
_STIFFNESS_MM = 0.10
_ROUNDS = 4

# What counts as a flaw inside the band, and as a crumb of region.
_FLAW = -0.5
_SMALLEST_FLAW_MM2 = 0.02
_OPENING_POINTS = 2
_SMALLEST_PART = 0.1  # of the largest part

# What must be there for the word "breech face".
_LEAST_PIN_COVERAGE = 0.3
_LEAST_PIN_INVERTED = 0.6  # to call a scan turned over takes more than to call it upright
_LEAST_PRIMER_COVERAGE = 0.6
_LEAST_PIN_WITH_PRIMER = 0.25  # an elongated impression has little that points at its centre
_LEAST_DEPTH_UM = 25.0
_LEAST_DEPTH_SIGMAS = 12.0  # of the band: a firing pin is deep beside roughness
_LARGEST_HOLLOW_MM = 1.5
_LEAST_AGREEMENT, _LEAST_AGREEMENT_WITH_PRIMER = 0.65, 0.5
_LEAST_DIRECTIONS = 0.35
_LEAST_BAND_MM = 0.10
_LEAST_AREA_MM2, _LARGEST_AREA_MM2 = 0.8, 20.0  # the flat of a large primer has 15 mm²

_EDGE_WIDTH_MM = 0.15  # from the middle of the rolled edge outwards
_PRIMER_GAP_MM = 1.1  # from the end of the flat to the bottom of the gap


class RegionLabel(IntEnum):
    """Values of the label map; the same as those of simulated heads."""

    OUTSIDE = 0
    BREECH_FACE = 1
    FIRING_PIN = 2
    APERTURE = 3
    DRAG = 4
    PRIMER_EDGE = 5
    CASE_HEAD = 6


@dataclass(frozen=True, eq=False)
class BreechFaceRegion:
    """Where the breech-face impression is on a surface, and what else was found around it.

    Parameters
    ----------
    mask : ndarray of bool, shape (rows, columns)
        True in the region, missing points within it included; all False when none was found.
    labels : ndarray of uint8, shape (rows, columns)
        What each point was taken for, see `RegionLabel`.
    primer : Circle or None
        Bottom of the gap between primer and case head; None when it is not on the scan.
    firing_pin : Circle or None
        Circle of the same area and centroid as the firing-pin impression.
    inverted : bool
        True when the region makes sense only with heights and depths exchanged.
    masked : bool
        True when everything but a flat region was missing already: that region is taken.
    reason : str or None
        Why no region was found; None when one was.
    """

    mask: NDArray[np.bool_]
    labels: NDArray[np.uint8]
    primer: Circle | None
    firing_pin: Circle | None
    inverted: bool
    masked: bool
    reason: str | None

    def areas_mm2(self, spacing_um: tuple[float, float]) -> dict[str, float]:
        """Return the area in mm² of each label that occurs, by its name in lower case."""
        counts = np.bincount(self.labels.ravel(), minlength=len(RegionLabel))
        point = spacing_um[0] * spacing_um[1] * 1e-6
        return {
            label.name.lower().replace("_", " "): round(float(counts[label]) * point, 4)
            for label in RegionLabel
            if counts[label]
        }


@dataclass(frozen=True)
class _Band:
    """The flat band around a centre, its form, and how well each coarse point agrees with it."""

    annulus: Annulus
    form: Form
    evidence: NDArray[np.float64]


def find_breech_face(surface: Surface) -> BreechFaceRegion:
    """Find the breech-face impression: the flat annulus between aperture mark and rolled primer edge.

    On a 25 µm grid: the commonest slope gives the tilt; steep points vote for the common centre of
    firing pin and primer; the closed band around it that is flat and level is found by dynamic
    programming, its second-order form refitted in turn; patches in it that are neither flat nor
    level (drag, shear, flaws) are cut out. Nothing is assumed about the scan's crop or
    instrument; heights may lie either way up.

    Parameters
    ----------
    surface : Surface
        Topography. Missing points are allowed, also everywhere outside the region.

    Returns
    -------
    BreechFaceRegion
        With ``reason`` set and an empty mask when no breech face can be found: never a guess.

    Raises
    ------
    ParameterError
        If the surface is not a topography.

    References
    ----------
    doi:10.1016/0031-3203(81)90009-1 (votes), doi:10.1080/01621459.1984.10477105 (robust form)

    Examples
    --------
    >>> flat = Surface(np.zeros((200, 200)), (20.0, 20.0))
    >>> find_breech_face(flat).reason
    'no breech face found: nothing on the scan is steep enough to be a firing-pin impression or a primer edge'
    """
    if surface.kind != "topography":
        raise ParameterError(
            f"the surface is of kind '{surface.kind}'; the breech face is found automatically on "
            "topographies only: give the region as a mask"
        )
    relief = coarse_relief(np.asarray(surface.heights_um, dtype=np.float64), surface.spacing_um)
    if relief is None:
        size = " × ".join(f"{1e-3 * side:.2f}" for side in surface.extent_um)
        share = 100.0 * surface.valid_fraction
        return _nothing(surface, f"the scan of {size} mm, {share:.0f} % of it measured, is too small or too large")
    if _is_masked_already(relief):
        mask = measured_area(surface)
        labels = np.where(mask, RegionLabel.BREECH_FACE, RegionLabel.OUTSIDE).astype(np.uint8)
        return BreechFaceRegion(mask, labels, None, None, False, True, None)
    upright = _found(surface, relief, inverted=False)
    if upright.reason is None:
        return upright
    turned = relief_of_blocks(-relief.blocks_um)
    if turned is not None:
        inverted = _found(surface, turned, inverted=True)
        if inverted.reason is None:
            return inverted
    return upright


def _nothing(surface: Surface, why: str) -> BreechFaceRegion:
    shape = surface.heights_um.shape
    return BreechFaceRegion(
        np.zeros(shape, dtype=bool),
        np.zeros(shape, dtype=np.uint8),
        None,
        None,
        False,
        False,
        f"no breech face found: {why}",
    )


def _is_masked_already(relief: CoarseRelief) -> bool:
    """Return True when all that is measured is one flat area that can be a breech face, or part of it."""
    area = float(relief.valid.sum()) * STEP_MM**2
    if not _LEAST_AREA_MM2 <= area <= _LARGEST_AREA_MM2 or not is_flat_cut_out(relief):
        return False
    return not is_disc(relief.valid, STEP_UM)


def _found(surface: Surface, relief: CoarseRelief, inverted: bool) -> BreechFaceRegion:
    """Find the region on one way up of the relief, or say what is missing."""
    centre = find_head_centre(relief.wall_y, relief.wall_x, STEP_MM)
    if centre is None:
        return _nothing(surface, "nothing on the scan is steep enough to be a firing-pin impression or a primer edge")
    has_primer = centre.primer_coverage >= _LEAST_PRIMER_COVERAGE
    needed = _LEAST_PIN_WITH_PRIMER if has_primer else _LEAST_PIN_COVERAGE
    if inverted and not has_primer:
        needed = _LEAST_PIN_INVERTED
    if centre.pin_coverage < needed:
        return _nothing(
            surface,
            f"no firing-pin impression: at the best centre the surface falls towards it from "
            f"{100 * centre.pin_coverage:.0f} % of the directions, {100 * needed:.0f} % are needed",
        )
    band = _find_band(relief, centre)
    if band is None:
        return _nothing(surface, "no level band around the firing-pin impression")
    shape = relief.valid.shape
    inside = band.annulus.inside(shape, STEP_MM)
    height = relief.heights_um - band.form.heights_um(shape, (STEP_UM, STEP_UM))
    pin = _firing_pin(relief, height, inside, band.form.scale_um)
    if pin is None:
        return _nothing(surface, "no firing-pin impression: nothing within the level band is deep")
    if _upside_down(relief, height, inside, band.annulus):
        return _nothing(
            surface, "its middle stands up and its edge rises, where a firing pin and a primer do the opposite"
        )
    mask = _without_flaws(relief, band)
    band_mask = band.annulus.mask(shape, STEP_MM)
    width = band.annulus.outer_mm - band.annulus.inner_mm
    directions = float((width > _LEAST_BAND_MM).mean())
    area = float((mask & relief.valid).sum()) * STEP_MM**2
    hollow_mm = float(band.annulus.inner_mm[width > _LEAST_BAND_MM].mean()) if directions > 0 else math.inf
    if hollow_mm > _LARGEST_HOLLOW_MM:
        return _nothing(
            surface,
            f"the only level band begins {hollow_mm:.1f} mm from its centre, further than any aperture reaches",
        )
    agreement = float(band.evidence[band_mask & relief.valid].mean())
    if agreement < (_LEAST_AGREEMENT_WITH_PRIMER if has_primer else _LEAST_AGREEMENT):
        return _nothing(surface, f"the band around its middle is not flat (agreement {agreement:.2f} of 1)")
    if directions < _LEAST_DIRECTIONS or area < _LEAST_AREA_MM2:
        return _nothing(
            surface,
            f"the level band around the firing-pin impression covers {100 * directions:.0f} % of the "
            f"directions and {area:.2f} mm²; {100 * _LEAST_DIRECTIONS:.0f} % and {_LEAST_AREA_MM2} mm² are needed",
        )
    primer, beyond = _primer_edge(relief, height, band, centre)
    labels = np.full(shape, RegionLabel.OUTSIDE, dtype=np.uint8)
    radius = distance(shape, band.annulus.centre_mm)
    labels[radius > band.annulus.inner_mm.max()] = RegionLabel.PRIMER_EDGE
    labels[~inside] = RegionLabel.PRIMER_EDGE
    labels[beyond] = RegionLabel.CASE_HEAD
    labels[relief.hole & ~inside] = RegionLabel.OUTSIDE
    labels[inside] = RegionLabel.APERTURE
    labels[pin] = RegionLabel.FIRING_PIN
    labels[band_mask] = RegionLabel.DRAG
    labels[mask] = RegionLabel.OUTSIDE  # set on the fine grid, where its border is smooth
    fine_mask = refined(mask, surface) > 0.5
    fine_labels = nearest(labels, surface)
    fine_labels[fine_mask] = RegionLabel.BREECH_FACE
    rows, columns = np.nonzero(pin)
    pin_circle = Circle(
        (float(rows.mean() * STEP_UM), float(columns.mean() * STEP_UM)),
        float(STEP_UM * math.sqrt(rows.size / math.pi)),
    )
    return BreechFaceRegion(fine_mask, fine_labels, primer, pin_circle, inverted, False, None)


def _find_band(relief: CoarseRelief, centre: HeadCentre) -> _Band | None:
    from scipy.ndimage import map_coordinates

    shape = relief.valid.shape
    radii = _RADII_MM
    if centre.primer_coverage >= _LEAST_PRIMER_COVERAGE:
        # Beyond the fall of the primer's edge there is a wide, flat annulus too: the case head.
        radii = radii[radii <= centre.primer_radius_mm + _EDGE_WIDTH_MM]
    positions = polar_positions(centre.centre_mm, radii, STEP_MM)
    evidence = _evidence(relief, None)
    form: Form | None = None
    for turn in range(_ROUNDS):
        # Beyond the frame nothing is known: evidence 0.
        polar = map_coordinates(evidence, positions, order=1, mode="constant", cval=0.0)
        annulus = best_annulus(polar, centre.centre_mm, radii, _STIFFNESS_MM)
        if form is not None and turn == _ROUNDS - 1:
            return _Band(annulus, form, evidence)
        trusted = annulus
        if turn == 0:
            # At first the band may hold the floor of the aperture mark as well: what lies directly
            # inside the rolled edge is breech face.
            trusted = replace(annulus, inner_mm=0.5 * (annulus.inner_mm + annulus.outer_mm))
        chosen = trusted.mask(shape, STEP_MM) & relief.valid & (evidence > 0.0)
        form = fit_form(np.where(chosen, relief.heights_um, np.nan), (STEP_UM, STEP_UM), 2, selected=True)
        if form is None:
            return None
        evidence = _evidence(relief, form)
    return None


def _evidence(relief: CoarseRelief, form: Form | None) -> NDArray[np.float64]:
    """Return 1 for a point that is flat and level with the form, 0 at the limit, negative beyond."""
    slope_y, slope_x = relief.slope_y, relief.slope_x
    badness = np.zeros(relief.valid.shape)
    if form is not None:
        fitted = form.heights_um(relief.valid.shape, (STEP_UM, STEP_UM))
        fitted_y, fitted_x = np.gradient(fitted, STEP_UM)
        slope_y, slope_x = slope_y - fitted_y, slope_x - fitted_x
        limit = min(max(_STEP_SIGMAS * form.scale_um, _SMALLEST_STEP_UM), _LARGEST_STEP_UM)
        badness = (np.where(relief.valid, relief.heights_um - fitted, 0.0) / limit) ** 2
    badness = badness + (slope_y**2 + slope_x**2) / _STEEPEST**2
    evidence = np.maximum(1.0 - badness, _WORST)
    return np.where(relief.valid, evidence, np.where(relief.hole, _HOLE, 0.0))


def _firing_pin(
    relief: CoarseRelief, height: NDArray[np.float64], inside: NDArray[np.bool_], scale_um: float
) -> NDArray[np.bool_] | None:
    """Return the largest part within the band's inner border that is deep, or missing as walls are."""
    from scipy import ndimage

    deep = inside & (relief.hole | (np.where(relief.valid, height, 0.0) < -_LEAST_DEPTH_UM))
    # Walls too steep to measure ring the floor: close over it.
    parts, count = ndimage.label(ndimage.binary_fill_holes(deep))
    if count == 0:
        return None
    pin = parts == 1 + int(np.argmax(np.bincount(parts.ravel())[1:]))
    if float(pin.sum()) * STEP_MM**2 < _SMALLEST_FLAW_MM2:
        return None
    measured = pin & relief.valid
    if measured.sum() > 0.5 * pin.sum():
        depth = -float(np.percentile(height[measured], 5.0))
        if depth < max(_LEAST_DEPTH_UM, _LEAST_DEPTH_SIGMAS * scale_um):
            return None
    return np.asarray(pin)


def _upside_down(
    relief: CoarseRelief, height: NDArray[np.float64], inside: NDArray[np.bool_], annulus: Annulus
) -> bool:
    """Return True when what is inside the band rises more than it falls, and what is outside rises.

    Flowback stands up to some tens of µm in the middle, a firing-pin impression is 100 µm deep and
    more; a mark turned over (a cast, or an exporter with the axis down) has it the other way round.
    """
    measured = inside & relief.valid
    balance = 0.0
    if measured.sum() > 0.3 * inside.sum():
        low, high = np.percentile(height[measured], [2.0, 98.0])
        balance -= float(low + high)
    around = Annulus(annulus.centre_mm, annulus.outer_mm + 0.05, annulus.outer_mm + 0.35)
    edge = around.mask(relief.valid.shape, STEP_MM) & relief.valid
    if edge.sum() * STEP_MM**2 > 0.2:
        balance -= float(np.median(height[edge]))
    return balance < 0.0


def _without_flaws(relief: CoarseRelief, band: _Band) -> NDArray[np.bool_]:
    """Return the band without patches that are neither flat nor level, and without crumbs."""
    from scipy import ndimage

    inside = band.annulus.mask(relief.valid.shape, STEP_MM)
    bad, count = ndimage.label(inside & (band.evidence < _FLAW) & relief.valid)
    area = np.bincount(bad.ravel(), minlength=count + 1) * STEP_MM**2
    flaw = (area > _SMALLEST_FLAW_MM2)[bad] & (bad > 0)
    y, x = np.ogrid[-_OPENING_POINTS : _OPENING_POINTS + 1, -_OPENING_POINTS : _OPENING_POINTS + 1]
    disc = y * y + x * x <= _OPENING_POINTS**2
    # Padded with True: the frame is not an edge of the region.
    open_mask = np.pad(inside & ~flaw, 2 * _OPENING_POINTS, mode="edge")
    open_mask = ndimage.binary_opening(open_mask, disc)
    mask = open_mask[2 * _OPENING_POINTS : -2 * _OPENING_POINTS, 2 * _OPENING_POINTS : -2 * _OPENING_POINTS]
    # A gap that reaches out of the band is not part of it; one within it is a dropout.
    parts, count = ndimage.label(mask)
    if count == 0:
        return np.asarray(mask)
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    return np.asarray((sizes >= _SMALLEST_PART * sizes.max())[parts] & (parts > 0))


def _primer_edge(
    relief: CoarseRelief, height: NDArray[np.float64], band: _Band, centre: HeadCentre
) -> tuple[Circle | None, NDArray[np.bool_]]:
    """Return the circle along the bottom of the primer's gap, and what lies beyond it."""
    from scipy.ndimage import map_coordinates

    nothing = np.zeros(relief.valid.shape, dtype=bool)
    if centre.primer_coverage < _LEAST_PRIMER_COVERAGE:
        return None, nothing
    radii = np.arange(1.2, 3.4, STEP_MM)
    positions = polar_positions(centre.centre_mm, radii, STEP_MM)
    deep = np.where(relief.valid, height, np.where(relief.hole, -1e3, 0.0))
    profile = map_coordinates(deep, positions, order=1, mode="constant", cval=np.inf)
    outer = band.annulus.outer_mm[:, None]
    near = (radii[None, :] > outer) & (radii[None, :] < outer + _PRIMER_GAP_MM)
    profile = np.where(near, profile, np.inf)
    lowest = profile.min(axis=1)
    bottom = np.where(profile <= lowest[:, None] + 3.0, radii[None, :], np.nan)
    seen = np.isfinite(lowest) & (lowest < -_LEAST_DEPTH_UM)
    if seen.mean() < _LEAST_PRIMER_COVERAGE:
        return None, nothing
    radius = np.nanmean(bottom[seen], axis=1)
    angle = np.nonzero(seen)[0] * (2.0 * math.pi / seen.size)
    circle = robust_circle(centre.centre_mm[0] + radius * np.sin(angle), centre.centre_mm[1] + radius * np.cos(angle))
    far = distance(relief.valid.shape, (circle.centre_um[0] * 1e-3, circle.centre_um[1] * 1e-3))
    return circle, far > circle.radius_um * 1e-3
