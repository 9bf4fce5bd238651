"""Training of a Restorer: a run with one stage."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from modaloom.core.rng import derive, generator
from modaloom.data.folder import Folder
from modaloom.data.reader import Reader
from modaloom.networks.conv import channels_last
from modaloom.restorer.config import RestorerRunConfig
from modaloom.restorer.example import ConditionalExample, collate
from modaloom.restorer.files import RESTORER, Restoration, build_restorer, pack_restorer
from modaloom.restorer.signal_dataset import SignalDataset, prepare_signal_dataset
from modaloom.restorer.start import started
from modaloom.restorer.tasks import Signals
from modaloom.runs.config_io import changed
from modaloom.runs.model import Part, freeze
from modaloom.runs.store import RunFolder
from modaloom.training.accelerator import Accelerator
from modaloom.training.batch_sampler import BatchSampler
from modaloom.training.loop import Stage, Step, validates_at
from modaloom.training.stages import StagePlan, run_stages
from modaloom.transforms import random_crops

NUM_MEASURED_PAIRS = 400
"""Training examples that the linear filters, and then the normalizer, are fitted to; of clips, frames."""
MAX_VALIDATION_PAIRS = 128
"""Maximum number of validation examples; of clips, frames."""


class RestorerTrainer:
    """Trains a Restorer. Iterate over `steps`; afterwards `parts` returns the trained model.

    Args:
        run: the run folder, new or resumed.
        folder: the data.
        accelerator: device, precision and ranks.
        notify: gets messages about the data and the training.
    """

    def __init__(
        self,
        run: RunFolder[RestorerRunConfig],
        folder: Folder,
        accelerator: Accelerator,
        *,
        notify: Callable[[str], None],
    ) -> None:
        self.run, self.accelerator, self.notify = run, accelerator, notify
        self.config = run.run()
        self.data: SignalDataset = prepare_signal_dataset(run, folder, notify)
        self.task = self.data.plan.task_type
        self.options = changed(self.task.options(), self.config.restorer.options.items())
        row, sizes = int(self.data.rows["train"][0]), range(len(self.config.restorer.crop_sizes))
        first, *_ = [pair for size in sizes for pair in self._questions(row, size)]
        self.plan = self.data.plan.with_input_shape(first)
        restorer = build_restorer(
            self.plan, self.config.restorer, seed=derive(self.config.seed, "init", RESTORER)
        )
        self.restoration = Restoration(self.plan, self.config.restorer, restorer)
        self.restoration = self._started(self.config.training.start)

    def _started(self, run: str) -> Restoration:
        if not run:
            return self.restoration.with_filters(self._measured())
        self.notify(f"the Restorer starts from {run}")
        return started(self.restoration, run, self._measured())

    @property
    def stages(self) -> list[str]:
        """The stage's name."""
        return [RESTORER]

    @property
    def reader(self) -> Reader:
        """The folder's reader, which lists skipped files."""
        return self.data.reader

    def steps(self) -> Iterator[Step]:
        """Trains and yields after each step; raises what `run_stages` raises."""
        for step in run_stages([StagePlan(self._stage)], self.run, self.accelerator, notify=self.notify):
            if validates_at(step) and self.accelerator.distributed.leads:
                self.run.log({"stage": RESTORER, "step": step.step, **self.validate()})
            yield step
        freeze([self.restoration.restorer])

    def parts(self) -> dict[str, Part]:
        """Returns the parts of the trained model."""
        return pack_restorer(self.restoration)

    def usage(self) -> dict[str, Any]:
        """Returns an empty mapping: a Restorer has no codes."""
        return {}

    def pair(self, row: int, *names: str | int, size: int = 0) -> ConditionalExample:
        """Returns a training example from the signals of a row.

        Args:
            row: row of the dataset.
            names: determine the randomness, together with the run's seed.
            size: index into `crop_sizes`, modulo their number.
        """
        random = generator(self.config.seed, RESTORER, *names)
        return self.restoration.task.make_example(self._seen(row, random, size), self.options, random)

    def validate(self) -> dict[str, float]:
        """Returns the loss of each objective on examples of the first validation signals, as `val.NAME`."""
        rows = self.data.rows["val"][: MAX_VALIDATION_PAIRS // self._frames].tolist()
        if not rows:
            return {}
        restorer = self.restoration.restorer.eval()
        batch = self.accelerator.move(collate([self.pair(row, "val", row) for row in rows]))
        with torch.no_grad(), self.accelerator.autocast():
            loss = restorer.loss(batch, generator(self.config.seed, RESTORER, "val"))
        restorer.train()
        return {f"val.{name}": float(value) for name, value in loss.parts.items()}

    @property
    def _frames(self) -> int:
        """Frames of a training example, which counts as so many."""
        return self.config.restorer.crop_frames if self.plan.axes == 3 else 1

    def _questions(self, row: int, size: int) -> Iterator[ConditionalExample]:
        """Yields an unlabeled example of each subtask, from the signals of a row."""
        random = generator(self.config.seed, RESTORER, "shape")
        seen = self._seen(row, random, size)
        for options in self.task.subtasks(self.options).values() or [self.options]:
            yield self.task.build_condition(self.task.degrade(seen, options, random), options)

    def _seen(self, row: int, random: torch.Generator, size: int) -> Signals:
        """Random crops for residual tasks, else whole signals."""
        want, *given = self._crops(row, random, size)
        return Signals(want, *given, scale=self.data.plan.scale)

    def _crops(self, row: int, random: torch.Generator, size: int) -> list[Tensor]:
        signals, config = self.data.signals(row), self.config.restorer
        if self.data.plan.spec is not None:
            return [convert(signal) for convert, signal in zip(self.data.to_unit, signals, strict=True)]
        side = config.crop_sizes[size % len(config.crop_sizes)] * self.task.crop_unit
        return random_crops(
            signals,
            self.data.to_unit,
            side=side,
            frames=config.crop_frames,
            scales=config.crop_scales,
            candidates=config.crop_candidates,
            generator=random,
        )

    def _measured(self) -> Iterator[ConditionalExample]:
        """Yields the training examples that filters and normalizer are fitted to."""
        rows = self.data.rows["train"]
        seen = BatchSampler(len(rows), 1, self.config.seed, f"{RESTORER}/measure")
        for i in range(max(1, NUM_MEASURED_PAIRS // self._frames)):
            yield self.pair(int(rows[seen(i)]), "measure", i)

    def _stage(self) -> Stage:
        restorer, rows = self.restoration.restorer, self.data.rows["train"]
        optimizer, sizes = self.config.training.restorer, range(len(self.config.restorer.crop_sizes))
        examples = (self.pair(int(rows[0]), "size", i, size=i) for i in sizes)
        batches = BatchSampler(
            len(rows),
            max(1, optimizer.batch_size // self._frames),
            self.config.seed,
            RESTORER,
            self.accelerator.distributed,
            elements=max(example.target.numel() for example in examples),
            max_elements=optimizer.max_batch_elements,
            notify=self.notify,
        )
        if not self.config.training.start:
            restorer.fit_normalizer(self._measured())
        if not restorer.mean_flow_prob:  # group norm has no forward-mode derivative in this memory format
            channels_last(restorer)

        def batch(step: int) -> ConditionalExample:
            picked = enumerate(rows[batches(step)].tolist(), batches.rows(step).first)
            return collate([self.pair(row, "pair", step, i, size=step) for i, row in picked])

        return Stage(RESTORER, restorer, batch, restorer.loss, optimizer, batches.size, num_samples=len(rows))
