"""Options that several commands of ``ballistics printed`` have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import rich_click as click

UNITS = ("micron", "millimetre", "centimetre", "metre", "inch", "foot")

_Command = TypeVar("_Command", bound=Callable[..., Any])
_Option = Callable[[_Command], _Command]


def references_option(text: str = "The collection's folder (`ballistics printed enrol`).") -> _Option[Any]:
    """Return the option ``--references``, passed on as ``folder``."""
    kind = click.Path(file_okay=False, path_type=Path)
    return click.option("--references", "folder", required=True, type=kind, help=text)


def unit_option(text: str = "Take the files' numbers as this unit.") -> _Option[Any]:
    """Return the option ``--unit``."""
    return click.option("--unit", type=click.Choice(UNITS), help=text)


def answer_options(command: _Command) -> _Command:
    """Add the options of an answer with a page: ``--report``, ``--without-3d``, ``--json`` and ``--overwrite``."""
    options: tuple[_Option[Any], ...] = (
        click.option(
            "--report",
            type=click.Path(dir_okay=False, path_type=Path),
            help="Write the verdict with pictures: one self-contained HTML file.",
        ),
        click.option(
            "--without-3d", is_flag=True, help="Leave the view that can be turned out of the report (5 MB less)."
        ),
        click.option("--json", "as_json", is_flag=True, help="Print JSON instead of sentences."),
        click.option("--overwrite", is_flag=True, help="Replace a report that exists."),
    )
    # Decorators are applied from the last to the first.
    for option in reversed(options):
        command = option(command)
    return command
