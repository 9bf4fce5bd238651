"""The contract of a diffusion process of signals: data at t = 0, noise at t = 1."""

from abc import ABC, abstractmethod
from typing import final

import torch
from torch import Tensor

from modaloom.diffusion.level import NoiseLevel, expand_like
from modaloom.diffusion.prediction import Network, Prediction


class GaussianProcess(ABC):
    """x_t = a(t)·x_0 + σ(t)·ε with ε ~ N(0, I), for t in [0, 1]; σ/a increases with t.

    Signals are floats (B, ...) of about unit variance, times floats (B,).
    """

    @abstractmethod
    def at(self, t: Tensor) -> NoiseLevel:
        """a and σ at times of any shape, in their dtype; (1, 0) exactly at t = 0."""

    @abstractmethod
    def rate(self, t: Tensor) -> NoiseLevel:
        """The derivatives of a and σ by t."""

    @abstractmethod
    def time(self, ratio: Tensor) -> Tensor:
        """The inverse of σ/a: the time at which it is `ratio` in [0, ∞]; 1 if it stays below."""

    @final
    def level(self, t: Tensor, like: Tensor) -> NoiseLevel:
        """The level at `t` (B,), broadcastable to `like` (B, ...), in the dtype of t."""
        return self.at(expand_like(t, like))

    @final
    def velocity(self, state: Tensor, mean: Tensor, t: Tensor) -> Tensor:
        """dx/dt of the probability-flow ODE, a′D + σ′ε̂, for the denoiser's D = `mean` at `t` (B,).

        Song et al. 2021 (arXiv 2011.13456, eq. 13). At t = 0 ε is undetermined and its term is left out.
        """
        level, rate = self.level(t, state), self.rate(expand_like(t, state))
        drift = rate.alpha * mean
        return torch.where(level.sigma > 0, drift + rate.sigma * level.noise_of(state, mean), drift)

    @final
    def prior(self, like: Tensor, *, generator: torch.Generator) -> Tensor:
        """The state at t = 1: ε in the shape, dtype and device of `like`."""
        noise = torch.randn(like.shape, dtype=like.dtype, device=generator.device, generator=generator)
        return noise.to(like.device)

    @final
    def loss(
        self, network: Network, prediction: Prediction, data: Tensor, t: Tensor, *, generator: torch.Generator
    ) -> Tensor:
        """Training loss: squared error of the network's output for one sample of ε.

        For a weight w on the squared error of the clean data, multiply by w · `prediction.gain`.

        Args:
            network: state (B, ...), t (B,) → output (B, ...).
            prediction: what the output means.
            data: float (B, ...), clean, of about unit variance.
            t: float (B,) in [0, 1].
            generator: of ε.

        Returns:
            float (B,), the mean over the values of each sample.
        """
        level, noise = self.level(t, data), self.prior(data, generator=generator)
        output = prediction.wrap(network, self)(level.mix(data, noise), t)
        return (output - prediction.target(data, noise, level)).square().flatten(1).mean(1)
