"""The part of a command that writes a report: its head lines, and what is refused before any work is done."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import rich_click as click

from ballistics.errors import ParameterError

_OPTIONS = (
    click.option("--case", default="", metavar="TEXT", help="Case number; at the head of every page of the report."),
    click.option("--exhibit-a", default="", metavar="TEXT", help="What A is, e.g. an exhibit number; likewise."),
    click.option("--exhibit-b", default="", metavar="TEXT", help="What B is; likewise."),
    click.option("--examiner", default="", metavar="TEXT", help="Who examines; likewise."),
)


def case_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of the head lines of a report to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def case_lines(options: dict[str, Any], report: Path | None) -> Any:
    """Return the head lines of a report.

    Raises
    ------
    ParameterError
        When a line does not fit, or there is no report to stand in.
    """
    from ballistics.reports import CaseLines

    lines = CaseLines(options["case"], options["exhibit_a"], options["exhibit_b"], options["examiner"])
    if lines.options and report is None:
        raise ParameterError(f"{lines.options[0]} stands at the head of a report; give --report too")
    return lines


def refuse_report(report: Path | None, language: str) -> None:
    """Refuse a report that could not be written, before any work is done.

    Raises
    ------
    ParameterError
        For a name of another kind of file than HTML, and for a language that the page is not in.
    """
    if report is None:
        return
    if report.suffix.lower() not in (".html", ".htm"):
        raise ParameterError(
            f"--report {report.name}: the report of a comparison is one HTML file; name it {report.stem}.html. For a "
            "PDF open it in a browser and print it: it has A4 pages with running heads and page numbers"
        )
    if language != "en":
        raise ParameterError(
            f"--report with --language {language}: the page exists in English only, and a report is translated whole "
            f"or not at all. Write it without --language; the sentences in '{language}' stand in --json and on the "
            "terminal"
        )
