"""What long work tells of itself: the stage, and how much of it is done."""

from __future__ import annotations

from collections.abc import Callable

#: Told the stage, how many are done, of how many, and how many of these earlier runs had done.
Progress = Callable[[str, int, int, int], None]


def silent(stage: str, done: int, total: int, resumed: int) -> None:
    """Tell nobody."""
