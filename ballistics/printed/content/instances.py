"""Objects made of other objects (3MF components, AMF constellations, glTF nodes), put together without trust."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from ballistics.errors import CorruptFileError, HostileFileError
from ballistics.printed.content.bounds import check_face_count
from ballistics.printed.content.mesh_content import Item

_MAX_DEPTH = 32
_MAX_INSTANCES = 20_000

Key = TypeVar("Key", bound=Hashable)


@dataclass
class Assembly(Generic[Key]):
    """One object of a file: its own triangles, and where other objects are placed in it.

    Parameters
    ----------
    vertices, faces : ndarray
        Its own triangles; may be empty.
    placed : list of (key, ndarray of float64, shape (4, 4))
        Other objects; the matrix acts on column vectors.
    name : str
    metadata : mapping
    """

    vertices: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 3)))
    faces: NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 3), np.int64))
    placed: list[tuple[Key, NDArray[np.float64]]] = field(default_factory=list)
    name: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)


class Assembler(Generic[Key]):
    """Puts assemblies together; counts what would come out before anything is copied.

    Parameters
    ----------
    objects : mapping of key to Assembly
    face_limit : int
        Most faces of all that is put together.

    Raises
    ------
    CorruptFileError
        An object that is placed does not exist.
    HostileFileError
        Objects contain themselves, or are nested too deep.
    """

    def __init__(self, objects: Mapping[Key, Assembly[Key]], face_limit: int) -> None:
        self._objects = objects
        self._face_limit = face_limit
        self._faces = 0
        self._instances = 0
        self._sizes: dict[Key, tuple[int, int, int]] = {}
        for key in objects:
            self._size(key, ())

    def joined(self, key: Key, matrix: NDArray[np.float64], metadata: Mapping[str, Any] | None = None) -> list[Item]:
        """Return an object with everything placed in it, moved by a matrix: what is solid as one item, the rest apart.

        Meshes with a ``role`` in their metadata, or in a component with one, are no solid parts (see `role_of`).

        Parameters
        ----------
        key : hashable
            Of the object.
        matrix : ndarray of float64, shape (4, 4)
            Acts on column vectors, in the file's unit.
        metadata : mapping, optional
            What is known of this use of the object. It goes before the metadata of the object itself; those of what is
            apart go before it.

        Returns
        -------
        list of Item
            The solid one first, where there is any.

        Raises
        ------
        CorruptFileError
            The object does not exist, or a matrix is not finite.
        HostileFileError
            The objects multiply beyond the limit.
        """
        solid: list[Item] = []
        apart: list[Item] = []
        for item in self.items(key, matrix):
            (apart if item.metadata.get("role") else solid).append(item)
        top = self._objects[key]
        own = {**top.metadata, **(metadata or {})}
        items = [Item(*_together(solid), top.name, own)] if solid else []
        return items + [Item(i.vertices, i.faces, i.name, {**(metadata or {}), **i.metadata}) for i in apart]

    def items(self, key: Key, matrix: NDArray[np.float64]) -> list[Item]:
        """Return an object and every one placed in it, moved by a matrix, each as an item of its own.

        Raises as `item` does.
        """
        faces, instances, _ = self._size(key, ())
        self._faces += faces
        self._instances += instances
        check_face_count(self._faces, self._face_limit)
        if self._instances > _MAX_INSTANCES:
            raise HostileFileError(f"the objects multiply to {self._instances} copies; the limit is {_MAX_INSTANCES}")
        copies: list[Item] = []
        self._collect(key, matrix, {}, copies)
        return copies

    def _size(self, key: Key, above: tuple[Key, ...]) -> tuple[int, int, int]:
        """Return the faces, copies and depth of an object with all it holds."""
        if key in self._sizes:
            return self._sizes[key]
        if key in above:
            raise HostileFileError(f"object {key!r} contains itself: recursive components")
        if len(above) > _MAX_DEPTH:
            raise HostileFileError(f"objects are nested more than {_MAX_DEPTH} deep")
        if key not in self._objects:
            raise CorruptFileError(f"object {key!r} is used but does not exist")
        here = self._objects[key]
        faces, instances, depth = len(here.faces), 1, 1
        for other, _ in here.placed:
            more_faces, more_instances, below = self._size(other, (*above, key))
            faces, instances, depth = faces + more_faces, instances + more_instances, max(depth, below + 1)
        if depth > _MAX_DEPTH:
            raise HostileFileError(f"objects are nested more than {_MAX_DEPTH} deep")
        self._sizes[key] = faces, instances, depth
        return self._sizes[key]

    def _collect(self, key: Key, matrix: NDArray[np.float64], role: Mapping[str, Any], copies: list[Item]) -> None:
        if not np.isfinite(matrix).all():
            raise CorruptFileError(f"the place of object {key!r} is not finite")
        here = self._objects[key]
        # What lies in a support is support.
        role = {k: here.metadata[k] for k in ("role", "role in the file") if k in here.metadata} or role
        with np.errstate(over="ignore", invalid="ignore"):
            moved = here.vertices @ matrix[:3, :3].T + matrix[:3, 3]
            mirrored = bool(np.linalg.det(matrix[:3, :3]) < 0)
            # A mirroring matrix turns every triangle inside out.
            faces = here.faces[:, ::-1] if mirrored else here.faces
            copies.append(Item(moved, faces, here.name, {**here.metadata, **role}))
            places = [(other, matrix @ place) for other, place in here.placed]
        for other, place in places:
            self._collect(other, place, role, copies)

    def used(self) -> set[Key]:
        """Return the keys of the objects that are placed in others."""
        return {other for here in self._objects.values() for other, _ in here.placed}


def _together(items: list[Item]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    before = np.cumsum([0, *(len(item.vertices) for item in items)])
    return (
        np.concatenate([item.vertices for item in items]),
        np.concatenate([item.faces + start for item, start in zip(items, before, strict=False)]),
    )
