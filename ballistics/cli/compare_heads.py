"""`ballistics compare-heads`: every mark that two scans of whole heads share, in one table and one JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import rich_click as click

from ballistics.cli.compare import INSUFFICIENT, REGION_HELP
from ballistics.cli.scan_set import named_settings
from ballistics.cli.terminal import console, refuse_output
from ballistics.cli.weighing import evaluation_options, print_evaluation, weigher_of
from ballistics.files import write_whole


@click.command(name="compare-heads")
@click.argument("a", type=click.Path(path_type=Path))
@click.argument("b", type=click.Path(path_type=Path))
@click.option("--json", "json_path", type=click.Path(dir_okay=False, path_type=Path), help="Write all as JSON.")
@click.option("--overwrite", is_flag=True, help="Replace a JSON that exists.")
@click.option(
    "--units",
    type=click.Choice(["micrometres", "millimetres", "as written"]),
    help="Take the numbers of both files as this unit; recorded as a serious finding.",
)
@click.option(
    "--region-a",
    multiple=True,
    metavar="MARK=REGION",
    help=f"Where a mark of A is, e.g. 'ejector=mask.png'; repeatable. REGION is {REGION_HELP}",
)
@click.option("--region-b", multiple=True, metavar="MARK=REGION", help="The same for B.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="MARK:NAME=VALUE",
    help="Another parameter of one kind of mark than the tested one, e.g. 'firing pin:cells.cell_um=90'; recorded, and "
    "no likelihood ratio is given from a reference of other parameters. May be given several times.",
)
@evaluation_options
@click.pass_context
def command(
    ctx: click.Context,
    /,
    a: Path,
    b: Path,
    json_path: Path | None,
    overwrite: bool,
    units: Any,
    region_a: tuple[str, ...],
    region_b: tuple[str, ...],
    settings: tuple[str, ...],
    **weighing: Any,
) -> None:
    """Compare every mark that two scans of whole cartridge-case heads share.

    With --reference each mark is weighed by the references of its kind, and the likelihood ratios are fused into one
    when those references are of the same scans.

    For a report on one mark: ballistics compare --mark "firing pin" --report FILE. Exit code 0: at least one mark was
    compared. 2: an error. 3: insufficient, no mark could be compared; the table says why.
    """
    from ballistics.front import weigh_heads
    from ballistics.heads import compare_heads
    from ballistics.surfaces import read

    refuse_output(json_path, (a, b, *weighing["reference"]), overwrite)
    stated, weigher = _settings(settings), weigher_of(weighing)
    surfaces = (read(a, units=units), read(b, units=units))
    heads = compare_heads(*surfaces, _regions(surfaces[0], region_a), _regions(surfaces[1], region_b), stated)
    weighed = None if weigher is None else weigh_heads(heads, surfaces, weigher)
    if json_path is not None:
        from ballistics.reports import heads_json

        of_marks = {} if weighed is None else weighed.evaluations
        joint = None if weighed is None else weighed.joint
        write_whole(json_path, heads_json(heads, (a.name, b.name), surfaces, of_marks, joint))
    _print(heads, a.name, b.name)
    if weighed is not None:
        for kind, evaluation in weighed.evaluations.items():
            click.echo(f"\n{kind}:")
            print_evaluation(evaluation)
        _print_joint(weighed.joint)
    if not heads.compared:
        ctx.exit(INSUFFICIENT)


def _settings(given: tuple[str, ...]) -> dict[str, dict[str, str]]:
    """Return other parameters by kind of mark and name."""
    settings: dict[str, dict[str, str]] = {}
    for text in given:
        kind, colon, rest = text.partition(":")
        if not colon:
            raise click.BadParameter(f"'{text}' is not MARK:NAME=VALUE", param_hint="--set")
        settings.setdefault(kind, {}).update(named_settings((rest,)))
    return settings


def _print_joint(joint: Any) -> None:
    """Print the weight of all marks together, or why there is none."""
    from rich.text import Text

    out = console()
    out.print()
    if joint.log10_lr is None:
        out.print(Text(f"All marks together: no likelihood ratio; {joint.reason}."))
        return
    weights = ", ".join(f"{kind} {weight:.2f}" for kind, weight in zip(joint.kinds, joint.fusion.weights, strict=True))
    bounds = joint.fusion.bounds
    out.print(Text(f"All marks together: log10 LR {joint.log10_lr:.2f}.", "bold"))
    out.print(
        Text(
            f"Fused from {len(joint.kinds)} marks (weights of their log LRs: {weights}), on {joint.n_same} same-source "
            f"and {joint.n_different} different-source pairs of {joint.n_firearms} firearms that every reference has; "
            f"bounds of log10 LR: {bounds.lower:.2f} to {bounds.upper:.2f} ({bounds.rule})."
        )
    )
    cllrs = ", ".join(f"{kind} {value:.3f}" for kind, value in zip(joint.kinds, joint.check.cllr_single, strict=True))
    out.print(
        Text(
            f"Cllr source-disjoint: {cllrs}; product of the LRs {joint.check.cllr_product:.3f}, fused "
            f"{joint.check.cllr_fused:.3f}. {joint.check.assumption}"
        )
    )


def _regions(surface: Any, given: tuple[str, ...]) -> dict[str, Any]:
    """Return the regions of a head by kind of mark."""
    from ballistics.errors import ParameterError
    from ballistics.surfaces import region_of

    regions = {}
    for text in given:
        kind, equals, region = text.partition("=")
        if not (kind and equals and region):
            raise ParameterError(f"the region {text!r} must be MARK=REGION, e.g. 'firing pin=mask.png'")
        regions[kind] = region_of(surface, region)
    return regions


def _print(heads: Any, name_a: str, name_b: str) -> None:
    """Print one line for each mark, and what the numbers are not."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from ballistics.reports import counts_of_striae, counts_sentence, similarity_sentence, striation_sentence
    from ballistics.striations import StriationComparison

    console = Console()
    if not console.is_terminal:
        console.width = 120
    console.print(Text(f"A: {name_a}\nB: {name_b}"))
    table = Table("mark", "result", "correlation", show_lines=True)
    for kind, result in heads.comparisons.items():
        stated = result.insufficient is None
        # Rules of one kind only, such as the clusters of firing-pin impressions, stand beside the headline.
        lines = [f"SERIOUS: {f.message} [{f.code}]" for f in result.findings if f.severity == "serious"]
        if isinstance(result, StriationComparison):
            lines += [striation_sentence(result), *([counts_of_striae(result)] if stated else [])]
            r = result.correlation.correlation if stated and result.correlation is not None else float("nan")
            table.add_row(kind, Text("\n".join(lines)), "–" if r != r else f"{r:.3f}")
            continue
        lines += [similarity_sentence(result)] if stated else []
        lines.append(counts_sentence(result))
        if stated and "clusters" in result.rules:
            lines.append(counts_sentence(result, "clusters"))
        table.add_row(kind, Text("\n".join(lines)), f"{result.accf:.3f}" if stated else "–")
    console.print(table)
    console.print(
        Text(
            "Scores of different marks have no common scale and are not added up. A score is not a probability and not "
            "an opinion."
        )
    )
