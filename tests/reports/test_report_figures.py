"""Pictures, outlines, the registered pair and the places of cells, against what can be said without them."""

from __future__ import annotations

import base64
import math

import cv2
import numpy as np
import pytest
from report_cases import case
from scipy.ndimage import map_coordinates

from ballistics.reports.figures.cell_places import cell_places
from ballistics.reports.figures.outlines import outline_path
from ballistics.reports.figures.pictures import (
    Grid,
    common_exaggeration,
    palette_of,
    palette_png,
    picture_grid,
    shaded_relief,
    slopes,
)
from ballistics.reports.figures.registered_pair import registered_pair
from ballistics.surfaces.pose import Pose
from ballistics.surfaces.surface import Mark


def _decoded(uri: str) -> np.ndarray:
    data = base64.b64decode(uri.removeprefix("data:image/png;base64,"))
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)


def test_png_is_read_back_by_another_decoder() -> None:
    rng = np.random.default_rng(1)
    indices = rng.integers(0, 256, (37, 53)).astype(np.uint8)
    palette = palette_of("cividis")
    image = cv2.imdecode(np.frombuffer(palette_png(indices, palette), np.uint8), cv2.IMREAD_UNCHANGED)
    shown = indices < 255
    assert image.shape == (37, 53, 4)
    np.testing.assert_array_equal(image[shown][:, 2::-1], palette[indices[shown]])
    np.testing.assert_array_equal(image[..., 3], np.where(shown, 255, 0))


def test_slopes_of_a_plane_are_exact_also_beside_missing_points() -> None:
    y, x = np.mgrid[:30, :40].astype(float)
    heights = (0.5 * y - 0.25 * x).astype(np.float32)
    heights[10:14, 5:9] = np.nan
    heights[20, 20] = np.nan
    down, right = slopes(Grid(heights, 2.0, 0.0, 0.0))
    valid = np.isfinite(heights)
    np.testing.assert_allclose(down[valid], 0.25, atol=1e-6)
    np.testing.assert_allclose(right[valid], -0.125, atol=1e-6)


def test_light_comes_from_the_upper_left_and_missing_points_are_transparent() -> None:
    y, x = np.mgrid[-20:21, -20:21].astype(float)
    dome = (-0.01 * (x**2 + y**2)).astype(np.float32)
    dome[0, 0] = np.nan
    image = _decoded(shaded_relief(Grid(dome, 1.0, 0.0, 0.0), 1.0).uri)
    assert image[10, 10, 0] > image[20, 20, 0] > image[30, 30, 0]
    assert image[0, 0, 3] == 0
    assert image[1, 1, 3] == 255


def test_exaggeration_of_a_flat_map_is_none() -> None:
    flat = Grid(np.zeros((5, 5), np.float32), 1.0, 0.0, 0.0)
    assert common_exaggeration(flat, flat) == 1.0
    assert common_exaggeration() == 1.0


def test_picture_grid_keeps_extent_and_mean_of_an_uneven_scan() -> None:
    heights = np.add.outer(np.zeros(400), np.linspace(-1.0, 1.0, 1000))
    heights[:, :100] = np.nan
    grid = picture_grid(heights, (10.0, 5.0), largest_points=500)
    rows, columns = grid.heights_um.shape
    assert max(rows, columns) <= 500
    assert columns * grid.spacing_um == pytest.approx(5000.0, rel=0.01)
    assert rows * grid.spacing_um == pytest.approx(4000.0, rel=0.01)
    assert np.isnan(grid.heights_um[:, : columns // 11]).all()
    assert float(np.nanmean(grid.heights_um)) == pytest.approx(float(np.nanmean(heights)), abs=0.01)


def test_outline_of_a_ring_has_its_hole() -> None:
    y, x = np.mgrid[-50:51, -50:51]
    radius = np.hypot(x, y)
    path = outline_path((radius < 40) & (radius > 15), (5.0, 5.0))
    assert path.count("M") == path.count("Z") == 2
    assert outline_path(np.zeros((10, 10), bool), (5.0, 5.0)) == ""


def test_registered_pair_shows_one_feature_at_one_place() -> None:
    """B is A turned by 90° and shifted; moved back onto A, its bump is where A's is."""
    heights = np.zeros((101, 121), np.float32)
    heights[20:24, 90:94] = 5.0
    turned = np.ascontiguousarray(np.rot90(heights, -1))
    a, b = Mark("breech face", heights, 6.25), Mark("breech face", turned, 6.25)
    on_a, moved = registered_pair(a, b, Pose(90.0, 0.0, 0.0))
    assert on_a.heights_um.shape == moved.heights_um.shape
    valid = np.isfinite(on_a.heights_um) & np.isfinite(moved.heights_um)
    np.testing.assert_allclose(moved.heights_um[valid], on_a.heights_um[valid], atol=1e-3)
    assert valid.sum() > 0.95 * heights.size
    bump_y, bump_x = np.argwhere(on_a.heights_um > 4).mean(axis=0)
    assert on_a.left_um + (bump_x + 0.5) * on_a.spacing_um == pytest.approx((91.5 - 60) * 6.25)
    assert on_a.top_um + (bump_y + 0.5) * on_a.spacing_um == pytest.approx((21.5 - 50) * 6.25)


@pytest.mark.parametrize("direction", ["a", "b"])
def test_cells_are_drawn_where_they_correlate_as_they_claim(direction: str) -> None:
    """Cut the congruent cells out of both marks at the drawn places and turns, and correlate."""
    comparison, a, b = case("same-source")
    rule = comparison.rules["significance"]
    if direction == "a":
        search, verdict, tiled, searched = comparison.a_in_b, rule.a_in_b, a.mark, b.mark
    else:
        search, verdict, tiled, searched = comparison.b_in_a, rule.b_in_a, b.mark, a.mark
    assert search is not None
    off = []
    for place in cell_places(search, verdict):
        own = _sampled(tiled, place.x_um, place.y_um, place.turn_deg)
        found = _sampled(searched, place.found_x_um, place.found_y_um, place.found_turn_deg)
        both = np.isfinite(own) & np.isfinite(found)
        if place.verdict == "congruent" and both.mean() > 0.5:  # full cells: no border to be treated alike
            off.append(float(np.corrcoef(own[both], found[both])[0, 1]) - place.correlation)
    assert len(off) >= 5
    # Another interpolation at the borders of missing points; a place off by 20 µm would cost 0.3 and more.
    assert max(map(abs, off)) < 0.08


def _sampled(mark: Mark, x_um: float, y_um: float, turn_deg: float) -> np.ndarray:
    """Read a cell of 75 × 75 points, turned counter-clockwise; bilinear, NaN beside missing points."""
    down, across = np.mgrid[-37:38, -37:38].astype(float)
    turn = math.radians(turn_deg)
    x = x_um / mark.spacing_um + across * math.cos(turn) + down * math.sin(turn)
    y = y_um / mark.spacing_um + down * math.cos(turn) - across * math.sin(turn)
    rows, columns = mark.heights_um.shape
    places = [y + (rows - 1) / 2, x + (columns - 1) / 2]
    return np.asarray(map_coordinates(mark.heights_um.astype(float), places, order=1, cval=np.nan))
