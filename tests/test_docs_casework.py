"""Every command and line of Python on the page about casework runs as it is written."""

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from ballistics.cli import main
from ballistics.surfaces import simulate_population, write_x3p

PAGE = (Path(__file__).parents[1] / "docs" / "casework.md").read_text(encoding="utf-8")
COMMANDS = [line for block in re.findall(r"```\n(.*?)```", PAGE, re.S) for line in block.splitlines()]
# `quality gap` ends with 1 where something is missing, as it is here.
MISSING = "ballistics quality gap"


@pytest.mark.slow
def test_every_command_of_the_page_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BALLISTICS_PASSPHRASE", "correct horse battery")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    heads = simulate_population(2, 2, 3, breech_faces=["granular"])
    for name, head in zip("abc", heads, strict=False):
        write_x3p(tmp_path / f"{name}.x3p", head.surface)
    public = draft = ""
    assert len(COMMANDS) >= 25
    for command in COMMANDS:
        given = re.sub("PUBLIC-HALF-OF-[a-z]+", public, command).replace("ENTRY-OF-THE-DRAFT", draft)
        words = shlex.split(given)[1:]
        done = CliRunner().invoke(main, words)
        assert done.exit_code == (1 if command.startswith(MISSING) else 0), f"{command}\n{done.output}"
        if "key make" in command:
            public = done.output.split()[-1]
        if "add report" in command:
            draft = done.output.split()[-1]
        if "case compare" in command:
            assert "hidden: case 'K-1' is examined blind" in done.output
        if "case show" in command:
            assert "similarity: " in done.output
        if "case replay" in command:
            assert "case K-1: equal" in done.output
    (block,) = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    exec(block, {})
