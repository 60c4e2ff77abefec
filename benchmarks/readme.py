"""The pages of figures made from the records of the benchmarks: python -m benchmarks.readme

`docs/figures.md` holds every record, its protocol once for each benchmark; the README shows a few of them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
RECORDS = Path(__file__).parent / "records"
BEGIN, END = "<!-- headline numbers: begin -->", "<!-- headline numbers: end -->"

# (benchmark, metric): what the README shows; everything else stands in docs/figures.md.
HEADLINES = (
    ("evidence", "Fadul, our similarity: Cllr"),
    ("evidence", "TopMatch, our similarity: Cllr"),
    ("accuracy", "significance: gap"),
    ("accuracy", "similarity: gap"),
    ("accuracy", "TopMatch: significance: gap"),
    ("accuracy", "TopMatch: similarity: gap"),
    ("hard", "ordinary: similarity: AUC"),
    ("hard", "poor: similarity: AUC"),
    ("speed", "whole comparison: CMC, similarity, mirror check, regular marks"),
    ("search", "whole: same firearm at rank 1"),
    ("striations", "screwdrivers: Cllr source-disjoint, isotonic"),
    ("striations", "pliers: Cllr source-disjoint, isotonic"),
    ("striations", "lands: lowest correlation in phase"),
    ("striations", "lands: highest other correlation"),
    ("striations", "barrels: land AUC, barrels of one make"),
    ("striations", "barrels: bullet AUC"),
    ("striations", "barrels: bullet: Cllr source-disjoint, logistic"),
    ("printed", "top 1, cut to 50 %"),
    ("printed", "top 1, dummy material"),
    ("printed", "false hits, planted boxes"),
    ("printed", "hidden by an accepted one, planted look-alikes"),
    ("faults", "files wrong"),
    ("registry", "2 characters obliterated: within 10"),
    ("registry", "lookup, median of all kinds"),
    ("printed_reading", "lines read a second"),
    ("printed_jobs", "right first, freshly sliced"),
    ("printed_jobs", "right first, the first 50% of the layers"),
    ("casework", "verification of 100000 entries"),
    ("exchange", "a scan names its firearm among templates"),
    ("exchange", "rebuilt mark: correlation with the mark"),
)


def records() -> list[dict[str, Any]]:
    """Return every record, by benchmark."""
    return [record for path in sorted(RECORDS.glob("*.json")) for record in json.loads(path.read_text("utf-8"))]


def figures_page() -> str:
    """Return docs/figures.md: every record in one table a benchmark, with the protocols below it."""
    lines = [
        "# Figures",
        "",
        "Every number of the benchmarks, made from `benchmarks/records` by `python -m benchmarks.readme`, measured",
        "again by `python -m benchmarks NAME`. CPU seconds are of one core of a shared machine (AMD EPYC, 2.6 GHz).",
        "A record is of the version of the method at the time it was made; the changelog says what changed since.",
    ]
    found = records()
    for benchmark in dict.fromkeys(record["benchmark"] for record in found):
        own = [record for record in found if record["benchmark"] == benchmark]
        protocols = list(dict.fromkeys(record["protocol"] for record in own))
        lines += [
            "",
            f"## {benchmark}",
            "",
            "| figure | value | goal or published | n | protocol |",
            "|---|---|---|---|---|",
        ]
        lines += [_row(record, protocols.index(record["protocol"]) + 1) for record in own]
        lines += ["", *(f"{number}. {_cell(protocol)}" for number, protocol in enumerate(protocols, 1))]
    return "\n".join(lines) + "\n"


def table() -> str:
    """Return the README's table as Markdown: one row for each headline that has a record."""
    by_key = {(record["benchmark"], record["metric"]): record for record in records()}
    lines = ["| figure | value | goal or published | n |", "|---|---|---|---|"]
    for key in HEADLINES:
        if key in by_key:
            r = by_key[key]
            lines.append(f"| {key[0]}: {_cell(key[1])} | {_value(r)} | {_cell(r['goal'])} | {r['n']} |")
    return "\n".join(lines)


def with_table(readme: str) -> str:
    """Return the README with its table replaced."""
    before, rest = readme.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def _row(record: dict[str, Any], protocol: int) -> str:
    return f"| {_cell(record['metric'])} | {_value(record)} | {_cell(record['goal'])} | {record['n']} | {protocol} |"


def _value(record: dict[str, Any]) -> str:
    value = record["value"]
    return "–" if value != value else f"{value:.3g} {record['unit']}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    readme = ROOT / "README.md"
    readme.write_text(with_table(readme.read_text(encoding="utf-8")), encoding="utf-8")
    (ROOT / "docs" / "figures.md").write_text(figures_page(), encoding="utf-8")
