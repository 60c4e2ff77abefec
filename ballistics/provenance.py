"""What every result carries: input hashes, method, parameters, versions."""

from __future__ import annotations

import errno
import hashlib
import importlib.metadata
import os
import platform
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

# The packages whose version can change a number in a result.
_NUMERICAL_PACKAGES = ("ballistics", "numpy", "scipy", "numba", "llvmlite", "opencv-python-headless")


def sha256_of_file(path: str | Path) -> str:
    """Return the SHA-256 of a file's bytes, as 64 hexadecimal digits.

    Raises
    ------
    OSError
        When it cannot be read, or is no regular file: a pipe or a device could be read for ever.
    """
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise OSError(errno.EINVAL, "is not a regular file", str(path))
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of_array(array: NDArray[Any]) -> str:
    """Return the SHA-256 of an array's shape, type and values.

    The array is first made canonical, so that equal measurements have equal hashes on every
    machine: little-endian, C order, every NaN the same quiet NaN, every zero positive.

    Examples
    --------
    >>> a = np.array([[1.0, np.nan], [-0.0, 2.0]])
    >>> sha256_of_array(a) == sha256_of_array(np.asfortranarray(a + 0.0))
    True
    """
    canonical = np.array(array, dtype=array.dtype.newbyteorder("<"), order="C", copy=True)
    if canonical.dtype.kind == "f":
        canonical[np.isnan(canonical)] = np.nan
        canonical += 0.0
    digest = hashlib.sha256(f"{canonical.dtype.str}{canonical.shape}".encode())
    digest.update(canonical.reshape(-1).view(np.uint8).data if canonical.size else b"")
    return digest.hexdigest()


@cache
def package_versions() -> Mapping[str, str]:
    """Return the versions of Python and of every package that can change a number in a result."""
    versions = {"python": platform.python_version()}
    for name in _NUMERICAL_PACKAGES:
        versions[name] = importlib.metadata.version(name)
    return versions


@dataclass(frozen=True)
class Provenance:
    """How a result came to be: enough to make it again, byte for byte.

    Parameters
    ----------
    method : str
        Name of the method, as the field calls it.
    version : str
        Version of the method; it changes whenever the same input could give another result.
    parameters : mapping
        Every parameter, also those left at their default; names carry the unit.
    inputs : mapping
        SHA-256 by role, e.g. ``{"file": "9f…", "array": "03…"}``.
    references : tuple of str
        DOIs (or other identifiers) of the methods that ran.
    versions : mapping
        Versions of the packages that can change a number.
    """

    method: str
    version: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    references: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=package_versions)
