"""Data N(MU, S) on two axes: its denoiser, probability flow and laws in closed form, for any process."""

import torch
from torch import Tensor

from modaloom.diffusion.flow import RectifiedFlow
from modaloom.diffusion.gaussian import VariancePreserving
from modaloom.diffusion.gaussian_process import GaussianProcess
from modaloom.diffusion.prediction import SignalDenoiser
from modaloom.diffusion.vp_schedule import VP_SCHEDULES

MU = torch.tensor([2.0, -1.0], dtype=torch.float64)
S = torch.tensor([[1.5, 0.6], [0.6, 0.5]], dtype=torch.float64)
EYE = torch.eye(2, dtype=torch.float64)
WALKED: dict[str, GaussianProcess] = {"flow": RectifiedFlow()} | {
    name: VariancePreserving(angle) for name, angle in VP_SCHEDULES.items()
}
"""Every process, with every angle."""


def amplitudes(process: GaussianProcess, t: float) -> tuple[float, float]:
    level = process.at(torch.tensor([t], dtype=torch.float64))
    return float(level.alpha), float(level.sigma)


def exact(process: GaussianProcess) -> SignalDenoiser:
    """E[data | state] = μ + aS(a²S + σ²I)⁻¹(x − aμ)."""

    def denoise(state: Tensor, t: Tensor) -> Tensor:
        a, sigma = amplitudes(process, float(t[0]))
        return MU + (state - a * MU) @ torch.linalg.inv(a * a * S + sigma * sigma * EYE) @ S * a

    return denoise


def law(process: GaussianProcess, t: float) -> tuple[Tensor, Tensor]:
    """Mean (2,) and covariance (2, 2) of the state at t."""
    a, sigma = amplitudes(process, t)
    return a * MU, a * a * S + sigma * sigma * EYE


def flow(process: GaussianProcess, x: Tensor, t: float, s: float) -> Tensor:
    """The probability flow: along every axis of S the state keeps its number of deviations."""
    values, axes = torch.linalg.eigh(S)
    (a, sigma), (b, tau) = amplitudes(process, t), amplitudes(process, s)
    stretch = ((b * b * values + tau * tau) / (a * a * values + sigma * sigma)).sqrt()
    return b * MU + ((x - a * MU) @ axes * stretch) @ axes.T


def normals(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
