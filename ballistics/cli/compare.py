"""`ballistics compare`: two scans in, one comparison out, as a table, a report and JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import rich_click as click

from ballistics.cli.reporting import case_lines, case_options, refuse_report
from ballistics.cli.terminal import refuse_output
from ballistics.cli.weighing import evaluation_options, evaluator, print_evaluation
from ballistics.files import write_whole

_UNITS = click.Choice(["micrometres", "millimetres", "as written"])
_SCAN = click.Path(path_type=Path)
_OUTPUT = click.Path(dir_okay=False, path_type=Path)
REGION_HELP = "a mask (.png), a polygon (.json), or a label of the mask inside the scan."
_POSITIVE = click.FloatRange(min=0, min_open=True)
INSUFFICIENT = 3


@click.command(name="compare")
@click.argument("a", type=_SCAN)
@click.argument("b", type=_SCAN)
@click.option("--mark", default="breech face", show_default=True, help="Mark type to compare.")
@click.option("--report", type=_OUTPUT, help="Write the report: one self-contained HTML file.")
@click.option("--json", "json_path", type=_OUTPUT, help="Write everything but the heights as JSON.")
@click.option("--overwrite", is_flag=True, help="Replace a report or JSON that exists.")
@click.option("--units-a", type=_UNITS, help="Take A's numbers as this unit; recorded as a serious finding.")
@click.option("--units-b", type=_UNITS, help="The same for B.")
@click.option("--region-a", default="", metavar="REGION", help=f"Where A's mark is: {REGION_HELP}")
@click.option("--region-b", default="", metavar="REGION", help="The same for B.")
@click.option("--spacing-um-a", type=_POSITIVE, help="Pixel size in µm, if A is a 2D image.")
@click.option("--spacing-um-b", type=_POSITIVE, help="The same for B.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help="Another parameter than the tested one, e.g. cells.cell_um=400; recorded, and no likelihood ratio is given "
    "from a reference of other parameters. May be given several times.",
)
@click.option("--quiet", is_flag=True, help="No progress bar, no table; files and exit code only.")
@case_options
@evaluation_options
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
    for path in (report, json_path):
        refuse_output(path, (a, b, *weighing["reference"]), overwrite)
    refuse_report(report, weighing["language"])
    case = case_lines(weighing, report)
    comparison, evaluation = compare_files(
        (a, b),
        mark,
        ({"units": units_a, "spacing_um": spacing_um_a}, {"units": units_b, "spacing_um": spacing_um_b}),
        report,
        json_path,
        quiet,
        evaluator(weighing),
        (region_a, region_b),
        weighing["instrument"],
        named_settings(settings),
        case,
    )
    if not quiet:
        print_comparison(comparison, a.name, b.name)
        if evaluation is not None:
            print_evaluation(evaluation)
        for what, path in (("report", report), ("JSON", json_path)):
            if path is not None:
                click.echo(f"{what}: {path.resolve()}")
    if comparison.insufficient is not None:
        ctx.exit(INSUFFICIENT)


def compare_files(
    paths: tuple[Path, Path],
    mark: str,
    reading: tuple[dict[str, Any], dict[str, Any]],
    report: Path | None,
    json_path: Path | None,
    quiet: bool,
    evaluate: Callable[..., Any] | None = None,
    regions: tuple[str, str] = ("", ""),
    instruments: tuple[str, ...] = (),
    settings: Mapping[str, str] | None = None,
    case: Any = None,
) -> tuple[Any, Any]:
    """Do the whole job for two files, return comparison and evaluation (None without one); the bar shows the stages."""
    from dataclasses import replace

    from ballistics.methods import method_of
    from ballistics.surfaces import ScanReading, instrument_of, read, stated_by_file

    method = method_of(mark)
    with _stages(4 + 2 + (evaluate is not None) + (report is not None) + (json_path is not None), quiet) as stage:
        surfaces = []
        for letter, path, options in zip("AB", paths, reading, strict=True):
            stage(f"reading {letter}")
            surfaces.append(read(path, **options))
        marks = []
        for letter, surface, region in zip("AB", surfaces, regions, strict=True):
            stage(f"preparing {letter}")
            parameters = method.parameters(_kind(surface), settings) if settings else None
            prepared = method.prepare(surface, ScanReading(region=region).region_on(surface), parameters)
            _, contradiction = instrument_of(stated_by_file(surface), instruments)
            if contradiction is not None:
                prepared = replace(prepared, findings=(*prepared.findings, contradiction))
            marks.append(prepared)
        stage("comparing")
        parameters = method.parameters(marks[0].surface_kind, settings) if settings else None
        comparison = method.compare(marks[0], marks[1], parameters)
        evaluation = None
        if evaluate is not None:
            stage("weighing")
            evaluation = evaluate(comparison, surfaces, marks)
        stage("collecting")
        names = [path.name for path in paths]
        scans, write_report, write_json = _reported(names, surfaces, marks, parameters, report is not None)
        if report is not None:
            stage("drawing the report")
            html = write_report(comparison, scans[0], scans[1], evaluation=evaluation, case=case)
            write_whole(report, html.encode("utf-8", "replace"))
        if json_path is not None:
            stage("writing JSON")
            write_whole(json_path, write_json(comparison, scans[0], scans[1], evaluation=evaluation))
    return comparison, evaluation


def _kind(surface: Any) -> str:
    """Return the kind of surface of a mark: what is no image is taken for a topography, or refused later."""
    return "reflectance" if surface.kind == "reflectance" else "topography"


def _reported(
    names: Sequence[str], surfaces: Sequence[Any], marks: Sequence[Any], parameters: Any, with_page: bool
) -> tuple[list[Any], Callable[..., str], Callable[..., bytes]]:
    """Return both sides as the reports of their kind show them, and what writes the page and the JSON."""
    from ballistics.methods import method_of
    from ballistics.reports import (
        ReportedScan,
        comparison_json,
        comparison_report,
        reported_scan,
        striation_json,
        striation_report,
    )

    if method_of(marks[0].kind).family == "striated":
        from ballistics.cli.striations import reported_striae

        sides = [reported_striae(n, s, m, parameters) for n, s, m in zip(names, surfaces, marks, strict=True)]
        return sides, striation_report, striation_json
    # What was excluded is drawn only in the report.
    make: Callable[..., ReportedScan] = reported_scan if with_page else ReportedScan
    scans = [make(n, s, m) for n, s, m in zip(names, surfaces, marks, strict=True)]
    return scans, comparison_report, comparison_json


def named_settings(settings: tuple[str, ...]) -> dict[str, str]:
    """Return the settings by name; a name that is given twice is an error."""
    named: dict[str, str] = {}
    for text in settings:
        name, equals, value = text.partition("=")
        if not equals or name in named:
            raise click.BadParameter(
                f"'{text}' gives a parameter twice" if equals else f"'{text}' is not NAME=VALUE", param_hint="--set"
            )
        named[name] = value
    return named


def _stages(total: int, quiet: bool) -> Any:
    """Return a context that gives a function to announce the next stage."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        return nullcontext(lambda _: None)
    progress = Progress(console=console, transient=True)

    class _Bar:
        def __enter__(self) -> Callable[[str], None]:
            progress.start()
            task = progress.add_task("", total=total)
            begun = False

            def stage(name: str) -> None:
                nonlocal begun
                progress.update(task, description=name, advance=1 if begun else 0)
                begun = True

            return stage

        def __exit__(self, *_: object) -> None:
            progress.stop()

    return _Bar()


def print_comparison(comparison: Any, name_a: str, name_b: str) -> None:
    """Print the result in a few lines: findings, the sentence, then one line for each rule or score."""
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
