"""The share of the peak learning rate at each step, as a run records it."""

from dataclasses import dataclass

from modaloom.core.errors import BadValue

MAX_DECAY = 0.95
"""Share that a fall which begins at once is at most: one of all steps would have no steps before it."""


@dataclass(frozen=True)
class Schedule:
    """A linear rise from 0, then 1, then linear falls towards 0.

    A fall may be aimed anew while it lasts, when the end of the training moves. What is recorded of each is
    where it began and where it would end, so that the shares before a new one stay the same bits.
    """

    warmup: int
    """Steps of the rise."""
    decays: tuple[tuple[int, int], ...]
    """(Begin, end) of each fall: the share after `begin` steps falls towards 0 at step `end` (from 1), until
    the next one begins."""

    def __post_init__(self) -> None:
        begins = [begin for begin, _ in self.decays]
        if not begins or begins != sorted(set(begins)) or any(not 0 < b < e for b, e in self.decays):
            raise BadValue(f"decays are {self.decays}; allowed: pairs [begin, end] in order, 0 < begin < end")

    @property
    def total(self) -> int:
        """Steps of the training."""
        return self.decays[-1][1] - 1

    def share(self, step: int) -> float:
        """The share that `step` (from 0) takes, in (0, 1]."""
        place = step + 1
        begun = [decay for decay in self.decays if decay[0] < place]
        share = self._rise(begun[0][0] if begun else place)
        for (begin, end), until in zip(begun, [*(b for b, _ in begun[1:]), place]):
            share *= (end - until) / (end - begin)
        return share

    def decaying(self, done: int) -> bool:
        """Whether the fall has begun after `done` steps."""
        return done >= self.decays[0][0]

    def refit(self, done: int, total: int, decay: float) -> "Schedule":
        """The schedule for another `total` > `done`; the shares of the steps that are done stay.

        Before its fall begins, it falls over the last `decay · total` steps; then it is aimed at the new end.
        """
        kept = tuple(d for d in self.decays if d[0] < done)
        begin = done if self.decaying(done) else max(done, _decay_begin(total, decay))
        return Schedule(self.warmup, (*kept, (begin, total + 1)))

    def fall(self, done: int, decay: float) -> "Schedule":
        """The schedule whose fall begins after `done` steps, and is `decay` of all steps."""
        total = max(done + 1, round(done / (1 - min(decay, MAX_DECAY))))
        return Schedule(self.warmup, ((done, total + 1),))

    def _rise(self, place: int) -> float:
        return min(1.0, place / max(1, self.warmup))


def trapezoid(total: int, *, warmup: float, decay: float) -> Schedule:
    """Rise and fall over shares of `total` steps."""
    rise = max(1, round(warmup * total))
    return Schedule(rise, ((max(rise, _decay_begin(total, decay)), total + 1),))


def _decay_begin(total: int, decay: float) -> int:
    return total + 1 - max(1, round(decay * total))
