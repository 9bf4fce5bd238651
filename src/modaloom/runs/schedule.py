"""Learning-rate schedule: fraction of the peak rate at each step, recorded in the run configuration."""

from dataclasses import dataclass

from modaloom.core.errors import BadValue

MAX_DECAY = 0.95
"""Maximum decay fraction of `Schedule.fall`: a fraction of 1 would leave no steps before the decay."""


@dataclass(frozen=True)
class Schedule:
    """Trapezoidal schedule: linear warmup from 0 to 1, constant, linear decay to 0.

    The end of a decay can be changed during the decay. Each decay is recorded by its first and its planned
    last step, so that the values before a change stay bit-identical.
    """

    warmup: int
    """Warmup steps."""
    decays: tuple[tuple[int, int], ...]
    """(begin, end) of each decay: after `begin` steps the fraction decays linearly towards 0 at step `end`
    (counted from 1), until the next decay begins. In order, 0 < begin < end."""

    def __post_init__(self) -> None:
        begins = [begin for begin, _ in self.decays]
        if not begins or begins != sorted(set(begins)) or any(not 0 < b < e for b, e in self.decays):
            raise BadValue(f"decays are {self.decays}; allowed: pairs [begin, end] in order, 0 < begin < end")

    @property
    def total(self) -> int:
        """Number of training steps."""
        return self.decays[-1][1] - 1

    def share(self, step: int) -> float:
        """Fraction of the peak learning rate at `step` (from 0), in (0, 1]."""
        place = step + 1
        begun = [decay for decay in self.decays if decay[0] < place]
        share = self._rise(begun[0][0] if begun else place)
        for (begin, end), until in zip(begun, [*(b for b, _ in begun[1:]), place]):
            share *= (end - until) / (end - begin)
        return share

    def decaying(self, done: int) -> bool:
        """Whether the decay has begun after `done` steps."""
        return done >= self.decays[0][0]

    def progress(self, done: int) -> float:
        """Fraction of the steps that `done` is, by the end that was planned then; 0 before the first decay.

        Until then the end may still move. Like the shares, past values do not change with the schedule.
        """
        begun = [decay for decay in self.decays if decay[0] <= done]
        return done / (begun[-1][1] - 1) if begun else 0.0

    def refit(self, done: int, total: int, decay: float) -> "Schedule":
        """Schedule for another `total` > `done`, unchanged for the completed steps.

        Before the decay, the new schedule decays over the last `decay · total` steps; during it, the decay is
        redirected to the new end.
        """
        kept = tuple(d for d in self.decays if d[0] < done)
        begin = done if self.decaying(done) else max(done, _decay_begin(total, decay))
        return Schedule(self.warmup, (*kept, (begin, total + 1)))

    def fall(self, done: int, decay: float) -> "Schedule":
        """Schedule whose decay begins after `done` steps and takes the fraction `decay` of all steps."""
        total = max(done + 1, round(done / (1 - min(decay, MAX_DECAY))))
        return Schedule(self.warmup, ((done, total + 1),))

    def _rise(self, place: int) -> float:
        return min(1.0, place / max(1, self.warmup))


def trapezoid(total: int, *, warmup: float, decay: float) -> Schedule:
    """Schedule with `warmup` and `decay` as fractions of `total` steps."""
    rise = max(1, round(warmup * total))
    return Schedule(rise, ((max(rise, _decay_begin(total, decay)), total + 1),))


def _decay_begin(total: int, decay: float) -> int:
    return total + 1 - max(1, round(decay * total))
