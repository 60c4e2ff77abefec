"""Every command of the command line explains itself."""

import click
import pytest
from click.testing import CliRunner

from ballistics.cli import main


def _commands(command, context, words=()):
    yield words
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None, (*words, name)
            yield from _commands(below, click.Context(below, parent=context, info_name=name), (*words, name))


def test_every_command_explains_itself():
    # A group is asked after its commands were imported: what that imports must not stand in its way.
    every = list(_commands(main, click.Context(main, info_name="ballistics")))
    assert len(every) > 100
    for words in every:
        result = CliRunner().invoke(main, [*words, "--help"], prog_name="ballistics")
        assert result.exit_code == 0, (words, result.exception)
        assert f"Usage: {' '.join(('ballistics', *words))} " in " ".join(result.output.split())


@pytest.mark.parametrize("words", [(), ("printed",), ("registry",), ("case",)])
def test_a_command_that_does_not_exist_is_told(words):
    result = CliRunner().invoke(main, [*words, "no-such-command"])
    assert result.exit_code == 2
    assert "no-such-command" in result.output
