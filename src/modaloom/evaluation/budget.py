"""Time for scoring. It decides how many samples are taken, never which: those are in a fixed order."""

import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")
Clock = Callable[[], float]


@dataclass(frozen=True)
class Budget:
    """Until a moment of a clock, in seconds."""

    end: float = math.inf
    clock: Clock = time.monotonic

    @classmethod
    def of(cls, minutes: float | None, clock: Clock = time.monotonic) -> "Budget":
        """From now on; None: without end."""
        return cls(math.inf if minutes is None else clock() + 60 * minutes, clock)

    @property
    def is_bounded(self) -> bool:
        return math.isfinite(self.end)

    @property
    def over(self) -> bool:
        return self.clock() >= self.end

    def part(self, fraction: float) -> "Budget":
        """A fraction of what is left, from now on; none of it if nothing is."""
        now = self.clock()
        return Budget(now + fraction * max(0.0, self.end - now), self.clock) if self.is_bounded else self

    def take(self, items: Iterable[T], least: int) -> Iterator[T]:
        """Items while there is time, but at least so many of them."""
        for i, item in enumerate(items):
            if i >= least and self.over:
                return
            yield item
