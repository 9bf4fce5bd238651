"""Time budget of an evaluation. It limits the number of samples; their order is fixed."""

import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")
Clock = Callable[[], float]


@dataclass(frozen=True)
class Budget:
    """A deadline `end` of a clock, in seconds."""

    end: float = math.inf
    clock: Clock = time.monotonic

    @classmethod
    def of(cls, minutes: float | None, clock: Clock = time.monotonic) -> "Budget":
        """Returns a budget that starts now; None: unlimited."""
        return cls(math.inf if minutes is None else clock() + 60 * minutes, clock)

    @property
    def is_bounded(self) -> bool:
        return math.isfinite(self.end)

    @property
    def over(self) -> bool:
        return self.clock() >= self.end

    def part(self, fraction: float) -> "Budget":
        """Returns a budget of a fraction of the remaining time, starting now; empty if none remains."""
        now = self.clock()
        return Budget(now + fraction * max(0.0, self.end - now), self.clock) if self.is_bounded else self

    def take(self, items: Iterable[T], least: int) -> Iterator[T]:
        """Yields items until the deadline, but at least `least` of them."""
        for i, item in enumerate(items):
            if i >= least and self.over:
                return
            yield item
