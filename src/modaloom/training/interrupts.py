"""Deferred SIGTERM and Ctrl-C, so that a loop can stop after saving its state."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from modaloom.core.errors import WorkFailed

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Interrupted(WorkFailed):
    """The training received a signal and saved a checkpoint; the message says how to resume."""


@contextmanager
def catch_interrupts() -> Iterator[Callable[[], bool]]:
    """Yield a function that returns whether a signal was received.

    The first signal is only recorded; the second has its original effect. Outside the main thread, where
    Python allows no signal handlers, the function returns False.
    """
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)

    def handle(number: int, frame: FrameType | None) -> None:
        asked.set()
        restore()

    for number in SIGNALS:
        signal.signal(number, handle)
    try:
        yield asked.is_set
    finally:
        restore()
