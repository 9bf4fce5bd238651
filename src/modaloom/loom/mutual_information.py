"""Pairwise mutual information between the streams of a run."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from modaloom.core.defaults import DEVICE, INFORMATION_SAMPLES, SEED
from modaloom.core.errors import BadFolder
from modaloom.data.atomic_io import write_json
from modaloom.evaluation.choice import exact_of
from modaloom.evaluation.mutual_information import MutualInformation
from modaloom.loom.evaluation.folder import held_out
from modaloom.loom.evaluation.mutual_information import mutual_information as estimate
from modaloom.loom.run import TrainedRun, load
from modaloom.runs.store import INFORMATION


def mutual_information(
    run: str | os.PathLike[str] | TrainedRun,
    folder: str | os.PathLike[str],
    *,
    n: int = INFORMATION_SAMPLES,
    seed: int = SEED,
    device: str = DEVICE,
    on_pair: Callable[[MutualInformation], None] = lambda mi: None,
) -> list[MutualInformation]:
    """Pairwise mutual information between streams, in bits, on the first test split (else validation split).

    The first test split is the one closest to the training distribution. For a world's folder the exact value
    is included.

    Args:
        run: a loaded run, or a run folder or bundled run to load.
        folder: data folder.
        n: maximum number of samples per pair, ≥ 1; fewer if there are many pairs.
        seed: seed of the sample selection and of the noise.
        device: device of a run that is loaded here: auto | cpu | cuda | mps.
        on_pair: called with each result as soon as it is computed.

    Raises:
        BadFolder: the folder has no held-out split.
    """
    trained = run if isinstance(run, TrainedRun) else load(run, device=device)
    index = trained.run.data.open(Path(folder))
    tests = held_out(trained, index)
    if not tests:
        raise BadFolder(f"{folder} has no held-out split; add a test folder, or remove the split folders")
    split, samples = next(iter(tests.items()))
    found = []
    for mi in estimate(trained.model, samples, n=n, seed=seed, exact=exact_of(index.path, split)):
        found.append(mi)
        on_pair(mi)
    return found


def write_mutual_information(run: Path, found: Sequence[MutualInformation]) -> None:
    """Write RUN/information.json: {pairs: [{given, want, bits, low, high, entropy, exact, n}, …]}."""
    write_json(run / INFORMATION, {"pairs": [mi.to_dict() for mi in found]})
