"""Where a path leads: also a link that leads to itself has an answer."""

from __future__ import annotations

import os
from pathlib import Path


def real_path(path: Path) -> Path:
    """Return the absolute path with its links followed, as far as they lead anywhere.

    `Path.resolve` ends in a `RuntimeError` on a link that leads to itself (Python 3.11 and 3.12).

    Examples
    --------
    >>> real_path(Path("/", "no-such-folder", "..", "a")) == real_path(Path("/a"))
    True
    """
    return Path(os.path.realpath(path))
