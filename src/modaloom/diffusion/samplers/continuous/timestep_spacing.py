"""Timestep spacing for sampling, and the matching distribution of times for training.

Times are float64 (steps + 1,), from noise to exactly 0, for steps ≥ 1 (`BadValue` otherwise). They are
defined in terms of σ/a, so that the noise levels are the same for every process.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from modaloom.core.errors import check_range
from modaloom.diffusion.gaussian_process import GaussianProcess

TimestepSpacing = Callable[[GaussianProcess, int], Tensor]


def uniform(process: GaussianProcess, steps: int) -> Tensor:
    """Equal steps of t from 1 to 0."""
    return _linear(steps)


def karras(
    process: GaussianProcess, steps: int, *, low: float = 0.002, high: float = 80.0, rho: float = 7.0
) -> Tensor:
    """σ/a from `high` to `low` with equal steps of its `rho`-th root, then 0: shorter steps near data.

    Karras et al. 2022 (arXiv 2206.00364, eq. 5).

    Args:
        process: converts σ/a to times.
        steps: at least 1.
        low: σ/a before the last step, more than 0.
        high: σ/a at the start, at least `low`.
        rho: exponent, more than 0.

    Returns:
        float64 (steps + 1,), falling to 0.

    Raises:
        BadValue: for a value out of range.
    """
    check_range("steps", steps, 1)
    check_range("low", low, 0, open_low=True)
    check_range("high", high, low)
    check_range("rho", rho, 0, open_low=True)
    ramp = torch.linspace(0, 1, steps, dtype=torch.float64)
    first, last = high ** (1 / rho), low ** (1 / rho)
    ratios = (first + ramp * (last - first)) ** rho
    return torch.cat([process.time(ratios), ratios.new_zeros(1)])


def logit(process: GaussianProcess, steps: int, *, mean: float = 0.0, scale: float = 1.0) -> Tensor:
    """Equally spaced quantiles of `log_normal`: shorter steps in the middle.

    Args:
        process: converts σ/a to times.
        steps: at least 1.
        mean: of ln(σ/a).
        scale: standard deviation of ln(σ/a), more than 0.

    Returns:
        float64 (steps + 1,), falling to 0.

    Raises:
        BadValue: for a value out of range.
    """
    return log_normal(process, _linear(steps), mean=mean, scale=scale)


def log_normal(
    process: GaussianProcess, quantile: Tensor, *, mean: float = 0.0, scale: float = 1.0
) -> Tensor:
    """Times at quantiles of ln(σ/a) ~ N(mean, scale²); uniform quantiles give random training times.

    With rectified flow, t is logit-normal (Esser et al. 2024, arXiv 2403.03206, §3.1). Karras et al.
    (2206.00364, table 1) use mean −1.2 and scale 1.2 for data of standard deviation 0.5.

    Args:
        process: converts σ/a to times.
        quantile: float tensor in [0, 1].
        mean: of ln(σ/a).
        scale: standard deviation of ln(σ/a), more than 0.

    Returns:
        Times in [0, 1], of the shape of `quantile`.

    Raises:
        BadValue: for a scale out of range.
    """
    check_range("scale", scale, 0, open_low=True)
    return process.time((mean + scale * torch.special.ndtri(quantile)).exp())


def _linear(steps: int) -> Tensor:
    check_range("steps", steps, 1)
    return torch.linspace(1, 0, steps + 1, dtype=torch.float64)


TIMESTEP_SPACINGS: dict[str, TimestepSpacing] = {"karras": karras, "logit": logit, "uniform": uniform}
