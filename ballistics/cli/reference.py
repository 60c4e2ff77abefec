"""`ballistics reference`: reference populations, against which a case's score is weighed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import rich_click as click

from ballistics.cli.scan_set import scan_set_options


@click.group(name="reference")
def command() -> None:
    """Make reference populations for likelihood ratios."""


@command.command(name="build")
@scan_set_options
@click.option(
    "--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The population, one JSON file."
)
def build(out: Path, **options: Any) -> None:
    """Compare all pairs of the scans in SCANS_DIR and write their scores as a reference population.

    Similarity, congruent cells and correlation of every pair are in the one file; a case is weighed by the first and
    shown by all three.

    TRUTH_CSV has the columns scan and firearm; optional: case (repeated scans of one cartridge case share it),
    calibre, ammunition, instrument. Calibre and instrument must be stated, there or as options. A stopped run goes on
    where it was when the same command is given again.
    """
    from ballistics.cli.scan_set import print_left_out, score_set, set_name
    from ballistics.cli.terminal import refuse_output
    from ballistics.evidence import SCORE_MODELS, ReferenceFile
    from ballistics.files import write_whole
    from ballistics.studies import reference_population

    refuse_output(out, (options["truth_csv"],), options["overwrite"])
    scored = score_set(options, out.with_name(f"{out.name}.work"), 2, ("calibre", "instrument"))
    name, source = set_name(options), options["source"]
    populations = tuple(reference_population(scored, name, source, score) for score in SCORE_MODELS)
    write_whole(out, ReferenceFile(populations).to_json())
    population = populations[0]
    if not options["quiet"]:
        print_left_out(scored)
        click.echo(
            f"{population.n_same} same-source and {population.n_different} different-source pairs of "
            f"{population.n_firearms} firearms: {out.resolve()}"
        )
