"""The part of `ballistics compare` that weighs the evidence: its options, the populations, the lines it prints."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

if TYPE_CHECKING:
    from ballistics.front import Weighing

_LANGUAGES = click.Choice(["en", "mk", "sq", "sr", "bs", "cnr", "ro"])
_OPTIONS = (
    click.option(
        "--reference",
        type=click.Path(exists=True, path_type=Path),
        multiple=True,
        help="A reference population (`ballistics reference build`), or a folder of them; may be given more than once. "
        "The largest that covers the comparison is used.",
    ),
    click.option("--calibre", multiple=True, help="Of the two items; twice if they differ."),
    click.option("--instrument", multiple=True, help="Class of instrument, e.g. confocal, where the files name none."),
    click.option("--ammunition", multiple=True, help="Of the two items."),
    click.option("--language", type=_LANGUAGES, default="en", show_default=True, help="Of the weight of evidence."),
    click.option(
        "--verbal-scale",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="The laboratory's own verbal scale (JSON). Default: ENFSI 2015.",
    ),
)


def evaluation_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of the weight of evidence to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def weigher_of(options: dict[str, Any]) -> Weighing | None:
    """Read populations and scale before the work; return what weighs a comparison, None when nothing is to be weighed.

    Raises
    ------
    ParameterError
        When a folder holds no population, or options of the weighing stand there without a population.
    CorruptFileError
        When a population or the scale cannot be read.
    """
    from ballistics.errors import ParameterError

    labels = {name: options[name] for name in ("calibre", "instrument", "ammunition")}
    if not options["reference"]:
        given = [f"--{name}" for name, values in labels.items() if values]
        given += ["--verbal-scale"] if options["verbal_scale"] else []
        given += ["--language"] if options["language"] != "en" else []
        if given:
            raise ParameterError(f"{', '.join(given)}: only for the weight of evidence; give --reference too")
        return None
    from ballistics.front import weighing

    return weighing(options["reference"], **labels, language=options["language"], verbal_scale=options["verbal_scale"])


def print_evaluation(evaluation: Any) -> None:
    """Print the weight of evidence: propositions, number, words, basis, then what limits it."""
    from rich.console import Console
    from rich.text import Text

    console = Console()
    if not console.is_terminal:
        console.width = 120
    wording, result = evaluation.wording, evaluation.weighed.result
    console.print()
    if not evaluation.evaluated:
        console.print(Text("NO LIKELIHOOD RATIO", "bold yellow"))
    for sentence in wording.propositions:
        console.print(Text(sentence))
    for sentence in wording.number:
        console.print(Text(sentence, "bold"))
    for sentence in (*wording.words, *wording.basis):
        console.print(Text(sentence))
    if evaluation.evaluated and result.bounds is not None:
        console.print(
            Text(
                f"Bounds of log10 LR: {result.bounds.lower:.2f} to {result.bounds.upper:.2f} ({result.bounds.rule}); "
                f"model: {evaluation.weighed.system.model} on {evaluation.score_name}."
            )
        )
    console.print(Text(evaluation.basis))
    for finding in evaluation.weighed.findings:
        console.print(Text(f"SERIOUS: {finding.message}; {finding.action}.", "bold red"))
    for caution in result.cautions:
        console.print(Text(f"Caution: {caution}."))
    for reason in evaluation.weighed.not_used:
        console.print(Text(f"Not used: {reason}."))
    if result.status == "refused" and "not stated" in result.reason:
        console.print(Text("State calibre and class of instrument with --calibre and --instrument."))
