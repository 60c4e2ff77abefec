"""Jobs sliced by PrusaSlicer with the profiles of printers' makers that it ships, from generated solids."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import trimesh

from reference_meshes.solids import solid

PROFILES = Path("/usr/share/PrusaSlicer/profiles")
#: The constants of `profile_similarity`, set by hand, were looked at on the first, and are reported on the others.
TRAINING, REPORTED = ("Creality", "Anycubic"), ("Artillery", "Elegoo", "PrusaResearch", "Voron")
# What a user changes for an object without touching the profile.
CHOICES = ("--fill-density", "35%", "--support-material", "--brim-width", "4", "--perimeters", "4")
_SECTION = re.compile(r"^\[(print|filament|printer):(.+)\]$")
_KINDS = ("print", "filament", "printer")

Sections = dict[tuple[str, str], dict[str, str]]


@dataclass(frozen=True)
class SlicedJob:
    """A job with what is known of it."""

    path: Path
    maker: str
    profile: int
    printer: str
    chosen: bool


def is_there() -> bool:
    """Return whether the slicer and its profiles are on this machine."""
    return shutil.which("prusa-slicer") is not None and PROFILES.is_dir()


def sections_of(path: Path) -> Sections:
    """Return the profiles of a maker's bundle."""
    found: Sections = {}
    current: dict[str, str] | None = None
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            named = _SECTION.match(line)
            current = found.setdefault((named[1], named[2]), {}) if named else None
        elif current is not None and not line.startswith("#") and "=" in line:
            key, _, value = line.partition("=")
            current[key.strip()] = value.strip()
    return found


def flat(sections: Sections, kind: str, name: str, depth: int = 0) -> dict[str, str]:
    """Return a profile with all that it inherits."""
    own = sections.get((kind, name), {})
    out: dict[str, str] = {}
    if depth < 20:
        for parent in filter(None, (word.strip() for word in own.get("inherits", "").split(";"))):
            out |= flat(sections, kind, parent, depth + 1)
    return out | {key: value for key, value in own.items() if key != "inherits"}


def configurations(maker: str, count: int, rng: np.random.Generator) -> list[tuple[str, str]]:
    """Return the text of some configurations of a maker, with the name of the printer."""
    sections = sections_of(PROFILES / f"{maker}.ini")
    named = {kind: [name for k, name in sections if k == kind and "*" not in name] for kind in _KINDS}
    found = []
    for _ in range(count):
        chosen = {kind: named[kind][int(rng.integers(len(named[kind])))] for kind in _KINDS}
        settings: dict[str, str] = {}
        for kind in _KINDS:
            settings |= flat(sections, kind, chosen[kind])
            settings[f"{kind}_settings_id"] = chosen[kind]
        kept = {k: v for k, v in settings.items() if not k.startswith(("compatible", "renamed", "alias", "default_"))}
        # A laser of resin has no place here.
        kept["printer_technology"] = "FFF"
        found.append(("\n".join(f"{key} = {value}" for key, value in kept.items()) + "\n", chosen["printer"]))
    return found


def sliced(makers: tuple[str, ...], count: int, folder: Path, seed: int) -> Iterator[SlicedJob]:
    """Slice two solids with each configuration, and the second once more with other choices for the object.

    Parameters
    ----------
    makers : tuple of str
    count : int
        Configurations of each.
    folder : Path
        For the jobs.
    seed : int
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    objects = []
    for k in range(2):
        mesh = solid(seed + k)
        vertices = mesh.vertices * (25.0 / float(np.ptp(mesh.vertices, axis=0).max()))
        path = folder / f"solid-{k}.stl"
        trimesh.Trimesh(vertices, mesh.faces, process=False).export(path)
        objects.append(path)
    number = 0
    for maker in makers:
        for text, printer in configurations(maker, count, rng):
            number += 1
            settings = folder / f"{number}.ini"
            settings.write_text(text, encoding="utf-8")
            for k, (mesh_path, choices) in enumerate(((objects[0], ()), (objects[1], ()), (objects[1], CHOICES))):
                out = folder / f"{number}-{k}.gcode"
                command = ["prusa-slicer", "--export-gcode", "--load", str(settings), *choices, "-o", str(out)]
                done = subprocess.run([*command, str(mesh_path)], capture_output=True, timeout=120, check=False)
                if done.returncode == 0 and out.exists():
                    yield SlicedJob(out, maker, number, printer, bool(choices))
