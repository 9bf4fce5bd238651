"""`Engine` of Loom runs: any subset of the streams → any subset."""

from collections.abc import Callable
from pathlib import Path

from modaloom.core.defaults import DEVICE, SEED
from modaloom.data.folder import Folder
from modaloom.data.notices import Notify
from modaloom.engine import FROM_SCRATCH, Engine, EvaluationOptions, Exportable, Trainer
from modaloom.evaluation.mutual_information import MutualInformation
from modaloom.evaluation.rows import ScoreRow
from modaloom.loom.atlas import write_atlas
from modaloom.loom.auto import choose
from modaloom.loom.commands import examples
from modaloom.loom.config import PRESETS, LoomRunConfig
from modaloom.loom.evaluation.folder import evaluate
from modaloom.loom.graphs import exportable
from modaloom.loom.mutual_information import mutual_information
from modaloom.loom.run import TrainedRun, load
from modaloom.loom.samples import write_gallery
from modaloom.loom.start import with_tokenizers, with_weights
from modaloom.loom.trainer import LoomTrainer
from modaloom.runs.store import RunFolder
from modaloom.training.accelerator import Accelerator
from modaloom.training.loop import Step


class LoomEngine(Engine[LoomRunConfig, TrainedRun]):
    """Trains the tokenizers of all streams, then one transformer over their codes."""

    config = LoomRunConfig
    presets = PRESETS
    limits = (
        FROM_SCRATCH,
        "What it generates may be close to training samples: `_provenance.jsonl` names the nearest one.",
    )

    def choose(
        self,
        folder: Folder,
        complete: Callable[[LoomRunConfig], LoomRunConfig],
        minutes: float,
        accelerator: Accelerator,
        *,
        notify: Notify,
    ) -> LoomRunConfig:
        return choose(folder, complete, minutes, accelerator, notify=notify)

    def with_task(self, config: LoomRunConfig, task: str, tokenizers: str) -> LoomRunConfig:
        return config

    def with_start(
        self, config: LoomRunConfig, folder: Folder, *, tokenizers: str = "", weights: str = ""
    ) -> LoomRunConfig:
        streams = config.data.streams or (*folder.modality_of,)
        if weights:
            config = with_weights(config, weights, streams)
        return with_tokenizers(config, tokenizers, streams) if tokenizers else config

    def trainer(
        self, run: RunFolder[LoomRunConfig], folder: Folder, accelerator: Accelerator, *, notify: Notify
    ) -> LoomTrainer:
        return LoomTrainer(run, folder, accelerator, notify=notify)

    def load(self, path: Path, *, device: str = DEVICE) -> TrainedRun:
        return load(path, device=device)

    def evaluate(self, run: TrainedRun, folder: Path, options: EvaluationOptions) -> list[ScoreRow]:
        return evaluate(run, folder, **vars(options))

    def mutual_information(
        self,
        run: TrainedRun,
        folder: Path,
        *,
        n: int,
        seed: int = SEED,
        on_pair: Callable[[MutualInformation], None] = lambda mi: None,
    ) -> list[MutualInformation]:
        return mutual_information(run, folder, n=n, seed=seed, on_pair=on_pair)

    def exportable(self, run: TrainedRun) -> Exportable:
        return exportable(run.model)

    def write_snapshot(self, trainer: Trainer, step: Step) -> None:
        assert isinstance(trainer, LoomTrainer)
        trainer.snapshot(step)

    def write_samples(self, run: TrainedRun, folder: Path, *, minutes: float | None = None) -> None:
        write_gallery(run, str(folder), minutes=minutes)
        write_atlas(run)

    def refresh_samples(self, run: TrainedRun) -> None:
        write_atlas(run)

    def commands(self, run: TrainedRun) -> list[str]:
        return examples(run)
