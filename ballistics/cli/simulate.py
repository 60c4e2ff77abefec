"""`ballistics simulate`: write simulated cartridge-case heads with their ground truth."""

from __future__ import annotations

from pathlib import Path

import rich_click as click


@click.command(name="simulate")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--firearms", type=click.IntRange(1), default=3, show_default=True, help="Number of firearms.")
@click.option("--shots", type=click.IntRange(1), default=2, show_default=True, help="Heads for each firearm.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Seed of all randomness.")
@click.option(
    "--breech-face",
    "breech_faces",
    type=click.Choice(["granular", "milled", "filed"]),
    multiple=True,
    help="Finish of the breech faces; may be given several times. Default: all in turn.",
)
@click.option(
    "--difficulty",
    type=click.Choice(["easy", "good", "ordinary", "poor", "faint", "remnant"]),
    default="easy",
    show_default=True,
    help="How much marks of one firearm have lost: from full impressions to nearly nothing in common.",
)
@click.option(
    "--spacing-um",
    type=float,
    help="Distance between points. Default: that of the difficulty's instrument, 6.25 up to good, 7.4 beyond.",
)
@click.option("--field-mm", type=float, default=5.6, show_default=True, help="Side of the square scan.")
@click.option("--overwrite", is_flag=True, help="Replace files that exist.")
@click.option("--quiet", is_flag=True, help="No progress bar, no closing line.")
def command(
    folder: Path,
    firearms: int,
    shots: int,
    seed: int,
    breech_faces: tuple[str, ...],
    difficulty: str,
    spacing_um: float | None,
    field_mm: float,
    overwrite: bool,
    quiet: bool,
) -> None:
    """Write simulated cartridge-case heads into FOLDER.

    Each head is an X3P scan with the true breech-face region beside it (PNG); truth.csv lists scan,
    firearm, pose and every parameter. The same options give the same bytes.
    """
    from rich.progress import track

    from ballistics.surfaces import BREECH_FACES, simulate_population, write_population

    kinds = tuple(kind for kind in BREECH_FACES if not breech_faces or kind in breech_faces)
    heads = simulate_population(
        firearms, shots, seed, breech_faces=kinds, spacing_um=spacing_um, field_mm=field_mm, difficulty=difficulty
    )
    paths = write_population(heads, folder, overwrite=overwrite)
    count = sum(1 for _ in track(paths, "simulating", total=firearms * shots, disable=quiet, transient=True))
    if not quiet:
        click.echo(f"{count} scans and truth.csv written to {folder}")
