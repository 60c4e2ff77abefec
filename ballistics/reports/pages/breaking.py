"""Places where a line may end inside of long names, for what is set by typst."""

from __future__ import annotations

import re
from typing import Any

_LONG, _PIECE, _HASH = re.compile(r"\S{20,}"), re.compile(r"\S{10}"), re.compile("[0-9a-f]{64}")


def breakable(value: Any) -> Any:
    """Return texts, lists and mappings of them with places where a line may end; a hash stays whole, to be copied."""
    if isinstance(value, dict):
        return {name: breakable(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [breakable(inner) for inner in value]
    if not isinstance(value, str) or _HASH.fullmatch(value):
        return value
    return _LONG.sub(lambda word: _PIECE.sub("\\g<0>\N{ZERO WIDTH SPACE}", word[0]), value)
