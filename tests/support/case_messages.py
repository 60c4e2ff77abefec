"""The fixed texts of reports of a case, found in the modules that say them, and the words of code lists they show."""

import ast
from pathlib import Path

from ballistics.casework import CARTRIDGE_HEAD, CodeLists
from ballistics.methods import BULLET

_ROOM = Path(__file__).parents[2] / "ballistics" / "reports" / "contents"
_LISTS = (
    "purposes", "incident types", "item types", "marking conditions", "custody events", "mark types", "suitability",
    "review outcomes",
)  # fmt: skip
_PARTS = ("author", "examiner", "reviewer", "authoriser")
_FIGURES = (
    "Similarity", "Congruent cells, A in B and B in A", "Congruent segments, A in B and B in A",
    "Correlation of the whole marks", "Common area", "Common length", "Lands of A and B",
    "Lead of the best order of the lands over the next", "Probability of such an order by chance",
)  # fmt: skip


def said():
    """Return every text that a module of a case hands to its translator, in the order of the files."""
    found = {}
    for path in sorted(_ROOM.glob("case_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            is_said = isinstance(node, ast.Call) and ast.unparse(node.func) in ("t", "self.texts")
            if is_said and isinstance(node.args[0], ast.Constant):
                found[node.args[0].value] = None
    return [*found, *_FIGURES]


def words():
    """Return the keys of all words of code lists that a report shows."""
    lists = CodeLists()
    scales = lists["conclusion scales"].steps.values()
    return [
        *(f"{name}: {code}" for name in _LISTS for code in lists[name].means),
        *(f"mark types: {several}" for several in (BULLET, CARTRIDGE_HEAD)),
        *dict.fromkeys(f"conclusion scales: {step}" for steps in scales for step in steps),
        *(f"review checks: {code}" for code in lists["review checks"].means),
        *(f"roles: {part}" for part in _PARTS),
        *(f"severities: {name}" for name in ("warning", "serious")),
    ]
