"""Comparisons of striated marks to report on: real lands, signatures without scans, text that tries to be markup."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
from conftest import data_folder
from prepared_marks import made_once
from report_cases import INJECTION

from ballistics.findings import Finding
from ballistics.reports.reported_striae import ReportedStriae
from ballistics.striations import (
    BulletComparison,
    Signature,
    StriationComparison,
    compare_bullets,
    compare_signatures,
    land_of,
)
from ballistics.surfaces import Surface, read

Case = tuple[StriationComparison, ReportedStriae, ReportedStriae]
# Land i of the first bullet lies with land i + 4 of the second, counted round.
PHASE = 4


@cache
def land(bullet: int, number: int) -> ReportedStriae:
    path = data_folder("bullets/hamby44-barrel1") / f"Barrel_1-Bullet_{bullet}-Land_{number}.x3p"

    def make() -> ReportedStriae:
        surface = read(path)
        found = land_of(surface)
        return ReportedStriae(path.name, found.signature, surface, found)

    return made_once(f"reported-{path.stem}", make)


@cache
def flat() -> ReportedStriae:
    surface = Surface(np.zeros((200, 900)), (2.0, 2.0))
    found = land_of(surface)
    return ReportedStriae("flat.x3p", found.signature, surface, found)


@cache
def profiles() -> tuple[ReportedStriae, ReportedStriae]:
    """Return two signatures of other spacings that came without a scan."""
    rng = np.random.default_rng(3)
    x = np.convolve(rng.normal(size=900), np.hanning(25), "same")
    fine = Signature(x, 1.5, "tool mark")
    return ReportedStriae("tool 1", fine), ReportedStriae("tool 2", Signature(x[100:800:2] + 0.0, 3.0, "tool mark"))


@cache
def striation_case(kind: str) -> Case:
    """Return an "in-phase", "other", "insufficient", "profiles" or "hostile" comparison."""
    a, b = {
        "in-phase": lambda: (land(1, 1), land(2, 5)),
        "other": lambda: (land(1, 1), land(2, 1)),
        "insufficient": lambda: (land(1, 1), flat()),
        "profiles": profiles,
        "hostile": lambda: (_hostile(land(1, 1)), land(2, 5)),
    }[kind]()
    return made_once(f"striae-{kind}", lambda: compare_signatures(a.signature, b.signature)), a, b


def _hostile(side: ReportedStriae) -> ReportedStriae:
    assert side.surface is not None
    surface = replace(
        side.surface,
        metadata={INJECTION: INJECTION},
        findings=(Finding(INJECTION, "serious", INJECTION, INJECTION),),
    )
    spans = tuple(replace(span, reason=INJECTION) for span in side.signature.excluded)
    return replace(side, name=INJECTION, surface=surface, signature=replace(side.signature, excluded=spans))


Bullets = tuple[
    BulletComparison,
    list[ReportedStriae | None],
    list[ReportedStriae | None],
    dict[tuple[int, int], StriationComparison],
]


@cache
def bullets_case(kind: str) -> Bullets:
    """Return "six lands", "one missing" (land 2 of B) or "insufficient" (six lands and four)."""
    return made_once(f"bullets-{kind}", lambda: _bullets(kind))


def _bullets(kind: str) -> Bullets:
    a: list[ReportedStriae | None] = [land(1, k) for k in range(1, 7)]
    b: list[ReportedStriae | None] = [land(2, k) for k in range(1, 7)]
    if kind == "one missing":
        b[1] = None
    if kind == "insufficient":
        b = b[:4]
    found = compare_bullets(*([None if s is None else s.signature for s in side] for side in (a, b)))
    pairs = {}
    if found.phase is not None:
        for i, first in enumerate(a):
            second = b[(i + found.phase) % len(b)]
            if first is not None and second is not None:
                pairs[i, (i + found.phase) % len(b)] = compare_signatures(first.signature, second.signature)
    return found, a, b, pairs
