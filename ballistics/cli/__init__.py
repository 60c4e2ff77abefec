"""The command line: one thin command per verb, loaded only when it is called."""

from __future__ import annotations

import importlib
from typing import Any

import rich_click as click

from ballistics.errors import BallisticsError

# verb -> (module, one line of help); the module holds a click command named `command`.
_VERBS = {
    "compare": ("ballistics.cli.compare", "Compare two scans and write a report."),
    "demo": ("ballistics.cli.demo", "Run the main job on simulated scans."),
    "inspect": ("ballistics.cli.inspect", "Say which files can be read, and what is odd about them."),
    "reference": ("ballistics.cli.reference", "Make reference populations from scans of known firearms."),
    "selftest": ("ballistics.cli.selftest", "Compile everything, run known answers, print versions."),
    "simulate": ("ballistics.cli.simulate", "Write simulated cartridge-case heads with their ground truth."),
    "validate": ("ballistics.cli.validate", "Measure how often the method errs, on scans of known firearms."),
}


class _LazyGroup(click.RichGroup):
    """A group whose commands are imported only when needed, so that the help is fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> Any:
        if cmd_name not in _VERBS:
            return None
        return importlib.import_module(_VERBS[cmd_name][0]).command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BallisticsError as error:
            click.echo(f"ballistics: {error}", err=True)
            ctx.exit(2)


@click.command(cls=_LazyGroup)
@click.version_option(package_name="ballistics")
def main() -> None:
    """Compare ballistic evidence measured as surface scans."""
