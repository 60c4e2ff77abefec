"""Progress: what long work tells of how far it is."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """A function that is told of each step: the stage, the steps done, all steps, and those of an earlier run."""

    def __call__(self, stage: str, done: int, total: int, resumed: int = 0, /) -> None: ...


def silent(stage: str, done: int, total: int, resumed: int = 0, /) -> None:
    """Ignore the progress.

    Parameters
    ----------
    stage : str
        Name of the stage.
    done, total : int
        Steps done, and all steps of the stage.
    resumed : int
        Steps of ``done`` that an earlier run did.
    """
