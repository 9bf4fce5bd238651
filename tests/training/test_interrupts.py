"""Stop signals."""

import os
import signal
import threading

import pytest

from modaloom.training.interrupts import catch_interrupts


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_first_is_a_question_and_the_second_acts(number: int) -> None:
    seen: list[int] = []
    before = signal.signal(number, lambda n, _: seen.append(n))
    try:
        with catch_interrupts() as stopped:
            assert not stopped()
            os.kill(os.getpid(), number)
            assert stopped()
            assert seen == []
            os.kill(os.getpid(), number)
            assert seen == [number]
    finally:
        signal.signal(number, before)


def test_handlers_come_back_also_after_an_error() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]

    def work() -> None:
        with catch_interrupts():
            assert signal.getsignal(signal.SIGINT) != before[1]
            raise RuntimeError

    with pytest.raises(RuntimeError):
        work()
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == before


def test_another_thread_goes_without() -> None:
    answers: list[bool] = []

    def work() -> None:
        with catch_interrupts() as stopped:
            answers.append(stopped())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert answers == [False]
