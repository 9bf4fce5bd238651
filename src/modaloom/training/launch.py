"""The ranks of a training: those that torchrun started, or processes that are started on this machine."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from modaloom.core.distributed import SINGLE_PROCESS, Distributed
from modaloom.core.errors import BadValue, check_count
from modaloom.training.accelerator import Accelerator
from modaloom.training.process_group import process_group
from modaloom.training.threads import kept_threads

RANK, SIZE, LOCAL_RANK = "RANK", "WORLD_SIZE", "LOCAL_RANK"
"""Environment variables that torchrun sets."""
MEETING = "MODALOOM_MEETING"
"""Environment variable: where the ranks meet; by default env://, which torchrun prepares."""
MAX_PROCESSES_PER_CORE = 4
"""Of those that are started here; more would only wait for each other."""
PATIENCE = 8.0
"""Seconds in which the processes that are started here have to end, before they are killed."""


def leads() -> bool:
    """Whether this process is rank 0, or the only one."""
    return os.environ.get(RANK, "0") == "0"


@contextmanager
def joined(devices: int, device: str, follower: Sequence[str]) -> Iterator[Distributed]:
    """The ranks that train together: those of torchrun, else `devices` processes, of which this is rank 0.

    Args:
        devices: number of processes, at least 1; those of torchrun are counted by itself.
        device: auto | cpu | cuda | mps; of cuda, every rank has its own.
        follower: command line of the other ranks.

    Raises:
        BadValue: a wrong number of devices, or variables of torchrun that contradict each other.
        WorkFailed: the other ranks do not come.
    """
    check_count("devices", devices, 1)
    size, place = _number(SIZE, 1), Accelerator(device).device
    if devices > 1 < size != devices:
        raise BadValue(f"devices is {devices}, and torchrun has started {size} processes; leave it out")
    rank = _rank(size)
    if size > 1:
        _own_device(place, _number(LOCAL_RANK, 0))
        meeting = os.environ.get(MEETING, "env://")
        with process_group(rank, size, init_method=meeting, device=place) as distributed:
            yield distributed
    elif devices > 1:
        _check_devices(place, devices)
        with _launched(devices, place, follower) as distributed:
            yield distributed
    else:
        yield SINGLE_PROCESS


@contextmanager
def _launched(devices: int, place: torch.device, follower: Sequence[str]) -> Iterator[Distributed]:
    """Rank 0 of processes that are started here, and share the threads of this one.

    Signals of the terminal reach rank 0 alone, which tells the others.
    """
    with ExitStack() as stack:
        stack.enter_context(kept_threads())
        torch.set_num_threads(threads := max(1, torch.get_num_threads() // devices))
        meeting = f"file://{Path(stack.enter_context(TemporaryDirectory(prefix='modaloom-'))) / 'meeting'}"
        common = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "OMP_NUM_THREADS": str(threads),
            SIZE: str(devices),
            MEETING: meeting,
        }
        children: list[subprocess.Popen[bytes]] = []
        stack.callback(_end, children)
        for rank in range(1, devices):
            child = subprocess.Popen(
                follower,
                env={**common, RANK: str(rank), LOCAL_RANK: str(rank)},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )
            children.append(child)
        _own_device(place, 0)
        yield stack.enter_context(process_group(0, devices, init_method=meeting, device=place))


def _end(children: "Sequence[subprocess.Popen[bytes]]") -> None:
    end = time.monotonic() + PATIENCE
    for child in children:
        try:
            child.wait(max(0.0, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _own_device(place: torch.device, local_rank: int) -> None:
    _check_devices(place, local_rank + 1)
    if place.type == "cuda":
        torch.cuda.set_device(local_rank)


def _check_devices(place: torch.device, devices: int) -> None:
    """Raise `BadValue` if this machine is too small for so many processes."""
    gpus, most = torch.cuda.device_count(), MAX_PROCESSES_PER_CORE * (os.cpu_count() or 1)
    if place.type == "cuda" and devices > gpus:
        raise BadValue(f"devices is {devices}; this machine has {gpus} GPUs, and each process needs its own")
    if devices > most:
        raise BadValue(f"devices is {devices}; start one for each core of this machine, at most {most}")


def _rank(size: int) -> int:
    """Which rank this is, as torchrun says. Raises `BadValue` unless it is one of so many."""
    rank, there = _number(RANK, 0), [name for name in (RANK, SIZE) if name in os.environ]
    if len(there) == 1:
        raise BadValue(f"{there[0]} is set alone; torchrun sets {RANK} and {SIZE}: use it, or unset this")
    if rank >= size:
        raise BadValue(f"{RANK} is {rank} and {SIZE} is {size}; ranks are counted from 0")
    return rank


def _number(name: str, default: int) -> int:
    """An environment variable that is a number."""
    text = os.environ.get(name, str(default))
    if not text.isdecimal():
        raise BadValue(f"{name} is {text!r}; it must be a whole number, as torchrun sets it")
    return int(text)
