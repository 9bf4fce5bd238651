"""How values at their own size are signals, and which signals have values."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Scale:
    """Values of one type as signals, channel by channel: value = low + span · signal.

    What lies outside of the measured range lies outside of [0, 1], as far as the type has values.
    """

    type: np.dtype[Any] = field(default_factory=lambda: np.dtype(np.uint8))
    """Whole numbers, or floats."""
    low: Tensor = field(default_factory=lambda: torch.tensor(0.0))
    """Value of the signal 0: float32 (), or (C, 1, …)."""
    span: Tensor = field(default_factory=lambda: torch.tensor(255.0))
    """Value of the signal 1 minus that of 0, more than 0; float32, shaped likewise."""

    @property
    def is_whole(self) -> bool:
        """Whether values are whole numbers."""
        return self.type.kind in "iu"

    @property
    def limits(self) -> tuple[float, float]:
        """The least and the largest value of the type."""
        if not self.is_whole:
            return -torch.inf, torch.inf
        return float(np.iinfo(self.type).min), float(np.iinfo(self.type).max)

    def to_unit(self, packed: NDArray[Any]) -> Tensor:
        """Values (C, *axes) → float32 signal (C, *axes)."""
        return ((torch.from_numpy(packed.astype(np.float64)) - self.low) / self.span).float()

    def from_unit(self, signal: Tensor) -> NDArray[Any]:
        """The inverse of `to_unit`: the nearest values that the type has."""
        values = self.low.double() + self.span.double() * signal.double()
        whole = values.round().clamp(*self.limits) if self.is_whole else values
        return whole.numpy().astype(self.type)

    def clamp(self, signal: Tensor) -> Tensor:
        """Signal (C, *axes) → the nearest one within the limits of the type."""
        least, most = ((limit - self.low) / self.span for limit in self.limits)
        return signal.clamp(least, most)

    def quantize(self, signal: Tensor) -> Tensor:
        """Signal (C, *axes) → that of the nearest values that the type has, as a file would hold it."""
        if not self.is_whole:
            return signal
        return ((signal * self.span + self.low).round().clamp(*self.limits) - self.low) / self.span


EIGHT_BITS = Scale()
"""Of 8-bit pictures: signals are multiples of 1/255 in [0, 1]."""
