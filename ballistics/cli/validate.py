"""`ballistics validate`: a laboratory's own validation study, from a folder of scans with known firearms."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from ballistics.cli.scan_set import scan_set_options

if TYPE_CHECKING:
    from ballistics.studies import ScanStudy

_NOT_MET = 1


@click.command(name="validate")
@scan_set_options
@click.option(
    "--criteria",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Acceptance criteria that were stated beforehand (.toml or .json); the figures are checked against them.",
)
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder for the study.")
def command(out: Path, criteria: Path | None, **options: Any) -> None:
    """Compare all pairs of the scans in SCANS_DIR and measure how often, and how far, the method errs.

    TRUTH_CSV has the columns scan and firearm; optional: case (repeated scans of one cartridge case share it),
    calibre, ammunition, instrument: results are also given by these. Written: study.html, study.json and, with the
    extra 'pdf', study.pdf. A stopped run goes on where it was when the same command is given again.

    Exit code 0: done; 1: done, and a criterion of --criteria is not met; 2: an error.
    """
    from ballistics.cli.scan_set import print_left_out, score_set, set_name
    from ballistics.cli.terminal import input_sha256, make_folder, refuse_output
    from ballistics.evidence import SCORE_MODELS
    from ballistics.files import write_whole
    from ballistics.studies import read_criteria, results_when_first_given, study_of_scans, with_verdicts

    truth_sha256 = input_sha256(options["truth_csv"])
    make_folder(out)
    report = out / "study.html"
    # The report is written last: when it is absent, what else lies there is of a run that was stopped.
    refuse_output(report, (), options["overwrite"])
    # Read, and noted as given, before any work: criteria that are found after the figures are none.
    stated = read_criteria(criteria, tuple(SCORE_MODELS)) if criteria else None
    finished = results_when_first_given(options["work"] or out / "work", stated) if stated else 0
    scored = score_set(options, out / "work", 4)
    study = study_of_scans(scored, set_name(options), options["source"], truth_sha256)
    if stated:
        study = with_verdicts(study, stated, finished)
    write_whole(out / "study.json", study.to_json())

    from ballistics.reports import study_report

    with_pdf = find_spec("typst") is not None
    if with_pdf:
        from ballistics.reports import study_pdf

        write_whole(out / "study.pdf", study_pdf(study))
    write_whole(report, study_report(study).encode())
    if not options["quiet"]:
        print_left_out(scored)
        _print_figures(study)
        click.echo(f"study: {report.resolve()}")
        if not with_pdf:
            click.echo("no PDF: it needs the extra 'pdf' (pip install 'ballistics[pdf]')")
    if study.acceptance is not None and not study.acceptance.met:
        sys.exit(_NOT_MET)


def _print_figures(study: ScanStudy) -> None:
    """Print the figures of every score, the pairs shown apart, and what became of the criteria."""
    from ballistics.reports import acceptance_rows, span

    for score, score_study in study.studies.items():
        m = score_study.metrics
        click.echo(
            f"{score}: {m.n_same} same-source and {m.n_different} different-source pairs of {m.n_firearms} firearms, "
            f"source-disjoint: Cllr {m.cllr:.4f} {span(score_study.intervals.cllr)}; AUC {score_study.score_auc:.4f} "
            f"{span(score_study.intervals.score_auc)}; misleading {m.misleading_same} and {m.misleading_different}"
        )
    if study.flagged.withheld:
        click.echo(
            f"withheld: {len(study.flagged.withheld)} pairs with a finding for which no LR is stated; shown apart"
        )
    for verdict, text, found, limits in acceptance_rows(study):
        click.echo(f"{verdict}: {text}; found {found} ({limits})")
