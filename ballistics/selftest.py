"""The installation qualification: compile everything, run known answers, say what runs here."""

from __future__ import annotations

import hashlib
import math
import platform
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import ballistics_kernels
from ballistics.evidence import BetaBinomial, log_lower_tail
from ballistics.impressions import compare
from ballistics.provenance import package_versions, sha256_of_array, sha256_of_file
from ballistics.surfaces import Mark, SimulatedHead, low_pass, prepare, read, simulate_population, write_x3p
from ballistics_kernels.impressions import masked_ncc

_SEED = 20_260_101


@dataclass(frozen=True)
class Check:
    """One known answer.

    Parameters
    ----------
    name : str
        What was computed.
    found, expected, tolerance : float
        The value here, the known one, and how far they may differ.
    origin : str
        Where the known answer comes from.
    """

    name: str
    found: float
    expected: float
    tolerance: float
    origin: str

    @property
    def passed(self) -> bool:
        """Whether the value is within its tolerance."""
        return math.isfinite(self.found) and abs(self.found - self.expected) <= self.tolerance


@dataclass(frozen=True)
class Environment:
    """What the engine runs on here.

    Parameters
    ----------
    versions : mapping of str to str
        Python and every package that can change a number.
    machine, system : str
        Processor and operating system.
    source_sha256 : str
        Hash over all source files of the engine, in order of their names.
    """

    versions: dict[str, str]
    machine: str
    system: str
    source_sha256: str


def environment() -> Environment:
    """Return versions, processor and the hash of the engine's own source."""
    digest = hashlib.sha256()
    for folder in (Path(__file__).parent, Path(ballistics_kernels.__file__).parent):
        for path in sorted(folder.rglob("*.py")):
            digest.update(path.relative_to(folder.parent).as_posix().encode() + sha256_of_file(path).encode())
    return Environment(dict(package_versions()), _processor(), platform.platform(), digest.hexdigest())


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return f"{line.split(':', 1)[1].strip()} ({platform.machine()})"
    except OSError:
        pass
    return platform.processor() or platform.machine()


def run() -> Iterator[Check]:
    """Run every known answer, one after the other.

    Examples
    --------
    >>> next(run()).passed
    True
    """
    steps: tuple[Callable[[], Iterator[Check]], ...] = (_filter, _correlation, _tail, _main_job)
    for step in steps:
        yield from step()


def _filter() -> Iterator[Check]:
    x = np.arange(400) * 6.25
    wave = np.tile(np.sin(2 * np.pi * x / 250.0), (120, 1))
    passed = low_pass(wave, (6.25, 6.25), 250.0)
    inner = slice(100, 300)
    share = float(np.dot(passed[60, inner], wave[60, inner]) / np.dot(wave[60, inner], wave[60, inner]))
    yield Check("Gaussian filter: transmission at the cut-off", share, 0.5, 0.01, "ISO 16610-21")


def _correlation() -> Iterator[Check]:
    a = np.array([[1, 2, np.nan], [4, 8, 3]], np.float32)
    b = np.array([[2, np.nan, 1], [3, 9, 5]], np.float32)
    r, overlap = masked_ncc(a, b, 2)
    # Placed on each other without a shift, four points are valid in both: (1, 2), (4, 3), (8, 9), (3, 5).
    yield Check(
        "masked correlation by hand: r",
        float(r[1, 2]),
        25 / math.sqrt(26 * 28.75),
        1e-5,
        "Pearson's r of (1,2) (4,3) (8,9) (3,5)",
    )
    yield Check("masked correlation by hand: common points", float(overlap[1, 2]), 4, 0, "counted")


def _tail() -> Iterator[Check]:
    tail = math.exp(log_lower_tail(BetaBinomial(26.29, 2.63), 6, 42))
    yield Check("beta-binomial: chance of fewer than 6 of 42 cells", tail * 1e12, 1.80, 0.005, "Zhang 2021, 1.80e-12")


def _main_job() -> Iterator[Check]:
    heads = list(simulate_population(2, 2, _SEED, breech_faces=("granular",)))
    with tempfile.TemporaryDirectory() as folder:
        marks = [_through_a_file(head, Path(folder) / f"{k}.x3p") for k, head in enumerate(heads)]
    same, different = compare(marks[0], marks[1]), compare(marks[0], marks[2])
    origin = "simulated scans of one seed; the truth is known"
    share = same.rules["significance"].score / max(same.a_in_b.n_cells if same.a_in_b else 0, 1)
    yield Check("one firearm: share of cells congruent", share, 1.0, 0.2, origin)
    yield Check("two firearms: cells congruent", different.rules["significance"].score, 0, 3, origin)
    if same.pose is not None:
        truth = heads[0].pose.after(heads[1].pose.inverse())
        turn = (same.pose.theta_deg - truth.theta_deg + 180) % 360 - 180
        yield Check("one firearm: error of the turn found, degrees", turn, 0.0, 0.3, origin)
    swapped = compare(marks[1], marks[0])
    yield Check("marks exchanged: change of the correlation", swapped.accf - same.accf, 0.0, 0.0, "symmetry")


def _through_a_file(head: SimulatedHead, path: Path) -> Mark:
    write_x3p(path, head.surface)
    surface = read(path)
    if sha256_of_array(surface.heights_um) != sha256_of_array(read(path).heights_um):
        raise AssertionError("reading one file twice gave different heights")
    return prepare(surface)
