"""A small world, and stand-ins for a model whose scores are known beforehand."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from modaloom.core.frame import Frames, single
from modaloom.core.types import Sample
from modaloom.loom.generated import Generated
from modaloom.loom.model import Model
from modaloom.world import STREAMS
from modaloom.world.splits import scene

TEXT, IMAGE = {"tokens": 64}, {"size": [32, 32], "content": [32, 32], "channels": 3}
"""Specs of the world's streams."""
NAMES = ("image", "caption", "question", "answer")


@dataclass(frozen=True)
class SmallWorld:
    train: list[Sample]
    tests: dict[str, list[Sample]]
    facts: dict[str, dict[str, str]]

    @property
    def truths(self) -> dict[str, Sample]:
        return {sample.key: sample for samples in self.tests.values() for sample in samples}


def small_world(train: int, test: int) -> SmallWorld:
    """A world in which nothing moves."""
    facts: dict[str, dict[str, str]] = {}

    def make(split: str, n: int) -> list[Sample]:
        scenes = {f"{split}/{i:06d}": scene(0, split, i, {"motion": "still"}) for i in range(1, n + 1)}
        facts.update({key: one.facts for key, one in scenes.items()})
        return [Sample(key, {m: STREAMS[m].render(one) for m in NAMES}) for key, one in scenes.items()]

    splits = ("test-seen", "test-level1", "test-level2")
    return SmallWorld(make("train", train), {split: make(split, test) for split in splits}, facts)


def same(stream: str, value: Any) -> Any:
    return value


@dataclass
class ToyModel:
    """Answers by `rule` (its name, wanted streams → streams); its tokenizers lose what `lossy` loses."""

    rule: Callable[[str, Sequence[str]], Mapping[str, Any]]
    lossy: Callable[[str, Any], Any] = same
    modality_of: Mapping[str, str] = field(default_factory=lambda: {m: STREAMS[m].modality for m in NAMES})
    calls: list[Any] = field(default_factory=list)
    table: list[Any] = field(default_factory=list)
    """The value of each code."""
    encoded: list[str] = field(default_factory=list)
    """The stream of every value that was encoded."""
    specs: Mapping[str, Any] = field(default_factory=lambda: {**dict.fromkeys(NAMES, TEXT), "image": IMAGE})

    @property
    def wanted(self) -> tuple[str, ...]:
        return tuple(self.streams)

    @property
    def streams(self) -> dict[str, SimpleNamespace]:
        return {name: SimpleNamespace(modality=modality) for name, modality in self.modality_of.items()}

    def encode(self, name: str, values: Sequence[Any]) -> Tensor:
        self.encoded += [name] * len(values)
        return self._codes([self.lossy(name, value) for value in values])

    def decode(self, name: str, codes: Tensor) -> list[Any]:
        return [self.table[code] for code in codes.flatten().tolist()]

    def trimmed(self, name: str, rebuilt: Any, value: Any) -> Any:
        return rebuilt

    def values(self, codes: Mapping[str, Tensor]) -> list[Generated]:
        return Model.values(self, codes)

    def stream(self, given, want, *, n, seed, names, options) -> Frames[Mapping[str, Tensor]]:
        assert all(len(column) == n == len(names) for column in given.values())
        self.calls.append((tuple(given), tuple(want), tuple(names), options))
        rows = [self.rule(name, want) for name in names]
        return single({stream: self._codes([row[stream] for row in rows]) for stream in want})

    def _codes(self, values: Sequence[Any]) -> Tensor:
        self.table += values
        return torch.arange(len(self.table) - len(values), len(self.table)).view(-1, 1, 1)
