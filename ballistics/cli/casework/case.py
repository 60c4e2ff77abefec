"""`ballistics case`: cases, exhibits, custody, examinations, reviews; the signed log and its keys."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from ballistics.casework import KINDS, ROLES
from ballistics.cli.casework.record_commands import add_commands
from ballistics.cli.casework.report import command as report_command
from ballistics.cli.laboratory import KEY, LABORATORY, opened, passphrase, signing_key
from ballistics.cli.library import DATABASE
from ballistics.cli.scan_set import named_settings, settings_option

if TYPE_CHECKING:
    from ballistics.casework import Casebook
    from ballistics.records import SigningKey

_NEW = click.Path(dir_okay=False, path_type=Path)
_FAULTS = 1
_OF_A_CASE = (
    "case", "information", "incident", "item", "transfer", "scan", "attachment", "observation", "conclusion",
    "unmasking", "resolution", "report", "review", "authorisation", "release",
)  # fmt: skip


@click.group(name="case")
def command() -> None:
    """Keep cases: exhibits, custody, examinations, reviews and reports, in a signed log that can be verified.

    LABORATORY is the folder of a library (`ballistics library create`), whose database holds the records.
    """


add_commands(command, [KINDS[name] for name in _OF_A_CASE])
command.add_command(report_command)


@command.command(name="begin")
@LABORATORY
@click.option("--name", required=True, help="Name of the laboratory.")
@click.option("--country", default="", help="Its country.")
@click.option("--accreditation", default="", help="Number of its accreditation.")
@click.option("--operator", required=True, help="Short name of the administrator: you.")
@click.option("--operator-name", required=True, help="Name of the administrator.")
@KEY
@DATABASE
def begin(
    laboratory: Path,
    name: str,
    country: str,
    accreditation: str,
    operator: str,
    operator_name: str,
    key_file: Path,
    database: str | None,
) -> None:
    """Begin the signed log of LABORATORY; the owner of the key is its first administrator."""
    stated = {"name": name, "country": country, "accreditation": accreditation}
    with opened(laboratory, database) as book:
        book.begin(signing_key(key_file), operator, operator_name, {key: text for key, text in stated.items() if text})
        click.echo(f"log of {book.library.folder.resolve()}: begun\n{book.receipt().words}")


@command.group(name="key")
def keys() -> None:
    """Make keys; take in those of operators; revoke lost ones."""


@keys.command(name="make")
@click.argument("file", type=_NEW)
def make(file: Path) -> None:
    """Make a key in FILE, encrypted with a passphrase. Keep a copy elsewhere: a lost one cannot be made again."""
    from ballistics.records import make_key

    key = make_key(file, passphrase("Passphrase of the new key", confirm=True))
    click.echo(f"key: {file.resolve()}\npublic half, for the administrator: {key.public.hex()}")


@keys.command(name="take-in")
@LABORATORY
@click.argument("public")
@click.option("--operator", required=True, help="Short name of the owner.")
@click.option("--name", required=True, help="Name of the owner.")
@click.option("--role", "roles", multiple=True, required=True, type=click.Choice([*ROLES, "administrator"]))
@KEY
@DATABASE
def take_in(
    laboratory: Path,
    public: str,
    operator: str,
    name: str,
    roles: tuple[str, ...],
    key_file: Path,
    database: str | None,
) -> None:
    """Take in the key of an operator by its PUBLIC half, or change the roles of one. Done by an administrator."""
    with opened(laboratory, database) as book:
        entry = book.take_in(signing_key(key_file), _public(public), operator, name, roles)
    click.echo(f"key of {name}: entry {entry.number}")


@keys.command(name="revoke")
@LABORATORY
@click.argument("identifier")
@click.option("--reason", required=True, help="Why: lost, stolen, its owner left.")
@click.option("--doubtful-since", default="", help="From when on what it signed is in doubt.")
@KEY
@DATABASE
def revoke(
    laboratory: Path, identifier: str, reason: str, doubtful_since: str, key_file: Path, database: str | None
) -> None:
    """Revoke a key by its IDENTIFIER, or the beginning of it. What it signed before stays, and stays verifiable."""
    from ballistics.records import KEY as KIND

    with opened(laboratory, database) as book:
        with book.log.view() as view:
            named = [entry.record for entry in view.records(KIND) if entry.record.startswith(identifier)]
        if len(named) != 1:
            raise click.BadParameter(f"{len(named)} keys begin with '{identifier}'", param_hint="IDENTIFIER")
        entry = book.revoke(signing_key(key_file), named[0], reason, doubtful_since)
    click.echo(f"key {named[0][:12]}…: revoked in entry {entry.number}")


@keys.command(name="list")
@LABORATORY
@DATABASE
def list_keys(laboratory: Path, database: str | None) -> None:
    """List the keys of a laboratory, their owners and roles."""
    from rich.table import Table

    from ballistics.cli.terminal import console
    from ballistics.records import KEY as KIND
    from ballistics.records import operator_of

    table = Table("key", "operator", "name", "roles", "state", "since entry")
    with opened(laboratory, database) as book, book.log.view() as view:
        for entry in view.records(KIND):
            owner = operator_of(entry)
            roles = ", ".join(owner.roles)
            table.add_row(f"{owner.key[:12]}…", owner.operator, owner.name, roles, owner.state, str(entry.number))
    console().print(table)


@command.command(name="compare")
@LABORATORY
@click.argument("identifier")
@click.argument("compared", nargs=2, metavar="A B")
@click.option(
    "--reference",
    "references",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Reference population; of two heads one for each kind of mark.",
)
@click.option("--without", multiple=True, metavar="SCAN", help="A scan of the items that takes no part. Repeatable.")
@click.option("--fragment", is_flag=True, help="The bullet with fewer lands is a fragment of one.")
@settings_option
@KEY
@DATABASE
@click.option("--quiet", is_flag=True, help="No progress bar.")
def compare(
    laboratory: Path,
    identifier: str,
    compared: tuple[str, str],
    references: tuple[Path, ...],
    without: tuple[str, ...],
    fragment: bool,
    settings: tuple[str, ...],
    key_file: Path,
    database: str | None,
    quiet: bool,
) -> None:
    """Compare A and B, weigh the comparison, and record it under IDENTIFIER.

    A and B are two recorded scans; or two items (or test fires) with all their scans: bullets are compared by their
    lands, heads mark by mark, and what the marks say together is weighed where references of the same scans are given.

    Calibre, ammunition and instrument are those of the records. Of a blind case no score is printed: it is shown by
    `ballistics case show` after the examiner's own conclusion.
    """
    from ballistics.casework import Scan
    from ballistics.cli.terminal import bar
    from ballistics.front import compare_items, compare_scans

    with opened(laboratory, database) as book:
        key = signing_key(key_file)
        with bar(quiet) as progress:
            stated = named_settings(settings)
            scans = {each.record.id for each in book.all(Scan)}
            if scans.issuperset(compared) and not (without or fragment or len(references) > 1):
                reference = references[0] if references else None
                entry, _ = compare_scans(book, key, identifier, compared, reference, settings=stated, progress=progress)
            else:
                entry = compare_items(
                    book,
                    key,
                    identifier,
                    compared,
                    references,
                    without=without,
                    fragment=fragment,
                    settings=stated,
                    progress=progress,
                )
        click.echo(f"comparison '{identifier}': entry {entry.number}")
        for line in _comparison_lines(book, key, identifier):
            click.echo(line)


@command.command(name="show")
@LABORATORY
@click.argument("case")
@KEY
@DATABASE
@click.option("--result", "comparison", help="Write the whole result of this comparison, JSON, to --out.")
@click.option("--out", type=_NEW, help="Where.")
def show(
    laboratory: Path, case: str, key_file: Path, database: str | None, comparison: str | None, out: Path | None
) -> None:
    """Show a CASE: every record as it is now, in order. What a blind examination hides is hidden from you too."""
    from ballistics.casework import Case
    from ballistics.files import write_whole

    with opened(laboratory, database) as book:
        key = signing_key(key_file)
        if comparison is not None:
            if out is None or out.exists():
                raise click.BadParameter("name a file that does not exist", param_hint="--out")
            write_whole(out, book.result(comparison, key)[1])
            click.echo(f"result: {out.resolve()}")
            return
        stated = book.get(Case, case)
        click.echo(f"{case}: {stated.record.title}{' (examined blind)' if stated.record.blind else ''}")
        for name in (*_OF_A_CASE[1:], "comparison", "disclosure"):
            _print_kind(book, key, case, name)


def _print_kind(book: Casebook, key: SigningKey, case: str, name: str) -> None:
    from ballistics.records import RefusedError

    found = book.all(KINDS[name], case)
    if not found:
        return
    click.echo(f"\n{name}")
    if name == "information":
        try:
            book.information(case, key)
        except RefusedError as error:
            click.echo(f"  {len(found)} hidden: {error}")
            return
    for each in found:
        record = each.record
        click.echo(f"  {record.id}  (entry {each.entry.number}, {each.by.operator}, {each.entry.time})")
        if name == "comparison":
            for line in _comparison_lines(book, key, record.id):
                click.echo(f"    {line}")
            continue
        for field, value in record.body.items():
            if field != "case":
                text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
                click.echo(f"    {field.replace('_', ' ')}: {text}")


def _comparison_lines(book: Casebook, key: SigningKey, identifier: str) -> list[str]:
    from ballistics.evidence import format_ratio
    from ballistics.records import RefusedError

    try:
        record = book.result(identifier, key)[0].record
    except RefusedError as error:
        return [f"hidden: {error}"]
    lines = [f"{record.mark}: {(' and ' if len(record.scans) == 2 else ', ').join(record.scans)}"]
    if record.insufficient:
        lines.append(f"insufficient: {record.insufficient}")
    elif record.score is not None:
        lines.append(f"similarity: {record.score:.0f} nats")
    if record.log10_lr is not None:
        lines.append(f"likelihood ratio: {format_ratio(record.log10_lr)}")
    else:
        lines.append(f"no likelihood ratio: {record.no_lr}")
    return lines + list(record.findings)


@command.command(name="verify")
@LABORATORY
@click.option(
    "--receipt",
    "receipts",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A receipt, JSON or text. Repeatable. The newest head that you have seen is always held against the log.",
)
@click.option("--files/--no-files", default=True, show_default=True, help="Hash every kept file too.")
@DATABASE
@click.option("--quiet", is_flag=True, help="No progress bar.")
@click.pass_context
def verify(
    ctx: click.Context, /, laboratory: Path, receipts: tuple[Path, ...], files: bool, database: str | None, quiet: bool
) -> None:
    """Verify every entry of the log, and every file that a record names.

    Exit code 0: all is as it was recorded; 1: something is not, and is named.
    """
    from ballistics.cli.terminal import bar
    from ballistics.records import read_receipt

    held = [read_receipt(path) for path in receipts]
    with opened(laboratory, database) as book, bar(quiet) as progress:
        found = book.verify(held, files, progress)
    for fault in found.log.faults:
        click.echo(f"{fault.what}: {fault.message}")
    for sentence in (*found.files, *found.log.notes):
        click.echo(sentence)
    state = "as recorded" if found.clean else "NOT as recorded"
    state = "as recorded" if found.clean else "NOT as recorded"
    click.echo(f"{found.log.head.number} entries, {found.n_files} files: {state}")
    click.echo(f"head: {found.log.head.hash}")
    ctx.exit(0 if found.clean else _FAULTS)


@command.command(name="receipt")
@LABORATORY
@click.argument("out", type=_NEW)
@DATABASE
def receipt(laboratory: Path, out: Path, database: str | None) -> None:
    """Write the head of the log to OUT: .json, or .txt to print. Keep it outside the laboratory."""
    from ballistics.records import write_receipt

    with opened(laboratory, database) as book:
        write_receipt(out, book.receipt())
    click.echo(f"receipt: {out.resolve()}")


@command.command(name="export")
@LABORATORY
@click.argument("case")
@click.option("--disclosure", "out", required=True, type=_NEW, help="The bundle, .zip.")
@click.option("--recipient", required=True, help="To whom it goes; recorded.")
@click.option("--note", default="", help="Anything else; recorded.")
@KEY
@DATABASE
@click.option("--quiet", is_flag=True, help="No progress bar.")
def export(
    laboratory: Path,
    case: str,
    out: Path,
    recipient: str,
    note: str,
    key_file: Path,
    database: str | None,
    quiet: bool,
) -> None:
    """Write the bundle of CASE for the other side's expert, and record that it was given.

    It holds the records, the scans, the results, the reference populations, and a verifier that needs nothing of this
    program.
    """
    from ballistics.casework import Disclosure, write_disclosure
    from ballistics.cli.terminal import bar
    from ballistics.records import now

    with opened(laboratory, database) as book:
        key = signing_key(key_file)
        with bar(quiet) as progress:
            sha256 = write_disclosure(book, case, out, progress)
        n_before = len(book.all(Disclosure, case))
        given = Disclosure(
            f"{case}/D{n_before + 1}", case=case, sha256=sha256, recipient=recipient, at=now(), note=note
        )
        entry = book.record(key, given)
    click.echo(f"disclosure: {out.resolve()}\nSHA-256: {sha256}\nrecorded in entry {entry.number}")


@command.command(name="replay")
@click.argument("bundle", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--quiet", is_flag=True, help="No progress bar.")
@click.pass_context
def replay(ctx: click.Context, /, bundle: Path, quiet: bool) -> None:
    """Make every comparison of a BUNDLE again, and hold every number against the recorded one.

    It needs no laboratory. Exit code 0: the records verify and every value is equal; 1: something is not, and is named.
    """
    from ballistics.cli.terminal import bar
    from ballistics.front import replay as replay_bundle

    with bar(quiet) as progress:
        found = replay_bundle(bundle, progress)
    for fault in found.log_faults:
        click.echo(f"records: {fault}")
    for each in found.comparisons:
        if each.failed:
            click.echo(f"comparison {each.comparison}: could not be made again: {each.failed}")
        elif each.different:
            click.echo(f"comparison {each.comparison}: DIFFERENT")
            for line in each.different:
                click.echo(f"  {line}")
        else:
            click.echo(f"comparison {each.comparison}: equal, {each.n_values} values")
    for program in found.programs:
        click.echo(f"made with another version: {program}")
    click.echo(f"case {found.case}: {'equal' if found.equal else 'NOT equal'}")
    ctx.exit(0 if found.equal else _FAULTS)


@command.command(name="words")
@click.argument("name", required=False)
@click.option("--laboratory", type=click.Path(exists=True, file_okay=False, path_type=Path), help="With its own words.")
def words(name: str | None, laboratory: Path | None) -> None:
    """List the code lists, or the words of the list NAME."""
    from ballistics.casework import CodeLists

    lists = CodeLists(None if laboratory is None else laboratory / "lists")
    if name is None:
        for each in lists.names():
            click.echo(f"{each} ({lists[each].version}): {len(lists[each].means)} words")
        return
    if name not in lists.names():
        raise click.BadParameter(f"there is no list '{name}'", param_hint="NAME")
    for code, means in lists[name].means.items():
        click.echo(f"{code}: {means}")
        for step in lists[name].steps.get(code, ()):
            click.echo(f"  - {step}")


def _public(text: str) -> bytes:
    try:
        found = bytes.fromhex(text)
    except ValueError:
        found = b""
    if len(found) != 32:
        raise click.BadParameter("the public half of a key is 64 hexadecimal digits", param_hint="PUBLIC")
    return found
