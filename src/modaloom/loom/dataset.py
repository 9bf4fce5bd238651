"""From a folder to what training needs: split, specs, untrained tokenizers, caches."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import Tensor

from modaloom.core.errors import BadFolder, check_choice
from modaloom.core.rng import derive
from modaloom.core.types import Sample
from modaloom.data.cache import CachedArray, fingerprint, open_cache
from modaloom.data.folder import Folder
from modaloom.data.reader import Reader
from modaloom.data.split import split
from modaloom.loom.files import StreamPlan, restore_tokenizer, tokenizer_facts
from modaloom.modalities import MODALITIES
from modaloom.modalities.base import Value
from modaloom.runs.atomic_io import write_json
from modaloom.runs.config import Run
from modaloom.runs.store import RunFolder
from modaloom.tokenizers import TOKENIZERS, Tokenizer, VQVAETokenizer

MAX_MEASURED_VALUES = 2000
"""Training values of a stream that are looked at to fix its spec and vocabulary."""
CACHE, KEYS = "cache", "keys.json"
"""The folder of a run's caches, and the keys and splits of their rows."""
CHUNK_SIZE = 256
"""Values that are encoded at once."""


@dataclass(frozen=True)
class Selection:
    """What of a folder a training sees."""

    reader: Reader
    samples: Sequence[Sample]
    """Training and validation samples: the rows of every cache."""
    rows: Mapping[str, Tensor]
    """Split (train, val) → int64 rows."""
    split_of: Mapping[str, str]
    """Every sample's key → its split."""

    @property
    def training(self) -> list[Sample]:
        """The training samples."""
        return [self.samples[i] for i in self.rows["train"].tolist()]


@dataclass(frozen=True)
class PreparedData:
    """A folder made ready for training."""

    run: RunFolder
    reader: Reader
    samples: Sequence[Sample]
    rows: Mapping[str, Tensor]
    """Both as the selection's."""
    plans: Mapping[str, StreamPlan]
    tokenizers: Mapping[str, Tokenizer]
    """By name; the learned ones still untrained."""

    def packed(self, stream: str) -> CachedArray:
        """The packed values of a stream, made once: what a learned tokenizer trains on."""
        tokenizer = self._vqvae(stream)
        pack = tokenizer.modality.pack
        assert pack is not None

        def rows() -> Iterator[np.ndarray | None]:
            for sample in self.samples:
                value = self.reader.value(sample, stream)
                yield None if value is None else pack(value, tokenizer.spec)

        return self._cached("packed", stream, tokenizer.spec, rows)

    def codes(self, stream: str, tokenizer: Tokenizer, version: str) -> CachedArray:
        """The codes (n, L, Q) of a stream, made once for each `version` of its tokenizer."""
        shape = tokenizer.shape

        def rows() -> Iterator[np.ndarray | None]:
            for here, codes in self._encoded(stream, tokenizer):
                found = iter(codes.reshape(-1, shape.num_positions, shape.depth).numpy().astype(np.int32))
                yield from (next(found) if present else None for present in here)

        return self._cached("codes", stream, version, rows)

    def _encoded(self, stream: str, tokenizer: Tokenizer) -> Iterator[tuple[Sequence[bool], Tensor]]:
        """Chunk by chunk: which samples have the stream, and the codes of those."""
        if isinstance(tokenizer, VQVAETokenizer):
            packed = self.packed(stream)
            for i in range(0, len(self.samples), CHUNK_SIZE):
                here = packed.present[i : i + CHUNK_SIZE]
                yield (
                    here.tolist(),
                    tokenizer.encode_packed(torch.from_numpy(packed.array[i : i + CHUNK_SIZE][here])),
                )
            return
        values = (self.reader.value(sample, stream) for sample in self.samples)
        while chunk := list(islice(values, CHUNK_SIZE)):
            yield [v is not None for v in chunk], tokenizer.encode([v for v in chunk if v is not None])

    def _cached(self, kind: str, stream: str, fact: Any, rows: Callable[[], Iterator[Any]]) -> CachedArray:
        stamp = fingerprint(self.samples, stream, fact)
        return open_cache(self.run.path / CACHE, f"{kind}.{stream}", stamp, len(self.samples), rows)

    def _vqvae(self, stream: str) -> VQVAETokenizer:
        tokenizer = self.tokenizers[self.plans[stream].tokenizer]
        assert isinstance(tokenizer, VQVAETokenizer)
        return tokenizer


def prepare(run: RunFolder, folder: Folder) -> PreparedData:
    """Measure the folder once, write what was found to data.json, and build from what stands there.

    Raises `BadFolder` if there is nothing to train on.
    """
    config = run.run()
    chosen = select(run, folder, _chosen(folder, config))
    if not run.has_data():
        run.save_data(
            _measured(chosen.reader, chosen.training, config) | facts(folder, chosen.split_of, config)
        )
    data = run.data()
    tokenizers = {name: _seeded(config, name, entry) for name, entry in data["tokenizers"].items()}
    plans = {name: StreamPlan.of(plain) for name, plain in data["streams"].items()}
    return PreparedData(run, chosen.reader, chosen.samples, chosen.rows, plans, tokenizers)


def select(run: RunFolder, folder: Folder, streams: Sequence[str]) -> Selection:
    """The samples of a run, whose keys and splits are written beside its caches.

    Raises `BadFolder` if none is for training.
    """
    config = run.run()
    split_of = split(folder, by=None if config.data.split_by == "key" else config.data.split_by)
    samples = [s for s in folder.samples if split_of[s.key] in ("train", "val")]
    rows = {
        name: torch.tensor([i for i, s in enumerate(samples) if split_of[s.key] == name], dtype=torch.int64)
        for name in ("train", "val")
    }
    if not len(rows["train"]):
        raise BadFolder(f"{folder.path} has no training sample; add files, or fill its folder train/")
    (run.path / CACHE).mkdir(exist_ok=True)
    keys = [sample.key for sample in samples]
    write_json(run.path / CACHE / KEYS, {"keys": keys, "splits": [split_of[key] for key in keys]})
    return Selection(Reader(folder, streams=streams), samples, rows, split_of)


def _chosen(folder: Folder, config: Run) -> tuple[str, ...]:
    wanted = config.data.streams or tuple(folder.modality_of)
    return tuple(check_choice("stream", name, folder.modality_of) for name in wanted)


def _measured(reader: Reader, training: Sequence[Sample], config: Run) -> dict[str, Any]:
    """Streams and tokenizers as data.json has them."""
    columns: dict[str, dict[str, list[Value]]] = {}
    for name in reader.streams:
        values = list(islice(reader.column(name, training), MAX_MEASURED_VALUES))
        if not values:
            raise BadFolder(
                f"{reader.folder.path}: no training sample has a readable {name}; leave it out with --streams"
            )
        columns.setdefault(reader.folder.modality_of[name], {})[name] = values
    plans: dict[str, Any] = {}
    tokenizers: dict[str, Any] = {}
    for modality, streams in columns.items():
        kind = MODALITIES[modality].tokenizer
        groups = TOKENIZERS[kind].fit(
            MODALITIES[modality], streams, config.data.limits, getattr(config, kind, None)
        )
        for i, group in enumerate(groups):
            name = f"{modality}.{i}" if i else modality
            tokenizers[name] = tokenizer_facts(modality, next(iter(group.values())))
            for stream, view in group.items():
                plans[stream] = asdict(StreamPlan(modality, name, view.shape.grid))
    return {"streams": {name: plans[name] for name in reader.streams}, "tokenizers": tokenizers}


def facts(folder: Folder, split_of: Mapping[str, str], config: Run) -> dict[str, Any]:
    """What data.json says of a folder, whatever is trained."""
    by = "its folders" if folder.splits is not None else f"a hash of {config.data.split_by}"
    return {
        "folder": str(folder.path.absolute()),
        "counts": dict(sorted(Counter(split_of.values()).items())),
        "split": f"The splits are fixed by {by}; a sample's streams stay on one side.",
        "left_out": [f"{p.path}: {p.reason}" for p in folder.problems][:100],
    }


def _seeded(config: Run, name: str, facts: Mapping[str, Any]) -> Tokenizer:
    """A tokenizer whose initial weights depend on the seed and its name alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive(config.seed, "init", name))
        return restore_tokenizer(facts)
