"""Plain twins of the recognition of printed parts: sampling, descriptors, registration, votes."""

from __future__ import annotations

import math

import numpy as np
from scipy.spatial.transform import Rotation


def triangle_areas(vertices, faces):
    out = np.zeros(len(faces))
    for f, (i, j, k) in enumerate(faces):
        if np.isfinite(vertices[[i, j, k]]).all():
            out[f] = 0.5 * np.linalg.norm(np.cross(vertices[j] - vertices[i], vertices[k] - vertices[i]))
    return out


def points_on_triangles(vertices, faces, areas, uniform):
    ends = np.cumsum(areas)
    out = []
    for i, (a, b, c) in enumerate(uniform):
        target = (i + a) / len(uniform) * ends[-1]
        face = next(f for f in range(len(faces)) if areas[f] > 0 and (ends[f] > target or not areas[f + 1 :].any()))
        p, q, r = vertices[faces[face]]
        root = math.sqrt(b)
        out.append((1 - root) * p + root * (1 - c) * q + root * c * r)
    return np.array(out)


def even_order(points, distances, tries, limit):
    order, counts = [], []
    for distance, count in zip(distances, tries, strict=True):
        for p in range(count):
            if len(order) < limit and p not in order:
                apart = [((points[p] - points[q]) ** 2).sum() >= distance**2 for q in order]
                if all(apart):
                    order.append(p)
        counts.append(len(order))
    return np.array(order), np.array(counts)


def harmonics(x, y, z):
    """Real spherical harmonics from their definition by associated Legendre functions, mean square 1."""
    from scipy.special import assoc_legendre_p

    theta, phi = z, math.atan2(y, x)
    out = []
    for degree in range(7):
        for m in range(-degree, degree + 1):
            k = abs(m)
            norm = (2 * degree + 1) * math.factorial(degree - k) / math.factorial(degree + k)
            value = float(np.asarray(assoc_legendre_p(degree, k, theta)).ravel()[0]) * (-1) ** k * math.sqrt(norm)
            if m:
                value *= math.sqrt(2) * (math.cos(k * phi) if m > 0 else math.sin(k * phi))
            out.append(value)
    return np.array(out)


def ball_descriptor(points, centre, radius, least):
    sums = np.zeros((8, 49))
    count = 0
    for p in points:
        off = math.dist(p, centre)
        if off < radius:
            count += 1
            if off >= 1e-9 * radius:
                place = off / radius * 7
                inner = int(place)
                values = harmonics(*((p - centre) / off))
                sums[inner] += (1 - (place - inner)) * values
                sums[inner + 1] += (place - inner) * values
    if count < least:
        return np.zeros(91), count
    own, other = [], []
    for shell in range(7):
        for degree in range(7):
            part = slice(degree**2, (degree + 1) ** 2)
            own.append(math.sqrt((sums[shell, part] ** 2).sum()) / count)
            if shell < 6:
                product = float(sums[shell, part] @ sums[shell + 1, part])
                other.append(math.copysign(math.sqrt(abs(product)), product) / count)
    return np.array(own + other), count


def nearest_within(queries, points, reach):
    rows, distances = [], []
    for q in queries:
        best, found = reach, -1
        for p, point in enumerate(points):
            d = math.dist(q, point) if np.isfinite(q).all() else math.inf
            if d < best or (d == best and found < 0):
                best, found = d, p
        rows.append(found)
        distances.append(best if found >= 0 else math.inf)
    return np.array(rows), np.array(distances)


def normals_from_neighbours(points, reach):
    out = np.zeros((len(points), 3))
    for q, point in enumerate(points):
        offsets = np.array([p - point for p in points])
        weights = np.maximum(0.0, 1 - (offsets**2).sum(axis=1) / reach**2)
        if (weights > 0).sum() < 4:
            continue
        mean = (weights[:, None] * offsets).sum(axis=0) / weights.sum()
        moment = np.zeros((3, 3))
        for w, offset in zip(weights, offsets, strict=True):
            moment += w * np.outer(offset - mean, offset - mean)
        out[q] = np.linalg.eigh(moment)[1][:, 0]
    return out


def plane_equations(moved, points, normals, nearest, centre, pull):
    rows, right = [], []
    for q, p in enumerate(nearest):
        if p < 0:
            continue
        for direction, weight in ((normals[p], 1.0), *((axis, pull) for axis in np.eye(3))):
            arm = moved[q] - centre
            row = np.concatenate([np.cross(arm, direction), [arm @ direction], direction])
            rows.append(math.sqrt(weight) * row)
            right.append(math.sqrt(weight) * float((points[p] - moved[q]) @ direction))
    rows, right = np.array(rows).reshape(-1, 7), np.array(right)
    return rows.T @ rows, rows.T @ right


def counterparts(moving, moving_normals, pose, points, normals, reach, slack):
    places = moving @ pose[:, :3].T + pose[:, 3]
    rows, distances = nearest_within(places, points, reach)
    deviations, cosines = np.full(len(moving), math.inf), np.zeros(len(moving))
    for q, p in enumerate(rows):
        if p >= 0:
            across = abs(float((places[q] - points[p]) @ normals[p]))
            along = math.sqrt(max(distances[q] ** 2 - across**2, 0.0))
            turned = pose[:, :3] @ moving_normals[q]
            deviations[q] = max(across, along - slack)
            cosines[q] = abs(float(turned @ normals[p])) / abs(np.linalg.det(pose[:, :3])) ** (1 / 3)
    return rows, deviations, cosines


def register(moving, directions, pose, points, normals, reaches, least_cosine, pull, fewest):
    for reach in reaches:
        at = moving @ pose[:, :3].T + pose[:, 3]
        nearest, _ = nearest_within(at, points, reach)
        size = abs(np.linalg.det(pose[:, :3])) ** (1 / 3)
        cosines = ((directions @ pose[:, :3].T) * normals[nearest]).sum(axis=1) / size
        nearest = np.where(np.abs(cosines) >= least_cosine, nearest, -1)
        if (nearest >= 0).sum() < fewest:
            break
        centre = at[nearest >= 0].mean(axis=0)
        matrix, right = plane_equations(at, points, normals, nearest, centre, pull)
        solution = np.linalg.solve(matrix + 1e-9 * np.trace(matrix) * np.eye(7), right)
        turn = Rotation.from_rotvec(solution[:3]).as_matrix() * math.exp(min(max(solution[3], -0.1), 0.1))
        pose = np.column_stack([turn @ pose[:, :3], turn @ (pose[:, 3] - centre) + centre + solution[4:]])
    return pose


def similarity_score(similarity, sources, targets, source_normals, target_normals, weights, tolerance, least_cosine):
    total = 0.0
    size = abs(np.linalg.det(similarity[:, :3])) ** (1 / 3)
    for source, target, normal, other, weight in zip(
        sources, targets, source_normals, target_normals, weights, strict=True
    ):
        off = similarity[:, :3] @ source + similarity[:, 3] - target
        if abs(similarity[:, :3] @ normal @ other) >= least_cosine * size:
            total += weight * max(0.0, 1 - float(off @ off) / tolerance**2)
    return total


def scale_votes(
    neighbours, distances, query_steps, query_weights, radius_steps, balls, references, lowest, bins, floor
):
    votes = np.zeros((references, bins))
    for q, row in enumerate(neighbours):
        there = [n for n in range(len(row)) if row[n] >= 0]
        seen = set()
        for n in there[:-1]:
            reference, radius = divmod(int(row[n]) // balls, len(radius_steps))
            if reference in seen:
                continue
            seen.add(reference)
            b = radius_steps[radius] - query_steps[q] - lowest
            if 0 <= b < bins:
                ratio = (float(distances[q, there[-1]]) + floor) / (float(distances[q, n]) + floor)
                votes[reference, b] += query_weights[q] * math.log(ratio)
    return votes


def matches_by_reference(
    neighbours, distances, query_balls, query_steps, query_weights, radius_steps, balls, places, steps, floor, most
):
    """A dictionary per place: (query ball, stored ball) -> weight, the heaviest."""
    found = [{} for _ in steps]
    for q, row in enumerate(neighbours):
        there = [n for n in range(len(row)) if row[n] >= 0]
        for n in there[:-1]:
            reference, radius = divmod(int(row[n]) // balls, len(radius_steps))
            p = places[reference]
            if p < 0 or abs(radius_steps[radius] - query_steps[q] - steps[p]) > 1:
                continue
            near, last = float(distances[q, n]), float(distances[q, there[-1]])
            if near < last:
                pair = int(query_balls[q]), int(row[n]) % balls
                vote = query_weights[q] * math.log((last + floor) / (near + floor))
                found[p][pair] = found[p].get(pair, 0.0) + vote
    return [dict(sorted(sorted(own.items()), key=lambda item: -item[1])[:most]) for own in found]


def agreeing_pairs(matches, query_points, stored_points, scales, tolerances, shortest, slack):
    """``matches`` is a list of lists of (query ball, stored ball, weight)."""
    out = []
    for p, own in enumerate(matches):
        agreed = 0.0
        for i, (a, b, weight) in enumerate(own):
            for c, d, other in own[:i]:
                there = scales[p] * math.dist(query_points[a], query_points[c])
                here = math.dist(stored_points[p][b], stored_points[p][d])
                near_enough = abs(there - here) <= tolerances[p] + slack * there
                if there >= shortest[p] and here >= shortest[p] and near_enough:
                    agreed += weight * other
        out.append(agreed / sum(weight for _, _, weight in own) if own else 0.0)
    return out


def least_of_rows(table, count):
    columns, values = np.full((len(table), count), -1), np.full((len(table), count), np.inf)
    for i, row in enumerate(table):
        good = sorted((float(v), j) for j, v in enumerate(row) if v < np.inf)[:count]
        for k, (value, j) in enumerate(good):
            columns[i, k], values[i, k] = j, value
    return columns, values


def weighted_draws(weights, uniform):
    out = np.zeros(uniform.shape, dtype=int)
    passed = np.cumsum(weights)
    for i, row in enumerate(uniform):
        for j, u in enumerate(row):
            target = u * passed[-1]
            out[i, j] = next((k for k, p in enumerate(passed) if p > target), np.flatnonzero(weights)[-1])
    return out


def capped_distances(rows, columns, missing, cap):
    layers, count, _ = rows.shape
    out = np.zeros((count, columns.shape[2]))
    for layer in range(layers):
        for r in range(count):
            for c in range(columns.shape[2]):
                a, b = rows[layer, r], columns[layer, :, c]
                gone = a[0] == missing or b[0] == missing
                out[r, c] += cap if gone else min(cap, float(((a.astype(float) - b) ** 2).sum()))
    return out / layers
