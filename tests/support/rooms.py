"""The rooms of the house and the arrows between them: the layers, what breaks them, and a picture of the imports.

``python tests/support/rooms.py OUT.svg`` draws every import between rooms, as ``make rooms`` does.
"""

from __future__ import annotations

import ast
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
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
    ("front",),
    ("reports",),
    ("exchange",),
    ("selftest",),
    ("casework", "registry"),
    ("search", "studies"),
    ("pairs",),
    ("library",),
    ("evidence",),
    ("heads",),
    ("methods",),
    ("comparison",),
    ("impressions", "striations"),
    ("surfaces", "printed"),
    ("records",),
    ("store",),
    ("files",),
    ("ground",),
    ("kernels",),
)
#: The same for the folders of a room, and for its own modules where they are named.
FOLDERS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "cli": (("casework", "printed", "registry"), ("laboratory", "terminal")),
    "kernels": (("profiles", "templates"), ("filters", "impressions", "meshes", "printing")),
    "evidence": (("wording",), ("models",)),
    "striations": (("comparing",), ("bullets",), ("preparation",), ("profile_filters",), ("signature",)),
    "surfaces": (("preparation", "simulation"), ("regions",), ("filtering", "formats")),
    "printed": (
        ("disk", "kin", "protocol"),
        ("identify", "shape_class"),
        ("collection",),
        ("describe",),
        ("files",),
        ("jobs",),
        ("content",),
    ),
    "reports": (
        ("pages",),
        ("schemas",),
        ("contents",),
        ("figures", "wording"),
        ("plain_values", "reported_scan", "reported_striae"),
    ),
}
GROUND = ("drawing", "errors", "findings", "frames", "progress", "provenance", "settings", "workers")


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
    faces = {name: face(path) for name, path in known.items() if path.name == "__init__.py"}
    for module, path in known.items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    if alias.name.split(".")[0] in PACKAGES:
                        yield Arrow(module, alias.name, "", node.lineno)
            elif isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in PACKAGES:
                for alias in node.names:
                    whole = f"{node.module}.{alias.name}"
                    inside = whole in known and alias.name not in faces.get(node.module, ())
                    yield Arrow(module, whole if inside else node.module, alias.name, node.lineno)


def face(path: Path) -> tuple[str, ...]:
    """Return the names that a package lets others import, as its stub lists them."""
    stub = path.with_suffix(".pyi")
    tree = ast.parse(stub.read_text(encoding="utf-8") if stub.exists() else "")
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    return tuple(name.name for node in imports for name in node.names)


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


def folders() -> dict[str, set[str]]:
    """Return the folders of modules in each room that has any."""
    found: dict[str, set[str]] = {}
    for module, path in modules().items():
        name = _within(module)
        if name and (path.name == "__init__.py" or module.split(".")[-1] != name):
            found.setdefault(room(module), set()).add(name)
    return found


def _within(module: str) -> str:
    """Return which folder or module of its room a module is in or is; empty for the room itself."""
    parts = module.split(".")
    return (*parts[1 if parts[0] == "ballistics_kernels" else 2 :], "")[0]


def floor(name: str) -> int:
    """Return the floor of a room, counted from the top."""
    return next(number for number, rooms in enumerate(LAYERS) if name in rooms)


def upward(found: Iterable[Arrow]) -> list[Arrow]:
    """Return the imports that go up, or sideways into another room or folder of a room."""
    return [arrow for arrow in found if _goes_up(arrow)]


def _goes_up(arrow: Arrow) -> bool:
    above, below = room(arrow.importer), room(arrow.imported)
    if above != below:
        return floor(below) <= floor(above)
    floors = {name: number for number, names in enumerate(FOLDERS.get(above, ())) for name in names}
    folders = [_within(module) for module in (arrow.importer, arrow.imported)]
    if folders[0] == folders[1] or not all(folder in floors for folder in folders):
        return False
    return floors[folders[1]] <= floors[folders[0]]


def past_the_face(found: Iterable[Arrow]) -> list[Arrow]:
    """Return the imports from another room that do not name its face; the kernels have a ground of their own."""
    return [
        arrow
        for arrow in found
        if (face := face_of(arrow.imported)) is not None and face != face_of(arrow.importer) and arrow.imported != face
    ]


def face_of(module: str) -> str | None:
    """Return the package whose face other rooms import instead of the module; None where modules have no room.

    Examples
    --------
    >>> face_of("ballistics.surfaces.formats.x3p.reader"), face_of("ballistics_kernels.meshes.votes")
    ('ballistics.surfaces', 'ballistics_kernels.meshes')
    >>> face_of("ballistics.errors") is None
    True
    """
    parts = module.split(".")
    if len(parts) < 2 or parts[1] in (*GROUND, "selftest", "accelerate", "compile_notice", "kernel_cache"):
        return None
    return ".".join(parts[:2])


def circles(found: Iterable[Arrow]) -> list[list[str]]:
    """Return the sets of modules that import each other, directly or through others."""
    graph = nx.DiGraph((arrow.importer, arrow.imported) for arrow in found if arrow.importer != arrow.imported)
    return sorted(sorted(circle) for circle in nx.strongly_connected_components(graph) if len(circle) > 1)


def crowded(most: int = 24) -> dict[str, int]:
    """Return the folders with more modules side by side than anybody finds their way in."""
    counts = Counter(path.parent.relative_to(ROOT).as_posix() for path in modules().values() if path.stem != "__init__")
    return {folder: count for folder, count in sorted(counts.items()) if count > most}


def draw(found: Iterable[Arrow], out: Path) -> None:
    """Draw the rooms floor by floor, and between two rooms an arrow as wide as their imports are many."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot as plt

    matplotlib.rcParams["svg.hashsalt"] = "rooms"
    counts = Counter((room(arrow.importer), room(arrow.imported)) for arrow in found)
    sizes = Counter(room(module) for module in modules())
    # Rooms alone on their floor stand in turn on the left, on the right and in the middle, so that arrows part.
    places = {
        name: ((number + 1) / (len(row) + 1) * 12 + (0, -3.6, 3.6)[level % 3] * (len(row) == 1), -1.5 * level)
        for level, row in enumerate([[name for name in row if name in sizes] for row in LAYERS])
        for number, name in enumerate(row)
    }
    figure, axes = plt.subplots(figsize=(11, 13))
    for (above, below), count in sorted(counts.items()):
        if above == below or below == "ground":
            continue
        (x0, y0), (x1, y1) = places[above], places[below]
        bend = 0.25 if abs(x0 - x1) < 0.5 and y0 - y1 > 1.6 else 0.08
        style = {"arrowstyle": "-|>", "lw": 0.6 + count**0.5 / 3, "color": "#4a6fa5", "alpha": 0.55}
        style |= {"connectionstyle": f"arc3,rad={bend}", "shrinkA": 18, "shrinkB": 18}
        axes.annotate("", (x1, y1), (x0, y0), arrowprops=style)
        axes.text(0.35 * x0 + 0.65 * x1, 0.35 * y0 + 0.65 * y1, str(count), fontsize=6, color="#26415f")
    for name, (x, y) in places.items():
        box = {"boxstyle": "round,pad=0.5", "fc": "#fdf6e3" if name != "ground" else "#eeeeee", "ec": "#777777"}
        axes.text(x, y, f"{name}\n{sizes[name]} files", ha="center", va="center", fontsize=9, bbox=box, zorder=5)
    axes.set(xlim=(0, 12), ylim=(-1.5 * len(LAYERS) + 0.7, 0.8), title="Rooms and their imports")
    axes.axis("off")
    figure.savefig(out, bbox_inches="tight", metadata={"Date": None})
    plt.close(figure)


def main(out: str) -> None:
    """Draw the picture, and print what is wrong with the house."""
    found = list(arrows())
    draw(found, Path(out))
    for text, faults in (
        ("upward", upward(found)),
        ("past the face", past_the_face(found)),
        ("circle", circles(found)),
        ("crowded", crowded().items()),
    ):
        for fault in faults:
            print(f"{text}: {fault}")


if __name__ == "__main__":
    main(*sys.argv[1:])
