"""The training of a Restorer: a run of one stage."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from modaloom.core.rng import derive, generator
from modaloom.core.types import Loss
from modaloom.data.folder import Folder
from modaloom.data.reader import Reader
from modaloom.modalities.unit import unit
from modaloom.models.pair import Pair, stacked
from modaloom.runs.builder import frozen
from modaloom.runs.model import Part
from modaloom.runs.restorers import RESTORER, Restoration, build_restorer, pack_restorer
from modaloom.runs.store import RunFolder
from modaloom.tasks import TASKS, Signals
from modaloom.training.batches import Batches
from modaloom.training.columns import Columns, prepare_columns
from modaloom.training.engine import Engine
from modaloom.training.fit import channels_last, due
from modaloom.training.loop import Stage, Step
from modaloom.training.pieces import pieces
from modaloom.training.stages import Plan, run_stages

MEASURED = 400
"""Pairs from which the scales are measured."""
VALIDATED = 128
"""Pairs of validation signals that the losses are taken on."""


class RestorerFit:
    """A training in progress. Iterate over `steps`; then `parts` is whole."""

    def __init__(
        self, run: RunFolder, folder: Folder, engine: Engine, *, tell: Callable[[str], None]
    ) -> None:
        self.run, self.engine, self.tell = run, engine, tell
        self.config = run.run()
        self.task, self.options = TASKS[self.config.task], self.config.options()
        self.data: Columns = prepare_columns(run, folder)
        row, sizes = int(self.data.rows["train"][0]), range(len(self.config.restorer.sides))
        first, *_ = [pair for size in sizes for pair in self._questions(row, size)]
        self.plan = self.data.plan.asking(first)
        restorer = build_restorer(
            self.plan, self.config.restorer, seed=derive(self.config.seed, "init", RESTORER)
        )
        self.restoration = Restoration(self.plan, self.config.restorer, restorer)

    @property
    def stages(self) -> list[str]:
        """The one stage."""
        return [RESTORER]

    @property
    def reader(self) -> Reader:
        """What read the folder, and knows what it skipped."""
        return self.data.reader

    def steps(self) -> Iterator[Step]:
        """Train, yielding after each step; see `run_stages` for what it raises."""
        for step in run_stages([Plan(self._stage)], self.run, self.engine, tell=self.tell):
            if due(step):
                self.run.log({"stage": RESTORER, "step": step.step, **self.validate()})
            yield step
        frozen([self.restoration.restorer])

    def parts(self) -> dict[str, Part]:
        """The finished model's, for its folder."""
        return pack_restorer(self.restoration)

    def usage(self) -> dict[str, Any]:
        """There are no codes."""
        return {}

    def pair(self, row: int, *names: str | int, size: int = 0) -> Pair:
        """A pair of the signals of a row, whose randomness depends on the seed and the names.

        `size`: which of the sizes of pieces it has, counted round and round.
        """
        random = generator(self.config.seed, RESTORER, *names)
        want, *given = self._seen(row, random, size)
        return self.task.pair(Signals(want, *given), self.options, random)

    def validate(self) -> dict[str, float]:
        """The loss of each of the two questions on pairs of the first validation signals, as `val.NAME`."""
        rows = self.data.rows["val"][:VALIDATED].tolist()
        if not rows:
            return {}
        restorer = self.restoration.restorer.eval()
        batch = self.engine.move(stacked([self.pair(row, "val", row) for row in rows]))
        with torch.no_grad(), self.engine.autocast():
            loss = restorer.loss(batch, generator(self.config.seed, RESTORER, "val"))
        restorer.train()
        return {f"val.{name}": float(value) for name, value in loss.parts.items()}

    def _questions(self, row: int, size: int) -> Iterator[Pair]:
        """One of each part of the task, on the signals of a row."""
        random = generator(self.config.seed, RESTORER, "shape")
        want, *given = self._seen(row, random, size)
        for options in self.task.parts(self.options).values() or [self.options]:
            yield self.task.ask(self.task.degrade(Signals(want, *given), options, random), options)

    def _seen(self, row: int, random: torch.Generator, size: int) -> list[Tensor]:
        """Pieces where the task improves signals of any size, else the whole of them."""
        signals, modality, config = self.data.signals(row), self.data.modality, self.config.restorer
        if self.data.plan.form is not None:
            return [unit(modality, signal) for signal in signals]
        side = config.sides[size % len(config.sides)]
        return pieces(
            signals,
            modality,
            side=side,
            scales=config.scales,
            candidates=config.candidates,
            random=random,
        )

    def _stage(self) -> Stage:
        restorer, rows = self.restoration.restorer, self.data.rows["train"]
        size, seed = self.config.training.restorer.batch, self.config.seed
        batches = Batches(len(rows), size, seed, RESTORER)
        seen = Batches(len(rows), 1, seed, f"{RESTORER}/measure")
        restorer.measure(self.pair(int(rows[seen(i)]), "measure", i) for i in range(MEASURED))
        if not restorer.leaps:  # a group norm has no forward-mode derivative in that memory format
            channels_last(restorer)

        def batch(step: int) -> Pair:
            picked = rows[batches(step)].tolist()
            return stacked([self.pair(row, "pair", step, i, size=step) for i, row in enumerate(picked)])

        def loss(batch: Pair, noise: torch.Generator) -> Loss:
            return restorer.loss(batch, noise)

        return Stage(RESTORER, restorer, batch, loss, self.config.training.restorer, size)
