"""The README's table of headline numbers, made from the records of the benchmarks: python -m benchmarks.readme"""

from __future__ import annotations

import json
from pathlib import Path

ROOT = Path(__file__).parents[1]
RECORDS = Path(__file__).parent / "records"
BEGIN, END = "<!-- headline numbers: begin -->", "<!-- headline numbers: end -->"

# (benchmark, metric): what the README shows; everything else stands in the records.
HEADLINES = (
    ("accuracy", "significance: same-source lowest"),
    ("accuracy", "significance: different-source highest"),
    ("accuracy", "significance: gap"),
    ("accuracy", "significance: AUC"),
    ("accuracy", "original: gap"),
    ("accuracy", "high: gap"),
    ("accuracy", "accf: gap"),
    ("accuracy", "similarity: gap"),
    ("exhaustive", "convergence: greatest difference of the score"),
    ("exhaustive", "convergence: scores that differ by more than 1"),
    ("exhaustive", "ncma: scores that differ by more than 1"),
    ("exhaustive", "original: scores that differ by more than 1"),
    ("exhaustive", "consensus: scores that differ by more than 1"),
    ("exhaustive", "high: scores that differ by more than 1"),
    ("exhaustive", "high: greatest difference of the score"),
    ("exhaustive", "cmcR pooled: scores that differ by more than 1"),
    ("speed", "CMC, orientation known within ±30°"),
    ("speed", "CMC, unknown rotation"),
    ("speed", "whole comparison: CMC, similarity, mirror check, regular marks"),
    ("speed", "registration and cells over their floor"),
    ("speed", "peak memory of a process"),
    ("speed", "exponent of the growth over area × log(area)"),
    ("evidence", "Fadul, our count: Cllr"),
    ("evidence", "Fadul, our correlation: Cllr"),
    ("evidence", "simulated milled, 8 firearms, our count, frozen on Fadul: Cllr"),
    ("evidence", "NFI aperture shear all splits * Cllr - Cllr_min"),
    ("evidence", "NFI firing pin all splits * Cllr - Cllr_min"),
    ("region", "median IoU with the truth"),
    ("region", "lowest IoU with the truth"),
    ("robustness", "none: similarity: AUC"),
    ("robustness", "rotation by any angle: similarity: AUC"),
    ("robustness", "disc 50 %: similarity: AUC"),
    ("robustness", "disc 25 %: similarity: AUC"),
    ("robustness", "disc 12 %: similarity: AUC"),
    ("robustness", "disc 12 %: similarity: AUC, all pairs"),
    ("robustness", "disc 12 %: similarity: insufficient same-source"),
    ("robustness", "sector 90°: similarity: AUC"),
    ("robustness", "sector 90°: similarity: insufficient same-source"),
    ("robustness", "1/f noise 100 %: similarity: AUC"),
    ("robustness", "dropouts 50 %: similarity: AUC"),
    ("robustness", "lateral scale 2 %: similarity: AUC"),
    ("robustness", "mirrored found mirrored, same-source"),
    ("robustness", "unmirrored found mirrored, different-source"),
    ("search", "whole: same firearm at rank 1"),
    ("search", "whole: same-firearm scans within 10"),
    ("search", "halves together: same firearm at rank 1"),
    ("search", "whole: template stage"),
    ("search", "half: a disc: template stage"),
    ("search", "peak memory of a search"),
    ("search", "with another scan, the rebuilt mark: similarity"),
    ("firing_pin", "3.125 µm, significance: gap"),
    ("firing_pin", "3.125 µm, clusters: gap"),
    ("firing_pin", "6.25 µm, significance: gap"),
    ("firing_pin", "3.125 µm, poor contact, original: AUC"),
    ("printed", "top 1, re-mesh"),
    ("printed", "top 1, decimation to 20 %"),
    ("printed", "top 1, decimation to 5 %"),
    ("printed", "top 1, noise 0.5 %"),
    ("printed", "top 1, cut to 50 %"),
    ("printed", "top 1, cut to 25 %"),
    ("printed", "top 1, dummy material"),
    ("printed", "top 1, dummy + mirror + scale"),
    ("printed", "top 1, cut + scale + noise"),
    ("printed", "wrong top 1 by the search, not by the score"),
    ("printed", "in the collection, cut to 50 %"),
    ("printed", "in the collection, dummy material"),
    ("printed", "pieces of one reference, of two halves in the collection"),
    ("printed", "pieces of one reference, of two copies of a half"),
    ("printed", "found, plate of ten"),
    ("printed", "false hits, all"),
    ("printed", "false hits, upper 95 % bound"),
    ("printed", "look-alikes taken for a reference"),
    ("printed", "CPU time of a query, signature included, median"),
    ("printed", "CPU time of an unrelated query, median"),
    ("printed_large", "identification of a part, median"),
    ("printed_large", "identification of a half, median"),
    ("shape_class", "recall of whole props at 2 % false positives, source left out"),
    ("subclass", "Fadul, one firearm: of them explained by regular marks, significance"),
    ("subclass", "simulated milled, one cutter, two firearms: of them explained by regular marks, significance"),
    ("optical", "laid alike within 15°, ring even to 5 %, original: AUC"),
)


def table() -> str:
    """Return the table as Markdown: one row per headline that has a record, each with its protocol."""
    records = {
        (record["benchmark"], record["metric"]): record
        for path in sorted(RECORDS.glob("*.json"))
        for record in json.loads(path.read_text(encoding="utf-8"))
    }
    lines = ["| figure | value | goal or published | n | protocol |", "|---|---|---|---|---|"]
    for key in HEADLINES:
        if key in records:
            r = records[key]
            value = f"{r['value']:.3g} {r['unit']}"
            lines.append(f"| {r['benchmark']}: {r['metric']} | {value} | {r['goal']} | {r['n']} | {r['protocol']} |")
    return "\n".join(lines)


def with_table(readme: str) -> str:
    """Return the README with its table replaced."""
    before, rest = readme.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


if __name__ == "__main__":
    path = ROOT / "README.md"
    path.write_text(with_table(path.read_text(encoding="utf-8")), encoding="utf-8")
