"""Where on a striated mark it agrees with the other one, as cells over its picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ballistics.reports.reported_striae import ReportedStriae
from ballistics.striations import AlongParameters, Placement, agreement_map


@dataclass(frozen=True)
class AgreementCell:
    """A window: its left upper corner and size in the frame of A, its correlation, and whether it agrees."""

    left_um: float
    top_um: float
    width_um: float
    height_um: float
    correlation: float
    agrees: bool


@dataclass(frozen=True)
class AgreementCells:
    """The windows of one mark, and which share of them agrees."""

    cells: tuple[AgreementCell, ...]
    share: float
    chance: float


def agreement_cells(
    own: ReportedStriae, other: ReportedStriae, placement: Placement, on_a: bool
) -> AgreementCells | None:
    """Return the windows of a land against the signature of the other mark; None without a straightened land.

    Parameters
    ----------
    own, other : ReportedStriae
    placement : Placement
        How B lies on A.
    on_a : bool
        Whether ``own`` is A: its windows lie where they are; those of B lie where the placement puts them.
    """
    if own.land is None or own.land.patch is None or own.signature.insufficient or other.signature.insufficient:
        return None
    patch, p = own.land.patch, AlongParameters()
    found = agreement_map(patch, own.signature, other.signature, placement if on_a else placement.inverse(), p)
    if not np.isfinite(found.share):
        return None
    half = 0.5 * len(patch.heights_um) * patch.spacing_um[0]
    stretch, lag = (1.0, 0.0) if on_a else (placement.stretch, placement.lag_um)
    width = stretch * p.step_um
    cells = [
        AgreementCell(
            lag + stretch * float(found.places_um[k]) - 0.5 * width,
            float(found.rows_um[band]) - half - 0.5 * p.band_height_um,
            width,
            p.band_height_um,
            float(found.correlation[band, k]),
            bool(found.agrees[band, k]),
        )
        for band, k in zip(*np.nonzero(np.isfinite(found.correlation)), strict=True)
    ]
    return AgreementCells(tuple(cells), found.share, p.chance)
