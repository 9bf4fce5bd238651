"""Per-channel normalisation of signals, fitted to training data and stored with the model."""

import torch
from torch import Tensor, nn

from modaloom.core.errors import BadValue


class Normalizer(nn.Module):
    """Signals (B, C, *axes) ↔ signals of mean 0 and standard deviation 1 per channel.

    Processes expect unit variance; another scale would shift every noise level. Mean and deviation are
    buffers, saved with the weights. The identity until `fit`.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("deviation", torch.ones(channels))

    @torch.no_grad()
    def fit(self, data: Tensor) -> None:
        """Measure mean and deviation of `data` (B, C, *axes) in float64; constant channels keep deviation 1.

        Raises `BadValue` if the data is not finite.
        """
        values = data.double().transpose(0, 1).flatten(1)
        if not bool(values.isfinite().all()):
            raise BadValue("the training data has values that are not finite; remove them or fill them in")
        deviation = values.std(1, correction=0)
        self.mean.copy_(values.mean(1))
        self.deviation.copy_(torch.where(deviation > 0, deviation, 1))

    def forward(self, data: Tensor) -> Tensor:
        """Normalise: data → signals, in the dtype of the data."""
        return (data - self._broadcast(self.mean, data)) / self._broadcast(self.deviation, data)

    def inverse(self, signal: Tensor) -> Tensor:
        """Denormalise: signals → data."""
        return signal * self._broadcast(self.deviation, signal) + self._broadcast(self.mean, signal)

    def _broadcast(self, value: Tensor, like: Tensor) -> Tensor:
        return value.to(like.dtype).reshape(-1, *[1] * (like.ndim - 2))
