"""White Gaussian noise."""

import torch
from torch import Tensor


def add_noise(signal: Tensor, *, sigma: float, generator: torch.Generator) -> Tensor:
    """Add independent N(0, sigma²) to each value of a signal of any shape and range; not clipped."""
    noise = torch.randn(signal.shape, dtype=signal.dtype, device=generator.device, generator=generator)
    return signal + sigma * noise.to(signal.device)
