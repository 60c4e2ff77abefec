"""Plain twins of the reading of printed parts: vertices, moments, rasters, layers, surface nets."""

from __future__ import annotations

import math

import numpy as np


def merge_vertices(rows):
    first, number, seen = [], [], {}
    for i, row in enumerate(map(tuple, rows.tolist())):
        if row not in seen:
            seen[row] = len(first)
            first.append(i)
        number.append(seen[row])
    return first, number


def area_and_centroid(vertices, faces):
    area, moment, volume = 0.0, np.zeros(3), 0.0
    for a, b, c in vertices[faces]:
        n = np.cross(b - a, c - a)
        share = math.sqrt(n @ n) / 2
        area += share
        moment += share * (a + b + c) / 3
        volume += (a - vertices[0]) @ n / 6
    return area, moment / area if area else np.zeros(3), volume


def surface_moments(vertices, faces, centre):
    """Exact integrals of products of barycentric coordinates: 2 A a! b! c! / (a + b + c + 2)!."""
    second, third, normals = np.zeros((3, 3)), np.zeros((3, 3, 3)), np.zeros((3, 3))
    pull, scalars = np.zeros(3), [0.0] * 3
    for face in faces:
        p = vertices[face] - centre
        n = np.cross(p[1] - p[0], p[2] - p[0])
        length = math.sqrt(n @ n)
        if length == 0:
            continue
        n = n / length
        normals += length / 2 * np.outer(n, n)
        scalars[2] += length / 2 * (n @ p[0]) ** 2

        def integral(corners, length=length):
            powers = [corners.count(k) for k in range(3)]
            return length * math.prod(map(math.factorial, powers)) / math.factorial(sum(powers) + 2)

        dot = p @ p.T
        for i, j in np.ndindex(3, 3):
            second += integral((i, j)) * np.outer(p[i], p[j])
            pull += integral((i, j)) * dot[i, j] * (n @ p[0]) * n
            for k in range(3):
                third += integral((i, j, k)) * np.einsum("a,b,c->abc", p[i], p[j], p[k])
            for k, m in np.ndindex(3, 3):
                scalars[0] += integral((i, j, k, m)) * dot[i, j] * dot[k, m]
                for q, r in np.ndindex(3, 3):
                    scalars[1] += integral((i, j, k, m, q, r)) * dot[i, j] * dot[k, m] * dot[q, r]
    return second, third, normals, pull, np.array(scalars)


def rasterise(points, faces, rows, columns):
    seen, nearness = np.full((rows, columns), -1), np.full((rows, columns), -np.inf)
    for f, face in enumerate(faces):
        (ax, ay, az), (bx, by, bz), (cx, cy, cz) = points[face]
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if not np.isfinite(points[face]).all() or area == 0:
            continue
        for i in range(rows):
            for j in range(columns):
                u = ((bx - j) * (cy - i) - (by - i) * (cx - j)) / area
                v = ((cx - j) * (ay - i) - (cy - i) * (ax - j)) / area
                w = ((ax - j) * (by - i) - (ay - i) * (bx - j)) / area
                near = u * az + v * bz + w * cz
                if min(u, v, w) >= 0 and near > nearness[i, j]:
                    seen[i, j], nearness[i, j] = f, near
    return seen, nearness


def fill_layers(tracks, walls, bounds, rows, columns, factor, wall_share, narrow):
    layers = []
    for layer in range(len(bounds) - 1):
        covered = np.zeros((rows * factor, columns * factor), int)
        for s in range(bounds[layer], bounds[layer + 1]):
            start, end, radius = tracks[s, 0:2], tracks[s, 2:4], tracks[s, 4]
            along = end - start
            for i, j in np.ndindex(covered.shape):
                here = np.array([j, i], float)
                t = min(max((here - start) @ along / (along @ along), 0), 1) if along @ along else 0.0
                off = start + t * along - here
                if off @ off <= radius * radius:
                    covered[i, j] = max(covered[i, j], 2 if walls[s] else 1)
        for area in _empty_areas(covered):
            borders = []
            for i, j in area:
                near = [(i - 1, j), (i + 1, j), (i, j - 1), (i, j + 1)]
                for a, b in near:
                    inside = 0 <= a < covered.shape[0] and 0 <= b < covered.shape[1]
                    borders.append(covered[a, b] if inside else -1)
            if -1 in borders:
                continue
            borders = [mark for mark in borders if mark > 0]
            share = sum(mark == 2 for mark in borders) / len(borders)
            if share < wall_share or len(area) < narrow * len(borders):
                for place in area:
                    covered[place] = 9
        blocks = (covered > 0).reshape(rows, factor, columns, factor)
        layers.append(blocks.sum(axis=(1, 3)))
    return np.array(layers)


def _empty_areas(covered):
    left = {tuple(place) for place in np.argwhere(covered == 0).tolist()}
    areas = []
    while left:
        waiting, area = [left.pop()], []
        while waiting:
            i, j = waiting.pop()
            area.append((i, j))
            for near in ((i - 1, j), (i + 1, j), (i, j - 1), (i, j + 1)):
                if near in left:
                    left.remove(near)
                    waiting.append(near)
        areas.append(area)
    return areas


def surface_nets(field, level, heights, spacing):
    """Return the triangles as corners, each beginning at its smallest corner."""
    positions = {}
    for cell in np.ndindex(*(n - 1 for n in field.shape)):
        cuts = []
        for axis in range(3):
            for a, b in np.ndindex(2, 2):
                start = list(cell)
                start[(axis + 1) % 3] += a
                start[(axis + 2) % 3] += b
                end = list(start)
                end[axis] += 1
                low, high = float(field[tuple(start)]), float(field[tuple(end)])
                if (low > level) != (high > level):
                    t = (level - low) / (high - low)
                    cuts.append([s + t * (e - s) for s, e in zip(start, end, strict=True)])
        if cuts:
            k, i, j = np.mean(cuts, axis=0)
            below = cell[0]
            z = heights[below] + (k - below) * (heights[below + 1] - heights[below])
            positions[cell] = (j * spacing, i * spacing, z)
    triangles = []
    for start in np.ndindex(*field.shape):
        for axis in range(3):
            end = list(start)
            end[axis] += 1
            others = [a for a in range(3) if a != axis]
            if end[axis] >= field.shape[axis] or any(start[a] in (0, field.shape[a] - 1) for a in others):
                continue
            here, there = field[start] > level, field[tuple(end)] > level
            if here == there:
                continue
            ring = []
            for a, b in ((-1, -1), (-1, 0), (0, 0), (0, -1)):
                cell = list(start)
                cell[others[0]] += a
                cell[others[1]] += b
                ring.append(positions[tuple(cell)])
            outwards = np.zeros(3)
            outwards[2 - axis] = 1.0 if here else -1.0
            area = np.cross(np.subtract(ring[2], ring[0]), np.subtract(ring[3], ring[1]))
            if area @ outwards < 0:
                ring = [ring[0], ring[3], ring[2], ring[1]]
            triangles.append(ring)
    return triangles
