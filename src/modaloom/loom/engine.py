"""`Engine` of Loom runs: any subset of the streams → any subset."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from modaloom.data.folder import Folder
from modaloom.data.notices import Notify, silent
from modaloom.engine import FROM_SCRATCH, Engine
from modaloom.evaluation.mutual_information import MutualInformation
from modaloom.evaluation.rows import ScoreRow
from modaloom.loom.atlas import write_atlas
from modaloom.loom.commands import examples
from modaloom.loom.config import PRESETS, LoomRunConfig
from modaloom.loom.evaluation.folder import evaluate
from modaloom.loom.mutual_information import mutual_information
from modaloom.loom.run import TrainedRun, load
from modaloom.loom.samples import write_gallery
from modaloom.loom.trainer import LoomTrainer
from modaloom.runs.store import RunFolder
from modaloom.training.accelerator import Accelerator


class LoomEngine(Engine[LoomRunConfig, TrainedRun]):
    """Trains the tokenizers of all streams, then one transformer over their codes."""

    config = LoomRunConfig
    presets = PRESETS
    limits = (
        FROM_SCRATCH,
        "What it generates may be close to training samples: `_provenance.jsonl` names the nearest one.",
    )

    def trainer(
        self, run: RunFolder[LoomRunConfig], folder: Folder, accelerator: Accelerator, *, notify: Notify
    ) -> LoomTrainer:
        return LoomTrainer(run, folder, accelerator, notify=notify)

    def load(self, path: Path, *, device: str = "auto") -> TrainedRun:
        return load(path, device=device)

    def evaluate(
        self,
        run: TrainedRun,
        folder: Path,
        *,
        rows: Sequence[str] = (),
        n: int,
        seed: int = 0,
        sampling: Mapping[str, Any] | None = None,
        minutes: float | None = None,
        on_row: Callable[[ScoreRow], None] = lambda row: None,
        notify: Notify = silent,
    ) -> list[ScoreRow]:
        return evaluate(
            run,
            folder,
            rows=rows,
            n=n,
            seed=seed,
            sampling=sampling,
            minutes=minutes,
            on_row=on_row,
            notify=notify,
        )

    def mutual_information(
        self,
        run: TrainedRun,
        folder: Path,
        *,
        n: int,
        seed: int = 0,
        on_pair: Callable[[MutualInformation], None] = lambda mi: None,
    ) -> list[MutualInformation]:
        return mutual_information(run, folder, n=n, seed=seed, on_pair=on_pair)

    def portable(self, config: LoomRunConfig) -> LoomRunConfig:
        return replace(config, streams={})

    def write_samples(self, run: TrainedRun, folder: Path, *, minutes: float | None = None) -> None:
        write_gallery(run, str(folder), minutes=minutes)
        write_atlas(run)

    def refresh_samples(self, run: TrainedRun) -> None:
        write_atlas(run)

    def commands(self, run: TrainedRun) -> list[str]:
        return examples(run)
