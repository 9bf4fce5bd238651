"""A conversation with a run."""

import os
from pathlib import Path

from modaloom.core.defaults import DEVICE, SEED
from modaloom.data.notices import Notify, silent
from modaloom.loom.chat import Chat
from modaloom.loom.run import TrainedRun, load


def chat(
    run: str | os.PathLike[str] | TrainedRun,
    *,
    out: str | os.PathLike[str] | None = None,
    seed: int = SEED,
    device: str = DEVICE,
    notify: Notify = silent,
) -> Chat:
    """Opens a conversation with a run: `say` a line, or `ask` with values.

    Args:
        run: a run folder, the name of a bundled run, or a loaded run.
        out: a new folder for what is generated; None: nothing is written.
        seed: of all answers.
        device: auto | cpu | cuda | mps; a loaded run stays on its device.
        notify: gets a warning for answers that are guesses, and for values that a limit of the run shortens.

    Raises `BadRun`, `BadValue`, and `BadFolder` for a folder that is not empty.
    """
    trained = run if isinstance(run, TrainedRun) else load(run, device=device)
    return Chat(trained, None if out is None else Path(out), seed, notify)
