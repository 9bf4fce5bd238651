"""The Restorer as an engine: restoration, or generation of one stream."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from modaloom.core.defaults import DEVICE
from modaloom.core.errors import BadValue
from modaloom.data.folder import Folder
from modaloom.data.notices import Notify
from modaloom.engine import FROM_SCRATCH, Engine, EvaluationOptions
from modaloom.evaluation.rows import ScoreRow
from modaloom.restorer.commands import restored_examples
from modaloom.restorer.config import PRESETS, RestorerRunConfig
from modaloom.restorer.evaluation.folder import score_restored
from modaloom.restorer.files import RESTORER, RestorerPlan
from modaloom.restorer.restoration import RestoredRun, load_restored
from modaloom.restorer.samples import write_sample_grid
from modaloom.restorer.start import check_task
from modaloom.restorer.tasks import EVERY_TASK, pipeline_of
from modaloom.restorer.trainer import RestorerTrainer
from modaloom.runs.model import Part
from modaloom.runs.store import RunFolder
from modaloom.training.accelerator import Accelerator


class RestorerEngine(Engine[RestorerRunConfig, RestoredRun]):
    """A conditional diffusion model in signal space."""

    config = RestorerRunConfig
    presets = PRESETS
    tasks = tuple(EVERY_TASK)
    limits = (
        FROM_SCRATCH,
        "Details that it adds are likely ones, not those that were lost: they are no evidence.",
    )
    max_scored = 24

    def trainer(
        self, run: RunFolder[RestorerRunConfig], folder: Folder, accelerator: Accelerator, *, notify: Notify
    ) -> RestorerTrainer:
        return RestorerTrainer(run, folder, accelerator, notify=notify)

    def load(self, path: Path, *, device: str = DEVICE) -> RestoredRun:
        return load_restored(path, device=device)

    def evaluate(self, run: RestoredRun, folder: Path, options: EvaluationOptions) -> list[ScoreRow]:
        asked = {name: value for name, value in vars(options).items() if name != "most"}  # it has few rows
        if sampling := asked.pop("sampling"):
            raise BadValue(f"{run.path} is scored as it was trained; leave {', '.join(sampling)} out")
        return score_restored(run, folder, **asked)

    def pipeline(self, parts: Mapping[str, Part]) -> str:
        plan = RestorerPlan.of(parts[RESTORER].state["plan"])
        return pipeline_of(plan.modality_type.signal, plan.task_type)

    def with_task(self, config: RestorerRunConfig, task: str, tokenizers: str) -> RestorerRunConfig:
        own, chosen = config.restorer, task or config.restorer.task
        options = own.options if chosen == own.task else {}
        tokenizers = tokenizers or own.tokenizers
        return replace(config, restorer=replace(own, task=chosen, options=options, tokenizers=tokenizers))

    def with_start(
        self, config: RestorerRunConfig, folder: Folder, *, tokenizers: str = "", weights: str = ""
    ) -> RestorerRunConfig:
        start = weights or config.training.start
        if start:
            check_task(start, config.restorer.task)
        return replace(config, training=replace(config.training, start=start))

    def write_samples(self, run: RestoredRun, folder: Path, *, minutes: float | None = None) -> None:
        write_sample_grid(run, str(folder))

    def commands(self, run: RestoredRun) -> list[str]:
        return restored_examples(run)
