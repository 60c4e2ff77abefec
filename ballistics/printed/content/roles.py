"""Meshes of a file that are no solid part of what is printed: cutters, modifiers, supports, and their words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ballistics.findings import Finding
from ballistics.printed.content.instances import Assembly, Key

# Words of PrusaSlicer and SuperSlicer, Bambu Studio and OrcaSlicer, Cura, and of the 3MF core specification (4.1.2).
_ROLES = {
    "modelpart": "", "normalpart": "", "model": "",
    "negativevolume": "negative volume", "negativepart": "negative volume",
    "parametermodifier": "modifier", "modifierpart": "modifier", "modifier": "modifier",
    "infillmesh": "modifier", "cuttingmesh": "modifier",
    "supportblocker": "support blocker", "antioverhangmesh": "support blocker",
    "supportenforcer": "support enforcer",
    "support": "support", "solidsupport": "support", "supportmesh": "support",
    "surface": "surface", "other": "other",
}  # fmt: skip


def role_of(word: str) -> str:
    """Return the role that a slicer's or a format's word means; empty for a solid part.

    Examples
    --------
    >>> role_of("NegativeVolume"), role_of("support_blocker"), role_of("ModelPart"), role_of("decoy")
    ('negative volume', 'support blocker', '', 'decoy')
    """
    plain = word.strip().lower().replace("_", "").replace("-", "").replace(" ", "")
    return _ROLES.get(plain, word.strip()[:40])


def roled(metadata: Mapping[str, Any], word: str) -> dict[str, Any]:
    """Return the metadata of a mesh with its role, and the word for it in the file, if it has one."""
    role = role_of(word)
    return {**metadata, "role": role, "role in the file": word.strip()[:40]} if role else dict(metadata)


def set_apart(
    objects: dict[Key, Assembly[Key]], key: Key, chosen: NDArray[np.bool_], name: str, word: str, new: Key
) -> None:
    """Move some triangles of an object into an object of their own, placed where they were, with a role.

    Parameters
    ----------
    objects : dict of key to Assembly
        All of the file; the object is changed, and the new one added.
    key : hashable
        Of the object.
    chosen : ndarray of bool, shape (faces,)
        Which of its own triangles are moved.
    name, word : str
        Name of the new object, empty for that of the old, and the file's word for the role.
    new : hashable
        Key of the new object; no other has it.
    """
    here = objects[key]
    used, faces = np.unique(here.faces[chosen], return_inverse=True)
    own = roled(here.metadata, word)
    objects[new] = Assembly(here.vertices[used], faces.reshape(-1, 3), [], name or here.name, own)
    here.faces = here.faces[~chosen]
    here.placed.append((new, np.eye(4)))


def role_findings(metadata: Iterable[Mapping[str, Any]]) -> list[Finding]:
    """Return a finding for each role among the meshes of a file."""
    counts: dict[str, int] = {}
    for entry in metadata:
        if entry.get("role"):
            counts[_marked(entry)] = counts.get(_marked(entry), 0) + 1
    return [
        _finding(f"{count} of the meshes {'is' if count == 1 else 'are'} marked as {role}")
        for role, count in counts.items()
    ]


def role_of_part(metadata: Mapping[str, Any]) -> list[Finding]:
    """Return the finding of a part that has a role, or none."""
    return [_finding(f"the mesh is marked as {_marked(metadata)}")] if metadata.get("role") else []


def _marked(metadata: Mapping[str, Any]) -> str:
    role, word = str(metadata["role"]), str(metadata.get("role in the file", ""))
    return f"{role} ({word})" if word and word != role else role


def _finding(message: str) -> Finding:
    return Finding("not-a-solid-part", "warning", message, "kept apart; not joined with others, nothing is cut off")
