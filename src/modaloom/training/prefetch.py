"""Batches of the next steps, prepared by threads while a step runs.

A batch is a pure function of its step, so that neither the number of threads nor their order has an influence
on it. Threads and not processes: reading and tensor operations release Python's lock, and nothing is copied.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Generic, TypeVar

B = TypeVar("B")

BATCHES_PER_WORKER = 2
"""Batches that are prepared or being prepared, per thread."""


class Prefetcher(Generic[B]):
    """Returns the batch of a step, and has those of the following steps prepared.

    At most `ahead` batches are in memory besides the one that is returned. An error is raised when the batch
    that it concerns is asked for.

    Args:
        batch: step (from 0) → batch; a pure function, called from several threads.
        pool: the threads.
        ahead: number of following steps, at least 1.
    """

    def __init__(self, batch: Callable[[int], B], pool: ThreadPoolExecutor, ahead: int) -> None:
        self.batch, self.pool, self.ahead = batch, pool, ahead
        self._pending: dict[int, Future[B]] = {}

    def __call__(self, step: int) -> B:
        """The batch of any step; fast for the step after the last one."""
        wanted = range(step, step + self.ahead + 1)
        for other in self._pending.keys() - set(wanted):
            self._pending.pop(other).cancel()
        for each in wanted:
            if each not in self._pending:
                self._pending[each] = self.pool.submit(self.batch, each)
        return self._pending.pop(step).result()


@contextmanager
def prefetched(batch: Callable[[int], B], workers: int) -> Iterator[Callable[[int], B]]:
    """A function with the values of `batch`, prepared ahead while the context is open.

    Args:
        batch: step (from 0) → batch; a pure function.
        workers: number of threads; 0: batches are computed when they are asked for.
    """
    if not workers:
        yield batch
        return
    pool = ThreadPoolExecutor(workers, thread_name_prefix="prefetch")
    try:
        yield Prefetcher(batch, pool, BATCHES_PER_WORKER * workers)
    finally:
        pool.shutdown(cancel_futures=True)
