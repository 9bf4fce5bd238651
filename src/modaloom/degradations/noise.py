"""White gaussian noise."""

import torch
from torch import Tensor


def add_noise(signal: Tensor, *, sigma: float, generator: torch.Generator) -> Tensor:
    """The signal, of any shape and range, plus N(0, sigma²) for every value; not clipped."""
    drawn = torch.randn(signal.shape, dtype=signal.dtype, device=generator.device, generator=generator)
    return signal + sigma * drawn.to(signal.device)
