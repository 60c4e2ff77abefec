"""`ballistics compare`: two scans in, one comparison out, as a table, a report and JSON."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from ballistics.cli.reporting import case_lines, case_options, refuse_report
from ballistics.cli.scan_set import named_settings, settings_option
from ballistics.cli.terminal import MARKS, bar, refuse_output
from ballistics.cli.weighing import evaluation_options, print_evaluation, weigher_of
from ballistics.errors import ParameterError
from ballistics.files import write_whole

if TYPE_CHECKING:
    from ballistics.front import FileComparison
    from ballistics.reports import CaseLines

_UNITS = click.Choice(["micrometres", "millimetres", "as written"])
_SCAN = click.Path(path_type=Path)
_OUTPUT = click.Path(dir_okay=False, path_type=Path)
REGION_HELP = "a mask (.png), a polygon (.json), or a label of the mask inside the scan."
_POSITIVE = click.FloatRange(min=0, min_open=True)
INSUFFICIENT = 3


@click.command(name="compare")
@click.argument("a", type=_SCAN)
@click.argument("b", type=_SCAN)
@click.option("--mark", type=MARKS, default="breech face", show_default=True, help="Mark type to compare.")
@click.option("--report", type=_OUTPUT, help="Write the report: one self-contained HTML file.")
@click.option("--json", "json_path", type=_OUTPUT, help="Write everything but the heights as JSON.")
@click.option("--overwrite", is_flag=True, help="Replace a report or JSON that exists.")
@click.option("--units-a", type=_UNITS, help="Take A's numbers as this unit; recorded as a serious finding.")
@click.option("--units-b", type=_UNITS, help="The same for B.")
@click.option("--region-a", default="", metavar="REGION", help=f"Where A's mark is: {REGION_HELP}")
@click.option("--region-b", default="", metavar="REGION", help="The same for B.")
@click.option("--spacing-um-a", type=_POSITIVE, help="Pixel size in µm, if A is a 2D image.")
@click.option("--spacing-um-b", type=_POSITIVE, help="The same for B.")
@settings_option
@click.option("--quiet", is_flag=True, help="No progress bar, no table; files and exit code only.")
@evaluation_options
@case_options
@click.pass_context
def command(
    ctx: click.Context,
    /,
    a: Path,
    b: Path,
    mark: str,
    report: Path | None,
    json_path: Path | None,
    overwrite: bool,
    units_a: Any,
    units_b: Any,
    region_a: str,
    region_b: str,
    spacing_um_a: float | None,
    spacing_um_b: float | None,
    settings: tuple[str, ...],
    quiet: bool,
    **weighing: Any,
) -> None:
    """Compare the marks of two scans, A and B.

    With --reference the score is weighed against a reference population: a likelihood ratio with its bound and
    interval, or the reason why there is none. The calibre must then be stated, and the class of instrument where the
    files do not name it.

    Exit code 0: compared. 2: an error, e.g. a file that cannot be read. 3: insufficient, the scans do not support a
    comparison; report and JSON say why.
    """
    for scan, other in ((a, b), (b, a)):
        if scan.is_dir():
            raise ParameterError(
                f"{scan} is a folder; a scan is compared with every scan of a folder by `ballistics batch {other} "
                f"--reference {scan} --out pairs.csv`"
            )
    for path in (report, json_path):
        refuse_output(path, (a, b, *weighing["reference"]), overwrite)
    refuse_report(report, weighing["language"])
    case = case_lines(weighing, report)
    weigher = weigher_of(weighing)
    from ballistics.front import compare_files

    with bar(quiet) as progress:
        result = compare_files(
            a,
            b,
            mark,
            units=(units_a, units_b),
            spacing_um=(spacing_um_a, spacing_um_b),
            region=(region_a, region_b),
            instrument=weighing["instrument"],
            settings=named_settings(settings),
            progress=progress,
        )
    if weigher is not None:
        result = weigher.of(result)
    write_result(result, report, json_path, case)
    if not quiet:
        print_comparison(result.comparison, a.name, b.name)
        if result.evaluation is not None:
            print_evaluation(result.evaluation)
        for what, path in (("report", report), ("JSON", json_path)):
            if path is not None:
                click.echo(f"{what}: {path.resolve()}")
    if result.insufficient is not None:
        ctx.exit(INSUFFICIENT)


def write_result(
    result: FileComparison, report: Path | None, json_path: Path | None, case: CaseLines | None = None
) -> None:
    """Write the page, with the lines of a case at its head, and the JSON of a comparison, each where it is wanted.

    Parameters
    ----------
    result : FileComparison
        What was compared.
    report, json_path : Path or None
        Where page and JSON are written; replaced when they exist. None for none.
    case : CaseLines, optional
        For the head of the page.

    Raises
    ------
    WriteError
        When one of them cannot be written.
    """
    if report is not None:
        write_whole(report, result.page(case).encode("utf-8", "replace"))
    if json_path is not None:
        write_whole(json_path, result.json())


def print_comparison(comparison: Any, name_a: str, name_b: str) -> None:
    """Print the result in a few lines: findings, the sentence, then one line for each rule or score.

    Parameters
    ----------
    comparison : Comparison
        Of impressed or of striated marks.
    name_a, name_b : str
        Names of the scans.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from ballistics.cli.striations import print_striations
    from ballistics.reports import counts_sentence, score_text, similarity_sentence, similarity_text, source_of
    from ballistics.striations import StriationComparison

    console = Console()
    if not console.is_terminal:
        console.width = 120
    console.print(Text(f"A: {name_a}\nB: {name_b}"))
    if comparison.insufficient is not None:
        console.print(Text("INSUFFICIENT", "bold yellow"))
    for severity, style in (("serious", "bold red"), ("warning", "yellow")):
        for finding in comparison.findings:
            if finding.severity == severity:
                console.print(Text(f"{severity.upper()}: {finding.message} [{finding.code}]", style))
    if isinstance(comparison, StriationComparison):
        print_striations(comparison, console)
        return
    if comparison.insufficient is None:
        console.print(Text(similarity_sentence(comparison), "bold"))
    console.print(Text(counts_sentence(comparison), "bold"))
    if comparison.insufficient is not None:
        if comparison.similarity is not None and comparison.similarity.insufficient is None:
            console.print(f"similarity of the whole marks {similarity_text(comparison)}")
        return
    table = Table()
    for heading in ("rule", "score", "A on B", "B on A", "source"):
        table.add_column(heading, justify="left" if heading in ("rule", "source") else "right")
    for name, rule in comparison.rules.items():
        counts = [
            f"{verdict.count} of {search.n_cells}"
            for verdict, search in ((rule.a_in_b, comparison.a_in_b), (rule.b_in_a, comparison.b_in_a))
        ]
        table.add_row(name, score_text(rule), *counts, Text(source_of(rule.source).text))
    console.print(table)
    console.print(
        Text(
            f"similarity {similarity_text(comparison)}; correlation of the whole marks {comparison.accf:.3f}; over "
            f"{comparison.overlap_um2 / 1e6:.2f} mm². "
            "A score is not a probability and not an opinion; the report says what else it is not."
        )
    )
