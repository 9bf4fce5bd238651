"""`modaloom …` as one of several ranks, which one of them leaves at some point of the training.

python lost.py RANK SIGNAL POINT CALLS WORDS…: this rank sends itself the signal at that call of POINT; if
torchrun starts it again, not again.
"""

import importlib
import os
import signal
import sys
from typing import Any

from modaloom.cli import main

POINTS = {
    "prepare": "modaloom.loom.trainer:prepare",
    "forward": "modaloom.training.accelerator:Accelerator.step",
    "all-reduce": "modaloom.training.process_group:ProcessGroup.all_reduce",
    "optimizer": "modaloom.training.accelerator:Optimizers.step",
    "save": "modaloom.runs.checkpoint:write_folder",
    "verify": "modaloom.runs.checkpoint:load",
}
"""Point → the function at whose start it is."""


def leave_at(point: str, number: int, calls: int) -> None:
    module, _, path = POINTS[point].partition(":")
    *outer, name = path.split(".")
    owner: Any = importlib.import_module(module)
    for each in outer:
        owner = getattr(owner, each)
    function, count = getattr(owner, name), 0

    def counted(*args: Any, **options: Any) -> Any:
        nonlocal count
        count += 1
        if count == calls:
            os.kill(os.getpid(), number)
        return function(*args, **options)

    setattr(owner, name, counted)


if __name__ == "__main__":
    rank, number, point, calls = sys.argv[1:5]
    sys.argv[1:] = sys.argv[5:]
    if os.environ["RANK"] == rank and os.environ.get("TORCHELASTIC_RESTART_COUNT", "0") == "0":
        leave_at(point, signal.Signals[number], int(calls))
    main()
