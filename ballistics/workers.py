"""Worker processes that end with the process that started them, also when that is killed."""

from __future__ import annotations

import itertools
import os
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, ParamSpec, TypeVar

from joblib import Parallel, delayed

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")
# A worker that has grown is replaced, and its jobs are given to another: nothing to tell a user of. The warning comes
# from a thread of the pool's own, so that it cannot be caught around a call.
warnings.filterwarnings("ignore", message="A worker stopped while some jobs were given to the executor")
_LOOK_S = 1.0
_watching: set[int] = set()


class Watched(Generic[_Parameters, _Result]):
    """A function as a worker runs it: from its first call on, the worker ends when its parent is no more.

    A killed process cannot tell its workers to end; idle ones would wait for minutes, busy ones would work for nobody.
    Workers are kept for later calls: each call runs in the working folder of the process that made it, so that names of
    files mean the same in both.

    Parameters
    ----------
    function : callable
        Of a module, so that a worker can be given it.
    """

    def __init__(self, function: Callable[_Parameters, _Result]) -> None:
        self.function = function
        self.parent = os.getpid()
        self.folder = _working_folder()

    def __call__(self, *args: _Parameters.args, **options: _Parameters.kwargs) -> _Result:
        _end_with(self.parent)
        if self.folder != _working_folder() and os.path.isdir(self.folder):  # not on another machine
            os.chdir(self.folder)
        return self.function(*args, **options)


def _working_folder() -> str:
    try:
        return os.getcwd()
    except OSError:  # it was removed
        return ""


def unordered(
    workers: int, function: Callable[..., _Result], arguments: Iterable[tuple[Any, ...]]
) -> Iterator[_Result]:
    """Call a function of a module for every tuple of arguments, in worker processes; yield results as they come.

    The first call is made in this process: it compiles the kernels, once, and the workers load them from the cache.
    Each of them would compile them anew otherwise, and joblib takes the memory of a compiler for a leak and replaces
    the worker.

    Parameters
    ----------
    workers : int
        Number of processes, as joblib's ``n_jobs``.
    function : callable
        Of a module, so that a worker can be given it.
    arguments : iterable of tuple
        The arguments of each call; taken from it as workers become free.

    Yields
    ------
    object
        What a call returned, in the order in which calls end: not the same from run to run.
    """
    remaining = iter(arguments)
    for first in itertools.islice(remaining, 1):
        yield function(*first)
    tasks = (delayed(Watched(function))(*call) for call in remaining)
    yield from Parallel(n_jobs=workers, return_as="generator_unordered", batch_size=1)(tasks)


def end_with_parent(parent: int) -> None:
    """Make this worker end with its parent: the initializer of a pool, whose idle workers would wait for ever.

    Parameters
    ----------
    parent : int
        Process number of the parent, which may be gone already.
    """
    if os.getppid() != parent:
        os._exit(1)
    _end_with(parent)


def _end_with(parent: int) -> None:
    # In the process itself, or on another machine of a cluster, there is nothing to watch.
    if parent in _watching or os.getppid() != parent or os.getpid() == parent:
        return
    _watching.add(parent)
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_S)
    # Nobody waits for what this process does, and nothing it writes is half done: files appear whole.
    os._exit(1)
