"""What a training makes, by the engine that made it: how it is opened, scored and shown."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modaloom.api.atlas import write_atlas
from modaloom.api.examples import examples as commands
from modaloom.api.gallery import write_gallery
from modaloom.api.information import information as inform
from modaloom.api.judge import evaluate as score
from modaloom.api.restored import RestoredRun, load_restored
from modaloom.api.restored_examples import restored_examples
from modaloom.api.restored_judge import score_restored
from modaloom.api.restored_wall import write_wall
from modaloom.api.trained import TrainedRun
from modaloom.api.trained import load as load_trained
from modaloom.evaluation.information import Told
from modaloom.evaluation.rows import Row
from modaloom.runs.shipped import located
from modaloom.runs.store import RunFolder

Trained = TrainedRun | RestoredRun


@dataclass(frozen=True)
class Product:
    """Functions of a kind of finished run."""

    load: Callable[..., Any]
    """(Path, *, device) → the run."""
    score: Callable[..., list[Row]]
    """(Run, folder, *, n, …) → rows."""
    samples: int
    """Most samples of each row that a training ends with."""
    inform: Callable[..., list[Told]]
    """(Run, folder, *, n, …) → what its streams tell about each other."""
    show: Callable[[Any, str], None]
    """(Run, folder): fills RUN/samples."""
    renew: Callable[[Any], None]
    """What a report makes anew of a finished run."""
    commands: Callable[[Any], list[str]]
    """Three to paste after a training."""
    limits: Sequence[str]
    """Sentences for the card."""


def _show(trained: TrainedRun, folder: str) -> None:
    write_gallery(trained, folder)
    write_atlas(trained)


def _nothing(trained: Any) -> None:
    pass


def _none(*asked: Any, **how: Any) -> list[Any]:
    return []


FROM_SCRATCH = "Trained from scratch on the data above and nothing else; outside of it, it guesses."
PRODUCTS: Mapping[str, Product] = {
    "loom": Product(
        load=load_trained,
        score=score,
        samples=1_000_000,
        inform=inform,
        show=_show,
        renew=write_atlas,
        commands=commands,
        limits=(
            FROM_SCRATCH,
            "What it draws may be close to training samples: `_provenance.jsonl` names the nearest one.",
        ),
    ),
    "restorer": Product(
        load=load_restored,
        score=score_restored,
        samples=24,
        inform=_none,
        show=write_wall,
        renew=_nothing,
        commands=restored_examples,
        limits=(
            FROM_SCRATCH,
            "Details that it adds are likely ones, not those that were lost: it is no evidence.",
        ),
    ),
}
"""By `Run.engine`."""


def load(run: str | os.PathLike[str], *, device: str = "auto") -> Trained:
    """Open a finished run on a device: auto | cpu | cuda | mps. Raises `BadRun`, `BadValue`."""
    found: Trained = product_of(run).load(run, device=device)
    return found


def evaluate(run: str | os.PathLike[str] | Trained, folder: str | os.PathLike[str], **how: Any) -> list[Row]:
    """Rows on a folder's held-out samples; see `judge.evaluate` and `restored_judge.score_restored`."""
    return product_of(run).score(run, folder, **how)


def information(
    run: str | os.PathLike[str] | Trained, folder: str | os.PathLike[str], **how: Any
) -> list[Told]:
    """What a run's streams tell about each other; see `information.information`. Restorers tell nothing."""
    return product_of(run).inform(run, folder, **how)


def examples(trained: Trained) -> list[str]:
    """Three commands to paste."""
    return product_of(trained).commands(trained)


def product_of(run: str | os.PathLike[str] | Trained) -> Product:
    """Raises `BadRun`."""
    if isinstance(run, TrainedRun | RestoredRun):
        return PRODUCTS[run.run.engine]
    return PRODUCTS[RunFolder.open(located(Path(run))).run().engine]
