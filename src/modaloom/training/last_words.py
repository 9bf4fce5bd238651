"""What ranks say when they stop, so that the others can tell who was lost, and why."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress

from torch.distributed import Store  # type: ignore[attr-defined]

INTERVAL = 0.05
"""Seconds between two looks."""
MET = " "
"""The words of a rank that only meets the failure of another."""


class LastWords:
    """The last words of all ranks, in a store that they share.

    Args:
        store: what is written there stays when a rank is gone.
        rank: which rank this is.
        size: number of ranks.
        seconds: how long a rank that meets a failure waits for the words of the others.
    """

    def __init__(self, store: Store, rank: int, size: int, seconds: float) -> None:
        self.store, self.rank, self.size, self.seconds = store, rank, size, seconds
        self._said = False

    def say(self, words: str) -> None:
        """Tell the others why this rank stops; only the first call counts."""
        if not self._said:
            self._said = True
            self._within_seconds(lambda: self.store.set(str(self.rank), words))

    def of_others(self) -> str:
        """Which other ranks have stopped and why, or do not answer."""
        self.say(MET)
        words: dict[int, str] = {}
        self._within_seconds(lambda: self._listen(words))
        silent = [rank for rank in self._others if rank not in words]
        found = [f"rank {rank} stopped: {said}" for rank, said in sorted(words.items()) if said != MET]
        found += [f"rank {rank} does not answer: it was killed, or it hangs" for rank in silent]
        return ", ".join(found) or "the connection was lost"

    @property
    def _others(self) -> list[int]:
        return [rank for rank in range(self.size) if rank != self.rank]

    def _listen(self, words: dict[int, str]) -> None:
        end = time.monotonic() + self.seconds
        while len(words) < self.size - 1 and time.monotonic() < end:
            for rank in self._others:
                if rank not in words and self.store.check([str(rank)]):
                    words[rank] = self.store.get(str(rank)).decode()
            time.sleep(INTERVAL)

    def _within_seconds(self, function: Callable[[], object]) -> None:
        """Call a function of the store, which may be gone with its rank, or hang with it."""

        def tolerant() -> None:
            with suppress(RuntimeError):
                function()

        call = threading.Thread(target=tolerant, daemon=True)
        call.start()
        call.join(self.seconds + 1)
