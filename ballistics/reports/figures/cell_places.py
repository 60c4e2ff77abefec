"""Where the cells of one mark lie, and where each was found on the other: what the cell maps draw."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ballistics.impressions import CellSearch, DirectionVerdict


@dataclass(frozen=True)
class CellPlace:
    """One cell on both marks, as one rule judged it; positions in µm from the centre of each mark's array.

    Parameters
    ----------
    name : str
        Row and column of the grid, from 1, e.g. ``"3·5"``.
    x_um, y_um : float
        Centre of the cell on the mark that it is a part of.
    found_x_um, found_y_um : float
        Centre of the place where it was found on the other mark; NaN when there is none.
    turn_deg, found_turn_deg : float
        Turn of the cell's square on its own mark, and there; counter-clockwise as displayed.
    correlation : float
        Correlation at that place; NaN when there is none.
    chance : float
        How probable as good an agreement is by chance, under the rule that judges by it; NaN under the others.
    verdict : {"congruent", "not congruent", "no place"}
        Of the rule.
    explained : bool
        Whether a congruent cell agrees only by regular manufacturing marks.
    remaining : float
        Correlation with the regular marks taken off; NaN where there are none.
    """

    name: str
    x_um: float
    y_um: float
    found_x_um: float
    found_y_um: float
    turn_deg: float
    found_turn_deg: float
    correlation: float
    chance: float
    verdict: str
    explained: bool
    remaining: float


def cell_names(search: CellSearch) -> list[str]:
    """Return the name of every cell: its row and column, from 1, counted where cells are."""
    if search.n_cells == 0:
        return []
    first_row, first_column = int(search.rows.min()), int(search.columns.min())
    return [
        f"{int(row) - first_row + 1}·{int(column) - first_column + 1}"
        for row, column in zip(search.rows, search.columns, strict=True)
    ]


def cell_places(search: CellSearch, verdict: DirectionVerdict) -> list[CellPlace]:
    """Return the place of every cell of one direction that a rule judged."""
    places = []
    for k, name in enumerate(cell_names(search)):
        correlation = float(verdict.correlations[k])
        found_x, found_y = float(verdict.found_x_um[k]), float(verdict.found_y_um[k])
        if not all(math.isfinite(value) for value in (found_x, found_y, correlation)):
            found_x = found_y = math.nan
            state = "no place"
        else:
            state = "congruent" if bool(verdict.congruent[k]) else "not congruent"
        places.append(
            CellPlace(
                name,
                float(search.centres_x_um[k]),
                float(search.centres_y_um[k]),
                found_x,
                found_y,
                search.grid_theta_deg,
                search.grid_theta_deg - float(verdict.thetas_deg[k]),
                correlation,
                math.nan if verdict.chances is None else float(verdict.chances[k]),
                state,
                state == "congruent" and search.regular is not None and bool(search.regular.explained[k]),
                math.nan if search.regular is None else float(search.regular.remaining[k]),
            )
        )
    return places
