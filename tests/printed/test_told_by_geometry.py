"""Rafts, supports, brims, thin walls and spirals are told by geometry in jobs without comments."""

from __future__ import annotations

import numpy as np
import pytest
from job_samples import HEIGHT, LAYERS, WIDTH, codes, is_the_box, job, loop, push, read, volume

from ballistics.printed.jobs.beside import usual_height

BARE = job(types=False, skirt=False)


def zigzag(low, high, ends, step, along_x=False):
    """Return lines of a support or raft between two coordinates, joined at their ends."""
    lines, first = [], True
    for k, at in enumerate(np.arange(low, high, step)):
        here, there = ends if k % 2 == 0 else ends[::-1]
        corners = [(here, at), (there, at)] if along_x else [(at, here), (at, there)]
        (x0, y0), (x1, y1) = corners
        lines.append(f"G1 X{x0:.3f} Y{y0:.3f}" + (" F6000" if first else f" E{push(step):.5f}"))
        lines.append(f"G1 X{x1:.3f} Y{y1:.3f} E{push(ends[1] - ends[0]):.5f}")
        first = False
    return lines


def lifted(lines, by):
    """Return a job higher above the bed."""
    return [f"G1 Z{float(line[4:]) + by:.3f}" if line.startswith("G1 Z") else line for line in lines]


def test_a_brim_is_left_out(tmp_path):
    brim = [line for k in range(1, 9) for line in loop(round(0.2 - 0.4 * k, 2), round(19.8 + 0.4 * k, 2))]
    first = BARE.index("G1 Z0.200") + 1
    found = read(tmp_path, BARE[:first] + brim + BARE[first:])
    is_the_box(found)
    assert "brim-guessed" in codes(found)


def test_a_foot_that_goes_on_is_no_brim(tmp_path):
    """A plinth of five layers around the box is part of it."""
    lines = []
    for line in BARE:
        lines.append(line)
        if line.startswith("G1 Z") and float(line[4:]) < 5.5 * HEIGHT:
            for k in range(1, 9):
                lines += loop(round(0.2 - 0.4 * k, 2), round(19.8 + 0.4 * k, 2))
    found = read(tmp_path, lines)
    assert "brim-guessed" not in codes(found)
    (part,) = found.parts
    assert np.ptp(part.vertices_mm, axis=0) == pytest.approx([26.4, 26.4, 4.0], abs=0.05)


def test_a_brim_around_a_foot_that_ends_soon_is_left_out(tmp_path):
    """A foot of two layers, as far out as the brim beyond it: how far the part goes out above tells nothing."""
    lines = []
    for line in BARE:
        lines.append(line)
        if line.startswith("G1 Z") and float(line[4:]) < 2.5 * HEIGHT:
            for k in range(1, 9):
                lines += loop(round(0.2 - 0.4 * k, 2), round(19.8 + 0.4 * k, 2))
    brim = [line for k in range(9, 17) for line in loop(round(0.2 - 0.4 * k, 2), round(19.8 + 0.4 * k, 2))]
    first = lines.index("G1 Z0.200") + 1
    found = read(tmp_path, lines[:first] + brim + lines[first:])
    assert "brim-guessed" in codes(found)
    (part,) = found.parts
    assert np.ptp(part.vertices_mm, axis=0) == pytest.approx([26.4, 26.4, 4.0], abs=0.05)


@pytest.mark.parametrize(("is_closed", "end"), [(True, ["M84"]), (False, ["M84"]), (False, [])])
def test_what_missing_infill_leaves_open_is_filled_where_nothing_leads_to_it(tmp_path, is_closed, end):
    """Two walls, a floor and, or not, a top: no infill, or a cup, also where the job stops within its last layer."""
    lines = ["M83"]
    for k in range(LAYERS):
        lines += [f"G1 Z{(k + 1) * HEIGHT:.3f}", *loop(0.2, 19.8), *loop(0.6, 19.4)]
        if k < 2 or (is_closed and k >= LAYERS - 2):
            lines += zigzag(1.0, 19.2, (1.0, 19.0), 0.4, along_x=k % 2 == 1)
    (part,) = read(tmp_path, lines + end).parts
    hollow = 20.0**2 * 0.4 + (20.0**2 - 18.4**2) * 3.6
    assert volume(part) == pytest.approx(20.0**2 * 4.0 if is_closed else hollow, abs=80.0)


def test_a_raft_is_left_out(tmp_path):
    raft = ["M83"]
    for k in range(3):
        raft += [f"G1 Z{(k + 1) * HEIGHT:.3f}", *zigzag(-3, 23, (-3, 23), 1.0, along_x=k % 2 == 1)]
    found = read(tmp_path, BARE[:5] + raft + lifted(BARE[5:], 0.8))
    assert {"support-guessed", "above-the-bed"} <= codes(found)
    (part,) = found.parts
    assert np.ptp(part.vertices_mm, axis=0) == pytest.approx([20.0, 20.0, 4.0], abs=0.05)
    assert volume(part) == pytest.approx((400 - 36) * 4.0, rel=0.01)


def table(support):
    """Return a post that carries a plate, 4 mm above the bed, with or without lines below the plate."""
    lines = ["M83"]
    for k in range(LAYERS + 5):
        lines.append(f"G1 Z{(k + 1) * HEIGHT:.3f}")
        low, high = (0.2, 29.8) if k >= LAYERS else (0.2, 5.8)
        lines += loop(low, high) + loop(low + 0.4, high - 0.4)
        if k >= LAYERS:
            lines += zigzag(1.2, 29, (1, 29), 0.8)
        else:
            lines += zigzag(1.2, 5, (1, 5), 0.8)
            # A layer of air lies between the support and the plate.
            if support and k < LAYERS - 1:
                lines += zigzag(10, 29, (1, 29), 2.5)
    return lines


def test_a_support_below_a_plate_is_left_out(tmp_path):
    bare, held = (read(tmp_path, table(support)) for support in (False, True))
    assert "support-guessed" in codes(held)
    assert "support-guessed" not in codes(bare)
    assert len(held.parts) == 1
    for found in (bare, held):
        assert volume(found.parts[0]) == pytest.approx(36 * 4.0 + 900 * 1.0, rel=0.02)


def test_a_ring_of_a_single_open_line_stays_open(tmp_path):
    """A wall as thin as a track is printed as arcs that do not close; what they go round is a hole."""
    lines = ["M83"]
    for k in range(LAYERS):
        lines.append(f"G1 Z{(k + 1) * HEIGHT:.3f}")
        for start in np.radians([0, 90, 180, 270]):
            angles = start + np.radians(np.linspace(0, 90, 19))
            xs, ys = 20 + 8 * np.cos(angles), 20 + 8 * np.sin(angles)
            lines.append(f"G1 X{xs[0]:.4f} Y{ys[0]:.4f} F6000")
            step = push(2 * 8 * np.sin(np.radians(2.5)))
            lines += [f"G1 X{x:.4f} Y{y:.4f} E{step:.5f}" for x, y in zip(xs[1:], ys[1:], strict=True)]
    (part,) = read(tmp_path, lines).parts
    assert volume(part) == pytest.approx(2 * np.pi * 8 * WIDTH * LAYERS * HEIGHT, rel=0.1)


def test_a_spiral_is_read_turn_by_turn(tmp_path):
    """Vase mode: the wall of a cylinder climbs all the way round; what was sliced is the whole cylinder."""
    lines = ["M83", "G1 Z0.2"]
    for radius in np.arange(0.4, 8.3, 0.4):
        lines.append(f"G1 X{20 + radius:.3f} Y20")
        lines.append(f"G2 X{20 + radius:.3f} Y20 I{-radius:.3f} J0 E{push(2 * np.pi * radius):.5f}")
    steps = 72
    for k in range(1, 30 * steps):
        angle = 2 * np.pi * k / steps
        x, y, z = 20 + 8 * np.cos(angle), 20 + 8 * np.sin(angle), 0.2 + HEIGHT * k / steps
        lines.append(f"G1 X{x:.4f} Y{y:.4f} Z{z:.4f} E{push(2 * np.pi * 8 / steps):.5f}")
    found = read(tmp_path, lines)
    (part,) = found.parts
    assert np.ptp(part.vertices_mm, axis=0) == pytest.approx([16.4, 16.4, 6.2], abs=0.15)
    assert volume(part) == pytest.approx(np.pi * 8.2**2 * 6.1, rel=0.03)
    assert "spiral-filled" in codes(found)


def test_the_usual_height_where_a_support_has_layers_of_its_own():
    part = 0.35 + 0.2 * np.arange(40)
    support = 0.617 + 0.267 * np.arange(20)
    assert usual_height(np.unique(np.concatenate([part, support]))) == pytest.approx(0.2, abs=1e-9)
    assert usual_height(np.array([0.3])) == 0.3
