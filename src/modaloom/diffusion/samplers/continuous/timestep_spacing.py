"""At which times a walk stops, and at which a network is trained.

Grids are float64 (steps + 1,), from noise to exactly 0, for any steps ≥ 1; `BadValue` for fewer. Noise levels
are told by σ/a, so that a grid is the same for every process.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from modaloom.core.errors import check_range
from modaloom.diffusion.gaussian_process import GaussianProcess

TimestepSpacing = Callable[[GaussianProcess, int], Tensor]


def uniform(process: GaussianProcess, steps: int) -> Tensor:
    """Equal steps of t from 1."""
    return _falling(steps)


def karras(
    process: GaussianProcess, steps: int, *, low: float = 0.002, high: float = 80.0, rho: float = 7.0
) -> Tensor:
    """σ/a from `high` to `low` with equal steps of its `rho`-th root, then 0.

    Karras et al. 2022 (arXiv 2206.00364, eq. 5). Shorter steps near data.
    """
    check_range("steps", steps, 1)
    check_range("low", low, 0, open_low=True)
    check_range("high", high, low)
    check_range("rho", rho, 0, open_low=True)
    parts = torch.linspace(0, 1, steps, dtype=torch.float64)
    first, last = high ** (1 / rho), low ** (1 / rho)
    ratios = (first + parts * (last - first)) ** rho
    return torch.cat([process.time(ratios), ratios.new_zeros(1)])


def logit(process: GaussianProcess, steps: int, *, mean: float = 0.0, scale: float = 1.0) -> Tensor:
    """Equal shares of `log_normal`: shorter steps in the middle."""
    return log_normal(process, _falling(steps), mean=mean, scale=scale)


def log_normal(
    process: GaussianProcess, quantile: Tensor, *, mean: float = 0.0, scale: float = 1.0
) -> Tensor:
    """The times of `quantile` in [0, 1] of ln(σ/a) ~ N(mean, scale²). For uniform ones, draws for training.

    With rectified flow t is logit-normal (Esser et al. 2024, arXiv 2403.03206, §3.1); mean −1.2 and scale
    1.2 are those of Karras et al. (2206.00364, table 1) for data of deviation 0.5.
    """
    check_range("scale", scale, 0, open_low=True)
    return process.time((mean + scale * torch.special.ndtri(quantile)).exp())


def _falling(steps: int) -> Tensor:
    check_range("steps", steps, 1)
    return torch.linspace(1, 0, steps + 1, dtype=torch.float64)


TIMESTEP_SPACINGS: dict[str, TimestepSpacing] = {"karras": karras, "logit": logit, "uniform": uniform}
