"""Variants of training samples: variant 0 is the sample itself, the others are augmented."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from modaloom.core.errors import BadValue
from modaloom.core.rng import derive, generator
from modaloom.loom.config import LoomRunConfig
from modaloom.modalities import MODALITIES
from modaloom.tokenizers import Tokenizer

RandomPath = tuple[str | int, ...]


@dataclass(frozen=True)
class Variants:
    """What the training samples of a run are augmented by; all functions are pure."""

    seed: int
    strengths: Mapping[str, float]
    """Augmentation → strength, of those that are on."""
    number: int
    """Variants of each sample; 1: no augmentation."""

    @classmethod
    def of(cls, config: LoomRunConfig) -> "Variants":
        """The variants that a configuration asks for."""
        number = config.training.variants
        strengths = {name: s for name, s in config.training.augment.items() if s and number > 1}
        return cls(config.seed, strengths, number if strengths else 1)

    def names(self, modality: str) -> list[str]:
        """The augmentations of a modality that are on."""
        return [name for name in MODALITIES[modality].codec.augmentations if name in self.strengths]

    def count(self, modality: str) -> int:
        """Variants of a value of a modality: all the same, and counted as one, if it is not augmented."""
        return self.number if self.names(modality) else 1

    def facts(self, modality: str) -> list[object]:
        """What codes depend on beside the values and the tokenizer; JSON-able."""
        used = {name: self.strengths[name] for name in self.names(modality)}
        return [self.seed, used, self.number] if self.count(modality) > 1 else []

    def drawn(self, stage: str, step: int, rows: Tensor) -> Tensor:
        """int64 (n,): the variant of each sample, int64 (n,), in a step: half of them 0."""
        if self.number == 1:
            return torch.zeros_like(rows)
        seeds = (derive(self.seed, stage, "variant", step, row) for row in rows.tolist())
        others = self.number - 1
        return torch.tensor([max(0, seed % (2 * others) - others + 1) for seed in seeds])

    def augmented(
        self, tokenizer: Tokenizer, modality: str, batch: Tensor, paths: Sequence[RandomPath]
    ) -> Tensor:
        """Random variants of prepared values (B, …), B ≥ 1; the values themselves if they are not augmented.

        Args:
            tokenizer: of the values.
            modality: of the values.
            batch: the values.
            paths: what the random numbers of each value derive from, beside the seed. Values of one path have
                the same change whatever their sizes, so that the pictures of a sample stay aligned.
        """
        if self.count(modality) == 1:
            return batch
        random = [partial(generator, self.seed, "augment", *path) for path in paths]
        return torch.stack([tokenizer.variant(*one, self.strengths) for one in zip(batch, random)])

    def check(self, modality_of: Mapping[str, str]) -> None:
        """Raise `BadValue` for an augmentation that none of the streams has."""
        known = {name for modality in modality_of.values() for name in self.names(modality)}
        for name in (name for name in self.strengths if name not in known):
            having = [one.name for one in MODALITIES.values() if name in one.codec.augmentations]
            raise BadValue(
                f"training.augment.{name} is for streams of {' or '.join(having)}, and there is none; "
                "set it to 0 or leave it out"
            )

    def sentence(self, modality_of: Mapping[str, str]) -> str:
        """What is augmented by what; empty if nothing is."""
        words = {
            stream: " and ".join(f"{name} {self.strengths[name]:g}" for name in self.names(modality))
            for stream, modality in modality_of.items()
        }
        told = "; ".join(f"{stream} by {word}" for stream, word in words.items() if word)
        return f"augmented, {self.number} variants of each training sample: {told}" if told else ""
