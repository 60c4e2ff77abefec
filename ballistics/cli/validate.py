"""`ballistics validate`: a laboratory's own validation study, from a folder of scans with known firearms."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import rich_click as click

from ballistics.cli.scan_set import scan_set_options


@click.command(name="validate")
@scan_set_options
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder for the study.")
def command(out: Path, **options: Any) -> None:
    """Compare all pairs of the scans in SCANS_DIR and measure how often, and how far, the method errs.

    TRUTH_CSV has the columns scan and firearm; optional: case (repeated scans of one cartridge case share it),
    calibre, ammunition, instrument: results are also given by these. Written: study.html, study.json and, with the
    extra 'pdf', study.pdf. A stopped run goes on where it was when the same command is given again.
    """
    from ballistics.cli.compare import refuse_output, write_bytes
    from ballistics.cli.scan_set import print_left_out, score_set, set_name
    from ballistics.errors import WriteError
    from ballistics.evidence.scan_study import study_of_scans
    from ballistics.provenance import sha256_of_file

    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"{out} cannot be made: {error.strerror}; choose another folder with --out") from error
    report = out / "study.html"
    # The report is written last: when it is absent, what else lies there is of a run that was stopped.
    refuse_output(report, (), options["overwrite"])
    scored = score_set(options, out / "work", 4)
    study = study_of_scans(scored, set_name(options), options["source"], sha256_of_file(options["truth_csv"]))
    write_bytes(out / "study.json", study.to_json())

    from ballistics.reports.study_report import study_report

    with_pdf = find_spec("typst") is not None
    if with_pdf:
        from ballistics.reports.study_pdf import study_pdf

        write_bytes(out / "study.pdf", study_pdf(study))
    write_bytes(report, study_report(study).encode())
    if options["quiet"]:
        return
    print_left_out(scored)
    metrics = study.headline.metrics
    click.echo(
        f"{metrics.n_same} same-source and {metrics.n_different} different-source pairs of {metrics.n_firearms} "
        f"firearms, source-disjoint: Cllr {metrics.cllr:.4f}; misleading {metrics.misleading_same} and "
        f"{metrics.misleading_different}"
    )
    click.echo(f"study: {report.resolve()}")
    if not with_pdf:
        click.echo("no PDF: it needs the extra 'pdf' (pip install 'ballistics[pdf]')")
