"""`ballistics demo`: the main job from end to end on simulated scans, since the project ships no evidence."""

from __future__ import annotations

import json
from pathlib import Path

import rich_click as click

from ballistics.errors import WriteError

_SEED = 2026
_RECORD = "demo.json"
_PAIRS = {"same-firearm": (0, 1), "different-firearm": (0, 2)}
_SCANS = ("firearm-1-case-1.x3p", "firearm-1-case-2.x3p", "firearm-2-case-1.x3p")


@click.command(name="demo")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("demo"),
    show_default=True,
    help="Folder to write into.",
)
@click.option("--quiet", is_flag=True, help="No progress bar, no tables.")
def command(out: Path, quiet: bool) -> None:
    """Run the main job on simulated scans: two firearms, three cases, one report for each of two pairs.

    Everything is made from a fixed seed. Files that an earlier demo wrote are replaced; a file that it did not write,
    or that was changed since, is not.
    """
    from ballistics.cli.compare import print_comparison, write_result
    from ballistics.cli.terminal import bar, make_folder
    from ballistics.front import compare_files

    names = [*_SCANS, *(f"{pair}.{ending}" for pair in _PAIRS for ending in ("html", "json"))]
    make_folder(out)
    _refuse_foreign(out, names)
    _write_scans(out, names, quiet)
    for pair, (first, second) in _PAIRS.items():
        report = out / f"{pair}.html"
        with bar(quiet) as progress:
            result = compare_files(out / _SCANS[first], out / _SCANS[second], progress=progress)
        write_result(result, report, out / f"{pair}.json")
        if not quiet:
            click.echo(f"\n{pair.replace('-', ' ')} (simulated)")
            print_comparison(result.comparison, _SCANS[first], _SCANS[second])
        _record(out, names)
    for pair in _PAIRS:
        click.echo(f"{pair.replace('-', ' ')} report: {(out / f'{pair}.html').resolve().as_uri()}")


def _hashes(out: Path, names: list[str]) -> dict[str, str]:
    from ballistics.provenance import sha256_of_file

    return {name: sha256_of_file(out / name) for name in names if (out / name).exists()}


def _record(out: Path, names: list[str]) -> None:
    from ballistics.files import write_whole

    write_whole(out / _RECORD, (json.dumps(_hashes(out, names), indent=1) + "\n").encode())


def _refuse_foreign(out: Path, names: list[str]) -> None:
    """Refuse to replace what an earlier demo did not write."""
    try:
        ours = json.loads((out / _RECORD).read_text(encoding="utf-8"))
    except FileNotFoundError:
        ours = {}
    except (OSError, ValueError):
        raise WriteError(
            f"{out / _RECORD} is not a record of an earlier demo: choose another folder with --out"
        ) from None
    for name, digest in _hashes(out, names).items():
        if not isinstance(ours, dict) or ours.get(name) != digest:
            raise WriteError(f"{out / name} was not written by an earlier demo: choose another folder with --out")


def _write_scans(out: Path, names: list[str], quiet: bool) -> None:
    from itertools import islice

    from rich.console import Console
    from rich.progress import track

    from ballistics.surfaces import simulate_population, write_x3p

    console = Console(stderr=True)
    heads = islice(simulate_population(2, 2, _SEED, breech_faces=("granular",)), len(_SCANS))
    shown = track(
        heads, "simulating", len(_SCANS), console=console, transient=True, disable=quiet or not console.is_terminal
    )
    for name, head in zip(_SCANS, shown, strict=True):
        write_x3p(out / name, head.surface, overwrite=True)
        _record(out, names)  # at once: an interrupted demo must be able to run again
