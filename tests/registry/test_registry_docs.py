"""Every command of the page on the registry runs as it is written."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from ballistics.cli import main
from ballistics.registry import Registry, checked_mapping, record_fields
from ballistics.registry.records import FIELDS_FILE, Firearm

PAGE = (Path(__file__).parents[2] / "docs" / "registry.md").read_text(encoding="utf-8")


def test_every_command_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    head = "licence,kind,origin,destination,category,quantity,issued_on,expires_on,end_user\n"
    (tmp_path / "licences.csv").write_text(f"{head}E-1,export,RS,MK,VIII.1,9,2026-01-10,2026-12-31,Ministry\n")
    (tmp_path / "deliveries.csv").write_text("licence,category,quantity,on\nE-1,VIII.1,9,2026-05\n")
    (tmp_path / "recovered.csv").write_text("serial,make\n-,\nL153?0,Хеклер и Кох\n")
    commands = re.findall(r"^ballistics registry .*$", PAGE, re.M)
    assert len(commands) >= 15
    with_findings = ("check", "overdue")
    for command in commands:
        words = shlex.split(command)[1:]
        done = CliRunner().invoke(main, words)
        assert done.exit_code in ((0, 1) if words[1] in with_findings else (0,)), f"{command}\n{done.output}"
    for name in ("refused.csv", "checked.csv", "transfers.html", "transfers.csv", "statistics.csv", "statistics.xlsx"):
        assert (tmp_path / name).stat().st_size > 20, name
    (block,) = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    exec(block, {})
    assert Registry


def test_the_mapping_of_the_page_is_a_mapping():
    (block,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.S)
    given = checked_mapping(yaml.safe_load(block), "page")
    headings = re.findall(r"reg_no|marka|vrsta|dea\b|barrel_no|import_mark|status|datum|\bps\b", block)
    entry = given.reader(sorted(set(headings)))
    assert entry is not None


def test_the_file_of_fields_describes_the_record():
    described = set(record_fields())
    stated = set(Firearm.__dataclass_fields__) - {"markings", "components"}
    assert described == stated, FIELDS_FILE


@pytest.mark.slow
def test_a_lookup_imports_nothing_that_compares_marks(tmp_path):
    """Such imports take seconds, for which nobody waits who looks a firearm up."""
    Registry.create(tmp_path / "lab").library.close()
    code = (
        "import sys; from ballistics.cli import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        "print(*(name for name in ('numba', 'scipy', 'cv2', 'sklearn', 'alembic') if name in sys.modules))"
    )
    words = [sys.executable, "-c", code, "registry", "find", str(tmp_path / "lab"), "--serial", "12?4*"]
    said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert said.splitlines() == ["ranked: 0", ""]
