"""`ballistics case report`: the pages of a report of a case, as it was at an entry of the log."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from ballistics.cli.laboratory import LABORATORY, opened, signing_key
from ballistics.cli.library import DATABASE
from ballistics.evidence import languages

if TYPE_CHECKING:
    from ballistics.casework import Casebook

_NEW = click.Path(dir_okay=False, path_type=Path)


@click.command(name="report")
@LABORATORY
@click.argument("report")
@click.option("--out", "outs", multiple=True, required=True, type=_NEW, help=".html or .pdf (extra pdf). Repeatable.")
@click.option("--language", type=click.Choice(languages()), help="Of the fixed texts; that of the report by default.")
@click.option(
    "--as-of",
    type=click.IntRange(1),
    metavar="ENTRY",
    help="The last entry of the log that counts. Default: the authorisation of the report, or the end of the log while "
    "it is a draft.",
)
@click.option(
    "--key",
    "key_file",
    envvar="BALLISTICS_KEY",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Your key; needed for the draft of a blind case, which is not shown to every examiner.",
)
@click.option("--overwrite", is_flag=True, help="Replace files that exist.")
@DATABASE
@click.option("--quiet", is_flag=True, help="No progress bar.")
def command(
    laboratory: Path,
    report: str,
    outs: tuple[Path, ...],
    language: str | None,
    as_of: int | None,
    key_file: Path | None,
    overwrite: bool,
    database: str | None,
    quiet: bool,
) -> None:
    """Write the pages of REPORT: a lead, or an evaluative report with its summary for the prosecutor first.

    The log is verified first. The same entry gives the same bytes, whatever was recorded since; a page is marked as a
    draft until exactly that draft is authorised. Its SHA-256 is what a release records
    (`ballistics case add release`).
    """
    from ballistics.casework import Case, Report
    from ballistics.cli.terminal import bar
    from ballistics.files import write_whole
    from ballistics.reports import case_pages

    formats = [_format_of(path) for path in outs]
    for path in outs:
        if path.exists() and not overwrite:
            raise click.BadParameter(f"{path} exists: choose another name, or --overwrite", param_hint="--out")
    with opened(laboratory, database) as book:
        is_blind = book.get(Case, book.get(Report, report).record.case).record.blind
        reader = signing_key(key_file) if is_blind and key_file is not None else None
        with bar(quiet) as progress:
            pages = case_pages(
                book, report, tuple(dict.fromkeys(formats)), language=language, as_of=as_of, reader=reader,
                progress=progress,
            )  # fmt: skip
        released = _released(book, report)
        for path, kind in zip(outs, formats, strict=True):
            write_whole(path, pages[kind], overwrite=overwrite)
            digest = sha256(pages[kind]).hexdigest()
            click.echo(f"{path.resolve()}\n  SHA-256 {digest}")
            for recipient in released.get(digest, ()):
                click.echo(f"  the page that was released to {recipient}")


def _format_of(path: Path) -> str:
    kinds = {".html": "html", ".htm": "html", ".pdf": "pdf"}
    if path.suffix.lower() not in kinds:
        raise click.BadParameter(f"{path}: a report is written as .html or .pdf; end its name so", param_hint="--out")
    return kinds[path.suffix.lower()]


def _released(book: Casebook, report: str) -> dict[str, list[str]]:
    """Return to whom each page of a report was released, by its SHA-256."""
    from ballistics.casework import Release

    found: dict[str, list[str]] = {}
    for each in book.all(Release):
        if each.record.report == report:
            for page in each.record.pages:
                found.setdefault(page, []).append(f"{each.record.recipient} on {each.record.at}")
    return found
