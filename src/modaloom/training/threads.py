"""Number of CPU threads of a training, chosen by its measured pace.

The threads of a parallel region wait for each other. If another program delays one of them, all are late: two
threads beside one busy core trained a convolutional tokenizer four times slower than one thread did.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from statistics import median

import torch

Changes = Sequence[tuple[int, int]]
"""(Step, number of threads from this step on), in order."""
WINDOW = 8
"""Steps whose median is a pace; a trial of another number of threads takes as many."""
SLOWDOWN = 1.4
"""Factor of the pace at which other numbers of threads are tried."""
GAIN = 0.9
"""Another number of threads must take less than this fraction of the time."""
RETRY_SHARE = 0.05
"""Interval between two trials while other programs delay the training, as a fraction of the time budget."""
MIN_RETRY = 10
"""The same, at least so many times the duration of the previous trial."""
HOPELESS = 3
"""Steps after which a trial ends if even the fastest of them took longer than the pace before."""


def candidates(threads: int) -> list[int]:
    """Numbers of threads worth a trial, most first, for a machine that allows so many."""
    return sorted({threads, max(1, threads - 1), max(1, threads // 2), 1}, reverse=True)


def fastest(paces: Mapping[int, float]) -> int:
    """Number of threads with the shortest pace; more threads unless fewer are faster by `GAIN`."""
    best = max(paces)
    for threads in sorted(paces, reverse=True):
        if paces[threads] < GAIN * paces[best]:
            best = threads
    return best


def threads_at(changes: Changes, step: int) -> int | None:
    """Number of threads of a step; None before the first change."""
    return next((threads for first, threads in reversed(changes) if first <= step), None)


@contextmanager
def kept_threads() -> Iterator[None]:
    """Restores the process's number of threads afterwards."""
    before = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(before)


class ThreadTuner:
    """Chooses the number of threads from the durations of the steps.

    Another number is tried for `WINDOW` steps when the steps become slower by `SLOWDOWN`, and from time to
    time while fewer threads are used than the machine allows.

    Args:
        threads: the present number.
        allowed: numbers to choose from.
        pace: seconds per step with the present number.
        seconds: time budget of the stage.
    """

    def __init__(self, threads: int, allowed: Sequence[int], *, pace: float, seconds: float) -> None:
        self.threads, self.retry_seconds = threads, RETRY_SHARE * seconds
        self._reference, self._allowed = pace, allowed
        self._others = itertools.cycle(allowed)
        self._window: list[float] = []
        self._before: tuple[int, float] | None = None
        """During a trial: the previous number of threads and its pace."""
        self._since_trial = self._trial_seconds = 0.0

    def next(self, seconds: float) -> int:
        """Number of threads for the next step, after one that took so many seconds."""
        self._window.append(seconds)
        self._since_trial += seconds
        if len(self._window) == WINDOW or self._is_hopeless():
            window, self._window = self._window, []
            if self._before:
                self._end_trial(window, *self._before)
            elif self._is_due(pace := median(window)):
                self._begin_trial(pace)
        return self.threads

    def _is_hopeless(self) -> bool:
        return (
            self._before is not None and len(self._window) == HOPELESS and min(self._window) > self._before[1]
        )

    def _is_due(self, pace: float) -> bool:
        if len(self._allowed) == 1:
            return False
        fewer = self.threads < max(self._allowed)
        retry_seconds = max(self.retry_seconds, MIN_RETRY * self._trial_seconds)
        return pace > SLOWDOWN * self._reference or (fewer and self._since_trial > retry_seconds)

    def _begin_trial(self, pace: float) -> None:
        self._before = self.threads, pace
        self.threads = next(n for n in self._others if n != self.threads)

    def _end_trial(self, window: Sequence[float], threads: int, before: float) -> None:
        pace = median(window)
        if pace >= GAIN * before:
            self.threads, pace = threads, before
        self._reference, self._before = pace, None
        self._trial_seconds, self._since_trial = sum(window), 0.0
