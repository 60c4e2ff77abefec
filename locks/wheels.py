"""Download the wheels of a lock for any Python and system, by hash, and say what is missing.

    python locks/wheels.py fetch locks/base.txt --python 3.13 --system windows --out wheels
    python locks/wheels.py check locks/all.txt

`fetch` fills a folder that can be carried to a machine without a network (docs/how-to/install.md). `check` tries every
Python from 3.11 to 3.14 on Linux, Windows and macOS and keeps nothing; it ends with an error if a wheel is missing.
It needs nothing but pip.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pip._vendor.packaging.markers import Marker

PYTHONS = ("3.11", "3.12", "3.13", "3.14")

# The tags that pip takes for a system, the newest first, and what the markers of a lock ask about it.
SYSTEMS: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
    "linux": (
        ("manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"),
        {"sys_platform": "linux", "os_name": "posix", "platform_system": "Linux", "platform_machine": "x86_64"},
    ),
    "windows": (
        ("win_amd64",),
        {"sys_platform": "win32", "os_name": "nt", "platform_system": "Windows", "platform_machine": "AMD64"},
    ),
    "macos": (
        tuple(f"macosx_{version}_arm64" for version in ("15_0", "14_0", "13_0", "12_0", "11_0")),
        {"sys_platform": "darwin", "os_name": "posix", "platform_system": "Darwin", "platform_machine": "arm64"},
    ),
}


@dataclass(frozen=True)
class Pin:
    """One line of a lock: what to install, when, and the hashes it may have."""

    requirement: str  # "numpy==2.4.6"
    marker: str
    hashes: str  # as they stand in the lock

    def wanted(self, python: str, system: str) -> bool:
        """Return whether this pin is for a Python and a system."""
        if not self.marker:
            return True
        environment = {"python_version": python, "python_full_version": f"{python}.0", **SYSTEMS[system][1]}
        environment |= {"implementation_name": "cpython", "platform_python_implementation": "CPython"}
        return Marker(self.marker).evaluate(environment)


def pins(lock: Path) -> Iterator[Pin]:
    """Yield the pins of a lock."""
    for line in lock.read_text(encoding="utf-8").replace("\\\n", " ").splitlines():
        found = re.match(r"\s*([^\s;#]+==[^\s;]+)\s*(?:;(.*?))?((?:\s+--hash=\S+)+)\s*$", line)
        if found:
            yield Pin(found[1], (found[2] or "").strip(), found[3].strip())


def fetch(lock: Path, python: str, system: str, out: Path) -> list[str]:
    """Download the wheels into a folder; return the pins that have none."""
    missing = []
    for pin in pins(lock):
        if pin.wanted(python, system) and not _downloaded(pin, python, system, out):
            missing.append(pin.requirement)
    return missing


def _downloaded(pin: Pin, python: str, system: str, out: Path) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        wanted = Path(folder) / "pin.txt"
        wanted.write_text(f"{pin.requirement} {pin.hashes}\n", encoding="utf-8")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command += ["--only-binary=:all:", "--require-hashes", "--python-version", python, "--dest", str(out)]
        command += [word for tag in SYSTEMS[system][0] for word in ("--platform", tag)]
        done = subprocess.run([*command, "-r", str(wanted)], capture_output=True, text=True, check=False)
    if done.returncode and "No matching distribution" not in done.stderr:
        print(done.stderr.strip(), file=sys.stderr)  # a network that is down is not a wheel that does not exist
    return done.returncode == 0


def main() -> int:
    """Run the command line; return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=["fetch", "check"])
    parser.add_argument("lock", type=Path)
    parser.add_argument("--python", choices=PYTHONS, default=f"{sys.version_info.major}.{sys.version_info.minor}")
    parser.add_argument("--system", choices=sorted(SYSTEMS), default="linux")
    parser.add_argument("--out", type=Path, default=Path("wheels"))
    asked = parser.parse_args()
    if asked.task == "fetch":
        missing = fetch(asked.lock, asked.python, asked.system, asked.out)
        print(f"{asked.out}: {len(list(asked.out.glob('*.whl')))} wheels" + (f"; missing {missing}" if missing else ""))
        return 1 if missing else 0
    whole = True
    for python in PYTHONS:
        for system in SYSTEMS:
            with tempfile.TemporaryDirectory() as folder:
                missing = fetch(asked.lock, python, system, Path(folder))
            print(f"{python} {system}: {', '.join(missing) or 'every wheel there'}", flush=True)
            whole = whole and not missing
    return 0 if whole else 1


if __name__ == "__main__":
    sys.exit(main())
