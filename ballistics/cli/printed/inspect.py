"""``ballistics printed inspect``: what a mesh file or print job holds, and what is odd about it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from ballistics.cli.printed.options import unit_option

if TYPE_CHECKING:
    from ballistics.printed import FileDescription, JobFacts, PartFile


@click.command(name="inspect")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE…")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a description.")
@unit_option()
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for a picture of each part from six sides, and for the pictures that the files carry.",
)
@click.pass_context
def command(ctx: click.Context, paths: tuple[Path, ...], as_json: bool, unit: str | None, out: Path | None) -> None:
    """Say what files of printed parts hold: parts, sizes, units, findings, hashes.

    Of print jobs: slicer, profiles, settings, estimates, pictures, traces of people and machines, and what the moves
    say, each with the line or member where it was found. Folders are walked.

    Exit code 0: every file was read without a serious finding; 1: at least one has a serious finding or was refused.
    """
    from ballistics.printed import describe_file
    from ballistics.surfaces import files_in

    rows: list[FileDescription] = []
    pictures: list[Path] = []
    for path in files_in(paths):
        described, file = describe_file(path, unit=unit)
        rows.append(described)
        if out is not None and file is not None:
            pictures += _write_pictures(out, described.sha256, path, file)
        if not as_json:
            _print(described)
    if as_json:
        click.echo(json.dumps([asdict(row) for row in rows], indent=1, ensure_ascii=False))
    elif pictures:
        click.echo(f"{len(pictures)} pictures: {out.resolve() if out else ''}")
    ctx.exit(int(any(row.verdict == "refused" or _serious(row) for row in rows)))


def _serious(row: FileDescription) -> bool:
    findings = [*row.findings, *(finding for part in row.parts for finding in part.findings)]
    return any(finding.severity == "serious" for finding in findings)


def _write_pictures(out: Path, digest: str, path: Path, file: PartFile) -> list[Path]:
    """Write the views of each part and the file's own pictures, named after the file and its hash."""
    import cv2

    from ballistics.cli.terminal import make_folder
    from ballistics.files import write_whole
    from ballistics.printed import six_views

    make_folder(out)
    written = []
    stem = f"{path.stem}-{digest[:8]}"
    for k, part in enumerate(file.parts):
        sheet = six_views(part.vertices_mm, part.faces)
        target = out / f"{stem}-{k + 1}.png"
        write_whole(target, cv2.imencode(".png", sheet[:, :, ::-1])[1].tobytes())
        written.append(target)
    for k, thumbnail in enumerate(file.thumbnails):
        # Untrusted bytes: the suffix is ours, the name in the archive is not used.
        kinds = {b"\x89PNG": ".png", b"qoif": ".qoi", b"\xff\xd8\xff": ".jpg"}
        kind = next((suffix for start, suffix in kinds.items() if thumbnail.data.startswith(start)), ".bin")
        target = out / f"{stem}-carried-{k + 1}{kind}"
        write_whole(target, thumbnail.data)
        written.append(target)
    return written


def _print(row: FileDescription) -> None:
    """Print one file: a line of its own, its findings, then each part."""
    from rich.console import Console
    from rich.text import Text

    colours = {"readable": "green", "readable with findings": "yellow", "refused": "red"}
    console = Console()
    if not console.is_terminal:
        console.width = 200

    def say(text: str, style: str = "") -> None:
        console.print(Text(text, style), soft_wrap=not console.is_terminal)

    say(f"{row.path}: {row.verdict}", colours[row.verdict])
    if row.verdict == "refused":
        say(f"  {row.error}: {row.reason}")
        for job in row.jobs:
            _print_job(say, job)
        return
    say(f"  {row.format}, unit {row.unit}, {len(row.parts)} part{'s' * (len(row.parts) != 1)}; SHA-256 {row.sha256}")
    for key, value in row.metadata.items():
        say(f"  says {key}: {value if isinstance(value, str) else ', '.join(map(str, value))}"[:200])
    _print_findings(say, row.findings, "  ")
    for job in row.jobs:
        _print_job(say, job)
    for part in row.parts:
        size = " x ".join(f"{v:.4g}" for v in part.extent_mm)
        volume = "not closed" if part.volume_mm3 is None else f"{part.volume_mm3:.5g} mm³"
        say(f"  part {part.name!r}", "bold")
        say(f"    {size} mm, volume {volume}, area {part.area_mm2:.5g} mm²")
        say(f"    {part.faces} faces, {part.vertices} vertices, {part.bodies} bod{'y' if part.bodies == 1 else 'ies'}")
        say(f"    geometry hash {part.geometry_hash}")
        if part.mirrored_hash != part.geometry_hash:
            say(f"    of its mirror image {part.mirrored_hash}")
        for key, value in part.metadata.items():
            say(f"    says {key}: {value}"[:200])
        _print_findings(say, part.findings, "    ")


def _print_job(say: Any, job: JobFacts) -> None:
    """Print what a print job says, each line with the place where it was found."""
    from ballistics.reports import job_rows

    say(f"  print job {job.member!r}" if job.member else "  print job", "bold")
    for name, value, where in job_rows(job):
        shown = value if len(value) <= 120 else f"{value[:117]}..."
        say(f"    {name:26} {shown}{f'  [{where}]' if where else ''}")


def _print_findings(say: Any, findings: tuple[Any, ...], indent: str) -> None:
    styles = {"note": "", "warning": "yellow", "serious": "red"}
    for finding in findings:
        action = "" if finding.action == "nothing" else f" ({finding.action})"
        say(f"{indent}{finding.severity}: {finding.message}{action} [{finding.code}]", styles[finding.severity])
