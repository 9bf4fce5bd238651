"""`Distributed` over torch's default process group: gloo for CPUs, nccl for GPUs.

Tested with gloo. Where a rank is lost, nccl does not raise: its watchdog ends the process. What is on the CPU
goes through gloo in any case.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed import PrefixStore, rendezvous  # type: ignore[attr-defined]

from modaloom.core.errors import RankZeroStopped, WorkFailed, check_range
from modaloom.training.collectives import Collectives, copied
from modaloom.training.last_words import LastWords

MAX_SECONDS = 60.0
"""The longest that a rank may wait for another before it gives up."""
SECONDS = 40.0
"""How long it waits by default; then it asks who is missing."""
WORDS_SHARE = 1 / 8
"""Fraction of that time in which it waits for their answer."""
BEATS = 4
"""Signs of life that a rank gives within that time, while others wait for it."""
WORKING, DONE, STOPPED = range(3)
"""What a rank says of its work in `first` and `in_turn`."""


class ProcessGroup(Collectives):
    """The ranks of the default process group, which `process_group` opens.

    Args:
        device: where this rank computes.
        words: what a rank says when it stops.
        seconds: how long it waits for another rank.
    """

    def __init__(self, device: torch.device, words: LastWords, seconds: float) -> None:
        self.size, self.rank, self.device = dist.get_world_size(), dist.get_rank(), device
        self._words, self._seconds = words, seconds

    def broadcast(self, value: Tensor) -> Tensor:
        value = copied(value)
        with self.answered("broadcast"):
            dist.broadcast(value, 0)
        return value

    def barrier(self) -> None:
        with self.answered("barrier"):
            dist.barrier()

    @contextmanager
    def first(self) -> Iterator[None]:
        if self.leads:
            with self._working(self._say):
                yield
            self._say(DONE)
            return
        while (said := self._say(WORKING)) == WORKING:
            pass
        if said == STOPPED:
            raise RankZeroStopped(f"rank {self.rank} of {self.size}: rank 0 has stopped")
        yield

    @contextmanager
    def in_turn(self) -> Iterator[None]:
        if self.leads:
            with self.first():
                yield
        else:
            with self.first():
                pass
            with self._working(self.numbers):
                yield
        while WORKING in (said := self.numbers(DONE)) and STOPPED not in said:
            pass
        if STOPPED in said:
            raise self._failure("work", "it has raised an error")

    @contextmanager
    def _working(self, say: Callable[[int], object]) -> Iterator[None]:
        """Say that this rank works until the block is left; if it raises, that it has stopped."""
        done, failed = threading.Event(), list[WorkFailed]()

        def beat() -> None:
            try:
                while not done.wait(self._seconds / BEATS):
                    say(WORKING)
            except WorkFailed as error:
                failed.append(error)

        beats = threading.Thread(target=beat, daemon=True)
        beats.start()
        try:
            yield
        except BaseException:
            done.set()
            beats.join()
            with suppress(WorkFailed):
                say(STOPPED)
            raise
        done.set()
        beats.join()
        if failed:
            raise failed[0]

    def _say(self, what: int) -> int:
        """What rank 0 says."""
        return int(self.broadcast(torch.tensor(what)))

    def all_reduce(self, value: Tensor) -> Tensor:
        with self.answered("sum"):
            dist.all_reduce(value)
        return value

    def all_gather(self, value: Tensor) -> list[Tensor]:
        parts = [torch.empty_like(value) for _ in range(self.size)]
        with self.answered("gather"):
            dist.all_gather(parts, value)
        return parts

    @contextmanager
    def answered(self, operation: str) -> Iterator[None]:
        try:
            yield
        except WorkFailed:
            raise
        except RuntimeError as error:
            raise self._failure(operation, error) from error

    def _failure(self, operation: str, reason: object) -> WorkFailed:
        return WorkFailed(
            f"rank {self.rank} of {self.size}: the {operation} over all ranks failed; "
            f"{self._words.of_others()}; go on with train --resume ({' '.join(str(reason).split())[:200]})"
        )


@contextmanager
def process_group(
    rank: int,
    size: int,
    *,
    init_method: str,
    device: torch.device,
    seconds: float = SECONDS,
) -> Iterator[ProcessGroup]:
    """Join the other ranks; leave them at the end.

    Args:
        rank: which rank this is, from 0.
        size: number of ranks.
        init_method: where they meet: env://, tcp://HOST:PORT or file://PATH (a file that does not exist yet).
        device: where this rank computes; nccl for cuda, gloo for any other.
        seconds: how long to wait for another rank, more than 0 and at most MAX_SECONDS.

    Raises:
        WorkFailed: the others do not come.
        BadValue: `seconds` is out of range.
    """
    check_range("seconds", seconds, 0, MAX_SECONDS, open_low=True)
    backend, limit = {"cuda": "cpu:gloo,cuda:nccl"}.get(device.type, "gloo"), timedelta(seconds=seconds)
    try:
        store, _, _ = next(rendezvous(init_method, rank, size, timeout=limit))
        # torchrun keeps one store, in which a process may have trained before
        store = PrefixStore(f"training {store.add(f'trainings of rank {rank}', 1)}", store)
        own = PrefixStore("group", store)
        dist.init_process_group(backend, store=own, rank=rank, world_size=size, timeout=limit)
    except (RuntimeError, ValueError) as error:
        raise WorkFailed(f"rank {rank} of {size} does not reach the others: {error}") from error
    words = LastWords(PrefixStore("words", store), rank, size, WORDS_SHARE * seconds)
    try:
        yield ProcessGroup(device, words, seconds)
    except BaseException as error:
        words.say(str(error) or type(error).__name__)
        raise
    finally:
        dist.destroy_process_group()
