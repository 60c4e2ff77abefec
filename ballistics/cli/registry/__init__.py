"""`ballistics registry`: firearms, what happened to them, transfers, leads. Each verb is in a module of its subject."""

from __future__ import annotations

import importlib
from typing import Any

import rich_click as click

# Verb -> the module that holds its command, under the verb's name.
_VERBS = {
    "init": "filling",
    "import": "filling",
    "find": "asking",
    "show": "asking",
    "check": "asking",
    "event": "happening",
    "step": "happening",
    "overdue": "happening",
    "fields": "asking",
    "simulate": "filling",
    "transfers": "transferring",
    "leads": "leading",
    "statistics": "counting",
    "verify": "verifying",
}


class _RegistryGroup(click.RichGroup):
    """A group whose commands are imported only when needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> Any:
        if cmd_name not in _VERBS:
            return None
        return getattr(importlib.import_module(f"ballistics.cli.registry.{_VERBS[cmd_name]}"), f"{cmd_name}_")


@click.group(name="registry", cls=_RegistryGroup)
def command() -> None:
    """Look up firearms, and record what happened to them."""
