"""The one runner: python -m benchmarks list | NAME… [--data DIR] [--workers N] [--quick] [--json OUT]."""

from __future__ import annotations

import argparse
import importlib
import json
import math
import os
import pkgutil
import sys
from dataclasses import asdict
from pathlib import Path

from joblib import parallel_config
from rich.console import Console
from rich.table import Table

from ballistics.errors import BallisticsError
from benchmarks import suites
from benchmarks.support.record import Context, Record

DEFAULT_DATA = Path(os.environ.get("BALLISTICS_DATA", Path(__file__).parents[2] / "shared" / "data"))


def names() -> list[str]:
    """Return the names of all benchmarks."""
    return sorted(m.name for m in pkgutil.iter_modules(suites.__path__))


def show(console: Console, name: str, records: list[Record]) -> None:
    """Print the records of one benchmark as a table, and their protocols below it."""
    table = Table(title=name, show_lines=False)
    for column in ("metric", "value", "unit", "goal or published", "n"):
        table.add_column(column, justify="right" if column in ("value", "n") else "left")
    for r in records:
        value = "–" if math.isnan(r.value) else f"{r.value:.6g}"
        table.add_row(r.metric, value, r.unit, r.goal, str(r.n))
    console.print(table)
    for protocol in dict.fromkeys(r.protocol for r in records):
        console.print(f"  {protocol}", style="dim")


def main(argv: list[str] | None = None) -> int:
    """Run the named benchmarks; return 0, or 2 for a wrong name or folder."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="+", metavar="NAME", help="'list', or the benchmarks to run")
    parser.add_argument("--data", type=Path, help="a folder with truth.csv (columns scan, firearm) and its scans")
    parser.add_argument(
        "--rows", nargs="+", metavar="ROW", default=(), help="only these groups of rows, where a benchmark has several"
    )
    parser.add_argument("--quick", action="store_true", help="a small sample, to try the benchmark itself")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the records to this file")
    parser.add_argument("--output", type=Path, default=Path("results"), help="folder for tables and plots")
    parser.add_argument("--workers", type=int, metavar="N", help="processes; the figures do not depend on it")
    options = parser.parse_args(argv)
    console = Console()
    if options.names == ["list"]:
        for name in names():
            console.print(f"[bold]{name}[/]  {importlib.import_module(f'benchmarks.suites.{name}').DESCRIPTION}")
        return 0
    unknown = [name for name in options.names if name not in names()]
    if unknown:
        console.print(f"no benchmark named {', '.join(unknown)}; there are: {', '.join(names())}", style="red")
        return 2
    if options.data is not None and not (options.data / "truth.csv").is_file():
        console.print(f"{options.data} holds no truth.csv with the columns scan, firearm", style="red")
        return 2
    if options.workers is not None and options.workers < 1:
        console.print(f"--workers {options.workers}: give at least 1", style="red")
        return 2
    own_data = options.data is not None
    context = Context(
        options.data or DEFAULT_DATA, own_data, options.quick, options.output, options.workers, tuple(options.rows)
    )
    records: list[Record] = []
    for name in options.names:
        try:
            with parallel_config(n_jobs=options.workers or os.cpu_count()):
                own = list(importlib.import_module(f"benchmarks.suites.{name}").run(context))
        except BallisticsError as error:
            console.print(f"{name}: {error}", style="red", markup=False)
            return 2
        show(console, name, own)
        records += own
    if options.json is not None:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps([asdict(r) for r in records], indent=1, ensure_ascii=False, allow_nan=True)
        options.json.write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
