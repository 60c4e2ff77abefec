"""Prepared marks that several modules compare: each is made once in a run, whatever the number of workers."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from conftest import data_folder, shared_folder

from ballistics.files import locked
from ballistics.surfaces import Mark, Pose, prepare, read, simulate_population
from ballistics.surfaces.simulation.breech_faces import BreechFace

Made = TypeVar("Made")

_SEED, _FIELD_MM = 9, 5.0


@dataclass(frozen=True)
class Head:
    """A simulated head: its prepared breech face, and the pose it was simulated at."""

    mark: Mark
    pose: Pose


def fadul_mark(name: str) -> Mark:
    """Return the prepared Fadul scan of a name such as "1-1" or "Q"."""
    path = data_folder("breech-faces/fadul") / f"Fadul-{name}.x3p"
    return made_once(path.stem, lambda: prepare(read(path)))


def simulated_heads(kind: BreechFace) -> list[Head]:
    """Return three simulated heads at random poses: two of one firearm, one of another."""

    def make() -> list[Head]:
        population = simulate_population(2, 2, _SEED, breech_faces=(kind,), field_mm=_FIELD_MM)
        return [Head(prepare(head.surface), head.pose) for head in islice(population, 3)]

    return made_once(f"heads-{kind}", make)


def made_once(name: str, make: Callable[[], Made]) -> Made:
    """Return what is made, or was already made in this run; every call gets a copy of its own."""
    path = shared_folder() / f"{name}.pickle"
    with locked(path.with_suffix(".lock")):
        if not path.exists():
            path.write_bytes(pickle.dumps(make()))
    made: Made = pickle.loads(path.read_bytes())
    return made
