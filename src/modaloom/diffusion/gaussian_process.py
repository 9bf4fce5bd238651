"""The contract of a process of signals: how data becomes noise as t goes from 0 (data) to 1 (noise)."""

from abc import ABC, abstractmethod
from typing import final

import torch
from torch import Tensor

from modaloom.diffusion.level import NoiseLevel, expand_like
from modaloom.diffusion.prediction import Network, Prediction


class GaussianProcess(ABC):
    """x_t = a(t)·x_0 + σ(t)·ε with ε ~ N(0, I), for t in [0, 1]; σ/a rises with t.

    Signals are floats (B, ...) of about unit variance, times floats (B,). Knows no network.
    """

    @abstractmethod
    def at(self, t: Tensor) -> NoiseLevel:
        """a and σ at times of any shape, in their dtype; (1, 0) exactly at t = 0."""

    @abstractmethod
    def rate(self, t: Tensor) -> NoiseLevel:
        """Their derivatives by t."""

    @abstractmethod
    def time(self, ratio: Tensor) -> Tensor:
        """When σ/a is `ratio` in [0, ∞]; 1 if it never gets there."""

    @final
    def level(self, t: Tensor, like: Tensor) -> NoiseLevel:
        """The level at `t` (B,), shaped to go over `like` (B, ...), in the dtype of t."""
        return self.at(expand_like(t, like))

    @final
    def velocity(self, state: Tensor, mean: Tensor, t: Tensor) -> Tensor:
        """dx/dt of the probability flow, a′D + σ′ε̂, for the denoiser's D = `mean` at `t` (B,).

        Song et al. 2021 (arXiv 2011.13456, eq. 13). At data, where nothing tells of ε, without its part.
        """
        level, rate = self.level(t, state), self.rate(expand_like(t, state))
        drift = rate.alpha * mean
        return torch.where(level.sigma > 0, drift + rate.sigma * level.noise_of(state, mean), drift)

    @final
    def prior(self, like: Tensor, *, generator: torch.Generator) -> Tensor:
        """The state at t = 1: ε in the shape, dtype and device of `like`."""
        drawn = torch.randn(like.shape, dtype=like.dtype, device=generator.device, generator=generator)
        return drawn.to(like.device)

    @final
    def loss(
        self, network: Network, prediction: Prediction, data: Tensor, t: Tensor, *, generator: torch.Generator
    ) -> Tensor:
        """(B,): squared error of the network's output at `t` (B,) for one draw of ε, the mean over values.

        It trains one step at a time; the forward process has nothing to train. For a weight w on the squared
        error of the clean data, multiply by w · `prediction.gain`.
        """
        level, noise = self.level(t, data), self.prior(data, generator=generator)
        output = prediction.wrap(network, self)(level.mix(data, noise), t)
        return (output - prediction.target(data, noise, level)).square().flatten(1).mean(1)
