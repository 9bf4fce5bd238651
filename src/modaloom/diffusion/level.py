"""How much of a noisy signal is data and how much is noise."""

from dataclasses import dataclass

import torch
from torch import Tensor


def expand_like(t: Tensor, like: Tensor) -> Tensor:
    """(B,) → (B, 1, …), to go over `like` (B, ...)."""
    return t.reshape(-1, *[1] * (like.ndim - 1))


@dataclass(frozen=True)
class NoiseLevel:
    """state = alpha · data + sigma · ε with ε ~ N(0, I). Both are ≥ 0 and broadcast over the state."""

    alpha: Tensor
    """√ᾱ: 1 at data; where a process loses all of it, 0 at noise."""
    sigma: Tensor
    """σ: 0 at data."""

    @property
    def ratio(self) -> Tensor:
        """σ / √ᾱ: the noise beside data of full size; 0 at data, ∞ where no signal is left."""
        return self.sigma / self.alpha

    @property
    def snr(self) -> Tensor:
        """S = ᾱ / σ², ∞ at data."""
        return (self.alpha / self.sigma).square()

    def mix(self, data: Tensor, noise: Tensor) -> Tensor:
        """The state that `data` and `noise` make at this level."""
        return self.alpha * data + self.sigma * noise

    def noise_of(self, state: Tensor, data: Tensor) -> Tensor:
        """ε of a state whose data is known, without gradient.

        0 where the level has no noise: there the state tells nothing of ε, and 0 is its mean.
        """
        left = state - self.alpha * data
        return torch.where(self.sigma > 0, left / self.sigma, 0.0)
