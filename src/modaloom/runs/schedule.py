"""Learning-rate schedule: fraction of the peak rate at each step, recorded in the run configuration."""

from dataclasses import dataclass

from modaloom.core.errors import BadValue

PEAK = 0
"""In place of the end of a decay: back to the peak rate."""
MIN_PROGRESS = 0.9
"""A decay that has begun earlier than this fraction of the steps after which it is due is taken back."""
MAX_DECAY = 0.95
"""Maximum decay fraction of `Schedule.fall`: a fraction of 1 would leave no steps before the decay."""


@dataclass(frozen=True)
class Schedule:
    """Trapezoidal schedule: linear warmup from 0 to 1, constant, linear decay to 0.

    The end of a decay can be changed during the decay, and a decay can be taken back, when the time turns out
    to allow more steps. Each change is recorded by its first step, so that the values before it stay
    bit-identical.
    """

    warmup: int
    """Warmup steps."""
    decays: tuple[tuple[int, int], ...]
    """(begin, end) of each decay: after `begin` steps the fraction decays linearly towards 0 at step `end`
    (counted from 1), or returns to the peak if `end` is PEAK, until the next one begins. In order,
    0 < begin < end; the last one ends."""

    def __post_init__(self) -> None:
        begins = [begin for begin, _ in self.decays]
        wrong = [(b, e) for b, e in self.decays if not (0 < b < e or (b > 0 and e == PEAK))]
        if not begins or begins != sorted(set(begins)) or wrong or self.decays[-1][1] == PEAK:
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
            share = self._rise(until) if end == PEAK else share * (end - until) / (end - begin)
        return share

    def decaying(self, done: int) -> bool:
        """Whether the decay has begun after `done` steps."""
        return any(end != PEAK for _, end in [d for d in self.decays if d[0] <= done][-1:])

    def progress(self, done: int) -> float:
        """Fraction of the steps that `done` is, by the end that was planned then; 0 outside of a decay.

        Until then the end may still move. Like the shares, past values do not change with the schedule.
        """
        begun = [decay for decay in self.decays if decay[0] <= done]
        return done / (begun[-1][1] - 1) if self.decaying(done) else 0.0

    def refit(self, done: int, total: int, decay: float) -> "Schedule":
        """Schedule for another `total` > `done`, unchanged for the completed steps.

        Before the decay, the new schedule decays over the last `decay · total` steps. During it, the decay is
        redirected to the new end; if it has begun much too early for `total`, it is taken back.
        """
        kept, due = self._before(done), _decay_begin(total, decay)
        if not self.decaying(done):
            return Schedule(self.warmup, (*kept, (max(done, due), total + 1)))
        if done < MIN_PROGRESS * due:
            return Schedule(self.warmup, (*kept, (done, PEAK), (due, total + 1)))
        return Schedule(self.warmup, (*kept, (done, total + 1)))

    def fall(self, done: int, decay: float) -> "Schedule":
        """Schedule whose decay begins after `done` steps and takes the fraction `decay` of all steps."""
        total = max(done + 1, round(done / (1 - min(decay, MAX_DECAY))))
        return Schedule(self.warmup, (*self._before(done), (done, total + 1)))

    def _before(self, done: int) -> tuple[tuple[int, int], ...]:
        return tuple(d for d in self.decays if d[0] < done)

    def _rise(self, place: int) -> float:
        return min(1.0, place / max(1, self.warmup))


def trapezoid(total: int, *, warmup: float, decay: float) -> Schedule:
    """Schedule with `warmup` and `decay` as fractions of `total` steps."""
    rise = max(1, round(warmup * total))
    return Schedule(rise, ((max(rise, _decay_begin(total, decay)), total + 1),))


def _decay_begin(total: int, decay: float) -> int:
    return total + 1 - max(1, round(decay * total))
