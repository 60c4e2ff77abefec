"""What a template gives away: the best map that can be rebuilt from it, compared with the mark and another scan."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import scipy.fft
from numpy.typing import NDArray
from rich.progress import track
from scipy import ndimage

from ballistics.impressions.comparing import compare
from ballistics.impressions.comparison import ImpressionComparison
from ballistics.impressions.similarity import similarity
from ballistics.library import template
from ballistics.library.relief import relief_of
from ballistics.surfaces.pose import Pose
from ballistics.surfaces.surface import Mark
from benchmarks.support.pairs import ScanSet
from benchmarks.support.record import Context, Record


def rebuilt(mark: Mark) -> Mark:
    """Rebuild a mark from its template as well as can be, on its own grid and inside its own region.

    Both would not be known to somebody who has the template alone: the figures are upper bounds.
    """
    record = template.make_template(mark).array.view(template.RECORD)[0]
    spectra = np.zeros((template.RINGS, template.ANGLES // 2 + 1), np.complex64)
    parts = record["heights"].astype(np.float32) * record["height_step"]
    spectra[template.mode_order()] = parts[:, 0] + 1j * parts[:, 1]
    rings = scipy.fft.irfft(spectra, template.ANGLES, axis=1) / np.sqrt(template.ring_weights()[:, None])
    low = relief_of(mark)
    scale = low.spacing_um / mark.spacing_um
    centre = [scale * c + (scale - 1.0) / 2.0 for c in low.centre]
    rows, columns = np.indices(mark.heights_um.shape)
    y, x = (rows - centre[0]) * mark.spacing_um, (columns - centre[1]) * mark.spacing_um
    ring = np.hypot(y, x) / float(record["ring_um"]) - 0.5
    angle = np.arctan2(y, x) * template.ANGLES / (2.0 * np.pi)
    # Angles go on around; the rings end.
    around = np.concatenate([rings, rings, rings], axis=1)
    heights = ndimage.map_coordinates(around, [ring, angle + template.ANGLES], order=3, mode="nearest")
    heights = np.where(np.isfinite(mark.heights_um), heights, np.nan)
    return Mark(mark.kind, heights.astype(np.float32), mark.spacing_um, mark.surface_kind)


def _correlation(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    valid = np.isfinite(a) & np.isfinite(b)
    return float(np.corrcoef(a[valid], b[valid])[0, 1])


def given_away(scans: ScanSet, context: Context) -> Iterator[Record]:
    """Rebuild marks from their templates and compare them as an examiner would."""
    pairs = [(i, j) for i, j in scans.pairs() if scans.firearms[i] == scans.firearms[j]]
    pairs = pairs[:: 12 if context.quick else 3]
    rows = []
    for i, j in track(pairs, "rebuilding marks from templates"):
        mark, other = scans.marks[i], scans.marks[j]
        copy = rebuilt(mark)
        octaves = similarity(mark.heights_um, copy.heights_um, mark.spacing_um, Pose()).octaves
        comparisons = [compare(either, other) for either in (mark, copy)]
        accf = [c.accf if c.accf is not None else np.nan for c in comparisons]
        nats = [c.similarity.score if c.similarity is not None else np.nan for c in comparisons]
        cells = [_cells(c) for c in comparisons]
        own = [_correlation(mark.heights_um, copy.heights_um), *(o.correlation for o in octaves)]
        rows.append([*own, *accf, *nats, *cells])
    medians = np.nanmedian(rows, axis=0)
    protocol = (
        f"{scans.name}: marks rebuilt from their templates with the region and the place known, so upper bounds; "
        "cells: congruent by the significance rule, of the pair with another scan of the same firearm"
    )
    names = (
        "rebuilt mark: correlation with the mark",
        "rebuilt mark: correlation, waves of 31–62 µm",
        "rebuilt mark: correlation, waves of 62–125 µm",
        "rebuilt mark: correlation, waves of 125–250 µm",
        "with another scan, the mark: correlation",
        "with another scan, the rebuilt mark: correlation",
        "with another scan, the mark: similarity",
        "with another scan, the rebuilt mark: similarity",
        "with another scan, the mark: congruent cells",
        "with another scan, the rebuilt mark: congruent cells",
    )
    for name, value in zip(names, medians, strict=True):
        unit = "cells" if name.endswith("cells") else "nats" if name.endswith("similarity") else "r"
        yield Record("search", name, float(value), unit, "", protocol, len(rows))


def _cells(comparison: ImpressionComparison) -> float:
    return float(comparison.rules["significance"].score) if comparison.insufficient is None else 0.0
