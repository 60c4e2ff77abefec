"""The command line: one thin command per verb, loaded only when it is called."""

from __future__ import annotations

import importlib
from typing import Any

import rich_click as click

from ballistics.cli.terminal import in_options
from ballistics.errors import BallisticsError, was_interrupted

# Each verb is a module of this package that holds a click command named `command`.
_VERBS = (
    "analyst",
    "batch",
    "case",
    "compare",
    "compare-bullets",
    "compare-heads",
    "demo",
    "exchange",
    "inspect",
    "library",
    "links",
    "printed",
    "quality",
    "range",
    "reference",
    "registry",
    "search",
    "selftest",
    "simulate",
    "validate",
    "view",
)
# Verbs whose modules lie in a folder of their own.
_FOLDERS = {"case": "casework", "quality": "casework", "range": "casework"}


class _LazyGroup(click.RichGroup):
    """A group whose commands are imported only when needed, so that the help is fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> Any:
        if cmd_name not in _VERBS:
            return None
        name = ".".join(filter(None, (_FOLDERS.get(cmd_name), cmd_name.replace("-", "_"))))
        return importlib.import_module(f"ballistics.cli.{name}").command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BallisticsError as error:
            click.echo(f"ballistics: {in_options(str(error), error.scan)}", err=True)
            ctx.exit(2)
        except SystemError as error:
            if was_interrupted(error):
                raise click.Abort from None
            raise


@click.command(cls=_LazyGroup)
@click.version_option(package_name="ballistics")
def main() -> None:
    """Compare ballistic evidence measured as surface scans."""
