"""The PDF of a validation study: two plain pages for a prosecutor, then tables and pictures (extra ``pdf``)."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from ballistics.errors import WriteError
from ballistics.evidence.scan_study import HEADLINE, ScanStudy
from ballistics.reports import study_contents as contents
from ballistics.reports import study_wording as wording
from ballistics.reports.evidence_figures import study_figures, svg_bytes

_TEMPLATE = Path(__file__).with_name("templates") / "study.typ"


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
    one = study.headline
    figures = study_figures(one, contents.SCORE_NAMES[HEADLINE])
    data = {
        "name": study.name,
        "source": study.source,
        "mark": study.scored.mark_kind,
        "tested": wording.what_was_tested(study),
        "erred": wording.erred(one),
        "support": wording.support(one),
        "quality": wording.quality(one),
        "limits": wording.LIMITS,
        "metrics": contents.metric_rows(study),
        "scores": list(contents.SCORE_NAMES.values()),
        "firearms": contents.firearm_rows(one),
        "misleading": contents.misleading_rows(study),
        "groups": contents.group_rows(one),
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
        (root / "data.json").write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
        for i, figure in enumerate(figures.values()):
            (root / f"figure-{i}.svg").write_bytes(svg_bytes(figure))
        try:
            return bytes(typst.compile(str(root / "study.typ"), root=folder, ignore_system_fonts=True, timestamp=0))
        except typst.TypstError as error:
            raise WriteError(f"typst could not set the study: {error}") from error
