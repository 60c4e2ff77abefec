"""Values as JSON can hold them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ballistics.provenance import sha256_of_array

# Arrays of at most this number of values are listed, larger ones named by their hash.
_LARGEST_LISTED = 64


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it: NaN as None, large arrays by shape and hash, unknown things as text.

    Examples
    --------
    >>> plain({"cut-off": np.float32(16.0), "missing": float("nan"), "pair": (1, 2)})
    {'cut-off': 16.0, 'missing': None, 'pair': [1, 2]}
    """
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return json_number(value)
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, np.ndarray):
        if value.size <= _LARGEST_LISTED:
            return plain(value.tolist())
        return {"shape": list(value.shape), "dtype": value.dtype.str, "sha256": sha256_of_array(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted((plain(item) for item in value), key=str)
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray)):
        return [plain(item) for item in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return plain(dataclasses.asdict(value))
    return str(value)


def json_number(value: float) -> float | None:
    """Return a number, None where there is none."""
    number = float(value)
    return number if math.isfinite(number) else None
