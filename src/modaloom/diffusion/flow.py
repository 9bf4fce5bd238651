"""Rectified flow of signals (linear interpolation between data and noise)."""

from dataclasses import dataclass

import torch
from torch import Tensor

from modaloom.diffusion.gaussian_process import GaussianProcess
from modaloom.diffusion.level import NoiseLevel


@dataclass(frozen=True)
class RectifiedFlow(GaussianProcess):
    """x_t = (1 − t) x_0 + t ε.

    Liu et al. 2022 (arXiv 2209.03003, eq. 1) and Lipman et al. 2022 (arXiv 2210.02747, §4.1), with time
    reversed.
    """

    def at(self, t: Tensor) -> NoiseLevel:
        return NoiseLevel(1 - t, t)

    def rate(self, t: Tensor) -> NoiseLevel:
        return NoiseLevel(-torch.ones_like(t), torch.ones_like(t))

    def time(self, ratio: Tensor) -> Tensor:
        return 1 / (1 + 1 / ratio)
