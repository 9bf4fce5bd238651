"""Reconstruction losses of signals: one function and one entry of `LOSSES` each."""

from collections.abc import Callable, Mapping

from torch import Tensor

from modaloom.modalities.signal_codec import mean_squared_error

SignalLoss = Callable[[Tensor, Tensor], Tensor]
"""(reconstruction, signal), both float (B, C, *axes) → (B,), means over the values of a sample."""

CHARBONNIER_EPSILON = 1e-3
"""Differences below it are squared rather than absolute; signals are in [-1, 1]."""


def mean_absolute_error(reconstruction: Tensor, signal: Tensor) -> Tensor:
    """(B,): mean of |x̂ − x|, minimised by the median: sharper than the mean that mse is minimised by."""
    return (reconstruction - signal).abs().flatten(1).mean(1)


def charbonnier(reconstruction: Tensor, signal: Tensor) -> Tensor:
    """(B,): mean of √((x̂ − x)² + ε²) − ε, a smooth absolute error (Charbonnier et al. 1994)."""
    squared = (reconstruction - signal).square() + CHARBONNIER_EPSILON**2
    return squared.sqrt().flatten(1).mean(1) - CHARBONNIER_EPSILON


LOSSES: Mapping[str, SignalLoss] = {
    "mse": mean_squared_error,
    "l1": mean_absolute_error,
    "charbonnier": charbonnier,
}
