"""Training of a Loom run: first the tokenizers, then the Loom."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from modaloom.core.distributed import Distributed
from modaloom.core.rng import derive, generator
from modaloom.core.types import Loss
from modaloom.data.atomic_io import digest
from modaloom.data.cache import CachedArray
from modaloom.data.folder import Folder
from modaloom.data.notices import once
from modaloom.data.present_values import Cached, PresentValues
from modaloom.data.reader import Reader
from modaloom.loom.code_table import CodeTable
from modaloom.loom.config import LoomRunConfig
from modaloom.loom.dataset import CHUNK_SIZE, PreparedData, prepare
from modaloom.loom.files import LOOM, build_loom, build_streams, pack_model
from modaloom.loom.layout import FieldLayout
from modaloom.loom.likelihood import bits_per_code
from modaloom.loom.model import Model
from modaloom.loom.replay import MixedBatches, Replay
from modaloom.loom.snapshots import Snapshots
from modaloom.loom.start import interpolate_weights, load_weights
from modaloom.networks.conv import channels_last
from modaloom.runs.checkpoint import pack_tensors
from modaloom.runs.config import OptimizerConfig
from modaloom.runs.model import Part, freeze
from modaloom.runs.store import RunFolder
from modaloom.tokenizers import Tokenizer
from modaloom.tokenizers.code_counts import code_usage
from modaloom.training.accelerator import Accelerator
from modaloom.training.batch_sampler import BatchSampler
from modaloom.training.loop import Stage, Step, Turn, validates_at
from modaloom.training.stages import StagePlan, run_stages

MAX_VALIDATION_SAMPLES = 128
"""Validation samples for the Loom's bound and for a tokenizer's validation error."""
MAX_START_VALUES, MAX_START_ELEMENTS = 1024, 2**24
"""Training values, and their elements, that a tokenizer starts from."""


class LoomTrainer:
    """Trains a run. Iterate over `steps`; `model` is complete afterwards.

    Args:
        run: run folder, open for writing.
        folder: training data.
        accelerator: device, precision and ranks.
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
        self.data: PreparedData = prepare(run, folder, notify=self.notify)
        self._check_loom()
        self.model: Model | None = None
        self._codes: dict[str, CachedArray] = {}
        self._snapshots: Snapshots | None = None

    def _check_loom(self) -> None:
        """Raise `BadValue` for a network that cannot be built, before the tokenizers are trained."""
        with torch.device("meta"):
            build_loom(build_streams(self.data.plans, self.data.tokenizers), self.config.loom, seed=0)

    @property
    def stages(self) -> list[str]:
        """Names of the stages, in training order."""
        return [*self.data.to_train, LOOM]

    def steps(self) -> Iterator[Step]:
        """Train every stage, yielding after each step. Raises the errors of `run_stages`."""
        with self.accelerator.distributed.in_turn():
            self._cache_codes(name for name, t in self.data.tokenizers.items() if not t.trainable)
        for step in run_stages(self.plans(), self.run, self.accelerator, notify=self.notify):
            if step.stage == LOOM and validates_at(step) and self.accelerator.distributed.leads:
                self.run.log({"stage": LOOM, "step": step.step, **self.validate()})
            yield step
        assert self.model is not None
        if (start := self.config.training.start) and self.config.training.interpolation < 1:
            weight = self.config.training.interpolation
            interpolate_weights(self.model.loom, self.model.streams, start, weight)
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

    def codes(self, rows: Tensor, variants: Tensor | int = 0) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Some rows of the caches, as `CodeTable.read`."""
        return self._table.read(rows, variants)

    @property
    def _table(self) -> CodeTable:
        """The codes of the streams that are cached by now."""
        return CodeTable(self._codes, len(self.data.samples) + self._replay.n, self.data.variants.number)

    def validate(self) -> dict[str, float]:
        """`bits_per_code` on the first validation samples, with prefix `val.`."""
        assert self.model is not None
        rows = self.data.rows["val"][:MAX_VALIDATION_SAMPLES]
        if not len(rows):
            return {}
        codes, present = self.accelerator.move(self.codes(rows))
        self.model.loom.eval()
        with self.accelerator.autocast():
            figures = bits_per_code(self.model, codes, present, seed=self.config.seed)
        self.model.loom.train()
        return {f"val.{name}": value for name, value in figures.items()}

    def snapshot(self, step: Step) -> None:
        """Draw fixed held-out samples, once the Loom is trained; see `Snapshots`."""
        if self.model is None or step.stage != LOOM:
            return
        if self._snapshots is None:
            rows = self.data.rows["val"] if len(self.data.rows["val"]) else self.data.rows["train"]
            codes, present = self.codes(rows[:MAX_VALIDATION_SAMPLES])
            whole = torch.stack([*present.values()]).all(0)
            held = {name: column[whole] for name, column in codes.items()}
            self._snapshots = Snapshots(self.run.path, held)
        self._snapshots.write(self.model, step.step)

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
        found = {}
        for name in self.stages[:-1]:
            codes = self._values(name, "train", self._codes.__getitem__)
            chunks = (codes[i : i + CHUNK_SIZE] for i in range(0, len(codes), CHUNK_SIZE))
            found[name] = code_usage(self.data.tokenizers[name].shape, chunks)
        return found

    def _values(self, name: str, split: str, cache: Callable[[str], Cached]) -> PresentValues:
        """The cached values, of a split, of the streams that share a tokenizer."""
        streams = [stream for stream, plan in self.data.plans.items() if plan.tokenizer == name]
        return PresentValues.of([cache(stream) for stream in streams], self.data.rows[split].numpy())

    def _tokenizer(self, name: str, tokenizer: Tokenizer) -> Stage:
        """Stage that trains a tokenizer on all values of the streams that share it."""
        values, held_out = (self._values(name, split, self.data.prepared) for split in ("train", "val"))
        self.data.shortenings.notify(self.notify)

        def crops(values: PresentValues, places: np.ndarray, *names: str | int) -> Tensor:
            seed, found = partial(derive, self.config.seed, name, *names), zip(places, values[places])
            return torch.from_numpy(np.stack([tokenizer.crop(value, seed(int(i))) for i, value in found]))

        one = crops(values, np.zeros(1, np.int64), "crop")
        batches = self._batches(name, len(values), self.config.training.tokenizer, one.numel())

        def batch(step: int) -> Tensor:
            places = batches(step).numpy()
            found = crops(values, places, "crop", step)
            return self.data.augmented(name, found, [(name, step, i) for i in places.tolist()])

        if "from" not in self.run.data()["tokenizers"][name]:
            number = min(len(values), MAX_START_VALUES, max(1, MAX_START_ELEMENTS // one.numel()))
            tokenizer.begin(crops(values, np.linspace(0, len(values) - 1, number).astype(np.int64), "begin"))
        shown = held_out or values
        places = np.arange(min(len(shown), MAX_VALIDATION_SAMPLES))
        validation = self.accelerator.move(crops(shown, places, "val", "crop"))

        def error() -> float:
            return float(tokenizer.validation_error(validation, generator(self.config.seed, name, "val")))

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
            batches.size,
            num_samples=len(values),
            validation_error=error,
            turns=[
                Turn(
                    key,
                    o.module,
                    o.loss,
                    replace(optimizer, learning_rate=o.learning_rate),
                    o.start,
                )
                for key, o in objective.opponents.items()
            ],
        )

    @cached_property
    def _replay(self) -> Replay:
        """Samples of the run that the training starts from, of the streams that it shares."""
        training = self.config.training
        if not (training.start and training.replay):
            return Replay()
        return Replay.draw(training.start, self.data.streams_of(training.start), self.config.seed)

    def _cache_codes(self, tokenizers: Iterable[str]) -> None:
        """Cache the codes of all streams of these tokenizers, and report values that limits shorten."""
        streams, names = build_streams(self.data.plans, self.data.tokenizers), {*tokenizers}
        for name, plan in self.data.plans.items():
            if plan.tokenizer in names:
                version = digest(pack_tensors(self.data.tokenizers[plan.tokenizer].state_dict()))
                self._codes[name] = self.data.codes(name, streams[name].tokenizer, version, self._replay)
        self.data.shortenings.notify(self.notify)

    def _loom(self) -> Stage:
        """Stage that trains the Loom on the cached codes of all streams."""
        streams = build_streams(self.data.plans, self.data.tokenizers)
        freeze(self.data.tokenizers.values())
        self._cache_codes(self.data.tokenizers)
        loom = build_loom(streams, self.config.loom, seed=derive(self.config.seed, "init", LOOM))
        if start := self.config.training.start:
            new = load_weights(loom, streams, start)
            self.notify(
                f"the Loom starts from {start}; {len(new)} of {len(loom.state_dict())} tensors are new"
            )
        self.model = Model(streams, loom)
        rows, batches = self._loom_batches(loom.layout)

        def batch(step: int) -> dict[str, Any]:
            chosen = rows[batches(step)]
            replayed = chosen >= len(self.data.samples)
            variants = self.data.variants.drawn(LOOM, step, chosen).masked_fill(replayed, 0)
            codes, present = self.codes(chosen, variants)
            return {"codes": codes, "present": present, "augmented": variants > 0}

        def loss(batch: dict[str, Any], noise: torch.Generator, ranks: Distributed) -> Loss:
            return loom.loss(**batch, generator=noise, distributed=ranks)

        number = len(self.data.rows["train"])
        optimizer = self.config.training.loom
        return Stage(LOOM, loom, batch, loss, optimizer, batches.size, num_samples=number, network="network")

    def _loom_batches(self, layout: FieldLayout) -> tuple[Tensor, BatchSampler | MixedBatches]:
        """Rows of the caches, and the places among them of each step's batch."""
        rows, optimizer, replay = self.data.rows["train"], self.config.training.loom, self._replay
        if not replay.n:
            return rows, self._batches(LOOM, len(rows), optimizer, self._table.num_tokens(layout, rows))
        parts = rows, len(self.data.samples) + torch.arange(replay.n)
        elements, share = (
            [self._table.num_tokens(layout, part) for part in parts],
            self.config.training.replay,
        )
        counts, share, seed = (len(rows), replay.n), self.config.training.replay, self.config.seed
        return torch.cat(parts), MixedBatches.of(
            counts, elements, share, optimizer, seed, self.accelerator.distributed
        )

    def _batches(
        self, stage: str, n: int, optimizer: OptimizerConfig, elements: int | Sequence[int]
    ) -> BatchSampler:
        """Batches of a stage of n samples with so many elements."""
        return BatchSampler(
            n,
            min(optimizer.batch_size, n),
            self.config.seed,
            stage,
            self.accelerator.distributed,
            elements=elements,
            max_elements=optimizer.max_batch_elements,
            notify=self.notify,
        )
