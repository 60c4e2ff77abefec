"""Copies among the files of a batch: grouped by file hash and by geometry hash, mirrored and scaled ones too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ballistics.printed.describe.geometry_hashes import GeometryKeys, copy_relation


@dataclass(frozen=True)
class Copy:
    """How a file stands to the first file, by name, of its family.

    Parameters
    ----------
    family : int
        From 1, in the order of the first files; 0 for a file without a geometry and without an equal.
    size : int
        Files in the family.
    of : str
        Name of the first file; empty for the first file itself.
    relation : {"", "same file", "same geometry", "mirrored", "scaled", "scaled and mirrored"}
    """

    family: int
    size: int
    of: str
    relation: str


def families(names: Sequence[str], hashes: Sequence[str], keys: Sequence[GeometryKeys | None]) -> list[Copy]:
    """Group files.

    Parameters
    ----------
    names : sequence of str
        Sorted.
    hashes : sequence of str
        SHA-256 of the bytes; empty when not known.
    keys : sequence of GeometryKeys or None
        Of all that a file holds; None when it is no mesh.

    Returns
    -------
    list of Copy
        For each file.

    Examples
    --------
    >>> [copy.relation for copy in families(["a", "b"], ["f0", "f0"], [None, None])]
    ['', 'same file']
    """
    by_file: dict[str, int] = {}
    by_shape: dict[str, list[int]] = {}
    head = list(range(len(names)))
    relations = [""] * len(names)
    for k, (digest, own) in enumerate(zip(hashes, keys, strict=True)):
        if digest and digest in by_file:
            head[k] = head[by_file[digest]]
            relations[k] = relations[by_file[digest]] or "same file"
            continue
        if digest:
            by_file[digest] = k
        if own is None:
            continue
        first, relation = _first(own, keys, by_shape)
        if first is None:
            by_shape.setdefault(own.shape, []).append(k)
        else:
            head[k], relations[k] = first, relation
    sizes = Counter(head)
    numbers: dict[int, int] = {}
    for k, first_of in enumerate(head):
        if first_of == k and (keys[k] is not None or sizes[k] > 1):
            numbers[k] = len(numbers) + 1
    return [Copy(numbers.get(h, 0), sizes[h], "" if h == k else names[h], relations[k]) for k, h in enumerate(head)]


def _first(
    own: GeometryKeys, keys: Sequence[GeometryKeys | None], by_shape: dict[str, list[int]]
) -> tuple[int | None, str]:
    """Return the first file that this one is a copy of, and how."""
    for mirrored in (False, True):
        rows = sorted({row for key in own.near_shapes(mirrored=mirrored) for row in by_shape.get(key, ())})
        for row in rows:
            other = keys[row]
            relation = None if other is None else copy_relation(own, other)
            if relation is not None:
                return row, "same geometry" if relation == "same" else relation
    return None, ""
