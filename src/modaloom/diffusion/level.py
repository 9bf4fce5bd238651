"""How much of a noisy signal is data and how much is noise."""

from dataclasses import dataclass

import torch
from torch import Tensor


def over(t: Tensor, like: Tensor) -> Tensor:
    """(B,) → (B, 1, …), to go over `like` (B, ...)."""
    return t.reshape(-1, *[1] * (like.ndim - 1))


@dataclass(frozen=True)
class Level:
    """state = signal · data + noise · ε with ε ~ N(0, I). Both are ≥ 0 and broadcast over the state."""

    signal: Tensor
    """√ᾱ: 1 at data; where a process loses all of it, 0 at noise."""
    noise: Tensor
    """σ: 0 at data."""

    @property
    def ratio(self) -> Tensor:
        """σ / √ᾱ: the noise beside data of full size; 0 at data, ∞ where no signal is left."""
        return self.noise / self.signal

    @property
    def snr(self) -> Tensor:
        """S = ᾱ / σ², ∞ at data."""
        return (self.signal / self.noise).square()

    def mix(self, data: Tensor, noise: Tensor) -> Tensor:
        """The state that `data` and `noise` make at this level."""
        return self.signal * data + self.noise * noise

    def noise_of(self, state: Tensor, data: Tensor) -> Tensor:
        """ε of a state whose data is known, without gradient.

        0 where the level has no noise: there the state tells nothing of ε, and 0 is its mean.
        """
        left = state - self.signal * data
        return torch.where(self.noise > 0, left / self.noise, torch.zeros_like(left))
