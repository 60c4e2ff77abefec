"""`ballistics compare-bullets`: two bullets, all lands against all, as a table, a report and JSON."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from ballistics.cli.reporting import case_lines, case_options, refuse_report
from ballistics.cli.scan_set import named_settings, settings_option
from ballistics.cli.terminal import bar, console, refuse_output
from ballistics.cli.weighing import evaluation_options, print_evaluation, weigher_of
from ballistics.files import write_whole

if TYPE_CHECKING:
    from ballistics.front import BulletsComparison

_FOLDER = click.Path(path_type=Path)
_OUTPUT = click.Path(dir_okay=False, path_type=Path)
_INSUFFICIENT = 3


@click.command(name="compare-bullets")
@click.argument("folder_a", type=_FOLDER)
@click.argument("folder_b", type=_FOLDER)
@click.option(
    "--lands-a",
    type=_OUTPUT,
    help="CSV table with the columns scan and land: the place of each land of A round the bullet, from 1. Without it "
    "lands follow the names of the files.",
)
@click.option("--lands-b", type=_OUTPUT, help="The same for B; it may be the same table.")
@click.option("--fragment", is_flag=True, help="The bullet with fewer lands is a fragment: neighbouring lands.")
@click.option("--report", type=_OUTPUT, help="Write the report: one self-contained HTML file.")
@click.option("--json", "json_path", type=_OUTPUT, help="Write everything but the heights as JSON.")
@click.option("--overwrite", is_flag=True, help="Replace a report or JSON that exists.")
@click.option(
    "--units",
    type=click.Choice(["micrometres", "millimetres", "as written"]),
    help="Take the numbers of all files as this unit; recorded as a serious finding.",
)
@settings_option
@click.option("--quiet", is_flag=True, help="No progress bar, no table; files and exit code only.")
@evaluation_options
@case_options
@click.pass_context
def command(
    ctx: click.Context,
    /,
    folder_a: Path,
    folder_b: Path,
    lands_a: Path | None,
    lands_b: Path | None,
    fragment: bool,
    report: Path | None,
    json_path: Path | None,
    overwrite: bool,
    units: Any,
    settings: tuple[str, ...],
    quiet: bool,
    **weighing: Any,
) -> None:
    """Compare two bullets: FOLDER_A and FOLDER_B hold one scan of each land.

    All lands are compared with all. The score stands for the best phase, in which land i of A was cut by what cut land
    i + phase of B, and pays for the choice of the phase.

    With --reference it is weighed against a population of bullets (`ballistics reference build --mark bullet`).

    Exit code 0: compared. 2: an error, e.g. a folder without a scan. 3: insufficient; the output says why.
    """
    from ballistics.front import compare_bullet_folders, weigh_bullets

    for path in (report, json_path):
        refuse_output(path, (folder_a, folder_b, *weighing["reference"]), overwrite)
    refuse_report(report, weighing["language"])
    lines, weigher = case_lines(weighing, report), weigher_of(weighing)
    with bar(quiet) as progress:
        result = compare_bullet_folders(
            folder_a,
            folder_b,
            lands=(lands_a, lands_b),
            units=units,
            fragment=fragment,
            settings=named_settings(settings),
            progress=progress,
        )
        if weigher is not None:
            result = weigh_bullets(result, weigher)
    if report is not None:
        names = folder_a.resolve().name, folder_b.resolve().name
        write_whole(report, result.page(lines, names).encode("utf-8", "replace"))
    if json_path is not None:
        write_whole(json_path, result.json())
    if not quiet:
        _print(result)
        if result.evaluation is not None:
            print_evaluation(result.evaluation)
        for what, path in (("report", report), ("JSON", json_path)):
            if path is not None:
                click.echo(f"{what}: {path.resolve()}")
    if result.insufficient is not None:
        ctx.exit(_INSUFFICIENT)


def _print(result: BulletsComparison) -> None:
    """Print what was noticed, the sentence, the matrix of lands with the phase, and what the numbers are not."""
    from rich.table import Table
    from rich.text import Text

    from ballistics.reports import bullets_sentence, chance_sentence

    out = console()
    for letter, lands in (("A", result.a), ("B", result.b)):
        for place, land in enumerate(lands, 1):
            name = "no scan" if land is None else land.name
            why = "" if land is None or land.mark.insufficient is None else f": {land.mark.insufficient}"
            out.print(Text(f"{letter}{place}: {name}{why}", "yellow" if why or land is None else ""))
    for severity, style in (("serious", "bold red"), ("warning", "yellow")):
        for where, finding in result.findings:
            if finding.severity == severity:
                out.print(Text(f"{severity.upper()}: {where}: {finding.message} [{finding.code}]", style))
    found = result.bullets
    if found.insufficient is not None:
        out.print(Text("INSUFFICIENT", "bold yellow"))
        out.print(Text(bullets_sentence(found), "bold"))
        return
    out.print(Text(bullets_sentence(found), "bold"))
    table = Table("nats", *(f"B{j}" for j in range(1, len(result.b) + 1)))
    n = max(len(result.a), len(result.b))
    for i, row in enumerate(found.scores[: len(result.a), : len(result.b)]):
        cells = [
            Text("–" if math.isnan(value) else f"{value:.0f}", "bold" if (i + (found.phase or 0)) % n == j else "")
            for j, value in enumerate(row)
        ]
        table.add_row(f"A{i + 1}", *cells)
    out.print(table)
    phase = (found.phase or 0) + 1
    out.print(Text(f"Land 1 of A lies on land {phase} of B; score of the bullets {found.score:.1f} nats."))
    out.print(Text(chance_sentence(found)))
    out.print(Text("A score is not a probability and not an opinion."))
