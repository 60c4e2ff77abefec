"""`ballistics view`: one scan, its region, its prepared mark or one of its lines, as a picture."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import rich_click as click

from ballistics.cli.compare import REGION_HELP
from ballistics.cli.terminal import MARKS, refuse_output
from ballistics.errors import ParameterError
from ballistics.files import write_whole

_OUTPUT = click.Path(dir_okay=False, path_type=Path)


@click.command(name="view")
@click.argument("scan", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=_OUTPUT, help="The picture: .png.")
@click.option("--mark", type=MARKS, help="Prepare this mark, and draw it instead of the scan.")
@click.option("--region", default="", help=f"Draw the border of a region on the scan, or prepare it: {REGION_HELP}")
@click.option("--line", default="", metavar="row=N", help="Draw one line of heights: row=N or column=N, from 0.")
@click.option(
    "--light",
    type=click.FloatRange(0, 360),
    default=315.0,
    show_default=True,
    help="Where the light comes from, degrees clockwise from the top.",
)
@click.option("--heights", is_flag=True, help="Colours for heights instead of light and shade.")
@click.option(
    "--units",
    type=click.Choice(["micrometres", "millimetres", "as written"]),
    help="Take the file's numbers as this unit; recorded as a serious finding.",
)
@click.option("--spacing-um", type=click.FloatRange(min=0, min_open=True), help="Pixel size in µm of a 2D image.")
@click.option("--overwrite", is_flag=True, help="Replace a picture that exists.")
def command(
    scan: Path,
    out: Path,
    mark: str | None,
    region: str,
    line: str,
    light: float,
    heights: bool,
    units: Any,
    spacing_um: float | None,
    overwrite: bool,
) -> None:
    """Draw a scan with its scale, the light it is seen in, and the hash of its file.

    With --mark the prepared mark is drawn: levelled, cut out and filtered, as a comparison takes it.
    """
    refuse_output(out, (scan,), overwrite)
    if out.suffix.lower() != ".png":
        raise ParameterError(f"{out}: a picture is written as .png; end its name so")
    wanted = _line(line)
    from ballistics.methods import prepare
    from ballistics.reports import scan_png
    from ballistics.surfaces import Mark, ScanReading, Surface, read, region_of

    surface = read(scan, units=units, spacing_um=spacing_um)
    shown: Surface | Mark = prepare(surface, mark, ScanReading(region=region).region_on(surface)) if mark else surface
    if isinstance(shown, Mark) and shown.insufficient:
        raise ParameterError(f"{scan}: no {mark} to draw: {shown.insufficient}")
    outline = region_of(surface, region).mask if region and not mark else None
    picture = scan_png(shown, name=scan.name, light_deg=None if heights else light, outline=outline, line=wanted)
    write_whole(out, picture)
    click.echo(f"{shown!r}")
    for finding in shown.findings:
        if finding.severity == "serious":
            click.echo(f"SERIOUS: {finding.message}")
    click.echo(f"picture: {out.resolve()}")


def _line(text: str) -> tuple[str, int] | None:
    if not text:
        return None
    found = re.fullmatch(r"(row|column)=(\d{1,9})", text)
    if found is None:
        raise ParameterError(f"--line is {text!r}; write row=N or column=N, counted from 0")
    return found[1], int(found[2])
