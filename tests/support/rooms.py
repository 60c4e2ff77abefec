"""The rooms of the house and the arrows between them: the layers, what breaks them, and a picture of the imports.

``python tests/support/rooms.py OUT.svg`` draws every import between rooms, as ``make rooms`` does.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import networkx as nx

ROOT = Path(__file__).parents[2]
PACKAGES = {"ballistics": ROOT / "ballistics", "ballistics_kernels": ROOT / "kernels" / "ballistics_kernels"}

#: From the top floor down: a room imports rooms of floors below its own, never of its own or above. "ground" are the
#: modules beside the rooms; "ballistics" is what `import ballistics` names.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("ballistics",),
    ("cli",),
    ("reports",),
    ("selftest",),
    ("search", "studies"),
    ("pairs",),
    ("library",),
    ("evidence",),
    ("impressions", "striations"),
    ("surfaces", "printed"),
    ("files",),
    ("ground",),
    ("kernels",),
)
#: The same within a room whose folders are rooms of their own.
INNER: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "surfaces": (
        ("inspection", "scan_readings", "simulation"),
        ("preparation",),
        ("regions",),
        ("filtering", "formats", "instruments"),
        ("mark_types", "pose", "surface"),
    ),
    "evidence": (("study", "weighing", "crossvalidation", "comparisons", "reference_file", "wording"), ("lr_system",)),
    "reports": (("pages",), ("schemas",), ("figures", "wording")),
}
GROUND = ("errors", "findings", "progress", "provenance", "workers")


@dataclass(frozen=True)
class Arrow:
    """One import: from a module, of a module or of a name in it, on a line."""

    importer: str
    imported: str
    name: str
    line: int

    def __str__(self) -> str:
        return f"{self.importer}:{self.line} imports {self.name} from {self.imported}"


def modules() -> dict[str, Path]:
    """Return every module of the project by its dotted name."""
    found = {}
    for package, folder in PACKAGES.items():
        for path in sorted(folder.rglob("*.py")):
            parts = (package, *path.relative_to(folder).with_suffix("").parts)
            found[".".join(parts).removesuffix(".__init__")] = path
    return found


def arrows() -> Iterator[Arrow]:
    """Yield every import of a module of the project by another, also those inside functions and for types only."""
    known = modules()
    for module, path in known.items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    if alias.name.split(".")[0] in PACKAGES:
                        yield Arrow(module, alias.name, "", node.lineno)
            elif isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in PACKAGES:
                for alias in node.names:
                    whole = f"{node.module}.{alias.name}"
                    yield Arrow(module, whole if whole in known else node.module, alias.name, node.lineno)


def room(module: str) -> str:
    """Return the room of a module.

    Examples
    --------
    >>> room("ballistics.surfaces.formats.x3p.reader"), room("ballistics.errors"), room("ballistics_kernels.meshes")
    ('surfaces', 'ground', 'kernels')
    """
    parts = module.split(".")
    if parts[0] == "ballistics_kernels":
        return "kernels"
    return "ballistics" if len(parts) == 1 else "ground" if parts[1] in GROUND else parts[1]


def floor(name: str) -> int:
    """Return the floor of a room, counted from the top."""
    return next(number for number, rooms in enumerate(LAYERS) if name in rooms)


def upward() -> list[Arrow]:
    """Return the imports that go up, or sideways into another room."""
    found = []
    for arrow in arrows():
        above, below = room(arrow.importer), room(arrow.imported)
        if above != below and floor(below) <= floor(above):
            found.append(arrow)
    return found


def past_the_face() -> list[Arrow]:
    """Return the imports between rooms that do not name the face of a room."""
    return [
        arrow
        for arrow in arrows()
        if (below := room(arrow.imported)) != room(arrow.importer)
        and below not in ("ground", "ballistics")
        and arrow.imported.count(".") != 1
    ]


def circles() -> list[list[str]]:
    """Return the sets of modules that import each other, directly or through others."""
    graph = nx.DiGraph((arrow.importer, arrow.imported) for arrow in arrows() if arrow.importer != arrow.imported)
    return sorted(sorted(circle) for circle in nx.strongly_connected_components(graph) if len(circle) > 1)


def main() -> None:
    for kind, found in (("upward", upward()), ("circles", circles())):
        print(f"{kind}: {len(found)}")
        for each in found:
            print("  ", each)
    counts = Counter((room(a.importer), room(a.imported)) for a in arrows())
    print(counts)


if __name__ == "__main__":
    main()
