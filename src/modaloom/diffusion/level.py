"""Noise levels: the coefficients of data and noise in a noisy signal."""

from dataclasses import dataclass

import torch
from torch import Tensor


def expand_like(t: Tensor, like: Tensor) -> Tensor:
    """(B,) → (B, 1, …), broadcastable to `like` (B, ...)."""
    return t.reshape(-1, *[1] * (like.ndim - 1))


@dataclass(frozen=True)
class NoiseLevel:
    """state = alpha · data + sigma · ε with ε ~ N(0, I). Both are ≥ 0 and broadcast to the state."""

    alpha: Tensor
    """√ᾱ (also written a): 1 at t = 0; 0 at t = 1 if the terminal SNR is 0."""
    sigma: Tensor
    """σ: 0 at t = 0."""

    @property
    def ratio(self) -> Tensor:
        """σ / √ᾱ, EDM's σ: 0 at data, ∞ at pure noise."""
        return self.sigma / self.alpha

    @property
    def snr(self) -> Tensor:
        """Signal-to-noise ratio S = ᾱ / σ², ∞ at data."""
        return (self.alpha / self.sigma).square()

    def mix(self, data: Tensor, noise: Tensor) -> Tensor:
        """The noisy state: alpha · data + sigma · noise."""
        return self.alpha * data + self.sigma * noise

    def noise_of(self, state: Tensor, data: Tensor) -> Tensor:
        """ε of a state whose data is known; its prior mean, 0, where sigma is 0."""
        residual = state - self.alpha * data
        return torch.where(self.sigma > 0, residual / self.sigma, 0.0)
