"""Whatever a command is given for what it asks for, it answers in words, and what was there stays as it was."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from ballistics.cli import main

pytestmark = pytest.mark.slow

# They ask for nothing but the folder that they make.
_WITHOUT_INPUT = {("demo",), ("selftest",), ("simulate",)}
_WRONG = ("absent", "empty", "junk", "list.json", "deep.json", "table.csv", "folder", "loop", "/dev/null")


def _commands(command: click.Command, context: click.Context, words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from _commands(below, click.Context(below, parent=context, info_name=name), (*words, name))
    elif words not in _WITHOUT_INPUT:
        yield words


def _command(words: tuple[str, ...]) -> click.Command:
    found: click.Command = main
    for word in words:
        assert isinstance(found, click.Group)
        below = found.get_command(click.Context(found), word)
        assert below is not None
        found = below
    return found


def _arguments(command: click.Command, wrong: str) -> Iterator[str]:
    """Yield what a command needs to be called at all: wrong where it wants a path or a text."""
    for asked in command.params:
        if not asked.required:
            continue
        if isinstance(asked, click.Option):
            yield asked.opts[0]
        if isinstance(asked.type, click.Choice):
            value = str(next(iter(asked.type.choices)))
        elif isinstance(asked.type, click.types.IntParamType | click.types.FloatParamType):
            value = "1"
        else:
            value = "made" if asked.name in ("out", "report") else wrong
        yield from [value] * max(1, asked.nargs)


def _contents(folder: Path) -> dict[str, str]:
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


@pytest.mark.parametrize("words", sorted(_commands(main, click.Context(main), ())), ids=" ".join)
def test_wrong_inputs_are_answered(words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for wrong in _WRONG:
        folder = tmp_path / wrong.strip("/").replace("/", " ")
        (folder / "folder").mkdir(parents=True)
        (folder / "empty").write_bytes(b"")
        (folder / "junk").write_bytes(bytes(range(256)) * 9)
        (folder / "list.json").write_text("[]")
        (folder / "deep.json").write_text("[" * 100_000)
        (folder / "table.csv").write_text("a,b\n1,2\n")
        (folder / "loop").symlink_to("loop")
        before = _contents(folder)
        monkeypatch.chdir(folder)
        result = CliRunner().invoke(main, [*words, *_arguments(_command(words), wrong)], input="secret\nsecret\n")
        assert result.exception is None or isinstance(result.exception, SystemExit), (wrong, result.exc_info)
        assert "Traceback" not in result.output, wrong
        after = _contents(folder)
        assert {name: after.get(name) for name in before} == before, wrong


def test_a_truth_table_from_a_pipe_is_refused_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "scans").mkdir()
    os.mkfifo(tmp_path / "truth.csv")
    result = CliRunner().invoke(
        main, ["validate", str(tmp_path / "scans"), str(tmp_path / "truth.csv"), "--out", str(tmp_path / "study")]
    )
    assert result.exit_code == 2
    assert "write it to a file" in result.output
    assert not (tmp_path / "study").exists()
