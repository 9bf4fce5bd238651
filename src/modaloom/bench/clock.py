"""Time and peak memory of calls."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import accumulate
from statistics import median

import torch
from torch.profiler import ProfilerActivity, profile


@contextmanager
def one_thread() -> Iterator[None]:
    """Run torch on one CPU thread inside the context."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def milliseconds(
    calls: Mapping[str, Callable[[], object]], device: torch.device, *, repeats: int = 9
) -> dict[str, float]:
    """Name → median time of a call in ms, after one warm-up. Calls are interleaved against drift.

    On a CPU it is the CPU time of this thread, which other processes disturb less than wall time.
    """
    now, wait = (time.thread_time, _nothing) if device.type == "cpu" else (time.perf_counter, _synchronize)
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(repeats + 1):
        for name, call in calls.items():
            start = now()
            call()
            wait()
            if turn:  # turn 0 is the warm-up
                taken[name].append(1e3 * (now() - start))
    return {name: median(times) for name, times in taken.items()}


def peak_megabytes(call: Callable[[], object], device: torch.device) -> float:
    """Peak memory in MB allocated by tensors during a call, results included, above that before the call.

    As counted by torch's allocators, not by the process, whose heap also holds freed memory.
    """
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        held = torch.cuda.memory_allocated(device)
        call()
        return (torch.cuda.max_memory_allocated(device) - held) / 1e6
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True, acc_events=True) as recorded:
        call()
    events = [e for e in recorded.profiler.kineto_results.events() if e.name() == "[memory]"]
    changes: list[int] = [event.nbytes() for event in sorted(events, key=lambda event: event.start_ns())]
    return max(accumulate(changes, initial=0)) / 1e6


def _synchronize() -> None:
    torch.cuda.synchronize()


def _nothing() -> None:
    pass
