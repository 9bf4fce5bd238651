"""Bits per character of texts: a bound by the model's own conditionals, beside frequencies of characters."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from modaloom.core.rng import generator
from modaloom.core.types import Sample
from modaloom.evaluation.estimate import Statistic
from modaloom.evaluation.judge import Estimates
from modaloom.evaluation.rows import Direction
from modaloom.evaluation.unigram import unigram_bits
from modaloom.loom.evaluation.encoded import Encoded

METRIC = "bits_per_character"
MAX_SAMPLES = 100
"""Texts that are measured."""
NUM_NOISE_LEVELS = 16
"""Noise levels per text, stratified."""


@dataclass(frozen=True)
class Rate:
    """Bits of n texts."""

    bits: Tensor
    """float64 (n,): upper bounds on −log₂ p(codes of the text | what is given)."""
    characters: Tensor
    """float64 (n,): Unicode code points of each."""
    unigram: Tensor
    """float64 (n,): bits by the frequencies of characters alone."""

    @classmethod
    def of(
        cls,
        encoded: Encoded,
        direction: Direction,
        samples: Sequence[Sample],
        *,
        texts: Sequence[str],
        train: Sequence[str],
        seed: int,
        points: int = NUM_NOISE_LEVELS,
    ) -> "Rate":
        """Bound the bits of the target's codes.

        `Loom.nelbo` is the negative evidence lower bound of the run's process (masked diffusion: arXiv
        2406.07524, eq. 10, equal to the mean of −log p over all orders of unmasking; uniform diffusion: arXiv
        2107.03006), with the length of the text. A text has at least the probability of its codes, so that
        the figure is an upper bound on the model's bits for each text that comes back from its codes: all
        within the limits by byte-level BPE, not all by a VQ-VAE of bytes. It is estimated without bias at
        `points` noise levels.

        Args:
            encoded: the model, with the samples' codes.
            direction: given streams, and one target of texts.
            samples: n samples that have all streams of the direction.
            texts: their n texts.
            train: training texts, for the frequencies of characters.
            seed: of the noise.
            points: noise levels for each text.
        """
        (want,), noise = direction.want, generator(seed, "rate", direction.name)
        codes = {name: encoded.codes(name, samples) for name in direction.streams}
        loom = encoded.model.loom
        nats = loom.nelbo(codes, [want], direction.given, generator=noise, points=points)[want]
        lengths = torch.tensor([len(text) for text in texts], dtype=torch.float64)
        return cls(nats.double().cpu() / math.log(2), lengths, unigram_bits(train, texts))

    def estimates(self) -> Estimates:
        """Bits of all texts over their characters; nothing where they have none."""
        both = torch.stack([self.bits, self.characters], 1)
        sums = Statistic(both, lambda drawn: drawn[..., 0].sum(1) / drawn[..., 1].sum(1))
        return {METRIC: sums} if self.characters.any() else {}

    def floor(self) -> dict[str, float]:
        """The same by the frequencies of characters."""
        return {METRIC: float(self.unigram.sum() / self.characters.sum())}
