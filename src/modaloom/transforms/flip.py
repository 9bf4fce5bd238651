"""Mirror images."""

import torch
from torch import Tensor


def flip(signal: Tensor, probability: float, *, generator: torch.Generator) -> Tensor:
    """Reverses the last axis of a signal (C, *axes), left and right of a picture, with a probability."""
    return signal.flip(-1) if float(torch.rand((), generator=generator)) < probability else signal
