"""Work that several tests of commands ask for again is done once: preparations, comparisons, identifications.

What such tests are about is what a command reads, checks, says and writes. Before sameness is tested, all is forgotten.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Any
from uuid import uuid4

import pytest
from prepared_marks import made_once

import ballistics.evidence
import ballistics.printed
from ballistics.front import bullets
from ballistics.impressions import comparing
from ballistics.impressions.settings import _numbers
from ballistics.printed.disk import batch
from ballistics.printed.identify.identification import identify
from ballistics.striations import land_of
from ballistics.surfaces.preparation import preparing


class Remembered:
    """Results by what was asked, of all modules and workers of a run; every call gets a copy of its own."""

    def __init__(self) -> None:
        self._era = ""

    def forget(self) -> None:
        """Let everything be done anew."""
        self._era = uuid4().hex

    def wrapped(self, function: Callable[..., Any], asked: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that answers what it was asked before as it did then."""

        def answer(*given: Any, **options: Any) -> Any:
            key = sha256(pickle.dumps((function.__qualname__, self._era, asked(*given, **options)))).hexdigest()
            return made_once(f"remembered-{key}", lambda: function(*given, **options))

        return answer


def _of_preparation(surface: Any, kind: Any, steps: Any, findings: Any) -> Any:
    return sha256(surface.heights_um.tobytes()).digest(), surface, kind.name, steps, findings


def _of_comparison(a: Any, b: Any, hashes: Any, kind: Any) -> Any:
    return a, b, hashes, list(_numbers(kind)), kind.sources


def _of_land(surface: Any, parameters: Any) -> Any:
    return sha256(surface.heights_um.tobytes()).digest(), surface.spacing_um, surface.findings, parameters


def _of_identification(parts: Any, collection: Any) -> Any:
    return parts, [(reference.name, reference.keys) for reference in collection.references]


@contextmanager
def remembering() -> Iterator[Remembered]:
    """Do equal work once while the block runs, and weigh with a twentieth of the usual bootstrap samples."""
    kept = Remembered()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(preparing, "_run", kept.wrapped(preparing._run, _of_preparation))
        patch.setattr(comparing, "_compare", kept.wrapped(comparing._compare, _of_comparison))
        patch.setattr(bullets, "land_of", kept.wrapped(land_of, _of_land))
        for module in (ballistics.printed, batch):
            patch.setattr(module, "identify", kept.wrapped(identify, _of_identification))
        weigh = ballistics.evidence.weigh
        assert weigh.__defaults__ is not None
        assert weigh.__defaults__[-2:] == (500, 1)
        patch.setattr(weigh, "__defaults__", (*weigh.__defaults__[:-2], 25, 1))
        yield kept
