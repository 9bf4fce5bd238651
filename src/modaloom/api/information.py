"""What a run's streams tell about each other."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from modaloom.api.judge import held_out
from modaloom.api.trained import TrainedRun, load
from modaloom.core.errors import BadFolder
from modaloom.data.folder import open_folder
from modaloom.evaluation.choice import exact_of
from modaloom.evaluation.information import Told
from modaloom.evaluation.information import information as tell
from modaloom.report.facts import INFORMATION
from modaloom.runs.durable import write_json


def information(
    run: str | os.PathLike[str] | TrainedRun,
    folder: str | os.PathLike[str],
    *,
    n: int = 200,
    seed: int = 0,
    device: str = "auto",
    watch: Callable[[Told], None] = lambda told: None,
) -> list[Told]:
    """Bits that each stream tells about each other one, on the first test split of a folder (else its
    validation split): that is the one which resembles the training data most.

    Beside them stands the exact figure where the folder is a world's. `device` is where a run that is named
    works. Raises `BadFolder` if nothing is held out.
    """
    trained = run if isinstance(run, TrainedRun) else load(run, device=device)
    index = open_folder(Path(folder))
    tests = held_out(trained, index)
    if not tests:
        raise BadFolder(f"{folder} has no held-out split; add a test folder, or remove the split folders")
    split, samples = next(iter(tests.items()))
    found = []
    for told in tell(trained.model, samples, n=n, seed=seed, exact=exact_of(index.path, split)):
        found.append(told)
        watch(told)
    return found


def write_information(run: Path, found: Sequence[Told]) -> None:
    """Write RUN/information.json: {pairs: [{given, want, bits, low, high, entropy, exact, n}, …]}."""
    write_json(run / INFORMATION, {"pairs": [told.to_dict() for told in found]})
