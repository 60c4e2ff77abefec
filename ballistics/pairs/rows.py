"""One comparison as one flat row of plain values: what a run over many pairs keeps of each."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ballistics.comparison import Comparison, PairScore
from ballistics.impressions import MARK_PARAMETERS, ImpressionComparison
from ballistics.methods import method_of, pair_score
from ballistics.striations import Placement, StriationComparison
from ballistics.surfaces import Pose

Row = dict[str, Any]

# A row of a kept run is taken over only by runs that write the same row.
VERSION = 3
POSE = ("theta_deg", "dx_um", "dy_um")
_PLACEMENT = ("lag_um", "stretch")


def columns(mark_kind: str) -> dict[str, type]:
    """Return the names and types of all values of a row, in the order they are shown.

    `similarity` is the headline score. Of impressed marks `count` and `cells` stand beside it (`pair_score`); for each
    rule ``R_count`` is its score and ``R_a_in_b``, ``R_b_in_a`` are the congruent cells of the two directions, of
    ``cells_a_in_b``, ``cells_b_in_a``. Of striated marks `count` of `segments` are congruent profile segments, with
    ``cmps_a_in_b`` of ``segments_a_in_b`` in one direction; `ccf` is the correlation, `cms` the longest run of matching
    striae, of all `striae_matching`.
    Any value but the text columns may be None.

    Examples
    --------
    >>> list(columns("breech face"))[:5]
    ['similarity', 'count', 'cells', 'accf', 'overlap_um2']
    """
    if _is_striated(mark_kind):
        return {
            "similarity": float,
            "count": int,
            "segments": int,
            "ccf": float,
            "overlap_um": float,
            **dict.fromkeys(_PLACEMENT, float),
            "cmps_a_in_b": int,
            "cmps_b_in_a": int,
            "segments_a_in_b": int,
            "segments_b_in_a": int,
            "cms": int,
            "striae_matching": int,
            "chumbley": float,
            "insufficient": str,
            "findings": str,
        }
    rules = MARK_PARAMETERS[mark_kind].rules if mark_kind in MARK_PARAMETERS else {}
    of_rules = {name: kind for rule in rules for name, kind in zip(_rule_columns(rule), (float, int, int), strict=True)}
    return {
        "similarity": float,
        "count": int,
        "cells": int,
        "accf": float,
        "overlap_um2": float,
        "overlap_fraction": float,
        **dict.fromkeys(POSE, float),
        "cells_a_in_b": int,
        "cells_b_in_a": int,
        **of_rules,
        "insufficient": str,
        "findings": str,
    }


def place_columns(mark_kind: str) -> tuple[str, ...]:
    """Return the columns that say how B lies on A; a row has all of them, or none."""
    return _PLACEMENT if _is_striated(mark_kind) else POSE


def score_columns(mark_kind: str) -> dict[str, str]:
    """Return in which column each score of `ballistics.comparison.Score` stands."""
    correlation = "ccf" if _is_striated(mark_kind) else "accf"
    return {"similarity": "similarity", "count": "count", "correlation": correlation}


def row_of(comparison: Comparison) -> Row:
    """Return a comparison as a row; every column of `columns` is there.

    Examples
    --------
    >>> row = row_of(ImpressionComparison("breech face", insufficient="no overlap"))
    >>> row["count"], row["insufficient"], set(row) == set(columns("breech face"))
    (None, 'no overlap', True)
    """
    row = empty_row(comparison.mark_kind)
    row["insufficient"] = comparison.insufficient or ""
    row["findings"] = "; ".join(sorted({f"{finding.severity}: {finding.code}" for finding in comparison.findings}))
    if isinstance(comparison, StriationComparison):
        return row | _of_striae(comparison)
    return row | (_of_impressions(comparison) if isinstance(comparison, ImpressionComparison) else {})


def score_of(row: Row, mark_kind: str) -> PairScore:
    """Return the scores that a row states, as `pair_score` does of a comparison; an error is a reason like others."""
    reason = row["insufficient"] or row["error"]
    if _is_striated(mark_kind):
        if reason:
            return PairScore(None, None, None, None, None, reason)
        length_um = row["overlap_um"]
        return PairScore(
            row["count"], row["segments"], row["ccf"], row["similarity"], None,
            length_mm=None if length_um is None else length_um * 1e-3,
        )  # fmt: skip
    if reason:
        return PairScore(row["count"], row["cells"], None, None, None, reason)
    area_um2 = row["overlap_um2"]
    area_mm2 = None if area_um2 is None else area_um2 * 1e-6
    return PairScore(row["count"], row["cells"], row["accf"], row["similarity"], area_mm2)


def pose_of(row: Mapping[str, Any]) -> Pose | None:
    """Return how B lies on A, striated marks along each other; None where the pair was not registered."""
    if row.get("lag_um") is not None:
        return Pose(0.0, float(row["lag_um"]), 0.0)
    if row.get("theta_deg") is None:
        return None
    return Pose(float(row["theta_deg"]), float(row["dx_um"]), float(row["dy_um"]))


def _is_striated(mark_kind: str) -> bool:
    return method_of(mark_kind).family == "striated"


def _of_impressions(comparison: ImpressionComparison) -> Row:
    row: Row = {}
    if comparison.pose is not None:
        row |= _pose_values(comparison.pose)
        row |= {name: _finite(getattr(comparison, name)) for name in ("accf", "overlap_um2", "overlap_fraction")}
    if comparison.similarity is not None:
        row["similarity"] = _finite(comparison.similarity.score)
    if comparison.insufficient is not None:
        return row
    score = pair_score(comparison)
    row |= {"count": score.count, "cells": score.cells}
    for side in ("a_in_b", "b_in_a"):
        search = getattr(comparison, side)
        row[f"cells_{side}"] = None if search is None else search.n_cells
    for name, rule in comparison.rules.items():
        values = _finite(rule.score), rule.a_in_b.count, rule.b_in_a.count
        row |= dict(zip(_rule_columns(name), values, strict=True))
    return row


def _of_striae(comparison: StriationComparison) -> Row:
    if comparison.insufficient is not None:
        return {}
    score = pair_score(comparison)
    row: Row = {"similarity": _finite(score.similarity), "count": score.count, "segments": score.cells}
    row |= {"ccf": _finite(score.accf)}
    if comparison.similarity is not None:
        row["overlap_um"] = _finite(comparison.similarity.overlap_um)
    if comparison.placement is not None:
        row |= _placement_values(comparison.placement)
    for side in ("a_in_b", "b_in_a"):
        found = getattr(comparison, side)
        if found is not None:
            row |= {f"cmps_{side}": found.count, f"segments_{side}": found.segments}
    if comparison.striae is not None:
        row |= {"cms": comparison.striae.cms, "striae_matching": comparison.striae.matches}
    if comparison.chumbley is not None:
        row["chumbley"] = _finite(comparison.chumbley.score)
    return row


def empty_row(mark_kind: str) -> Row:
    """Return the row of a comparison that never was."""
    return {name: "" if kind is str else None for name, kind in columns(mark_kind).items()}


def exchanged_row(row: Mapping[str, Any]) -> Row:
    """Return the row of the same comparison with the roles of A and B exchanged.

    Examples
    --------
    >>> row = empty_row("breech face") | {"theta_deg": 90.0, "dx_um": 3.0, "dy_um": 1.0, "cells_a_in_b": 7}
    >>> other = exchanged_row(row)
    >>> other["theta_deg"], round(other["dx_um"], 9), round(other["dy_um"], 9), other["cells_b_in_a"]
    (-90.0, 1.0, -3.0, 7)
    """
    other = dict(row)
    for name in row:
        if name.endswith("_a_in_b"):
            twin = name.removesuffix("a_in_b") + "b_in_a"
            other[name], other[twin] = row[twin], row[name]
    if row.get("lag_um") is not None:
        other |= _placement_values(Placement(row["lag_um"], row["stretch"]).inverse())
    if row.get("theta_deg") is not None:
        other |= _pose_values(Pose(*(row[name] for name in POSE)).inverse())
    other["insufficient"] = _exchanged_words(row["insufficient"])
    return other


def _exchanged_words(reason: str) -> str:
    """Exchange the letters in `compare`'s "mark A is insufficient: …"."""
    for letter, other in (("A", "B"), ("B", "A")):
        start = f"mark {letter} is insufficient"
        if reason.startswith(start):
            return f"mark {other} is insufficient" + reason.removeprefix(start)
    return reason


def _rule_columns(rule: str) -> tuple[str, str, str]:
    name = rule.replace(" ", "_")
    return f"{name}_count", f"{name}_a_in_b", f"{name}_b_in_a"


def _pose_values(pose: Pose) -> Row:
    # No negative zero: the inverse of no turn is no turn.
    return dict(zip(POSE, (value + 0.0 for value in (pose.theta_deg, pose.dx_um, pose.dy_um)), strict=True))


def _placement_values(placement: Placement) -> Row:
    return {"lag_um": placement.lag_um + 0.0, "stretch": placement.stretch}


def _finite(value: Any) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None
