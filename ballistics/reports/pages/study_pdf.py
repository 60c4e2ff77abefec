"""The PDF of a validation study: two plain pages for a prosecutor, then tables and pictures (extra ``pdf``)."""

from __future__ import annotations

import base64
import json
import tempfile
from pathlib import Path
from typing import Any

from ballistics.errors import WriteError
from ballistics.reports.contents import study_contents as contents
from ballistics.reports.figures.evidence import study_figures, svg_bytes
from ballistics.reports.pages.breaking import breakable
from ballistics.reports.pages.study_pairs import PairCard, withheld_cards, worst_cards
from ballistics.reports.wording import study as wording
from ballistics.studies import HEADLINE, ScanStudy

# Of the page's own sentences, those that name firearms.
_READING = (
    "How to read it: each line shows the share of pairs whose likelihood ratio is at least the value below. 0 "
    "means that the findings are equally probable either way; 1 means 10 times, 2 means 100 times more probable "
    "if one firearm fired both; −1 and −2 the same for two firearms. A pair of one firearm that lies left of 0, "
    "or a pair of two firearms that lies right of 0, misleads."
)
_AT_MOST = (
    "“At most” is the highest rate that still agrees with what was seen: with few comparisons it is high even "
    "when no error was seen. Comparisons that share a firearm are not independent, so the limits count firearms."
)
_TEMPLATE = Path(__file__).parents[1] / "templates" / "study.typ"


def study_pdf(study: ScanStudy) -> bytes:
    """Return the PDF; the same study gives the same bytes (no date, typst's own fonts only).

    Raises
    ------
    WriteError
        When typst is not installed, or refuses the document.
    """
    try:
        import typst
    except ImportError as error:
        raise WriteError("a PDF needs the extra 'pdf': pip install 'ballistics[pdf]'") from error
    headline, kind = study.headline, study.scored.mark_kind
    say = wording.saying(kind)
    figures = study_figures(headline, contents.score_names(study)[HEADLINE])
    cards = {
        say("One firearm: the lowest similarities"): worst_cards(study, True, (HEADLINE,)),
        say("Two firearms: the highest similarities"): worst_cards(study, False, (HEADLINE,)),
        "No likelihood ratio stated": withheld_cards(study),
    }
    pictures: dict[str, bytes] = {}
    worst = [[title, [_plain(card, pictures) for card in own]] for title, own in cards.items() if own]
    data = {
        "name": study.name,
        "source": study.source,
        "mark": study.scored.mark_kind,
        "tested": wording.what_was_tested(study),
        "erred": wording.erred(headline, kind),
        "support": wording.support(headline, kind),
        "quality": wording.quality(headline, kind),
        "limits": wording.limits(kind),
        "made_by": wording.nouns(kind).source,
        "reading": say(_READING),
        "at_most": say(_AT_MOST),
        "acceptance": None
        if study.acceptance is None
        else {"met": study.acceptance.met, "sha256": study.acceptance.criteria.sha256},
        "acceptance_rows": contents.acceptance_rows(study),
        "acceptance_lines": contents.acceptance_lines(study),
        "limits_lines": contents.limits_lines(study),
        "flagged_metrics": contents.flagged_metric_rows(study),
        "serious_scans": contents.serious_scans_line(study),
        "flagged": contents.flagged_rows(study),
        "worst": worst,
        "repeats": contents.repeat_rows(study),
        "repeat_columns": contents.repeat_columns(study),
        "metrics": contents.metric_rows(study),
        "scores": list(contents.score_names(study).values()),
        "firearms": contents.firearm_rows(headline),
        "misleading": contents.misleading_rows(study),
        "groups": contents.group_rows(headline),
        "repeatability": contents.repeatability_lines(study),
        "left_out": contents.left_out_rows(study),
        "method": contents.method_rows(study),
        "versions": list(study.scored.provenance.versions.items()),
        "hashes": contents.hash_rows(study),
        "figures": [[title, contents.FIGURE_TEXTS[title], f"figure-{i}.svg"] for i, title in enumerate(figures)],
    }
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "study.typ").write_bytes(_TEMPLATE.read_bytes())
        # Values go in as data, so that no name of a scan can be taken for markup.
        (root / "data.json").write_text(json.dumps(breakable(data), ensure_ascii=False), encoding="utf-8")
        for name, png in pictures.items():
            (root / name).write_bytes(png)
        for i, figure in enumerate(figures.values()):
            (root / f"figure-{i}.svg").write_bytes(svg_bytes(figure))
        try:
            return bytes(typst.compile(str(root / "study.typ"), root=folder, ignore_system_fonts=True, timestamp=0))
        except typst.TypstError as error:
            raise WriteError(f"typst could not set the study: {error}") from error


def _plain(card: PairCard, pictures: dict[str, bytes]) -> dict[str, Any]:
    """Return a pair in plain values; its pictures are added under the names that it gives."""
    names = []
    for picture in card.pictures or ():
        names.append(f"pair-{len(pictures)}.png")
        pictures[names[-1]] = base64.b64decode(picture.uri.partition(",")[2])
    return {
        "title": " – ".join(card.scans),
        "text": f"{card.made_by}; {card.ranks}",
        "scores": "; ".join(f"{name} {value}, log10 LR {lr}" for name, value, lr in card.scores),
        "findings": card.findings,
        "pictures": names,
    }
