"""The canonical geometry hash: finds exact copies at once, however a mesh was moved, shuffled or triangulated."""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ballistics.errors import ParameterError
from ballistics.printed.content.part import Part
from ballistics_kernels.meshes import area_and_centroid, surface_moments

GEOMETRY_HASH_VERSION = "1"
# All values are of order 1. Rounding to float32 and moving by the width of a printer's plate changes them by some 1e-6,
# text files with five digits by 1e-5; a step is a hundred times more than the tolerance, so few values lie at an edge.
_STEP = 1e-3
_TOLERANCE = 2e-5
# Below this a handedness is rounding; the shape is then its own mirror image as far as these numbers can tell.
_HANDED_LEAST = 3e-7
_HANDED_DOUBT = 10.0
# What is kept of the numbers: sums in another order, or by the vector units of another processor, differ after that.
_DECIMALS = 9
_SIZE_DIGITS = 12
_MOST_KEYS = 256
_SHAPE_VALUES = 13
# Place among them of log(area / size²).
_LOG_AREA = 8

Copy = Literal["same", "mirrored", "scaled", "scaled and mirrored"]


@dataclass(frozen=True)
class GeometryKeys:
    """Keys of a shape: equal keys mean equal geometry up to about a thousandth.

    A collection stores ``exact`` (and ``shape``) of each reference. A query looks up every key of `near` there, those
    of `near_mirrored` for mirrored copies, and those of `near_shapes` among the shapes for scaled ones.

    Parameters
    ----------
    exact : str
        64 hexadecimal digits: the shape, its size and its handedness.
    mirrored : str
        What ``exact`` is for the mirror image; equal to ``exact`` for a mirror-symmetric shape.
    shape, shape_mirrored : str
        The same without the size: finds scaled copies.
    size_mm : float
        Root-mean-square distance of the surface from its centroid.
    values : tuple of float
        The rounded numbers' originals, for `copy_relation`: 13 of shape, then those of handedness.
    """

    exact: str
    mirrored: str
    shape: str
    shape_mirrored: str
    size_mm: float
    values: tuple[float, ...]

    @property
    def area_mm2(self) -> float:
        """Area of the surface, from the rounded numbers: right to about 1e-9 of it."""
        return float(np.exp(min(self.values[_LOG_AREA], 700.0))) * self.size_mm**2

    def near(self) -> tuple[str, ...]:
        """Return ``exact`` and the keys on the other side of every rounding edge that is within the tolerance."""
        return _near_keys(self.values, self.size_mm)

    def near_mirrored(self) -> tuple[str, ...]:
        """Return the keys of the mirror image, like `near`."""
        return _near_keys(_flipped(self.values), self.size_mm)

    def near_shapes(self, *, mirrored: bool = False) -> tuple[str, ...]:
        """Return the keys without the size, of the shape or of its mirror image, like `near`."""
        return _near_keys(_flipped(self.values) if mirrored else self.values, None)


def geometry_keys(vertices_mm: NDArray[np.float64], faces: NDArray[np.int64]) -> GeometryKeys:
    """Return the keys of a mesh under which exact, mirrored and scaled copies of it are found.

    Parameters
    ----------
    vertices_mm : ndarray of float64, shape (n, 3)
        Finite.
    faces : ndarray of int64, shape (m, 3)
        Rows of ``vertices_mm``.

    Returns
    -------
    GeometryKeys

    Raises
    ------
    ParameterError
        The mesh has no area.

    Notes
    -----
    The keys are SHA-256 of 13 rounded numbers that do not change under rigid motion: moments of the surface up to
    the sixth order about its centroid, and of its normals, in units of the radius of gyration. They are integrals over
    the surface, so the order of vertices, faces and corners, the orientation of faces and the triangulation do not
    matter. Handedness comes from the signs of pseudo-scalars of the same tensors. A value near a rounding edge may
    round either way in a copy; `GeometryKeys.near` lists those keys.

    Examples
    --------
    >>> corners = np.array([[0.0, 0, 0], [4, 0, 0], [0, 3, 0], [0, 0, 2]])
    >>> faces = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [2, 0, 3]])
    >>> one = geometry_keys(corners, faces)
    >>> other = geometry_keys(corners[::-1, [1, 2, 0]] + 50.0, 3 - faces)
    >>> one.exact in other.near(), geometry_keys(-corners, faces).exact == one.mirrored
    (True, True)
    """
    first = area_and_centroid(vertices_mm, faces)
    area = float(first[0])
    if not (np.isfinite(area) and area > 0.0):
        raise ParameterError("the mesh has no triangle with an area; there is no geometry to hash")
    second, third, normals, pull, scalars = surface_moments(vertices_mm, faces, first[1:4])
    size = float(np.sqrt(np.trace(second) / area))
    if not size > 0.0:
        raise ParameterError("the mesh is a single point; there is no geometry to hash")
    m, n = second / (area * size**2), normals / area
    t, w = third / (area * size**3), pull / (area * size**3)
    fourth, sixth, support = scalars / (area * np.array([size**4, size**6, size**2]))
    v = np.einsum("iaa->i", t)
    m_axes, n_axes = np.linalg.eigvalsh(m), np.linalg.eigvalsh(n)
    shape = (
        m_axes[0], m_axes[2], n_axes[0], n_axes[2], np.sum(m * n), np.log(fourth), np.log(sixth), support,
        np.log(area / size**2), np.linalg.norm(v), np.linalg.norm(w), np.linalg.norm(t), v @ w,
    )  # fmt: skip
    # Adding 0 makes the zero that a small negative number is rounded to a positive one.
    values = tuple(round(float(value), _DECIMALS) + 0.0 for value in (*shape, *_handedness(m, n, t, v, w)))
    size = float(f"{size:.{_SIZE_DIGITS}g}")
    flipped = _flipped(values)
    return GeometryKeys(_key(values, size), _key(flipped, size), _key(values, None), _key(flipped, None), size, values)


def geometry_hash(part: Part) -> str:
    """Return the canonical geometry hash of a part: ``exact`` of its `geometry_keys`.

    Parameters
    ----------
    part : Part

    Returns
    -------
    str
        64 hexadecimal digits.

    Raises
    ------
    ParameterError
        The part has no area.
    """
    return geometry_keys(part.vertices_mm, part.faces).exact


def _flipped(values: tuple[float, ...]) -> tuple[float, ...]:
    """Return the numbers of the mirror image."""
    return (*values[:_SHAPE_VALUES], *(-value for value in values[_SHAPE_VALUES:]))


def _handedness(
    m: NDArray[np.float64],
    n: NDArray[np.float64],
    t: NDArray[np.float64],
    v: NDArray[np.float64],
    w: NDArray[np.float64],
) -> tuple[float, ...]:
    """Return numbers that change sign in the mirror, smooth in the tensors, so that rounding errors stay small."""
    commutator = m @ n - n @ m
    axial = np.array([commutator[1, 2], commutator[2, 0], commutator[0, 1]])
    square = m @ m
    twist = sum(
        sign * float(np.einsum("i,j,ij", m[:, a], square[:, b], t[:, :, c]))
        for (a, b, c), sign in zip(itertools.permutations(range(3)), (1, -1, -1, 1, 1, -1), strict=True)
    )
    crossed = np.cross(v, w)
    return (float(axial @ v), float(axial @ w), twist, float(crossed @ (m @ v)), float(crossed @ (n @ v)))


def _bins(values: tuple[float, ...], size_mm: float | None) -> list[tuple[int, ...]]:
    """Return for each number the bins it may fall into, its own first."""
    steps = list(values[:_SHAPE_VALUES])
    if size_mm is not None:
        steps.append(float(np.log(size_mm)))
    bins: list[tuple[int, ...]] = []
    for value in steps:
        own = int(np.floor(value / _STEP))
        low, high = int(np.floor((value - _TOLERANCE) / _STEP)), int(np.floor((value + _TOLERANCE) / _STEP))
        bins.append((own, *({low, high} - {own})))
    return bins


def _hands(values: tuple[float, ...]) -> list[tuple[int, ...]]:
    """Return for each number of handedness its sign, 0 for none, and the other choice where it is close."""
    signs: list[tuple[int, ...]] = []
    for value in values[_SHAPE_VALUES:]:
        sign = 1 if value > 0 else -1
        if abs(value) > _HANDED_DOUBT * _HANDED_LEAST:
            signs.append((sign,))
        elif abs(value) > _HANDED_LEAST:
            signs.append((sign, 0))
        elif abs(value) > _HANDED_LEAST / _HANDED_DOUBT:
            signs.append((0, sign))
        else:
            signs.append((0,))
    return signs


def _digest(choice: tuple[int, ...], sized: bool) -> str:
    kind = "sized" if sized else "shape"
    return hashlib.sha256(f"geometry {GEOMETRY_HASH_VERSION} {kind} {choice}".encode()).hexdigest()


def _key(values: tuple[float, ...], size_mm: float | None) -> str:
    choices = _bins(values, size_mm) + _hands(values)
    return _digest(tuple(choice[0] for choice in choices), size_mm is not None)


def _near_keys(values: tuple[float, ...], size_mm: float | None) -> tuple[str, ...]:
    choices = _bins(values, size_mm) + _hands(values)
    every = itertools.islice(itertools.product(*choices), _MOST_KEYS)
    return tuple(_digest(choice, size_mm is not None) for choice in every)


def copy_relation(query: GeometryKeys, reference: GeometryKeys) -> Copy | None:
    """Return how a query is a copy of a reference by the numbers themselves, without rounding edges; None if it is not.

    Parameters
    ----------
    query, reference : GeometryKeys

    Returns
    -------
    {"same", "mirrored", "scaled", "scaled and mirrored"} or None
        "same" also for mirror-symmetric shapes.
    """
    a, b = np.array(query.values), np.array(reference.values)
    if np.abs(a - b)[:_SHAPE_VALUES].max() > _TOLERANCE:
        return None
    hands_a, hands_b = a[_SHAPE_VALUES:], b[_SHAPE_VALUES:]
    same = bool(np.abs(hands_a - hands_b).max() <= _HANDED_LEAST)
    if not same and np.abs(hands_a + hands_b).max() > _HANDED_LEAST:
        return None
    if abs(np.log(query.size_mm / reference.size_mm)) <= _TOLERANCE:
        return "same" if same else "mirrored"
    return "scaled" if same else "scaled and mirrored"
