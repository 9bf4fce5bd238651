"""Codebook size, number of quantizers, width, growth and adaptive depth at equal bits."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import exp, log

import torch
from bits import coded_bits, plain_bits
from figures import Figures
from torch import Tensor
from trained import growing, train, with_target
from vectors import Vectors

from modaloom.quantizers import Adaptive, Quantizer, build, stats

BITS = 12
SHAPES = ((4096, 1), (64, 2), (16, 3), (8, 4), (4, 6))
"""Size and depth of BITS bits."""
WIDTHS = (48, 16, 8)
"""Principal components that are quantized: all, and fewer."""
DEEPEST = 6
"""Of the adaptive rate."""


@dataclass(frozen=True)
class Components:
    """Principal components of vectors, as many as `axes` (width, D) holds."""

    mean: Tensor
    axes: Tensor

    @classmethod
    def of(cls, z: Tensor, width: int) -> "Components":
        mean = z.mean(0)
        return cls(mean, torch.linalg.svd(z - mean, full_matrices=False).Vh[:width])

    def down(self, z: Tensor) -> Tensor:
        return (z - self.mean) @ self.axes.T

    def up(self, z: Tensor) -> Tensor:
        return z @ self.axes + self.mean


def sweep(vectors: Vectors, *, batches: int, seed: int) -> Iterator[tuple[str, Figures]]:
    """What a row of the table is → its figures, all at BITS bits a vector."""
    for width in WIDTHS:
        components = Components.of(vectors.train, width)
        inner = Vectors(components.down(vectors.train), components.down(vectors.held))
        for name, made in _quantizers(width, batches):
            learned = train(made, inner, batches=batches, seed=seed)
            fit = matched(learned, inner.held) if isinstance(learned, Adaptive) else learned
            yield f"{name}, width {width}", _measured(fit, components, inner, vectors.held)


def _quantizers(width: int, batches: int) -> Iterator[tuple[str, Quantizer]]:
    for size, depth in SHAPES:
        yield f"{size} × {depth}", build("vq", width, size, depth)
    (most, depth), (size, _) = SHAPES[:2]
    yield f"{most} × {depth} grown", build("vq", width, most, depth, growth=growing(batches, most))
    yield f"{size} × 1–{DEEPEST} adaptive", build("vq", width, size, DEEPEST, adaptive_distortion=1.0)


def matched(adaptive: Adaptive, z: Tensor) -> Adaptive:
    """With the target distortion at which z takes BITS plain bits, by bisection of its logarithm."""
    low, high = log(1e-6), 0.0
    for _ in range(20):
        middle = (low + high) / 2
        bits = plain_bits(with_target(adaptive, exp(middle))(z).codes, adaptive.skip_code)
        low, high = (middle, high) if bits > BITS else (low, middle)
    return with_target(adaptive, exp(high))


def _measured(quantizer: Quantizer, components: Components, inner: Vectors, z: Tensor) -> Figures:
    out, size = quantizer(inner.held), quantizer.codebook_sizes[0] - isinstance(quantizer, Adaptive)
    return {
        "plain bits": plain_bits(out.codes, size),
        "entropy-coded bits": coded_bits(out.codes, size),
        "distortion": float(stats.distortion(z, components.up(out.z_q))),
        "usage": float(out.stats["usage"]),
        "perplexity": float(out.stats["perplexity"]),
    }
