"""The lines that commands print of a striated comparison: the similarity, then one line for each score."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ballistics.striations import StriationComparison


def print_striations(comparison: StriationComparison, out: Any) -> None:
    """Print what a comparison of striated marks says, or why it says nothing, on a rich console."""
    from rich.table import Table
    from rich.text import Text

    from ballistics.reports import striation_sentence

    if comparison.insufficient is not None:
        out.print(Text(striation_sentence(comparison), "bold"))
        return
    similarity, placement = comparison.similarity, comparison.placement
    assert similarity is not None
    assert placement is not None
    stretched = "" if placement.stretch == 1.0 else f", stretched by {placement.stretch:.4f}"
    out.print(Text(f"{striation_sentence(comparison)} B lies {placement.lag_um:.0f} µm along A{stretched}.", "bold"))
    table = Table("score", "value", "source")
    agreement, a_in_b, b_in_a = comparison.correlation, comparison.a_in_b, comparison.b_in_a
    if agreement is not None:
        found = agreement.insufficient or f"{agreement.correlation:.3f} over {agreement.overlap_um / 1000:.2f} mm"
        table.add_row("correlation at the best lag", found, "doi:10.1109/TIP.2011.2181402")
    if a_in_b is not None and b_in_a is not None:
        counts = f"{a_in_b.count} of {a_in_b.segments} of A on B, {b_in_a.count} of {b_in_a.segments} of B on A"
        table.add_row("congruent profile segments (CMPS)", counts, "doi:10.1016/j.forsciint.2019.109964")
    if comparison.striae is not None:
        striae = comparison.striae
        words = f"{striae.cms} in a row; {striae.matches} match, {striae.mismatches} do not"
        table.add_row("matching striae (CMS)", words, "doi:10.1214/17-AOAS1080")
    if comparison.chumbley is not None:
        rank = comparison.chumbley
        words = rank.insufficient or ("–" if math.isnan(rank.score) else f"{rank.score:.2f}")
        table.add_row("Chumbley score", words, "doi:10.1111/1556-4029.13554")
    out.print(table)
    octaves = ", ".join(
        f"{octave.shortest_um:g}–{octave.longest_um:g} µm {octave.correlation:.2f}" for octave in similarity.octaves
    )
    out.print(Text(f"Correlation by octave of wavelength: {octaves}."))
    out.print(Text("A score is not a probability and not an opinion."))
