"""Training data of a Loom run: split, specs, untrained tokenizers, caches."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice, repeat
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from modaloom.core.errors import BadFolder, check_choice
from modaloom.core.json_text import from_json, to_json
from modaloom.core.types import Sample
from modaloom.data.cache import CachedArray, fingerprint, open_cache
from modaloom.data.folder import Folder
from modaloom.data.notices import Notify, Shortenings, silent
from modaloom.data.present_values import Cached
from modaloom.data.ragged import open_ragged
from modaloom.data.reader import Reader
from modaloom.data.walk import format_problems
from modaloom.loom.config import LoomRunConfig, TokenizerChoice
from modaloom.loom.files import StreamPlan
from modaloom.loom.initial_tokenizers import groups, initial
from modaloom.loom.replay import Replay
from modaloom.loom.variants import RandomPath, Variants
from modaloom.modalities.base import Value
from modaloom.runs.caches import CACHE
from modaloom.runs.store import RunFolder
from modaloom.runs.tokenizers import tokenizer_facts
from modaloom.tokenizers import Tokenizer
from modaloom.training.selection import MeasuredColumn, Selection, data_facts, select

PREPARED, SIGNALS = "prepared", "signals"
"""Cache kinds of the prepared values that trainable tokenizers train on, of one shape and of many."""
NO_REPLAY = Replay()
CHUNK_SIZE, CHUNK_ELEMENTS = 256, 2**24
"""Values encoded per batch: as many, but fewer if they have more elements together."""


@dataclass(frozen=True)
class PreparedData:
    """A folder prepared for training."""

    run: RunFolder[LoomRunConfig]
    reader: Reader
    samples: Sequence[Sample]
    rows: Mapping[str, Tensor]
    """`samples` and `rows`: as in `Selection`."""
    plans: Mapping[str, StreamPlan]
    tokenizers: Mapping[str, Tokenizer]
    """Name → tokenizer; trainable ones are not trained yet."""
    shortenings: Shortenings
    """Counts of the cached values that limits shortened."""
    variants: Variants
    """Augmentation of the training samples."""

    @property
    def to_train(self) -> dict[str, Tokenizer]:
        """Tokenizers with a training stage: trainable and not frozen."""
        free = {name for name, facts in self.run.data()["tokenizers"].items() if not facts.get("frozen")}
        return {name: t for name, t in self.tokenizers.items() if t.trainable and name in free}

    def streams_of(self, run: str) -> list[str]:
        """Streams whose tokenizer is that of the stream in a run, as it is."""
        facts = self.run.data()["tokenizers"]
        return [
            name
            for name, plan in self.plans.items()
            if (start := facts[plan.tokenizer].get("from"))
            and facts[plan.tokenizer]["frozen"]
            and (start["run"], start["stream"]) == (str(Path(run).absolute()), name)
        ]

    @property
    def modality_of(self) -> dict[str, str]:
        """Stream → modality."""
        return {name: plan.modality for name, plan in self.plans.items()}

    def augmented(self, tokenizer: str, batch: Tensor, paths: Sequence[RandomPath]) -> Tensor:
        """As `Variants.augmented`, of a tokenizer of this name."""
        modality = next(plan.modality for plan in self.plans.values() if plan.tokenizer == tokenizer)
        return self.variants.augmented(self.tokenizers[tokenizer], modality, batch, paths)

    def prepared(self, stream: str) -> Cached:
        """Prepared values of a stream, cached: the training data of a trainable tokenizer."""
        plan = self.plans[stream]
        tokenizer = self.tokenizers[plan.tokenizer].view(plan.grid)

        def rows() -> Iterator[np.ndarray | None]:
            for sample in self.samples:
                value = self.reader.value(sample, stream)
                if value is not None:
                    self.shortenings.add(stream, tokenizer.shortened(value))
                yield None if value is None else tokenizer.prepare(value)

        if tokenizer.shape.variable:
            return open_ragged(*self._place(SIGNALS, stream, [tokenizer.state()]), rows)
        return open_cache(*self._place(PREPARED, stream, [tokenizer.state()]), rows)

    def codes(
        self, stream: str, tokenizer: Tokenizer, version: str, replay: Replay = NO_REPLAY
    ) -> CachedArray:
        """Codes (n, L, Q) of a stream in their storage type, cached once per `version` of its tokenizer.

        After those of the m samples are those of `replay`: n = m + its number. Of an augmented stream
        (K·n, L, Q): row v·n + i is variant v of sample i; only training samples have others than 0.
        """
        shape, modality = tokenizer.shape, self.plans[stream].modality
        count = self.variants.count(modality)

        def stored(codes: Tensor) -> Iterator[np.ndarray]:
            return iter(codes.reshape(-1, shape.num_positions, shape.depth).to(shape.storage_type).numpy())

        def rows() -> Iterator[np.ndarray | None]:
            for variant in range(count):
                for here, codes in self._encoded(stream, tokenizer, variant):
                    found = stored(codes)
                    yield from (next(found) if present else None for present in here)
                drawn = stored(replay.codes[stream]) if stream in replay.codes and not variant else None
                yield from repeat(None, replay.n) if drawn is None else drawn

        facts = [version, *self.variants.facts(modality), *([replay.fact] if replay.n else [])]
        return open_cache(*self._place("codes", stream, facts, count, replay.n), rows)

    def _encoded(
        self, stream: str, tokenizer: Tokenizer, variant: int = 0
    ) -> Iterator[tuple[Sequence[bool], Tensor]]:
        """Per chunk: which samples have the stream, and the codes of a variant of theirs."""
        modality = self.plans[stream].modality
        if tokenizer.trainable or self.variants.count(modality) > 1:
            prepared = self.prepared(stream)
            size = max(1, min(CHUNK_SIZE, CHUNK_ELEMENTS // prepared.most))
            wanted = prepared.present & (self._is_training if variant else True)
            for i in range(0, len(self.samples), size):
                here, array = wanted[i : i + size], prepared.array
                batch = [array[i + int(k)] for k in np.flatnonzero(here)]
                if variant and batch:
                    paths = [(s.key, variant) for s, there in zip(self.samples[i : i + size], here) if there]
                    plain = torch.from_numpy(np.stack(batch))
                    batch = [*self.variants.augmented(tokenizer, modality, plain, paths).numpy()]
                yield here.tolist(), tokenizer.encode_prepared(batch) if batch else tokenizer.encode([])
            return
        values = (self.reader.value(sample, stream) for sample in self.samples)
        while chunk := list(islice(values, CHUNK_SIZE)):
            for value in filter(_is_there, chunk):
                self.shortenings.add(stream, tokenizer.shortened(value))
            yield [v is not None for v in chunk], tokenizer.encode([v for v in chunk if v is not None])

    @property
    def _is_training(self) -> np.ndarray:
        return np.isin(np.arange(len(self.samples)), self.rows["train"].numpy())

    def _place(
        self, kind: str, stream: str, facts: Sequence[Any], count: int = 1, further: int = 0
    ) -> tuple[Path, str, str, int]:
        """Folder, name, fingerprint and rows of a cache: `count` times the samples and further ones."""
        stamp, n = fingerprint(self.samples, stream, *facts), count * (len(self.samples) + further)
        return self.run.path / CACHE, f"{kind}.{stream}", stamp, n


def prepare(run: RunFolder[LoomRunConfig], folder: Folder, *, notify: Notify = silent) -> PreparedData:
    """Infer specs and tokenizers once, write them to data.json, and build the training data from that file.

    A stream without a readable training value is left out, which `notify` tells, unless the configuration
    names it. Raises `BadFolder` then, and if nothing is left to train on.
    """
    config = run.run()
    chosen = select(run, folder, _chosen(folder, config))
    if not run.has_data():
        streams = _readable(chosen, config, notify)
        reader = Reader(folder, streams=streams)
        run.save_data(
            _measured(reader, chosen.training, config) | data_facts(folder, chosen.split_of, config)
        )
    data = run.data()
    chosen = replace(chosen, reader=Reader(folder, streams=[*data["streams"]]))
    tokenizers = {name: initial(config, name, entry) for name, entry in data["tokenizers"].items()}
    plans = {name: StreamPlan.of(plain) for name, plain in data["streams"].items()}
    lost = Shortenings(config.data.limits_of, folder.modality_of, resolution=True)
    variants = Variants.of(config)
    found = PreparedData(run, chosen.reader, chosen.samples, chosen.rows, plans, tokenizers, lost, variants)
    variants.check(found.modality_of)
    if told := variants.sentence(found.modality_of):
        notify(told)
    return found


def _chosen(folder: Folder, config: LoomRunConfig) -> tuple[str, ...]:
    """Streams to train on. Raises `BadValue` for a name, or settings, of a stream that the folder lacks."""
    for name in config.streams:
        check_choice("stream", name, folder.modality_of)
    wanted = config.data.streams or tuple(folder.modality_of)
    return tuple(check_choice("stream", name, folder.modality_of) for name in wanted)


def _readable(chosen: Selection, config: LoomRunConfig, notify: Notify) -> list[str]:
    """Streams with a readable training value. Raises `BadFolder` if there is none, or if the configuration
    names one without."""
    folder = chosen.reader.folder
    reader = Reader(folder, streams=chosen.reader.streams, max_skipped_fraction=1)
    has_values = {name: MeasuredColumn(reader, name, chosen.training).has_values for name in reader.streams}
    if not any(has_values.values()):
        problems = format_problems(reader.problems)
        raise BadFolder(f"{folder.path}: no training sample has a readable value\n{problems}".rstrip())
    for stream in [name for name, has_value in has_values.items() if not has_value]:
        why = next((f" ({skip.reason})" for (_, name), skip in reader.skips.items() if name == stream), "")
        message = f"{folder.path}: no training sample has a readable {stream}{why}"
        if stream in config.data.streams:
            raise BadFolder(f"{message}; leave it out with --streams")
        notify(f"{message}; it is left out")
    return [name for name, has_value in has_values.items() if has_value]


def _measured(reader: Reader, training: Sequence[Sample], config: LoomRunConfig) -> dict[str, Any]:
    """Streams and tokenizers for data.json. Streams of one modality and choice share a tokenizer; a stream
    whose tokenizer would be built from the facts of one that is loaded from another run takes that one."""
    columns: dict[str, tuple[str, TokenizerChoice, dict[str, Iterable[Value]]]] = {}
    for stream in reader.streams:
        modality = reader.folder.modality_of[stream]
        choice = config.tokenizer_of(stream, modality)
        values = MeasuredColumn(reader, stream, training)
        columns.setdefault(f"{modality} {choice}", (modality, choice, {}))[2][stream] = values
    plans: dict[str, Any] = {}
    tokenizers: dict[str, Any] = {}
    loaded_first = sorted(columns.values(), key=lambda column: not column[1].source)
    for modality, choice, values_of in loaded_first:
        for group, entry in groups(modality, choice, values_of, config):
            tokenizer = next(iter(group.values()))
            facts, count = tokenizer_facts(tokenizer), sum(n.split(".")[0] == modality for n in tokenizers)
            found = _loaded_alike(facts, tokenizers) if tokenizer.trainable and not choice.source else None
            name = found or (f"{modality}.{count}" if count else modality)
            tokenizers.setdefault(name, facts | entry)
            for stream, view in group.items():
                plans[stream] = asdict(StreamPlan(modality, name, view.shape.grid))
    return {"streams": {name: plans[name] for name in reader.streams}, "tokenizers": tokenizers}


def _loaded_alike(facts: Mapping[str, Any], tokenizers: Mapping[str, Mapping[str, Any]]) -> str | None:
    """The tokenizer that is loaded from elsewhere and would be built from the same facts."""
    for name, known in tokenizers.items():
        if "from" in known and _plain({key: known[key] for key in facts}) == _plain(facts):
            return name
    return None


def _plain(facts: Mapping[str, Any]) -> Any:
    return from_json(to_json(facts))  # what was read has lists for tuples


def _is_there(value: Value | None) -> bool:
    return value is not None
