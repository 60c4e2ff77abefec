"""What a place of a surface says beyond the places of plain bodies: boxes, bars, rods, plates, wedges, rings, balls."""

from __future__ import annotations

import math
from functools import cache
from hashlib import sha256
from importlib import resources
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ballistics.printed.describe.descriptors import DESCRIPTOR_STEP, metric

#: File of the package, written by ``python -m benchmarks.training.printed_plain``: descriptors of places of generated
#: plain bodies.
PLAIN_FILE = "plain_places.npz"

#: Worth in nats below which a body, or what two bodies share, is too plain to be told from others. Chosen on 96
#: generated plain bodies of at most 24 faces (seeds from 2000; worth at most 15.9, 99 % at most 14.9) and 30 generated
#: solids (seeds from 60 000; at least 18.3). Of the 327 public test meshes 8 % are worth less: doors, cubes, drawers,
#: tubes, a knife.
PLAIN_WORTH = 16.0

# Of the places, the share that says most: a body with some detail is known by it, however much of it is plain.
_TELLING = 0.25

#: Places of a reference that its worth is taken over: its first keypoints, spread evenly.
PLACES = 300

# Two places are told apart by no more: as for matches, a radius that is cut off must not outweigh the others.
_MOST_NATS = 30.0
_CELLS_SEARCHED = 8


def _plain_bytes() -> bytes:
    return resources.files("ballistics.printed.describe").joinpath(PLAIN_FILE).read_bytes()


def plain_file_sha256() -> str:
    """Return the hash of the places that ship with the package."""
    return sha256(_plain_bytes()).hexdigest()


@cache
def _index() -> Any:
    import faiss

    with np.load(BytesIO(_plain_bytes()), allow_pickle=False) as kept:
        places = np.ascontiguousarray(kept["places"], dtype=np.float32)
    centres = np.ascontiguousarray(metric().centres / DESCRIPTOR_STEP, dtype=np.float32)
    coarse = faiss.IndexFlatL2(centres.shape[1])
    coarse.add(centres)
    # The second is kept alive by the first.
    index = faiss.IndexIVFFlat(coarse, centres.shape[1], len(centres), faiss.METRIC_L2)
    index.own_fields = False
    index.train(centres)
    index.add(places)
    index.nprobe = _CELLS_SEARCHED
    return index, coarse


def beyond_plain(local: NDArray[np.int8]) -> NDArray[np.float32]:
    """Return how far descriptors are from those of plain bodies.

    Parameters
    ----------
    local : ndarray of int8, shape (..., 24)
        −128 where there is no descriptor.

    Returns
    -------
    ndarray of float32, shape (...)
        Half the squared distance to the nearest place of a plain body, 30 at most: in the learned metric that is the
        log-likelihood ratio, in nats, of "this place" against "that place of a plain body" for what is seen here. NaN
        where there is no descriptor. Cost: about 20 µs a descriptor.
    """
    there = local[..., 0] != -128
    out = np.full(there.shape, np.nan, dtype=np.float32)
    if there.any():
        squares, _ = _index()[0].search(np.ascontiguousarray(local[there], dtype=np.float32), 1)
        out[there] = half_squares(squares[:, 0])
    return out


def half_squares(squares: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return squared distances of stored bytes as nats, 30 at most."""
    # A cell without an entry is answered with the largest number there is.
    return np.asarray(np.minimum(0.5 * DESCRIPTOR_STEP**2 * squares, _MOST_NATS), dtype=np.float32)


def worth_of(local: NDArray[np.int8]) -> float:
    """Return what a body is worth as a reference: how much its places say beyond plain bodies, in nats.

    Parameters
    ----------
    local : ndarray of int8, shape (radii, keypoints, 24)
        Of its signature, or of a query at a signature's radii.

    Returns
    -------
    float
        See `telling_nats`; of its first 300 places.
    """
    return telling_nats(beyond_plain(local[:, :PLACES]))


def telling_nats(found: NDArray[np.float32]) -> float:
    """Return what places say beyond plain bodies: the mean over the quarter of them that says most.

    Parameters
    ----------
    found : ndarray of float32, shape (radii, places)
        From `beyond_plain`.

    Returns
    -------
    float
        0–30: of each place the mean over the radii, of these the mean over the highest quarter; 0 where nothing is
        described.
    """
    there = np.isfinite(found)
    described = there.any(axis=0)
    if not described.any():
        return 0.0
    total = np.where(there, found, 0.0).sum(axis=0, dtype=np.float64)[described]
    places = np.sort(total / there.sum(axis=0)[described])
    return float(places[-math.ceil(_TELLING * len(places)) :].mean())
