"""The comparisons of a batch on many machines: Dask's scheduler and workers, a mark sent to the cluster once."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from ballistics.errors import ParameterError, WriteError
from ballistics.pairs.designs import SQUARE
from ballistics.pairs.mark_store import MarkSource
from ballistics.pairs.rows import Row
from ballistics.pairs.runs import Runner, Settings, compare_marks
from ballistics.provenance import package_versions
from ballistics.surfaces import Mark

# Pairs to a task: a few seconds of work with eight marks; the scheduler needs a millisecond for each task.
_BLOCK = SQUARE**2
# Blocks sent to each thread: one at work and one waiting, so that no thread waits for the network.
_AHEAD = 2
# Bytes of marks that the cluster holds, and that one worker may hold. A square of pairs needs 64 marks of 1 MB.
_HELD_BYTES = 512 * 1024**2
_SECONDS_TO_ANSWER = 30
_SECONDS_BETWEEN_COUNTS = 5.0


def on_cluster(address: str, settings: Settings = ()) -> Runner:
    """Return a runner that has the workers of a Dask scheduler compare.

    Workers may come and go while it runs; what a lost one had under way is done by others. A worker with other
    package versions than here is refused, because its numbers could differ.

    Parameters
    ----------
    address : str
        Of the scheduler, ``tcp://HOST:8786`` or ``tls://…`` (with certificates in Dask's own configuration).
    settings : tuple of (str, str)
        Other parameters than the usual ones, by name.

    Raises
    ------
    ParameterError
        When the extra 'cluster' is not installed, no scheduler or worker answers, or a worker has other versions.
    WriteError
        When the scheduler is lost; what is finished is kept.
    """

    def run(pairs: Iterator[tuple[str, str]], source: MarkSource) -> Iterator[Row]:
        with _client(address) as client:
            yield from _Cluster(client, source, settings).compared(pairs)

    return run


def _client(address: str) -> Any:
    try:
        from distributed import Client
    except ImportError as error:
        raise ParameterError("--scheduler needs the extra 'cluster': pip install 'ballistics[cluster]'") from error
    try:
        connect: Any = Client  # distributed states few of its types
        client = connect(address, timeout=_SECONDS_TO_ANSWER, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ParameterError(f"no Dask scheduler answers at {address}: start one with `dask scheduler`") from error
    try:
        client.wait_for_workers(1, timeout=_SECONDS_TO_ANSWER)
    except TimeoutError as error:
        client.close()
        raise ParameterError(
            f"the scheduler {address} has no worker: start some with `dask worker {address}`"
        ) from error
    return client


class _Cluster:
    """What one run has sent to the workers."""

    def __init__(self, client: Any, source: MarkSource, settings: Settings) -> None:
        self._client, self._source, self._settings = client, source, settings
        self._held: OrderedDict[str, tuple[Any, int]] = OrderedDict()
        self._bytes = 0
        self._counted, self._threads = float("-inf"), 1

    def compared(self, pairs: Iterator[tuple[str, str]]) -> Iterator[Row]:
        """Yield rows as they come, keeping only a limited number of blocks under way."""
        from concurrent.futures import CancelledError

        from distributed import KilledWorker, as_completed

        collect: Any = as_completed
        finished = collect(loop=self._client.loop)
        under_way = 0
        try:
            while True:
                while under_way < _AHEAD * self._number_of_threads() and (block := list(islice(pairs, _BLOCK))):
                    finished.add(self._submitted(block))
                    under_way += 1
                if under_way == 0:
                    return
                future = next(finished)
                under_way -= 1
                yield from future.result()
                future.release()
        except KilledWorker as error:
            raise WriteError(
                "several workers were lost one after the other over the same pairs; give each at least 2 GB of memory "
                "and run the same command again: nothing finished is lost"
            ) from error
        except (CancelledError, OSError) as error:
            if getattr(error, "filename", None) is not None:  # of a file; Dask's are of the connection
                raise
            raise WriteError(
                "the connection to the scheduler was lost; run the same command again: nothing finished is lost"
            ) from error

    def _number_of_threads(self) -> int:
        if time.monotonic() - self._counted > _SECONDS_BETWEEN_COUNTS:
            self._threads = max(1, sum(self._client.nthreads().values()))
            self._counted = time.monotonic()
        return self._threads

    def _submitted(self, block: Sequence[tuple[str, str]]) -> Any:
        keys = sorted({key for pair in block for key in pair})
        marks = [self._mark(key) for key in keys]
        versions = dict(package_versions())
        return self._client.submit(compare_block, block, keys, marks, versions, self._settings, pure=False)

    def _mark(self, key: str) -> Any:
        """Return a mark on the cluster, sent if it is not there.

        It is the result of a task, not scattered data: when the worker that has it is lost, the scheduler has the
        task done again. Workers pass it on to each other, and one of them keeps it as long as it is held here.
        """
        if key not in self._held:
            mark = self._source.load(key)
            size = mark.heights_um.nbytes
            self._held[key] = self._client.submit(_held, mark, key=f"mark-{id(self)}-{key}", pure=False), size
            self._bytes += size
            while self._bytes > _HELD_BYTES and len(self._held) > 2 * _BLOCK:
                _, (oldest, freed) = self._held.popitem(last=False)
                oldest.release()
                self._bytes -= freed
        self._held.move_to_end(key)
        return self._held[key][0]


def _held(mark: Mark) -> Mark:
    """Hold a mark on a worker."""
    return mark


def compare_block(
    block: Sequence[tuple[str, str]],
    keys: Sequence[str],
    marks: Sequence[Mark],
    versions: Mapping[str, Any],
    settings: Settings = (),
) -> list[Row]:
    """Compare some pairs on a worker.

    Parameters
    ----------
    block : sequence of (str, str)
        Keys of the two marks of each pair.
    keys : sequence of str
        Of all marks that occur in the block.
    marks : sequence of Mark
        In the order of ``keys``.
    versions : mapping
        Name and version of the packages of the machine that asks.
    settings : tuple of (str, str)
        Names and values of parameters of the comparison that are not the method's own; empty for none.

    Returns
    -------
    list of dict
        A row for each pair, in the order of the block.

    Raises
    ------
    ParameterError
        When the worker's packages are not those of the machine that asks.
    """
    own = package_versions()
    different = [
        f"{name} {own.get(name)} there, {version} here"
        for name, version in versions.items()
        if own.get(name) != version
    ]
    if different:
        raise ParameterError(f"a worker has other versions ({', '.join(different)}): install the same on all machines")
    by_key = dict(zip(keys, marks, strict=True))
    return [compare_marks(a, b, by_key[a], by_key[b], settings) for a, b in block]
