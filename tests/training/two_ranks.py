"""Processes that train together and call the functions that a test gives them."""

import pickle
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Self

import torch

from modaloom.training.process_group import process_group

SIZE = 2
"""How many there are, unless a test asks for more."""
LIMIT = 120.0
"""Seconds after which a call counts as hanging."""

CONTEXT = get_context("forkserver")
CONTEXT.set_forkserver_preload(
    ["modaloom.training.process_group", "modaloom.loom.trainer", "modaloom.restorer.trainer"]
)
"""One process imports what takes seconds; the others are copies of it."""


class Ranks:
    """Processes joined by gloo. Functions are those of test modules, which the processes import.

    Args:
        folder: an empty one, where they meet.
        seconds: how long they wait for each other.
        size: how many.
    """

    def __init__(self, folder: Path, *, seconds: float = 60.0, size: int = SIZE) -> None:
        meeting = f"file://{folder / 'meeting'}"
        pipes = [CONTEXT.Pipe() for _ in range(size)]
        self.pipes = [here for here, _ in pipes]
        self.processes = [
            CONTEXT.Process(target=_serve, args=(rank, size, there, meeting, seconds), daemon=True)
            for rank, (_, there) in enumerate(pipes)
        ]
        for process in self.processes:
            process.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes:
            process.kill()
            process.join()

    def send(self, function: Callable[..., Any], *args: Any) -> None:
        """Have every process call the function with these arguments and its `Distributed`."""
        for pipe in self.pipes:
            pipe.send_bytes(pickle.dumps((function, args)))

    def result(self, rank: int) -> Any:
        """What the function has returned or raised there."""
        assert self.pipes[rank].poll(LIMIT), f"rank {rank} hangs"
        return pickle.loads(self.pipes[rank].recv_bytes())

    def results(self, function: Callable[..., Any], *args: Any) -> list[Any]:
        """What the function returns or raises in each process."""
        self.send(function, *args)
        return [self.result(rank) for rank in range(len(self.pipes))]

    def call(self, function: Callable[..., Any], *args: Any) -> list[Any]:
        """What the function returns in each process. Raises what it raises."""
        results = self.results(function, *args)
        for result in results:
            if isinstance(result, Exception):
                raise result
        return results


def _serve(rank: int, size: int, pipe: Connection, meeting: str, seconds: float) -> None:
    torch.set_num_threads(1)
    cpu = torch.device("cpu")
    with process_group(rank, size, init_method=meeting, device=cpu, seconds=seconds) as distributed:
        while True:
            function, args = pickle.loads(pipe.recv_bytes())
            try:
                result = function(*args, distributed)
            except Exception as error:
                result = error
            pipe.send_bytes(pickle.dumps(result))
