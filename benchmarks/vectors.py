"""Vectors to quantize, for the benchmarks: for training and for testing."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from modaloom.core.rng import generator
from modaloom.world import STREAMS
from modaloom.world.splits import scene

SIDE = 4
"""Pixels of a patch, across and down."""


@dataclass(frozen=True)
class Vectors:
    """float32 (N, D)."""

    train: Tensor
    held: Tensor

    def batch(self, n: int, seed: int, step: int) -> Tensor:
        """n random training vectors."""
        picks = torch.randint(len(self.train), (n,), generator=generator(seed, "batch", step))
        return self.train[picks]


def mixture(*, components: int = 200, dim: int = 16) -> Vectors:
    """A mixture of normal distributions: centres of deviation 2, widths of 0.2 to 1.2."""
    rng = generator(0, "mixture")
    centres = 2 * torch.randn(components, dim, generator=rng)
    widths = 0.2 + torch.rand(components, 1, generator=rng)

    def sample(n: int) -> Tensor:
        which = torch.randint(components, (n,), generator=rng)
        return centres[which] + widths[which] * torch.randn(n, dim, generator=rng)

    return Vectors(sample(60_000), sample(20_000))


def world() -> Vectors:
    """Patches of the built-in world's pictures: 1,000 of training, 200 of test-seen."""
    render = STREAMS["image"].render
    train, held = (
        patches(render(scene(0, split, i)) for i in range(n))
        for split, n in (("train", 1000), ("test-seen", 200))
    )
    return Vectors(train, held)


def photographs() -> Vectors:
    """Patches of scikit-learn's two photographs: one for training, another motif for testing."""
    from sklearn.datasets import load_sample_image

    return Vectors(patches([load_sample_image("china.jpg")]), patches([load_sample_image("flower.jpg")]))


def patches(pictures: Iterable[Any]) -> Tensor:
    """RGB pictures of 8 bits → their patches that do not overlap, (N, SIDE · SIDE · 3), in −1..1."""
    return torch.cat([_patches(np.array(picture)) for picture in pictures])


def _patches(pixels: Any) -> Tensor:
    rows, columns = (n // SIDE for n in pixels.shape[:2])
    whole = torch.from_numpy(pixels)[: rows * SIDE, : columns * SIDE].float() / 127.5 - 1
    tiles = whole.reshape(rows, SIDE, columns, SIDE, 3).transpose(1, 2)
    return tiles.reshape(rows * columns, -1)


VECTORS: dict[str, Callable[[], Vectors]] = {
    "mixture": mixture,
    "world": world,
    "photographs": photographs,
}
