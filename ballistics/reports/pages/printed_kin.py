"""The page of a collection's kin: families as graphs, and each kinship with what is shared and what is changed."""

from __future__ import annotations

from ballistics.drawing import counted
from ballistics.printed import Collection, Kin
from ballistics.reports.figures.evidence import svg_data_uri
from ballistics.reports.figures.printed_kin import DRAWN, kin_figure, kinship_uris
from ballistics.reports.pages.rendering import rendered

#: Kinships that are shown with pictures; the table has all.
SHOWN = 60

LIMITS = (
    ("A lead, not evidence.", "That two files share shape says nothing of who made them: two designers draw the same "
     "screw, and a good copy differs from its model."),
    ("The order is what files say.", "Dates and versions stand in files and names; they can be wrong or forged. "
     "Without an arrow nothing tells which was first."),
    ("No kin through others.", "When A is kin of B and B of C, nothing follows for A and C."),
    ("No line is no exclusion.", "Plain shapes, thin remains and strong changes are not found; a part that was drawn "
     "anew with other measures is no kin by this method."),
)  # fmt: skip


def kin_report(kin: Kin, collection: Collection) -> str:
    """Return the page as the text of one HTML file; the same kin give the same bytes.

    Parameters
    ----------
    kin : Kin
        From `ballistics.printed.kin_of`.
    collection : Collection
        The same collection: its points are drawn.
    """
    shown = []
    left = SHOWN
    for number, family in enumerate(kin.families, 1):
        kinships = family.kinships[:left]
        left -= len(kinships)
        shown.append(
            {
                "number": number,
                "members": [kin.names[row] for row in family.members],
                "kinships": [{"kinship": k, "pictures": kinship_uris(k, collection)} for k in kinships],
                "more": len(family.kinships) - len(kinships),
            }
        )
    families = counted(len(kin.families), "family", "families")
    related = sum(len(family.members) for family in kin.families)
    method = kin.provenance
    return rendered(
        "printed_kin.html",
        (),
        {"percent": lambda share: f"{100.0 * share:.0f} %"},
        {
            "families": shown,
            "headline": f"{related} of {len(kin.names)} references have kin: {families}."
            if kin.families
            else f"None of {len(kin.names)} references is kin of another.",
            "picture": svg_data_uri(kin_figure(kin)) if kin.families else "",
            "not_drawn": max(0, len(kin.families) - DRAWN),
            "limits": LIMITS,
            "method": [("Method", f"{method.method}, version {method.version}"), *method.parameters.items()],
            "versions": method.versions,
        },
    )
