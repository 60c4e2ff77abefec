"""What the verbs share of the terminal: the console, the bar of long work, and outputs that must not be overwritten."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import rich_click as click

from ballistics.errors import ReadError, WriteError
from ballistics.files import real_path, reason
from ballistics.progress import Progress

#: Kinds of mark, in the order of `ballistics.methods.METHODS`, which takes too long to import for a help page.
MARKS = click.Choice(
    [
        "breech face",
        "firing pin",
        "ejector",
        "aperture shear",
        "firing-pin drag",
        "chamber",
        "land engraved area",
        "tool mark",
    ]
)

#: What a set of whole bullets is called where marks have a kind (`ballistics.methods.BULLET`).
BULLET = "bullet"

# What the API calls a parameter, and messages therefore, has another name on the command line.
_OPTIONS = {"units": "--units", "unit": "--unit", "spacing_um": "--spacing-um"}
# "units='micrometres'", "units is …", "spacing_um"; not the words "units" and "unit" in a sentence.
_NAMED = re.compile(r"\b(?P<name>spacing_um\b|units?(?==| is '| does not| out))(?:=(?P<value>'[^']*')?)?")


def in_options(message: str, letter: str = "") -> str:
    """Return a message of the API with the names of the command line's options.

    Parameters
    ----------
    message : str
    letter : str
        ``"a"`` or ``"b"`` where the command takes two scans, whose options end so.

    Examples
    --------
    >>> in_options("read it with units='micrometres'; units='as written' reads it unchanged", "a")
    "read it with --units-a micrometres; --units-a 'as written' reads it unchanged"
    >>> in_options("give it as spacing_um (µm per pixel)")
    'give it as --spacing-um (µm per pixel)'
    """
    end = f"-{letter}" if letter else ""

    def option(found: re.Match[str]) -> str:
        value = found["value"] or ""
        return f"{_OPTIONS[found['name']]}{end} {value if ' ' in value else value.strip(chr(39))}".rstrip()

    return _NAMED.sub(option, message)


def refuse_output(path: Path | None, inputs: tuple[Path, ...], overwrite: bool) -> None:
    """Find out before the work, not after it, that an output must not be written.

    Parameters
    ----------
    path : Path or None
        The output; None for none, which is never refused.
    inputs : tuple of Path
        What is read; it is never written over.
    overwrite : bool
        Whether an output that exists may be replaced.

    Raises
    ------
    WriteError
        When it must not or cannot be written.
    """
    if path is None:
        return
    if any(real_path(path) == real_path(scan) for scan in inputs):
        raise WriteError(f"{path} is one of the scans: choose another name for the output")
    if path.exists() and not path.is_file():
        raise WriteError(f"{path} is not a file that can be replaced: choose another name for the output")
    if path.exists() and not overwrite:
        raise WriteError(f"{path} exists already: choose another name, or allow it with --overwrite")
    if not real_path(path).parent.is_dir():
        raise WriteError(f"{path} cannot be written: the folder {path.parent} does not exist; make it first")


def make_folder(folder: Path) -> None:
    """Make the folder of several outputs, and those above it.

    Parameters
    ----------
    folder : Path
        It may exist.

    Raises
    ------
    WriteError
        When it cannot be made, or is a file.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"the folder {folder} cannot be made: {reason(error)}; choose another place") from error


def input_sha256(path: Path) -> str:
    """Return the SHA-256 of an input; asked for before the work, for a pipe can be read only once.

    Parameters
    ----------
    path : Path
        A regular file.

    Raises
    ------
    ReadError
        When it cannot be read, or is a pipe or a device.
    """
    from ballistics.provenance import sha256_of_file

    try:
        return sha256_of_file(path)
    except OSError as error:
        raise ReadError(f"{path} cannot be read: {reason(error)}; write it to a file and give that") from error


def console() -> Any:
    """Return a console on which a table is not folded when nobody looks at it."""
    from rich.console import Console

    made = Console()
    if not made.is_terminal:
        made.width = 160
    return made


@contextmanager
def bar(quiet: bool) -> Iterator[Progress | None]:
    """Give a bar with the number done, the rate of this run, and the time left."""
    from rich import progress as rich_progress
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        # Pairs are alike in cost and many: the mean of two minutes is steadier than of the last second.
        TimeRemainingColumn(),
    )
    with rich_progress.Progress(*columns, console=console, speed_estimate_period=120) as shown:
        tasks: dict[str, Any] = {}

        def tell(stage: str, done: int, total: int, resumed: int = 0, /) -> None:
            if stage not in tasks:
                tasks[stage] = shown.add_task(stage, total=total, completed=resumed, rate="")
            task = next(task for task in shown.tasks if task.id == tasks[stage])
            rate = (done - resumed) / task.elapsed if task.elapsed and done > resumed else None
            shown.update(tasks[stage], completed=done, rate=f"{rate:.2f}/s" if rate else "")

        yield tell
