"""`ballistics printed`: files of printed parts. Each verb is a module that holds ``command``."""

from __future__ import annotations

import importlib
from typing import Any

import rich_click as click

_NAMES = (
    "batch", "class", "compare", "enrol", "identify", "inspect", "kin", "list", "measure", "protocol", "verify",
)  # fmt: skip
# A module may be called neither as a keyword nor as a built-in name, which it would hide in this package.
_MODULES = {"class": "shape_class", "list": "listing"}
_VERBS = {verb: _MODULES.get(verb, verb) for verb in _NAMES}


class _PrintedGroup(click.RichGroup):
    """A group whose commands are imported only when needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> Any:
        if cmd_name not in _VERBS:
            return None
        return importlib.import_module(f"ballistics.cli.printed.{_VERBS[cmd_name]}").command


@click.group(name="printed", cls=_PrintedGroup)
def command() -> None:
    """Recognise and describe files of 3D-printed parts."""
