"""Training of a Loom run: first the tokenizers, then the Loom."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from modaloom.core.rng import derive, generator
from modaloom.core.types import Loss
from modaloom.data.atomic_io import digest
from modaloom.data.cache import CachedArray
from modaloom.data.folder import Folder
from modaloom.data.notices import once
from modaloom.data.reader import Reader
from modaloom.loom.config import LoomRunConfig
from modaloom.loom.dataset import PreparedData, prepare
from modaloom.loom.files import LOOM, build_loom, build_streams, pack_model
from modaloom.loom.likelihood import bits_per_code
from modaloom.loom.model import Model
from modaloom.networks.conv import channels_last
from modaloom.runs.checkpoint import pack_tensors
from modaloom.runs.model import Part, freeze
from modaloom.runs.store import RunFolder
from modaloom.tokenizers import Tokenizer
from modaloom.training.accelerator import Accelerator
from modaloom.training.batch_sampler import BatchSampler
from modaloom.training.loop import Stage, Step, Turn, validates_at
from modaloom.training.stages import StagePlan, run_stages

MAX_VALIDATION_SAMPLES = 128
"""Validation samples for the Loom's bound and for a tokenizer's validation error."""

PackedValue = tuple[np.ndarray, int]
"""A prepared value: a memory-mapped array (n, …) and a row of it."""


class LoomTrainer:
    """Trains a run. Iterate over `steps`; `model` is complete afterwards.

    Args:
        run: run folder, open for writing.
        folder: training data.
        accelerator: device and precision.
        notify: receives warnings.

    Raises:
        BadFolder: the folder has no training sample, or a stream without a readable value.
    """

    def __init__(
        self,
        run: RunFolder[LoomRunConfig],
        folder: Folder,
        accelerator: Accelerator,
        *,
        notify: Callable[[str], None],
    ) -> None:
        self.run, self.accelerator, self.notify = run, accelerator, once(notify)
        self.config = run.run()
        self.data: PreparedData = prepare(run, folder)
        self.model: Model | None = None
        self._codes: dict[str, CachedArray] = {}

    @property
    def stages(self) -> list[str]:
        """Names of the stages, in training order."""
        return [*self.data.to_train, LOOM]

    def steps(self) -> Iterator[Step]:
        """Train every stage, yielding after each step. Raises the errors of `run_stages`."""
        self._cache_codes(name for name, t in self.data.tokenizers.items() if not t.trainable)
        for step in run_stages(self.plans(), self.run, self.accelerator, notify=self.notify):
            if step.stage == LOOM and validates_at(step):
                self.run.log({"stage": LOOM, "step": step.step, **self.validate()})
            yield step
        assert self.model is not None
        freeze([self.model.loom, *self.data.tokenizers.values()])

    def plans(self) -> list[StagePlan]:
        """Stages with their fractions of the time budget."""
        learned = self.data.to_train
        share, least = self.config.training.tokenizer_share, self.config.training.min_tokenizer_share
        plans = [
            StagePlan(partial(self._tokenizer, name, tokenizer), share / len(learned), least / len(learned))
            for name, tokenizer in learned.items()
        ]
        return [*plans, StagePlan(self._loom, 1 - share if learned else 1.0)]

    def codes(self, split: str) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Stream → int64 codes (n, L, Q), and stream → bool (n,) presence, of split train or val."""
        rows = self.data.rows[split].numpy()
        codes = {name: torch.from_numpy(c.array[rows].astype(np.int64)) for name, c in self._codes.items()}
        return codes, {name: torch.from_numpy(c.present[rows]) for name, c in self._codes.items()}

    def validate(self) -> dict[str, float]:
        """`bits_per_code` on the first validation samples, with prefix `val.`."""
        assert self.model is not None
        codes, present = (
            {name: c[:MAX_VALIDATION_SAMPLES].to(self.accelerator.device) for name, c in columns.items()}
            for columns in self.codes("val")
        )
        if not len(self.data.rows["val"]):
            return {}
        self.model.loom.eval()
        with self.accelerator.autocast():
            figures = bits_per_code(self.model, codes, present, seed=self.config.seed)
        self.model.loom.train()
        return {f"val.{name}": value for name, value in figures.items()}

    def parts(self) -> dict[str, Part]:
        """Serializable parts of the finished model."""
        assert self.model is not None
        return pack_model(self.model, self.data.plans)

    @property
    def reader(self) -> Reader:
        """Reader of the folder, which records skipped files."""
        return self.data.reader

    def usage(self) -> dict[str, dict[str, Any]]:
        """Trained tokenizer → counts and perplexity of its codes per depth, over the training codes."""
        codes, present = self.codes("train")
        found = {}
        for name in self.stages[:-1]:
            shape = self.data.tokenizers[name].shape
            streams = [s for s, plan in self.data.plans.items() if plan.tokenizer == name]
            seen = torch.cat([codes[s][present[s]].flatten(0, 1) for s in streams])
            counts = [torch.bincount(seen[:, q], minlength=shape.codebook_size) for q in range(shape.depth)]
            found[name] = {
                "size": shape.codebook_size,
                "depth": shape.depth,
                "shared": shape.shared,
                "counts": [c.tolist() for c in counts],
                "perplexity": [float(torch.special.entr(c / c.sum()).sum().exp()) for c in counts],
            }
        return found

    def _tokenizer(self, name: str, tokenizer: Tokenizer) -> Stage:
        """Stage that trains a tokenizer on all values of the streams that share it."""
        index, held_out = self._packed(name, "train"), self._packed(name, "val")
        self.data.shortenings.notify(self.notify)
        size = min(self.config.training.tokenizer.batch_size, len(index))
        batches = BatchSampler(len(index), size, self.config.seed, name)

        def crops(values: Iterable[tuple[int, PackedValue]], *names: str | int) -> Tensor:
            seed = partial(derive, self.config.seed, name, *names)
            return torch.from_numpy(
                np.stack([tokenizer.crop(array[row], seed(i)) for i, (array, row) in values])
            )

        def batch(step: int) -> Tensor:
            return crops(((i, index[i]) for i in batches(step).tolist()), "crop", step)

        shown = self.accelerator.move(
            crops(enumerate((held_out or index)[:MAX_VALIDATION_SAMPLES]), "val", "crop")
        )

        def error() -> float:
            loss = tokenizer.loss(shown, generator(self.config.seed, name, "val"))
            return float(loss.parts.get("reconstruction", loss.total))

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derive(self.config.seed, "init", name, "objective"))
            objective = tokenizer.objective()
        optimizer = self.config.training.tokenizer
        channels_last(tokenizer)
        return Stage(
            name,
            tokenizer,
            batch,
            objective.loss,
            optimizer,
            size,
            num_samples=len(index),
            validation_error=error,
            turns=[
                Turn(key, o.module, o.loss, replace(optimizer, learning_rate=o.learning_rate), o.start)
                for key, o in objective.opponents.items()
            ],
        )

    def _packed(self, name: str, split: str) -> list[PackedValue]:
        """All values of a split of the streams that share a tokenizer, as (array, row)."""
        rows = self.data.rows[split].numpy()
        columns = [self.data.prepared(s) for s, plan in self.data.plans.items() if plan.tokenizer == name]
        return [(c.array, row) for c in columns for row in rows[c.present[rows]]]

    def _cache_codes(self, tokenizers: Iterable[str]) -> None:
        """Cache the codes of all streams of these tokenizers, and report values that limits shorten."""
        streams, names = build_streams(self.data.plans, self.data.tokenizers), {*tokenizers}
        for name, plan in self.data.plans.items():
            if plan.tokenizer in names:
                version = digest(pack_tensors(self.data.tokenizers[plan.tokenizer].state_dict()))
                self._codes[name] = self.data.codes(name, streams[name].tokenizer, version)
        self.data.shortenings.notify(self.notify)

    def _loom(self) -> Stage:
        """Stage that trains the Loom on the cached codes of all streams."""
        streams = build_streams(self.data.plans, self.data.tokenizers)
        freeze(self.data.tokenizers.values())
        self._cache_codes(self.data.tokenizers)
        loom = build_loom(streams, self.config.loom, seed=derive(self.config.seed, "init", LOOM))
        self.model = Model(streams, loom)
        codes, present = self.codes("train")
        n = len(self.data.rows["train"])
        size = min(self.config.training.loom.batch_size, n)
        batches = BatchSampler(n, size, self.config.seed, LOOM)

        def batch(step: int) -> dict[str, Mapping[str, Tensor]]:
            rows = batches(step)
            return {
                "codes": {name: c[rows] for name, c in codes.items()},
                "present": {name: p[rows] for name, p in present.items()},
            }

        def loss(batch: dict[str, Mapping[str, Tensor]], noise: torch.Generator) -> Loss:
            return loom.loss(batch["codes"], batch["present"], noise)

        return Stage(LOOM, loom, batch, loss, self.config.training.loom, size, num_samples=n)
