"""Where to cut a film: on onsets of its music, in shots of about one length."""

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from modaloom.core.errors import check_range

WEAK = 1.0
"""Cost of a cut on the weakest onset; on the strongest it is 0."""
UNHEARD = 6.0
"""Cost of a cut on no onset: where none is near, or in silence."""
UNEVEN = 4.0
"""Cost of a shot that is e times as long as it should be, or an e-th; it grows with the square of the
logarithm."""


@dataclass(frozen=True)
class ShotLengths:
    """How long shots are, in seconds."""

    usual: float = 2.0
    shortest: float = 0.5
    longest: float = 8.0

    def __post_init__(self) -> None:
        check_range("shortest shot", self.shortest, 0, open_low=True)
        check_range("usual shot", self.usual, self.shortest)
        check_range("longest shot", self.longest, self.usual)

    def cost(self, length: float) -> float:
        """Infinite for what is no shot."""
        if not self.shortest <= length <= self.longest:
            return math.inf
        return UNEVEN * math.log(length / self.usual) ** 2


def choose_cuts(
    times: Sequence[float], strengths: Sequence[float], seconds: float, lengths: ShotLengths
) -> list[float]:
    """The cheapest cuts of a film, by dynamic programming.

    Args:
        times: of onsets, seconds, ascending.
        strengths: of onsets, in [0, 1].
        seconds: that the film lasts.
        lengths: of shots; the film itself, if it is shorter, is one shot.

    Returns:
        Times of cuts, ascending, without the beginning and the end.
    """
    heard = {time: WEAK * (1 - strength) for time, strength in zip(times, strengths) if 0 < time < seconds}
    steps = 2 * math.ceil(2 * seconds / lengths.shortest)
    silent = {seconds * k / steps: UNHEARD for k in range(1, steps)}
    costs = {0.0: 0.0} | silent | heard | {seconds: 0.0}
    best: dict[float, tuple[float, float]] = {0.0: (0.0, 0.0)}
    places = sorted(costs)
    for i, place in enumerate(places[1:], start=1):
        near = places[bisect_left(places, place - lengths.longest) : i]
        ways = [(best[p][0] + lengths.cost(place - p) + costs[place], p) for p in near if p in best]
        cheapest = min(ways, default=(math.inf, 0.0))
        if cheapest[0] < math.inf:
            best[place] = cheapest
    return _path(best, seconds)


def _path(best: dict[float, tuple[float, float]], end: float) -> list[float]:
    """Places on the cheapest way to the end, without the first and the last."""
    cuts = list[float]()
    place = best[end][1] if end in best else 0.0
    while place > 0:
        cuts.append(place)
        place = best[place][1]
    return cuts[::-1]
