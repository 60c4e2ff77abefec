"""The annual report of transfers of arms as an HTML page: tables and charts, and what contradicts itself."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ballistics.findings import Finding
from ballistics.registry import TRANSFER_KINDS, ReportRow
from ballistics.reports.figures.evidence import svg_data_uri

_FONT = {"font.family": "DejaVu Sans", "svg.fonttype": "path", "svg.hashsalt": "ballistics"}
_AUTHORISED, _ACTUAL = "#9db8d6", "#0b5fa5"
# More bars would not be read; the table has all.
_MOST_BARS = 40
_LONGEST_NAME = 60

LIMITS = (
    ("Authorised is of licences issued in the year, actual of deliveries in the year.", "A delivery of this year may "
     "belong to a licence of an earlier one; the two columns need not agree."),
    ("A delivery without a licence is in no row.", "It stands among the contradictions, and must be settled before the "
     "report is sent."),
    ("The form is the sender's.", "Categories follow the UN Register and the Arms Trade Treaty's template; whether "
     "authorised or actual numbers are reported, and what is withheld, is the State's decision."),
)  # fmt: skip


def transfers_report(rows: Sequence[ReportRow], findings: Sequence[Finding], year: int, state: str = "") -> str:
    """Return the page as the text of one HTML file; the same transfers give the same bytes.

    Parameters
    ----------
    rows : sequence of ReportRow
        From `ballistics.registry.annual_report`.
    findings : sequence of Finding
        From `ballistics.registry.transfer_findings`, of all years.
    year : int
    state : str
        Who reports.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("ballistics.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    kinds = []
    for kind in TRANSFER_KINDS:
        own = [row for row in rows if row.kind == kind]
        if own:
            kinds.append((kind, own, svg_data_uri(transfers_figure(own)), max(0, len(own) - _MOST_BARS)))
    return environment.get_template("transfers.html").render(
        year=year, state=state, kinds=kinds, findings=findings, limits=LIMITS
    )


def transfers_figure(rows: Sequence[ReportRow]) -> Figure:
    """Draw authorised and actual pieces by category and country, the largest first; the scale is logarithmic."""
    drawn = sorted(rows, key=lambda row: (-max(row.authorised, row.actual), row.category, row.country))[:_MOST_BARS]
    with matplotlib.rc_context(_FONT):
        figure = Figure(figsize=(9.0, 0.9 + 0.42 * len(drawn)), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots()
        for place, row in enumerate(drawn):
            for offset, pieces, colour in ((-0.2, row.authorised, _AUTHORISED), (0.2, row.actual, _ACTUAL)):
                axes.barh(place + offset, pieces, height=0.38, color=colour)
                axes.annotate(f" {pieces:,}".replace(",", " "), (pieces, place + offset), va="center", fontsize=7)
        names = [f"{row.country}  {_short(row.goods)}" for row in drawn]
        axes.set_yticks(range(len(drawn)), names, fontsize=8, parse_math=False)
        axes.invert_yaxis()
        axes.set_xscale("symlog", linthresh=1)
        axes.set_xlim(0, 4 * max(1, *(max(row.authorised, row.actual) for row in drawn)))
        axes.set_xlabel("pieces (logarithmic)", fontsize=8)
        axes.tick_params(axis="x", labelsize=8)
        handles = [matplotlib.patches.Patch(color=colour) for colour in (_AUTHORISED, _ACTUAL)]
        figure.legend(handles, ("authorised", "actual"), loc="outside upper right", ncols=2, frameon=False, fontsize=8)
    return figure


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
