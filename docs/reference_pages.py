"""The pages of the reference that are made anew with every build: public names by room, and the command line."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_origin

import rich_click as click

# The rooms whose faces users import, with the name a page gives them; the first is what `import ballistics` brings.
ROOMS = {
    "ballistics": "The front door",
    "ballistics.surfaces": "Surfaces and marks",
    "ballistics.impressions": "Impressed marks",
    "ballistics.striations": "Striated marks",
    "ballistics.printed": "Printed parts",
    "ballistics.evidence": "Evidence",
    "ballistics.studies": "Studies",
    "ballistics.pairs": "Everything against everything",
    "ballistics.library": "The store of marks",
    "ballistics.search": "Search",
    "ballistics.casework": "Casework",
    "ballistics.records": "The signed log",
    "ballistics.registry": "Registry of firearms",
    "ballistics.exchange": "Exchange between laboratories",
    "ballistics.reports": "Reports",
    "ballistics.files": "Files from outside",
}


def write(folder: Path) -> None:
    """Write the pages into a folder; a page that would be the same is left, so that Sphinx does not read it again."""
    folder.mkdir(exist_ok=True)
    for stub in (folder / "names").glob("*.rst"):  # autosummary makes them again, and leaves those of names that went
        stub.unlink()
    pages = {f"{room}.rst": room_page(room, title) for room, title in ROOMS.items()}
    pages["command-line.rst"] = command_line_page()
    pages["index.rst"] = index_page()
    for name, text in pages.items():
        path = folder / name
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")


def index_page() -> str:
    """Return the first page of the reference."""
    entries = "\n".join(f"   {title} <{room}>" for room, title in ROOMS.items())
    return (
        _title("Reference")
        + "Every public name, by the room that holds it. What ``import ballistics`` brings stands first.\n\n"
        + f".. toctree::\n   :maxdepth: 1\n\n{entries}\n   The command line <command-line>\n"
    )


def room_page(room: str, title: str) -> str:
    """Return the page of a room: its first docstring line and a table of each kind of name of its face."""
    module, front = importlib.import_module(room), importlib.import_module("ballistics")
    kinds: dict[str, list[str]] = {"Functions": [], "Classes": [], "Errors": [], "Values": []}
    in_front = []
    for name in sorted(module.__all__, key=str.lower):
        if room != "ballistics" and getattr(front, name, None) is getattr(module, name):
            in_front.append(name)
        else:
            kinds[_kind(getattr(module, name))].append(name)
    text = _title(title) + f"``{room}``: {(module.__doc__ or '').strip().splitlines()[0]}\n\n"
    if in_front:
        links = ", ".join(f":doc:`{name} <names/ballistics.{name}>`" for name in in_front)
        text += f"Also of this room, described with the front door: {links}.\n\n"
    text += f".. currentmodule:: {room}\n\n"
    for kind, names in kinds.items():
        if names and kind != "Values":
            listed = "\n".join(f"   {name}" for name in names)
            text += f".. rubric:: {kind}\n\n.. autosummary::\n   :toctree: names\n   :nosignatures:\n\n{listed}\n\n"
    return text


def _kind(value: Any) -> str:
    if inspect.isclass(value) and get_origin(value) is None:  # an alias of an array type is no class
        return "Errors" if issubclass(value, BaseException) else "Classes"
    return "Functions" if inspect.isroutine(value) else "Values"


def command_line_page() -> str:
    """Return the page of the command line: every command with its arguments and options, as `--help` has them."""
    from ballistics.cli import main

    text = _title("The command line")
    text += "Exit codes: 0 done; 2 an error, whose message says what to do; 3 insufficient, which is a result.\n\n"
    for command, names in _commands(main, ("ballistics",)):
        context = click.Context(command, info_name=names[-1])
        text += _title(" ".join(names), "-")
        text += "::\n\n    " + " ".join([*names, *command.collect_usage_pieces(context)]) + "\n\n"
        text += inspect.cleandoc(command.help or "").replace("\b\n", "").replace("\f", "") + "\n\n"
        for parameter in command.params:
            record = parameter.get_help_record(context) if isinstance(parameter, click.Option) else None
            if record:
                text += f"``{record[0]}``\n    {record[1] or '–'}\n\n"
    return text


def _commands(command: Any, names: tuple[str, ...]) -> Iterator[tuple[Any, tuple[str, ...]]]:
    if not isinstance(command, click.Group):
        yield command, names
        return
    for name in command.list_commands(click.Context(command)):
        yield from _commands(command.get_command(click.Context(command), name), (*names, name))


def _title(text: str, underline: str = "=") -> str:
    return f"{text}\n{underline * len(text)}\n\n"
