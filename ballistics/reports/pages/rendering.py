"""How a page of a comparison is rendered: its template with the filters of values, its script with the hash."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from ballistics.reports.contents.case_lines import CaseLines
from ballistics.reports.wording.comparison import source_of
from ballistics.reports.wording.values import coordinate_text, fixed_text, labelled, number_text, value_text

_LONGEST_HEAD = 170


def running_lines(title: str, names: Sequence[str], case: CaseLines, evaluated: bool, json_sha256: str) -> Any:
    """Return what stands above and below every printed page, as texts of a style sheet.

    Parameters
    ----------
    title : str
        What the page is.
    names : sequence of str
        The files; shown where no exhibit is stated.
    case : CaseLines
    evaluated : bool
        Whether the report is an evaluative one.
    json_sha256 : str
        Of the JSON that goes with the page.
    """
    head = f"{title} · {case.running_head or ' · '.join(names)}"
    head = head if len(head) <= _LONGEST_HEAD else head[: _LONGEST_HEAD - 1] + "…"
    kind = "Evaluative report" if evaluated else "Lead, not evaluative"
    return css_text(head), css_text(f"{kind} · JSON SHA-256 {json_sha256[:16]}…")


def css_text(text: str) -> Markup:
    """Return a text for a style sheet: whatever is not a letter, a digit or a space is escaped by its number.

    The blank after a number ends it, and is not shown.
    """
    escaped = re.sub(r"[^0-9A-Za-z ]", lambda found: f"\\{ord(found[0]):x} ", text)
    return Markup(f'"{escaped}"')


def rendered(template: str, scripts: Sequence[str], filters: dict[str, Any], values: dict[str, Any]) -> str:
    """Return a page as the text of one HTML file.

    Parameters
    ----------
    template : str
        Name of the template.
    scripts : sequence of str
        Names of the scripts, in their order; the page may run what they hold and nothing else.
    filters : dict
        Filters of this page beside those that all have.
    values : dict
        What the template shows.
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
        "text": value_text,
        "mm": lambda um: f"{um / 1000:.3f}",
        "u": coordinate_text,
        "source": source_of,
        "labelled": lambda mapping: list(labelled(mapping)),
        "fixed": fixed_text,
        "number": number_text,
        **filters,
    }
    loader = environment.loader
    assert loader is not None
    script = "\n" + "\n".join(loader.get_source(environment, name)[0] for name in scripts) + "\n"
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    return environment.get_template(template).render(script=script, script_sha256=digest, **values)
