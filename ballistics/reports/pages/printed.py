"""The HTML page of an identification of printed parts: one self-contained file, a lead with what it rests on."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from typing import Any

from ballistics.printed import ReferencePieces, Taxonomy, score_model, small_png
from ballistics.reports.contents.identified_file import (
    IdentifiedFile,
    SearchedCollection,
    bodies_of,
    is_symmetric,
    verdict_of,
)
from ballistics.reports.contents.print_job import job_rows, pictures_shown
from ballistics.reports.contents.printed_pieces import named_files, pieces_shown
from ballistics.reports.figures.printed import (
    ABSENT,
    EXPLAINED,
    NO_COUNTERPART,
    UNEXPLAINED,
    candidate_figures,
    scale_uri,
    searched_mesh,
    views_of,
    whole_mesh,
)
from ballistics.reports.figures.printed_scene import scene_json, viewer_script
from ballistics.reports.plain_values import plain
from ballistics.reports.wording import printed as wording

# Each shown candidate is some 300 kB of pictures; the table has all.
_DRAWN = 4
_MOST_CARRIED = 8
_START = (
    "for (const place of document.querySelectorAll('[data-scene]')) {"
    "const drawn = JSON.parse(document.getElementById(place.dataset.scene).textContent);"
    "Plotly.newPlot(place, drawn.data, drawn.layout, {displaylogo: false, responsive: true});"
    "place.previousElementSibling?.remove(); }"
)


def printed_report(
    files: Sequence[IdentifiedFile],
    searched: SearchedCollection,
    pieces: Sequence[ReferencePieces] = (),
    *,
    turnable: bool = True,
) -> str:
    """Return the page as the text of one HTML file; the same files and collection give the same bytes.

    Parameters
    ----------
    files : sequence of IdentifiedFile
        Refused ones are listed with the reason.
    searched : SearchedCollection
    pieces : sequence of ReferencePieces
        From `ballistics.reports.contents.printed_pieces.pieces_in`.
    turnable : bool
        Whether a view that can be turned is in the page, which takes 5 MB.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("ballistics.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "percent": wording.percent,
        "short": wording.short,
        "relation": lambda candidate: wording.relation_words(candidate.relation, candidate.scale, candidate.mirrored),
        "scale": wording.scale_words,
        "category": searched.taxonomy.title,
        "where": lambda candidate, count: wording.where_sentence(candidate, count),
    }
    shown = [_shown(k, file, searched, turnable) for k, file in enumerate(files, 1)]
    scripts = [viewer_script(), _START] if turnable and any(drawn["candidates"] for drawn in shown) else []
    return environment.get_template("printed.html").render(
        files=shown,
        pieces=[pieces_shown(group, named_files(files), searched.taxonomy) for group in pieces],
        searched=searched,
        lead=wording.LEAD,
        base_log_odds=score_model().base,
        limits=wording.LIMITS,
        scripts=scripts,
        script_hashes=[base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in scripts],
        scale=scale_uri(),
        colours={
            name: "#{:02x}{:02x}{:02x}".format(*colour)
            for name, colour in (
                ("explained", EXPLAINED), ("unexplained", UNEXPLAINED), ("absent", ABSENT), ("none", NO_COUNTERPART),
            )
        },
        method=_method(shown, searched, pieces),
    )  # fmt: skip


def _shown(number: int, identified: IdentifiedFile, searched: SearchedCollection, turnable: bool) -> dict[str, Any]:
    """Return what the template shows of a file."""
    described, found = identified.described, identified.found
    findings = [("file", finding) for finding in described.findings]
    findings += [(f"part {k}", finding) for k, part in enumerate(described.parts, 1) for finding in part.findings]
    findings += [("search", finding) for finding in (() if found is None else found.findings)]
    shown: dict[str, Any] = {
        "number": number,
        "name": identified.name,
        "described": described,
        "reason": described.reason.removeprefix(f"{described.path}: "),
        "findings": findings,
        "metadata": [(key, _text(value)) for key, value in sorted(described.metadata.items())],
        "jobs": [(job.member, job_rows(job)) for job in described.jobs],
        "carried": [],
        "views": None,
        "found": found,
        "headline": None,
        "plain_bodies": "",
        "cautions": [],
        "unexplained": "",
        "false_hits": "",
        "components": 0,
        "candidates": [],
        "others": [],
        "order": "",
        "provenance": None,
    }
    if identified.file is not None and described.jobs:
        pictures = {picture.name: small_png(picture) for picture in identified.file.thumbnails[:_MOST_CARRIED]}
        shown["carried"] = pictures_shown(described.jobs, {name: data for name, data in pictures.items() if data})
    if identified.file is None or found is None:
        return shown
    mesh = whole_mesh(identified.file.parts)
    drawn = found.accepted[:_DRAWN]
    if not drawn:
        # That a file has nothing in common with a reference is best seen where it comes nearest to it.
        drawn = found.candidates[:1]
    candidates = []
    for rank, candidate in enumerate(drawn, 1):
        symmetric = is_symmetric(searched.collection, candidate)
        body = searched_mesh(identified.file.parts, candidate)
        extent = float((body.vertices.max(axis=0) - body.vertices.min(axis=0)).max())
        figures = candidate_figures(body, found, candidate, searched.collection)
        candidates.append(
            {
                "rank": rank,
                "candidate": candidate,
                "accepted": candidate.fits(found.threshold) and not candidate.is_plain,
                "sentence": wording.candidate_sentence(
                    candidate, searched.taxonomy, found.tied_with(candidate), symmetric=symmetric
                ),
                "shares": wording.shares_sentence(candidate),
                "score": wording.score_sentence(candidate, found),
                "miss": "" if candidate.fits(found.threshold) else wording.miss_sentence(candidate, found),
                "score_rows": wording.score_rows(candidate),
                "mirror": wording.mirror_sentence(candidate, symmetric=symmetric),
                "where": wording.where_sentence(candidate, bodies_of(found)),
                "definition": _definition(searched.taxonomy, candidate.category),
                "figures": figures,
                "limit_percent": 100.0 * figures.limit_mm / extent,
                "scene": scene_json(found, candidate, body, searched.collection) if turnable else None,
                "facts": [(key.replace("_", " "), _text(value)) for key, value in candidate.metadata.items()],
            }
        )
    return shown | {
        "views": views_of(mesh),
        "headline": verdict_of(identified, searched),
        "plain_bodies": wording.plain_bodies_sentence(found),
        "unexplained": wording.unexplained_sentence(found),
        "cautions": [f"{finding.message[0].upper()}{finding.message[1:]}." for finding in found.findings],
        "false_hits": "" if searched.other else wording.false_hits_sentence(found.false_hits),
        "components": bodies_of(found),
        "candidates": candidates,
        "others": found.candidates,
        "order": wording.order_sentence(found),
        "provenance": found.provenance,
    }


def _definition(taxonomy: Taxonomy, identifier: str) -> str:
    return next((category.definition for category in taxonomy.categories if category.id == identifier), "")


def _text(value: Any) -> str:
    """Return a fact in words: lists without brackets, numbers with six digits."""
    listed = plain(value)
    facts = listed if isinstance(listed, list) else [listed]
    return wording.short(", ".join(f"{fact:g}" if isinstance(fact, float) else str(fact) for fact in facts))


def _method(
    shown: list[dict[str, Any]], searched: SearchedCollection, pieces: Sequence[ReferencePieces]
) -> dict[str, Any] | None:
    """Return parameters and versions, which are the same for all files."""
    first = next((file["provenance"] for file in shown if file["provenance"] is not None), None)
    if first is None:
        return None
    return {
        "method": f"{first.method}, version {first.version}",
        "parameters": [(name.replace("_", " "), _text(value)) for name, value in first.parameters.items()],
        "versions": sorted(first.versions.items()),
        "references": first.references,
        "pieces": _pieces_method(pieces[0]) if pieces else None,
        "taxonomy": f"{searched.taxonomy.name}, version {searched.taxonomy.version}",
    }


def _pieces_method(group: ReferencePieces) -> str:
    """Return version and parameters of the search for pieces, which are the same for all references."""
    parameters = ", ".join(
        f"{name.replace('_', ' ')} {_text(value)}" for name, value in group.provenance.parameters.items()
    )
    return f"version {group.provenance.version}; {parameters}"
