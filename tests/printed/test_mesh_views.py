"""Pictures of meshes: the right side, the right scale, the same bytes."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from ballistics.errors import ParameterError
from ballistics.printed.content.mesh_views import VIEWS, render_view, shown_extent_mm, six_views

BOX = np.array([[i, j, k] for i in (0, 40) for j in (0, 20) for k in (0, 10)], float)
QUADS = {
    "left": (0, 1, 3, 2), "right": (4, 6, 7, 5), "front": (0, 4, 5, 1),
    "back": (2, 3, 7, 6), "bottom": (0, 2, 6, 4), "top": (1, 5, 7, 3),
}  # fmt: skip
FACES = np.array([t for a, b, c, d in QUADS.values() for t in ((a, b, c), (a, c, d))])


def shape(picture):
    """Return height and width of what is drawn."""
    rows, columns = np.nonzero((picture < 250).any(axis=2))
    return np.ptp(rows) + 1, np.ptp(columns) + 1


@pytest.mark.parametrize(
    ("view", "size"),
    [
        ("front", (10, 40)), ("back", (10, 40)), ("left", (10, 20)), ("right", (10, 20)),
        ("top", (20, 40)), ("bottom", (20, 40)),
    ],
)  # fmt: skip
def test_each_side_is_shown_at_one_scale(view, size):
    picture = render_view(BOX, FACES, view, pixels=200)
    per_mm = 200 / shown_extent_mm(BOX)
    assert shape(picture) == pytest.approx([size[0] * per_mm, size[1] * per_mm], abs=2)


def test_what_is_nearest_is_seen():
    """Each side of a box in a colour of its own, seen from its side only."""
    corners = BOX[np.array(list(QUADS.values())).ravel()]
    faces = np.array([t for k in range(6) for t in ((4 * k, 4 * k + 1, 4 * k + 2), (4 * k, 4 * k + 2, 4 * k + 3))])
    palette = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 0], [0, 255, 255], [255, 0, 255]], np.uint8)
    for k, view in enumerate(QUADS):
        picture = render_view(corners, faces, view, pixels=64, vertex_colours=np.repeat(palette, 4, axis=0))
        middle = picture[32, 32].astype(float)
        assert (middle > 0).tolist() == (palette[k] > 0).tolist(), view


def test_right_and_up_are_not_swapped():
    arrow = np.array([[0.0, 0, 0], [10, 0, 0], [0, 0, 10]]), np.array([[0, 1, 2]])
    for view, corner in (("front", (-1, 0)), ("back", (-1, -1))):
        drawn = (render_view(*arrow, view, pixels=100) < 250).any(axis=2)
        rows, columns = np.nonzero(drawn)
        assert drawn[rows.max() - 3 if corner[0] else 0, columns.min() + 3 if corner[1] == 0 else columns.max() - 3]
        assert not drawn[rows.min() + 3, columns.max() - 3 if corner[1] == 0 else columns.min() + 3]


def test_the_sheet_is_the_same_every_time():
    sheets = [six_views(BOX, FACES, pixels=120) for _ in range(2)]
    assert sheets[0].shape == (240, 360, 3)
    assert len({hashlib.sha256(sheet.tobytes()).hexdigest() for sheet in sheets}) == 1
    assert (six_views(BOX, FACES[:, ::-1], pixels=120) == sheets[0]).mean() > 0.999


def test_edges_and_broken_input():
    flat = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0]])
    assert (render_view(flat, np.array([[0, 1, 2]]), "front", pixels=32) == 255).all()  # edge-on
    assert (render_view(flat[:1], np.array([[0, 0, 0]]), pixels=16) == 255).all()
    for options in ({"view": "inside"}, {"pixels": 3}, {"pixels": 100_000}):
        with pytest.raises(ParameterError):
            render_view(BOX, FACES, **options)
    assert len(VIEWS) == 6
