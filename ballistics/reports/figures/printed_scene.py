"""The turnable view of an identification: coarse points only, so that a page that is passed on holds no mesh."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ballistics.printed import Candidate, Collection, Identification
from ballistics.reports.figures.printed import (
    ABSENT,
    DEVIATION_COLOURS,
    EXPLAINED,
    UNEXPLAINED,
    Mesh,
    own_points,
    present,
    reference_points_mm,
)


@cache
def viewer_script() -> str:
    """Return the text of plotly.js, which draws the view; some 5 MB."""
    from plotly.offline import get_plotlyjs

    # The page is in UTF-8 and the script's hash is of its bytes; a closing tag within would end it early.
    return str(get_plotlyjs()).replace("</script", "<\\/script")


def scene_json(found: Identification, candidate: Candidate, mesh: Mesh, collection: Collection) -> str:
    """Return what plotly.js draws for a candidate, as JSON that may stand in a script.

    Parameters
    ----------
    found : Identification
        Its points and the candidate's deviations are shown, not the mesh.
    candidate : Candidate
    mesh : Mesh
        The body that was searched, to tell which points of the reference are present in it.
    collection : Collection
    """
    reference = reference_points_mm(candidate, collection)
    here = present(mesh, candidate, reference)
    own = own_points(found, candidate)
    points, off = found.points_mm[own], candidate.deviations_mm[own]
    explained = off <= candidate.tolerance_mm
    near = np.isfinite(off)
    shaded = {
        "color": [round(float(value), 4) for value in off[near]],
        "colorscale": DEVIATION_COLOURS,
        "cmin": 0.0,
        "cmax": 2.0 * candidate.tolerance_mm,
        "colorbar": {"title": {"text": "deviation, mm"}, "thickness": 14, "x": 1.0, "len": 0.7},
    }
    traces = [
        _points("query: explained", points[explained], {"color": _css(EXPLAINED)}),
        _points("query: not explained", points[~explained], {"color": _css(UNEXPLAINED)}),
        _points("reference: absent in the query", reference[~here], {"color": _css(ABSENT)}),
        _points("reference: present in the query", reference[here], {"color": "#20303f"}, hidden=True),
        _points("query: by deviation", points[near], shaded, hidden=True),
    ]
    traces = [trace for trace in traces if trace["x"]]
    axis = {"showbackground": False, "gridcolor": "#dde3e8", "zerolinecolor": "#dde3e8"}
    layout = {
        "scene": {
            "aspectmode": "data",
            "camera": {"projection": {"type": "orthographic"}},
            **{f"{name}axis": {**axis, "title": {"text": f"{name}, mm"}} for name in "xyz"},
        },
        "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
        "legend": {"itemsizing": "constant", "x": 0.01, "xanchor": "left", "y": 0.99, "yanchor": "top"},
        "paper_bgcolor": "#ffffff",
    }
    text = json.dumps({"data": traces, "layout": layout}, sort_keys=True, allow_nan=False)
    return text.replace("<", "\\u003c")


def _points(name: str, points: NDArray[np.float64], marker: dict[str, Any], *, hidden: bool = False) -> dict[str, Any]:
    x, y, z = ([round(float(value), 3) for value in points[:, k]] for k in range(3))
    return {
        "type": "scatter3d",
        "mode": "markers",
        "name": name,
        "x": x,
        "y": y,
        "z": z,
        "marker": {"size": 2.6, **marker},
        "visible": "legendonly" if hidden else True,
        "hoverinfo": "none" if not hidden else "x+y+z",
    }


def _css(colour: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
