"""The scale of signals: measured on training data, stored with the model, applied both ways."""

import torch
from torch import Tensor, nn

from modaloom.core.errors import BadValue


class Normalizer(nn.Module):
    """Signals (B, C, *axes) of any scale ↔ signals of mean 0 and deviation 1, channel by channel.

    Processes expect unit variance; a guessed scale shifts every noise level. The measure stands in two
    buffers, so that it is saved and loaded with the weights. Until `fit` it changes nothing.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("deviation", torch.ones(channels))

    @torch.no_grad()
    def fit(self, data: Tensor) -> None:
        """Measure on `data` (B, C, *axes), in float64. A channel that is constant keeps its size.

        Raises `BadValue` where the data is not finite.
        """
        values = data.double().transpose(0, 1).flatten(1)
        if not bool(values.isfinite().all()):
            raise BadValue("the training data holds values that are not finite; remove them or fill them in")
        deviation = values.std(1, correction=0)
        self.mean.copy_(values.mean(1))
        self.deviation.copy_(torch.where(deviation > 0, deviation, 1))

    def forward(self, data: Tensor) -> Tensor:
        """Data → signals for a process, in the dtype of the data."""
        return (data - self._over(self.mean, data)) / self._over(self.deviation, data)

    def inverse(self, signal: Tensor) -> Tensor:
        """Signals of a process → data."""
        return signal * self._over(self.deviation, signal) + self._over(self.mean, signal)

    def _over(self, value: Tensor, like: Tensor) -> Tensor:
        return value.to(like.dtype).reshape(-1, *[1] * (like.ndim - 2))
