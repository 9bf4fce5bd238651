"""Reconstruction losses of signals: one function and one entry of `LOSSES` each."""

from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from modaloom.modalities.signal_codec import mean_squared_error
from modaloom.spectral.distance import spectral_distance

SignalLoss = Callable[[Tensor, Tensor], Tensor]
"""(reconstruction, signal), both float (B, C, *axes) → (B,), means over the values of a sample."""

CHARBONNIER_EPSILON = 1e-3
"""Differences below it are squared rather than absolute; signals are in [-1, 1]."""
LEVEL_POWER, LEAST_LEVEL = 1.5, 0.02
"""Of the weights of levels from 0, the floor of a spectrogram, to 1; what is below the least counts as it."""
MAX_LEVELS, MIN_SIDE = 4, 4
"""Levels of a Laplacian pyramid, and positions of its smallest."""


def mean_absolute_error(reconstruction: Tensor, signal: Tensor) -> Tensor:
    """(B,): mean of |x̂ − x|, minimised by the median: sharper than the mean that mse is minimised by."""
    return (reconstruction - signal).abs().flatten(1).mean(1)


def charbonnier(reconstruction: Tensor, signal: Tensor) -> Tensor:
    """(B,): mean of √((x̂ − x)² + ε²) − ε, a smooth absolute error (Charbonnier et al. 1994)."""
    squared = (reconstruction - signal).square() + CHARBONNIER_EPSILON**2
    return squared.sqrt().flatten(1).mean(1) - CHARBONNIER_EPSILON


def laplacian(reconstruction: Tensor, signal: Tensor) -> Tensor:
    """(B,): mean absolute error of the levels of a Laplacian pyramid, averaged over the levels.

    A level holds what halving and doubling every axis loses of the previous one; the last is what is left.
    Equal weights of the levels' means are those of the Lap₁ loss of Bojanowski et al. 2017 (arXiv
    1707.05776), eq. 4: fine detail counts as much as the whole, which pixels alone are dominated by. Halving
    averages, doubling repeats.
    """
    error, levels = reconstruction - signal, list[Tensor]()
    while len(levels) < MAX_LEVELS - 1 and min(error.shape[2:]) >= 2 * MIN_SIDE:
        coarse = F.interpolate(error, [-(-n // 2) for n in error.shape[2:]], mode="area")
        levels.append(error - F.interpolate(coarse, error.shape[2:], mode="nearest"))
        error = coarse
    means = [level.abs().flatten(1).mean(1) for level in (*levels, error)]
    return torch.stack(means).mean(0)


def level_weighted(reconstruction: Tensor, signal: Tensor) -> Tensor:
    """(B,): mean of |x̂ − x|, weighted by the level (x + 1) / 2 of either, to the power `LEVEL_POWER`.

    Of log-mel spectrograms: what is loud is heard, and an error of 3 dB in the noise between words is not.
    The larger of both levels counts, so that silence is not filled. The weights have no gradient.
    """
    louder = torch.maximum(signal, reconstruction.detach())
    weights = ((louder + 1) / 2).clamp(LEAST_LEVEL, 1) ** LEVEL_POWER
    errors = weights * (reconstruction - signal).abs()
    return errors.flatten(1).sum(1) / weights.flatten(1).sum(1)


LOSSES: Mapping[str, SignalLoss] = {
    "mse": mean_squared_error,
    "l1": mean_absolute_error,
    "charbonnier": charbonnier,
    "laplacian": laplacian,
    "level_weighted": level_weighted,
    "spectral": spectral_distance,
}
