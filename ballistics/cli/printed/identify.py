"""``ballistics printed identify``: which references of a collection is this file, or a part of it, derived from?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from ballistics.cli.printed.options import answer_options, references_option, unit_option

if TYPE_CHECKING:
    from ballistics.printed import ReferencePieces
    from ballistics.reports import IdentifiedFile, SearchedCollection

_INCOMPLETE = 1
_MOST_REPORTED = 40


@click.command(name="identify")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE…")
@references_option()
@answer_options
@unit_option()
@click.pass_context
def command(
    ctx: click.Context,
    paths: tuple[Path, ...],
    folder: Path,
    report: Path | None,
    without_3d: bool,
    as_json: bool,
    unit: str | None,
    overwrite: bool,
) -> None:
    """Search the parts of FILEs in a collection of references.

    Where several files or bodies hold something of one reference, it is told whether they are pieces of it, at
    different places, or copies.

    A hit is a lead for an examiner: no opinion, no weight of evidence. Folders are walked; for many files see
    `ballistics printed batch`.

    Exit code 0: every file was searched; 1: at least one could not be read; 2: an error.
    """
    from ballistics.cli.terminal import bar, refuse_output
    from ballistics.errors import ParameterError
    from ballistics.pairs import scan_files
    from ballistics.printed import collection_sha256, open_collection
    from ballistics.reports import SearchedCollection

    refuse_output(report, paths, overwrite)
    files = scan_files(paths, (folder,))
    if report is not None and len(files) > _MOST_REPORTED:
        raise ParameterError(
            f"{len(files)} files are too many for one page of pictures ({_MOST_REPORTED}); "
            "use `ballistics printed batch`, then identify those that matter"
        )
    collection, taxonomy = open_collection(folder)
    searched = SearchedCollection(collection, taxonomy, collection_sha256(folder))
    found: list[IdentifiedFile] = []
    with bar(False) as progress:
        for name, path in files:
            if progress is not None:
                progress("searching files", len(found), len(files))
            found.append(identified(name, path, searched, unit))
    answer(found, searched, report, turnable=not without_3d, as_json=as_json)
    if any(file.found is None for file in found):
        ctx.exit(_INCOMPLETE)


def identified(name: str, path: Path, searched: SearchedCollection, unit: str | None) -> IdentifiedFile:
    """Read a file and search it; a bad file is an answer too.

    Parameters
    ----------
    name : str
        As it is to stand in the answer.
    path : Path
        The file.
    searched : SearchedCollection
        What is searched.
    unit : str or None
        What the file's numbers are taken as; None for what the file says.

    Returns
    -------
    IdentifiedFile
    """
    from ballistics.printed import describe_file, identify
    from ballistics.reports import IdentifiedFile

    described, file = describe_file(path, unit=unit)
    found = None if file is None else identify(file.parts, searched.collection)
    return IdentifiedFile(name, described, file, found)


def answer(
    found: list[IdentifiedFile], searched: SearchedCollection, report: Path | None, *, turnable: bool, as_json: bool
) -> None:
    """Print what was found, and write the page.

    Parameters
    ----------
    found : list of IdentifiedFile
        In the order of the answer.
    searched : SearchedCollection
        What was searched.
    report : Path or None
        Where the page is written; None for none.
    turnable : bool
        Whether the page has scenes that can be turned.
    as_json : bool
        Print JSON instead of sentences, and nothing else.
    """
    from ballistics.files import write_whole
    from ballistics.reports import pieces_in, printed_json, printed_report

    pieces = pieces_in(found, searched)
    if as_json:
        click.echo(printed_json(found, searched, pieces).decode("utf-8"), nl=False)
    else:
        for file in found:
            _print(file, searched)
        _print_pieces(pieces, found, searched)
    if report is not None:
        page = printed_report(found, searched, pieces, turnable=turnable)
        write_whole(report, page.encode("utf-8", "replace"))
        if not as_json:
            click.echo(f"report: {report.resolve()}")


def _say(text: str, style: str = "") -> None:
    """Print a line; names come from a seized disk, and none may steer the terminal."""
    from rich.text import Text

    from ballistics.cli.terminal import console
    from ballistics.pairs import printable

    console().print(Text(printable(text), style), soft_wrap=True)


def _print_pieces(
    pieces: tuple[ReferencePieces, ...], found: list[IdentifiedFile], searched: SearchedCollection
) -> None:
    """Print what several files hold of the same references."""
    from ballistics.reports import named_files, pieces_sentences

    for group in pieces:
        statement, *more = pieces_sentences(group, named_files(found), searched.taxonomy)
        _say(statement, "bold" if group.complementary else "")
        for sentence in more:
            _say(f"  {sentence}")


def _print(file: IdentifiedFile, searched: SearchedCollection) -> None:
    """Print a verdict: a line for the file, then the candidates in words."""
    from ballistics.reports import (
        LEAD,
        bodies_of,
        candidate_sentence,
        false_hits_sentence,
        is_symmetric,
        mirror_sentence,
        miss_sentence,
        plain_bodies_sentence,
        score_sentence,
        shares_sentence,
        unexplained_sentence,
        verdict_of,
        where_sentence,
    )

    if file.found is None:
        _say(f"{file.name}: refused", "red")
        _say(f"  {file.described.error}: {file.described.reason.removeprefix(f'{file.described.path}: ')}")
        return
    found: Any = file.found
    _say(f"{file.name}", "bold")
    _say(f"  {verdict_of(file, searched)}", "bold" if found.accepted else "yellow")
    for candidate in found.accepted:
        symmetric = is_symmetric(searched.collection, candidate)
        sentence = candidate_sentence(candidate, searched.taxonomy, found.tied_with(candidate), symmetric=symmetric)
        _say(f"  - {sentence}", "bold")
        _say(f"    {shares_sentence(candidate)} {mirror_sentence(candidate, symmetric=symmetric)}")
        where = where_sentence(candidate, bodies_of(found))
        _say(f"    {score_sentence(candidate, found)}{' ' if where else ''}{where}")
    for finding in found.findings:
        _say(f"  caution: {finding.message} ({finding.action})", "yellow")
    for sentence in (unexplained_sentence(found), plain_bodies_sentence(found)):
        if sentence:
            _say(f"  {sentence}")
    best = next(
        (candidate for candidate in found.candidates if candidate.is_plain and candidate.fits(found.threshold)), None
    )
    if best is not None and not found.accepted:
        _say(f"  - “{best.name}”: {score_sentence(best, found)}")
    elif found.candidates and not found.accepted:
        nearest = found.candidates[0]
        _say(f"  - “{nearest.name}” comes nearest. {shares_sentence(nearest)}")
        _say(f"    {score_sentence(nearest, found)} {miss_sentence(nearest, found)}")
    if not searched.other:
        _say(f"  {false_hits_sentence(found.false_hits)}")
    if found.accepted:
        _say(f"  {LEAD}")
