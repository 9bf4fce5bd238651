"""How long calls take, and how much memory."""

import ctypes
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import torch

STATUS, REFERENCES = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@contextmanager
def one_thread() -> Iterator[None]:
    """Torch's CPU work on one thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def milliseconds(
    calls: Mapping[str, Callable[[], object]], device: torch.device, *, repeats: int = 9
) -> dict[str, float]:
    """Name → median time of a call. The calls take turns, so that what slows the machine slows them all.

    On a CPU it is the processor's time of this thread, which other work disturbs less than the clock's.
    """
    now, wait = (time.thread_time, _nothing) if device.type == "cpu" else (time.perf_counter, _synchronize)
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(repeats + 1):
        for name, call in calls.items():
            start = now()
            call()
            wait()
            if turn:  # the first turn warms up
                taken[name].append(1e3 * (now() - start))
    return {name: median(times) for name, times in taken.items()}


def peak_megabytes(call: Callable[[], object], device: torch.device) -> float | None:
    """The most memory that is in use during a call beyond what was in use before it; None if unknown.

    What it returns counts.
    """
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        held = torch.cuda.memory_allocated(device)
        call()
        return (torch.cuda.max_memory_allocated(device) - held) / 1e6
    if not REFERENCES.exists():
        return None
    ctypes.CDLL(None).malloc_trim(0)
    REFERENCES.write_text("5")  # from now on the peak is that of what follows (proc(5))
    before = _status_megabytes("VmRSS")
    call()
    return max(0.0, _status_megabytes("VmHWM") - before)


def _status_megabytes(name: str) -> float:
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(name + ":"))
    return float(line.split()[1]) * 1024 / 1e6


def _synchronize() -> None:
    torch.cuda.synchronize()


def _nothing() -> None:
    pass
