"""Prediction types (x0, ε, v, velocity, EDM): targets, and conversion of the output to the clean data.

Samplers need the posterior mean of the clean data alone, so a network may predict whatever trains best.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from modaloom.core.errors import BadValue, check_range
from modaloom.diffusion.level import NoiseLevel

MAX_LOG_SIGMA = 7.5
"""|ln σ̂| is clipped to this for the network's input: it is ∞ at data and at pure noise. EDM's sampling stays
within 6.3; the sinusoidal embedding of ¼ ln σ̂ has period 4."""

Network = Callable[[Tensor, Tensor], Tensor]
"""State (B, ...) and t (B,) → output (B, ...)."""

SignalDenoiser = Callable[[Tensor, Tensor], Tensor]
"""State (B, ...) and t (B,) → an estimate of E[clean data | state] (B, ...)."""


class NoiseSchedule(Protocol):
    """The part of a process that conversions and samplers need: its noise levels."""

    def level(self, t: Tensor, like: Tensor) -> NoiseLevel:
        """The level at `t` (B,), broadcastable to `like` (B, ...)."""


@dataclass(frozen=True)
class Prediction:
    """A prediction type: what the network's output means."""

    target: Callable[[Tensor, Tensor, NoiseLevel], Tensor]
    """Clean data, ε, level → regression target of the output."""
    mean: Callable[[Tensor, Tensor, NoiseLevel], Tensor]
    """Output, state, level → posterior mean of the clean data."""
    gain: Callable[[NoiseLevel], Tensor]
    """Squared error of the clean data per squared error of the output: 1 (x0), 1/S (eps), 1/(S + 1) (v, for a
    variance-preserving process)."""
    precondition: Callable[[Tensor, Tensor, NoiseLevel], tuple[Tensor, Tensor]] = lambda state, t, level: (
        state,
        t,
    )
    """State, t (B,), level → inputs of the network."""

    def wrap(self, network: Network, process: NoiseSchedule) -> Network:
        """The network with its input preconditioning: a function of the process's state and time."""
        return lambda state, t: network(*self.precondition(state, t, process.level(t, state)))


def _noise_target(data: Tensor, noise: Tensor, level: NoiseLevel) -> Tensor:
    return noise


def _mean_from_noise(output: Tensor, state: Tensor, level: NoiseLevel) -> Tensor:
    if bool((level.alpha == 0).any()):
        raise BadValue(
            "eps prediction is undefined at t = 1, where the state is pure noise; choose prediction v or x0"
        )
    return (state - level.sigma * output) / level.alpha


def _v_target(data: Tensor, noise: Tensor, level: NoiseLevel) -> Tensor:
    return level.alpha * noise - level.sigma * data


def _mean_from_v(output: Tensor, state: Tensor, level: NoiseLevel) -> Tensor:
    return (level.alpha * state - level.sigma * output) / _variance(level)


def _v_gain(level: NoiseLevel) -> Tensor:
    return (level.sigma / _variance(level)).square()


def _variance(level: NoiseLevel) -> Tensor:
    """a² + σ² > 0: 1 for a variance-preserving process."""
    return level.alpha.square() + level.sigma.square()


def _velocity_target(data: Tensor, noise: Tensor, level: NoiseLevel) -> Tensor:
    return noise - data


def _mean_from_velocity(output: Tensor, state: Tensor, level: NoiseLevel) -> Tensor:
    return (state - level.sigma * output) / (level.alpha + level.sigma)


def _velocity_gain(level: NoiseLevel) -> Tensor:
    return (level.sigma / (level.alpha + level.sigma)).square()


def edm(sigma_data: float = 1.0) -> Prediction:
    """EDM preconditioning: inputs and targets of the network have unit variance at every level.

    Karras et al. 2022 (arXiv 2206.00364, §5 and table 1), for any process: with σ̂ = σ/a and data of standard
    deviation d = `sigma_data`,

        D(x, t) = c_skip · x/a + c_out · F(c_in · x/a, ¼ ln σ̂).

    Multiplied out by a, which may be 0, all terms stay finite: with q = a²d² + σ²,

        c_skip/a = ad²/q,   c_out = σd/√q,   c_in/a = 1/√q.

    For a variance-preserving process and d = 1 this predicts −v from the unscaled state.

    Raises `BadValue` unless `sigma_data` is above 0.
    """
    check_range("sigma_data", sigma_data, 0, open_low=True)
    variance = sigma_data**2

    def std(level: NoiseLevel) -> Tensor:
        return (level.alpha.square() * variance + level.sigma.square()).sqrt()

    def c_out(level: NoiseLevel) -> Tensor:
        return sigma_data * level.sigma / std(level)

    def target(data: Tensor, noise: Tensor, level: NoiseLevel) -> Tensor:
        return (level.sigma * data - level.alpha * variance * noise) / (sigma_data * std(level))

    def mean(output: Tensor, state: Tensor, level: NoiseLevel) -> Tensor:
        return level.alpha * variance / std(level).square() * state + c_out(level) * output

    def precondition(state: Tensor, t: Tensor, level: NoiseLevel) -> tuple[Tensor, Tensor]:
        return state / std(level), level.ratio.log().clamp(-MAX_LOG_SIGMA, MAX_LOG_SIGMA).reshape(-1) / 4

    return Prediction(target, mean, lambda level: c_out(level).square(), precondition)


PREDICTIONS: dict[str, Prediction] = {
    "x0": Prediction(
        lambda data, noise, level: data,
        lambda output, state, level: output,
        lambda level: torch.ones_like(level.alpha),
    ),
    "eps": Prediction(_noise_target, _mean_from_noise, lambda level: 1 / level.snr),
    "v": Prediction(_v_target, _mean_from_v, _v_gain),
    "velocity": Prediction(_velocity_target, _mean_from_velocity, _velocity_gain),
    "edm": edm(),
}
"""For any process and data of unit variance. `v` is that of Salimans & Ho (2022, arXiv 2202.00512, §4 and
appendix D), `velocity` that of rectified flow, ε − x (arXiv 2209.03003, eq. 1)."""


def denoiser(network: Network, process: NoiseSchedule, prediction: Prediction) -> SignalDenoiser:
    """The network as a denoiser. The denoiser raises `BadValue` for "eps" at pure noise."""
    preconditioned = prediction.wrap(network, process)

    def mean(state: Tensor, t: Tensor) -> Tensor:
        return prediction.mean(preconditioned(state, t), state, process.level(t, state))

    return mean
