"""`ballistics exchange`: packages for partner laboratories, and what comes from them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from ballistics.cli.compare import REGION_HELP
from ballistics.cli.laboratory import KEY, LABORATORY, opened, passphrase, signing_key
from ballistics.cli.library import DATABASE, description_options
from ballistics.cli.terminal import MARKS, bar, console, input_sha256, refuse_output
from ballistics.library import DESCRIPTION_FIELDS

if TYPE_CHECKING:
    from ballistics.casework import Casebook
    from ballistics.exchange import Desk, PartnerSearch, Terms

_NEW = click.Path(dir_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_INSUFFICIENT = 3
_OPENING = click.option(
    "--opening-key",
    "opening_file",
    envvar="BALLISTICS_OPENING_KEY",
    type=_FILE,
    help="Your laboratory's key that opens packages (`ballistics exchange key`). Default: the file that the variable "
    "BALLISTICS_OPENING_KEY names.",
)


def _terms(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of the terms on which something is given or asked for."""
    for option in reversed(
        (
            click.option("--purpose", required=True, help="What for."),
            click.option("--legal-basis", required=True, help="The law, agreement or order that allows it."),
            click.option("--handling", required=True, help="The handling code that the other laboratory keeps to."),
            click.option("--expires", required=True, help="The last day of its use, as 2027-01-31."),
        )
    ):
        command = option(command)
    return command


@click.group(name="exchange")
def command() -> None:
    """Exchange leads with partner laboratories: signed packages, requests for scans, withdrawals.

    LABORATORY is the folder of a library whose log has begun (`ballistics case begin`). Everything that leaves or comes
    is an entry of the log; nothing leaves without a command of this group.
    """


@command.command(name="key")
@click.argument("file", type=_NEW)
def make_key(file: Path) -> None:
    """Make a key in FILE that opens packages which partners encrypt for you. Keep a copy elsewhere."""
    from ballistics.exchange import make_opening_key

    make_opening_key(file, passphrase("Passphrase of the new key", confirm=True))
    click.echo(f"key that opens packages: {file.resolve()}")


@command.command(name="card")
@LABORATORY
@click.argument("file", type=_NEW)
@click.option("--expires", required=True, help="The last day on which the card may be taken in.")
@KEY
@_OPENING
@DATABASE
def card(
    laboratory: Path, file: Path, expires: str, key_file: Path, opening_file: Path | None, database: str | None
) -> None:
    """Write the card FILE that makes LABORATORY known to a partner, and print the fingerprint to read out."""
    from ballistics.exchange import write_card

    with opened(laboratory, database) as book:
        found = write_card(_desk(book, key_file, opening_file), file, expires)
    click.echo(f"card: {file.resolve()}\nfingerprint, to read out to the partner: {found}")


@command.command(name="partner")
@LABORATORY
@click.argument("card_file", metavar="CARD", type=_FILE)
@click.option("--fingerprint", required=True, help="As the partner reads it out: 16 digits at least.")
@KEY
@DATABASE
def partner(laboratory: Path, card_file: Path, fingerprint: str, key_file: Path, database: str | None) -> None:
    """Take in the CARD of a partner, after its fingerprint was compared by telephone or on paper."""
    from ballistics.exchange import take_in_partner

    with opened(laboratory, database) as book:
        found = take_in_partner(_desk(book, key_file, None), card_file, fingerprint)
    encrypts = "packages can be encrypted for it" if found.opening else "it has stated no key to encrypt for it"
    click.echo(f"partner: {found.laboratory} ({found.library[:8]}), keys: {len(found.keys)}; {encrypts}")


@command.command(name="revoke")
@LABORATORY
@click.argument("name")
@click.option("--reason", required=True, help="Why.")
@KEY
@DATABASE
def revoke(laboratory: Path, name: str, reason: str, key_file: Path, database: str | None) -> None:
    """Take nothing more from partner NAME, give it nothing, and search its packages no more."""
    from ballistics.exchange import revoke_partner

    with opened(laboratory, database) as book:
        found = revoke_partner(_desk(book, key_file, None), name, reason)
    click.echo(f"partner {found.laboratory}: revoked")


@command.command(name="export")
@LABORATORY
@click.argument("file", type=_NEW)
@click.option("--to", "recipient", required=True, help="The partner: its name, or the first digits of its identifier.")
@_terms
@click.option("--mark", "marks", type=int, multiple=True, help="Number of a mark (`ballistics library list`).")
@click.option("--all-marks", is_flag=True, help="All marks that the filters below admit.")
@description_options("With --all-marks: only marks of this {} (or for which none is stated).", multiple=True)
@click.option(
    "--with",
    "leaving",
    type=click.Choice(DESCRIPTION_FIELDS),
    multiple=True,
    help="Field of the description that leaves with the marks. Default: the class characteristics.",
)
@click.option("--scan", "scans", type=(int, _FILE), multiple=True, metavar="MARK FILE", help="The scan leaves too.")
@click.option(
    "--printed",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A collection of printed parts: its signatures leave, with name and category.",
)
@click.option("--reference", "references", multiple=True, help="With --printed: only this reference.")
@click.option(
    "--firearm", "firearms", type=int, multiple=True, help="Number of a firearm of the registry; its events leave too."
)
@click.option("--plain", is_flag=True, help="Do not encrypt.")
@KEY
@DATABASE
def export(
    laboratory: Path,
    file: Path,
    recipient: str,
    marks: tuple[int, ...],
    all_marks: bool,
    leaving: tuple[str, ...],
    scans: tuple[tuple[int, Path], ...],
    printed: Path | None,
    references: tuple[str, ...],
    firearms: tuple[int, ...],
    plain: bool,
    key_file: Path,
    database: str | None,
    **given: Any,
) -> None:
    """Write the package FILE for a partner: templates of marks, with their scans only where --scan says so."""
    from ballistics.exchange import (
        CLASS_FIELDS,
        MarkSelection,
        Outgoing,
        PrintedSelection,
        RegistryExtract,
        export_package,
    )
    from ballistics.printed import Collection
    from ballistics.registry import Registry

    terms = _terms_of(given)
    where = {name: values for name, values in given.items() if values}
    with opened(laboratory, database) as book:
        chosen = dict.fromkeys((*marks, *(number for number, _ in scans)))
        if all_marks:
            chosen |= dict.fromkeys(entry.id for entry in book.library.contents(where).marks)
        selection = MarkSelection(tuple(chosen), leaving or CLASS_FIELDS, dict(scans)) if chosen else None
        parts = None if printed is None else PrintedSelection(Collection.load(printed), references)
        register = Registry(book.library)
        extracts = [RegistryExtract(register, firearms, name) for name in ("firearms", "events")] if firearms else []
        outgoing = Outgoing(selection, parts, extracts)
        found = export_package(_desk(book, key_file, None), file, recipient, terms, outgoing, encrypted=not plain)
    manifest = found.manifest
    held = ", ".join(f"{name}: {number}" for name, number in manifest.contents.items() if number)
    click.echo(f"package {manifest.envelope.serial}: {file.resolve()}\n{held}; entry {found.entry} of the log")


@command.command(name="import")
@LABORATORY
@click.argument("file", type=_FILE)
@click.option("--receipt", type=_NEW, help="For a package: write the signed receipt for the partner.")
@KEY
@_OPENING
@DATABASE
def import_(
    laboratory: Path,
    file: Path,
    receipt: Path | None,
    key_file: Path,
    opening_file: Path | None,
    database: str | None,
) -> None:
    """Take in FILE of a partner: a package, a receipt, a request, an answer, or a withdrawal.

    What is altered, expired, seen before, of an unknown key or for somebody else is refused, and changes nothing.
    """
    from ballistics.exchange import take_in
    from ballistics.files import write_whole

    refuse_output(receipt, (file,), overwrite=False)
    with opened(laboratory, database) as book:
        found = take_in(_desk(book, key_file, opening_file), file)
    click.echo(found.words)
    if found.package is not None:
        terms = found.package.manifest.terms
        click.echo(f"for: {terms.purpose}; on: {terms.legal_basis}; handling: {terms.handling}; until: {terms.expires}")
    if receipt is not None and found.receipt:
        write_whole(receipt, found.receipt, overwrite=False)
        click.echo(f"receipt for the partner: {receipt.resolve()}")


@command.command(name="search")
@LABORATORY
@click.argument("scan", type=click.Path(path_type=Path))
@click.option("--mark", type=MARKS, default="breech face", show_default=True, help="Mark type to search for.")
@click.option("--top", type=click.IntRange(1), default=20, show_default=True, help="Number of leads.")
@description_options("Only marks of this {} (or for which none is stated); may be given more than once.", multiple=True)
@click.option("--units", type=click.Choice(["micrometres", "millimetres", "as written"]), help="Of the scan's numbers.")
@click.option("--region", default="", help=f"Where the mark is: {REGION_HELP}")
@click.option("--json", "json_path", type=_NEW, help="Write the leads with hashes and parameters as JSON.")
@click.option("--quiet", is_flag=True, help="No progress bar, no table.")
@DATABASE
@click.pass_context
def search(
    ctx: click.Context,
    /,
    laboratory: Path,
    scan: Path,
    mark: str,
    top: int,
    units: Any,
    region: str,
    json_path: Path | None,
    quiet: bool,
    database: str | None,
    **where: tuple[str, ...],
) -> None:
    """Search the packages of partners for marks that agree with the mark of SCAN, by their templates alone.

    A lead is worth asking for the scan (`ballistics exchange request`): no opinion on source, no weight of evidence.
    """
    from ballistics.exchange import partner_search_json, search_partners
    from ballistics.files import write_whole
    from ballistics.library import Reading
    from ballistics.surfaces import readings

    refuse_output(json_path, (scan,), overwrite=False)
    with opened(laboratory, database) as book:
        questioned = Reading(mark, readings([units] if units else [], [region] if region else [])).mark_of(scan)
        admitted = {name: values for name, values in where.items() if values}
        with bar(quiet) as progress:
            found = search_partners(book.library, book.log, questioned, scan.name, top, admitted, progress)
    if json_path is not None:
        write_whole(json_path, partner_search_json(found))
    if not quiet:
        _print(found)
    if found.insufficient is not None:
        ctx.exit(_INSUFFICIENT)


@command.command(name="request")
@LABORATORY
@click.argument("file", type=_NEW)
@click.option("--package", required=True, help="Serial number of the package, or its first 6 digits.")
@click.option("--mark", type=int, required=True, help="The mark's number in it, as the search lists it.")
@click.option("--scan", required=True, type=_FILE, help="Your scan that was searched for; the partner is not told.")
@click.option("--score", type=float, help="Score of the lead; the partner is told.")
@_terms
@KEY
@DATABASE
def request(
    laboratory: Path,
    file: Path,
    package: str,
    mark: int,
    scan: Path,
    score: float | None,
    key_file: Path,
    database: str | None,
    **given: Any,
) -> None:
    """Write the signed request FILE for the scan of a partner's mark."""
    from ballistics.exchange import request_scan

    searched = {"name": scan.name, "file": input_sha256(scan)}
    with opened(laboratory, database) as book:
        found = request_scan(_desk(book, key_file, None), file, package, mark, _terms_of(given), score, searched)
    click.echo(f"request {found.serial} to {found.laboratory}: {file.resolve()}")


@command.command(name="answer")
@LABORATORY
@click.argument("file", type=_NEW)
@click.option("--request", "serial", required=True, help="Serial number of the request, or its first 6 digits.")
@click.option("--scan", type=_FILE, help="The scan: the very file that was enrolled.")
@click.option("--plain", is_flag=True, help="Do not encrypt.")
@_terms
@KEY
@DATABASE
def answer(
    laboratory: Path,
    file: Path,
    serial: str,
    scan: Path | None,
    plain: bool,
    key_file: Path,
    database: str | None,
    **given: Any,
) -> None:
    """Answer a request with the package FILE that holds the scan.

    Without --scan, the file that casework keeps under the scan's SHA-256 is sent.
    """
    from ballistics.exchange import answer_request

    with opened(laboratory, database) as book:
        desk = _desk(book, key_file, None)
        found = answer_request(desk, file, serial, scan, _terms_of(given), encrypted=not plain)
    click.echo(f"package {found.manifest.envelope.serial}: {file.resolve()}; entry {found.entry} of the log")


@command.command(name="decline")
@LABORATORY
@click.argument("file", type=_NEW)
@click.option("--request", "serial", required=True, help="Serial number of the request, or its first 6 digits.")
@click.option("--reason", required=True, help="Why the scan is not given; the partner is told.")
@KEY
@DATABASE
def decline(laboratory: Path, file: Path, serial: str, reason: str, key_file: Path, database: str | None) -> None:
    """Decline a request: write the signed answer FILE with the reason."""
    from ballistics.exchange import decline_request

    with opened(laboratory, database) as book:
        decline_request(_desk(book, key_file, None), file, serial, reason)
    click.echo(f"answer: {file.resolve()}")


@command.command(name="scan")
@LABORATORY
@click.argument("file", type=_NEW)
@click.option("--package", required=True, help="Serial number of the package, or its first 6 digits.")
@click.option("--mark", type=int, required=True, help="The mark's number in it.")
@DATABASE
def scan_(laboratory: Path, file: Path, package: str, mark: int, database: str | None) -> None:
    """Copy a scan out of a partner's package to FILE, to be compared as usual."""
    from ballistics.exchange import copy_scan

    with opened(laboratory, database) as book:
        found = copy_scan(book.library, book.log, package, mark, file)
    click.echo(f"scan: {file.resolve()}\nSHA-256: {found}")


@command.command(name="rows")
@LABORATORY
@click.argument("file", type=_NEW)
@click.option("--package", required=True, help="Serial number of the package, or its first 6 digits.")
@click.option("--name", required=True, help="Of the rows: firearms, events …")
@DATABASE
def rows(laboratory: Path, file: Path, package: str, name: str, database: str | None) -> None:
    """Write the rows of a register that a partner's package holds to the CSV FILE."""
    from ballistics.exchange import extract_rows, package_of
    from ballistics.files import csv_bytes, write_whole

    with opened(laboratory, database) as book, book.log.view() as view:
        held = list(extract_rows(package_of(book.library, view, package), name))
    names = list(dict.fromkeys(key for row in held for key in row))
    write_whole(file, csv_bytes(names, ([row.get(key) for key in names] for row in held), spreadsheet=True))
    click.echo(f"rows of {name}: {len(held)}, in {file.resolve()}")


@command.command(name="collection")
@LABORATORY
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--package", required=True, help="Serial number of the package, or its first 6 digits.")
@DATABASE
def collection(laboratory: Path, folder: Path, package: str, database: str | None) -> None:
    """Write the printed parts of a partner's package to FOLDER as a collection (`ballistics printed identify`)."""
    from ballistics.exchange import package_of, printed_of

    with opened(laboratory, database) as book:
        with book.log.view() as view:
            found = package_of(book.library, view, package)
        made = printed_of(found)
    made.save(folder)
    click.echo(f"references of {found.partner.laboratory}: {len(made)}, in {folder.resolve()}")


@command.command(name="withdraw")
@LABORATORY
@click.argument("file", type=_NEW)
@click.option("--from", "recipient", required=True, help="The partner that has them.")
@click.option("--package", "packages", required=True, multiple=True, help="Serial number of a package.")
@click.option("--reason", required=True, help="Why; the partner is told.")
@KEY
@DATABASE
def withdraw_(
    laboratory: Path,
    file: Path,
    recipient: str,
    packages: tuple[str, ...],
    reason: str,
    key_file: Path,
    database: str | None,
) -> None:
    """Take packages back: write the signed list FILE; each later package for the partner names them too."""
    from ballistics.exchange import withdraw

    with opened(laboratory, database) as book:
        withdraw(_desk(book, key_file, None), file, recipient, packages, reason)
    click.echo(f"withdrawal: {file.resolve()}")


@command.command(name="list")
@LABORATORY
@DATABASE
def list_(laboratory: Path, database: str | None) -> None:
    """List partners, packages that left and came, and requests."""
    from ballistics.exchange import listed

    with opened(laboratory, database) as book:
        tables = listed(book.library, book.log)
    from rich.table import Table
    from rich.text import Text

    for title, (headings, rows) in tables.items():
        table = Table(*headings, title=title, title_justify="left")
        for row in rows:
            table.add_row(*map(Text, row))
        if rows:
            console().print(table)
        else:
            click.echo(f"{title}: none")


def _desk(book: Casebook, key_file: Path, opening_file: Path | None) -> Desk:
    from ballistics.exchange import Desk, read_opening_key

    key = signing_key(key_file)
    opening = None
    if opening_file is not None:
        opening = read_opening_key(opening_file, passphrase("Passphrase of the key that opens packages"))
    return Desk(book.library, book.log, key, opening)


def _terms_of(given: dict[str, Any]) -> Terms:
    from ballistics.exchange import Terms

    return Terms(*(given.pop(name) for name in ("purpose", "legal_basis", "handling", "expires")))


def _print(found: PartnerSearch) -> None:
    from rich.table import Table
    from rich.text import Text

    out = console()
    if found.insufficient is not None:
        out.print(Text(f"{found.scan} is not searched for: {found.insufficient}."))
        return
    out.print(Text(f"Templates of {found.n_searched} of {found.n_marks} marks in {len(found.packages)} packages were "
                   f"compared with the {found.mark_kind} of {found.scan}.", "bold"))  # fmt: skip
    for why, number in found.passed_over.items():
        out.print(f"Passed over: {number}, {why}.")
    for serial, why in found.not_searched.items():
        out.print(f"Package {serial[:8]} was not searched: {why}.")
    stated = [name for name in DESCRIPTION_FIELDS if any(getattr(k.mark.description, name) for k in found.leads)]
    table = Table("rank", "laboratory", "package", "mark", "score", *(name.replace("_", " ") for name in stated))
    for lead in found.leads:
        described = (Text(getattr(lead.mark.description, name) or "–") for name in stated)
        cells = (str(lead.rank), lead.laboratory, lead.package[:8], str(lead.mark.number), f"{lead.score:.2f}")
        table.add_row(*map(Text, cells), *described)
    if found.leads:
        out.print(table)
    out.print(Text("A lead is a mark whose scan may be worth asking for: no opinion on source, no weight of evidence.",
                   "bold"))  # fmt: skip
