"""SIGTERM and Ctrl-C as a question that a loop can ask, so that it stops where nothing is lost."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from modaloom.core.errors import WorkFailed

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Interrupted(WorkFailed):
    """The training was asked to stop and saved a checkpoint; the message says how to go on."""


@contextmanager
def catch_interrupts() -> Iterator[Callable[[], bool]]:
    """Yield a function: has a stop been asked for?

    The first signal only sets the answer; the second acts as it would without us. Outside the main thread,
    where Python allows no handlers, signals are left alone and the answer is no.
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
