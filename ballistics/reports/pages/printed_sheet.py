"""The contact sheet of a batch of printed parts: hits first, copies together, one self-contained HTML file."""

from __future__ import annotations

import base64
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from ballistics.printed import REFUSED, UNREADABLE, FileResult, PrintedBatch
from ballistics.reports.contents.print_job import job_rows, pictures_shown, profile_reason, time_words
from ballistics.reports.contents.printed_pieces import pieces_shown
from ballistics.reports.wording import printed as wording

# More tiles, or more rows of refused files, would not be read on a page; the table has all.
_MOST_TILES, _MOST_REFUSED = 600, 200
_MOST_COPIES = 12
_MOST_JOBS, _MOST_MEMBERS = 300, 40
_SHOWN_WORDS = ("printer", "printer profile", "print profile", "material", "sliced at")
# Each is a drawing of some 200 kB.
_MOST_PIECES = 20


def contact_sheet(batch: PrintedBatch) -> str:
    """Return the page as the text of one HTML file; the same batch gives the same bytes."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("ballistics.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Callable[..., str]] = {
        "percent": wording.percent,
        "relation": lambda hit: wording.relation_words(hit["relation"], hit["scale"], hit["mirrored"]),
        "scale": wording.scale_words,
        "category": batch.taxonomy.title,
        "short": wording.short,
    }
    environment.filters |= filters
    families: dict[int, list[FileResult]] = defaultdict(list)
    for file in batch.files:
        if file.kept["keys"] is not None:
            families[file.copy.family].append(file)
    tiles = [_tile(number, members) for number, members in families.items()]
    hits = [tile for tile in tiles if tile["hits"]]
    hits.sort(key=lambda tile: (-tile["hits"][0]["score"], tile["number"]))
    others = [tile for tile in tiles if not tile["hits"]]
    others.sort(key=lambda tile: (-tile["size"], tile["number"]))
    refused = [file for file in batch.files if file.kept["verdict"] in (REFUSED, UNREADABLE)]
    jobs = sorted((file for file in batch.files if file.jobs), key=lambda file: (file.profile_group, file.name))
    files = [(file.name, int(file.kept["bodies"])) for file in batch.files]
    return environment.get_template("printed_sheet.html").render(
        pieces=[pieces_shown(group, files, batch.taxonomy) for group in batch.pieces[:_MOST_PIECES]],
        pieces_left=max(0, len(batch.pieces) - _MOST_PIECES),
        counts=batch.counts(),
        total=len(batch.files),
        batch=batch,
        lead=wording.LEAD,
        false_hits=wording.false_hits_sentence(batch.false_hits),
        limits=wording.LIMITS,
        hits=hits[:_MOST_TILES],
        others=others[: max(0, _MOST_TILES - len(hits))],
        hits_left=max(0, len(hits) - _MOST_TILES),
        others_left=max(0, len(others) - max(0, _MOST_TILES - len(hits))),
        jobs=[_job(file) for file in jobs[:_MOST_JOBS]],
        jobs_left=max(0, len(jobs) - _MOST_JOBS),
        profiles=_profiles(jobs),
        refused=refused[:_MOST_REFUSED],
        refused_left=max(0, len(refused) - _MOST_REFUSED),
    )


def _job(file: FileResult) -> dict[str, Any]:
    """Return what the print jobs in a file say."""
    first = file.jobs[0]
    return {
        "name": file.name,
        "group": file.profile_group,
        "first": first,
        "said": {word: first.said[word].value if word in first.said else "" for word in _SHOWN_WORDS},
        "time": "" if first.estimated_s is None else time_words(first.estimated_s),
        "rows": [(job.member, job_rows(job)) for job in file.jobs[:_MOST_COPIES]],
        "pictures": pictures_shown(file.jobs, {name: base64.b64decode(data) for name, data in file.kept["carried"]}),
    }


def _profiles(files: list[FileResult]) -> list[dict[str, Any]]:
    """Return the groups of files whose jobs are of one profile, or of similar ones, and why."""
    groups: dict[int, list[FileResult]] = defaultdict(list)
    for file in files:
        groups[file.profile_group].append(file)
    shown = []
    for number, members in groups.items():
        if len(members) < 2:
            continue
        first = members[0].jobs[0]
        others = [(m.name, *profile_reason(first, m.jobs[0])) for m in members[1 : _MOST_MEMBERS + 1]]
        shown.append({"number": number, "name": members[0].name, "others": others, "size": len(members)})
    return shown


def _tile(number: int, members: list[FileResult]) -> dict[str, Any]:
    """Return a family: its first file stands for all."""
    first = members[0]
    x, y, z = first.kept["extent_mm"]
    return {
        "number": number,
        "name": first.name,
        "size": len(members),
        "picture": f"data:image/png;base64,{first.kept['thumbnail']}",
        "extent": f"{x:.4g} × {y:.4g} × {z:.4g} mm",
        "parts": first.kept["parts"],
        "sha256": first.sha256,
        "hits": first.kept["hits"],
        "is_plain": first.kept["verdict"] == "too plain to identify",
        "copies": [(member.name, member.copy.relation) for member in members[1 : _MOST_COPIES + 1]],
        "more": max(0, len(members) - 1 - _MOST_COPIES),
    }
