"""The page and the JSON of the open protocol: rates by disguise, each with its exact interval."""

from __future__ import annotations

from typing import Any

from ballistics.printed import ProtocolResult
from ballistics.reports.pages.rendering import rendered

LIMITS = (
    ("Of this collection only.", "Rates depend on the references: how alike and how plain they are. Another collection "
     "has others; so has this one when it grows."),
    ("Disguises are simulated.", "Nobody knows how seized files are changed, and how often. The disguises act on the "
     "points that a collection keeps; a file has more detail, which rather helps."),
    ("Unknown queries are references too.", "Their relatives are held out as far as files, folders, copies and like "
     "shapes tell. Relatives that nobody told count as false hits: the rate is rather too high."),
    ("Intervals hold if queries are independent.", "Several disguises are done to one reference; the interval of all "
     "together is narrower than it should be."),
)  # fmt: skip


def protocol_json(found: ProtocolResult) -> dict[str, Any]:
    """Return the result as what is written to JSON.

    Parameters
    ----------
    found : ProtocolResult
    """
    made = found.provenance
    return {
        "protocol": made.method,
        "version": made.version,
        "parameters": dict(made.parameters),
        "collection": {"references": found.references, "too_plain": found.plain, "sha256": dict(made.inputs)},
        "held_out_mean": round(found.held_out, 3),
        "rates": list(found.rows()),
        "versions": dict(made.versions),
        "references": list(made.references),
    }


def protocol_report(found: ProtocolResult) -> str:
    """Return the page as the text of one HTML file; the same result gives the same bytes.

    Parameters
    ----------
    found : ProtocolResult
    """
    rows = list(found.rows())
    measures = list(dict.fromkeys(row["measure"] for row in rows))
    made = found.provenance
    return rendered(
        "printed_protocol.html",
        (),
        {"share": lambda value: f"{value:.3f}"},
        {
            "measures": [(measure, [row for row in rows if row["measure"] == measure]) for measure in measures],
            "totals": [row for row in rows if row["disguise"] == "all"],
            "found": found,
            "limits": LIMITS,
            "method": [("Method", f"{made.method}, version {made.version}"), *made.parameters.items()],
            "inputs": made.inputs,
            "versions": made.versions,
        },
    )
