"""What a network's output means, and what it says of the clean data.

Samplers ask for the mean of the clean data alone, so a network may predict whatever trains best.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from modaloom.core.errors import BadValue, check_range
from modaloom.diffusion.level import NoiseLevel

MAX_LOG_SIGMA = 7.5
"""The most of |ln σ̂| that a network is told: at data and at pure noise it is ∞. EDM's walks keep within 6.3;
times that are 4 apart look the same to a network."""

Network = Callable[[Tensor, Tensor], Tensor]
"""State (B, ...) and t (B,) → output (B, ...)."""

SignalDenoiser = Callable[[Tensor, Tensor], Tensor]
"""State (B, ...) and t (B,) → its estimate of E[clean data | state] (B, ...): a denoiser of signals."""


class NoiseSchedule(Protocol):
    """A process, as far as a conversion or a walk needs to know it."""

    def level(self, t: Tensor, like: Tensor) -> NoiseLevel:
        """The level at `t` (B,), shaped to go over `like` (B, ...)."""


@dataclass(frozen=True)
class Prediction:
    """A choice of what the network puts out."""

    target: Callable[[Tensor, Tensor, NoiseLevel], Tensor]
    """Clean data, ε, level → what the output should be."""
    mean: Callable[[Tensor, Tensor, NoiseLevel], Tensor]
    """Output, state, level → clean data."""
    gain: Callable[[NoiseLevel], Tensor]
    """Squared error of the clean data per squared error of the output: 1 (x0), 1/S (eps), 1/(S + 1) (v).

    The last where the process preserves variance."""
    precondition: Callable[[Tensor, Tensor, NoiseLevel], tuple[Tensor, Tensor]] = lambda state, t, level: (
        state,
        t,
    )
    """State, t (B,), level → what the network sees of them."""

    def wrap(self, network: Network, process: NoiseSchedule) -> Network:
        """The network of states and times as the process has them."""
        return lambda state, t: network(*self.precondition(state, t, process.level(t, state)))


def _noise_target(data: Tensor, noise: Tensor, level: NoiseLevel) -> Tensor:
    return noise


def _mean_from_noise(output: Tensor, state: Tensor, level: NoiseLevel) -> Tensor:
    if bool((level.alpha == 0).any()):
        raise BadValue("at t = 1 the state is all noise, and ε says nothing of the data; predict v or x0")
    return (state - level.sigma * output) / level.alpha


def _v_target(data: Tensor, noise: Tensor, level: NoiseLevel) -> Tensor:
    return level.alpha * noise - level.sigma * data


def _mean_from_v(output: Tensor, state: Tensor, level: NoiseLevel) -> Tensor:
    return (level.alpha * state - level.sigma * output) / _power(level)


def _v_gain(level: NoiseLevel) -> Tensor:
    return (level.sigma / _power(level)).square()


def _power(level: NoiseLevel) -> Tensor:
    """1 where the process preserves variance, and always more than 0."""
    return level.alpha.square() + level.sigma.square()


def _velocity_target(data: Tensor, noise: Tensor, level: NoiseLevel) -> Tensor:
    return noise - data


def _mean_from_velocity(output: Tensor, state: Tensor, level: NoiseLevel) -> Tensor:
    return (state - level.sigma * output) / (level.alpha + level.sigma)


def _velocity_gain(level: NoiseLevel) -> Tensor:
    return (level.sigma / (level.alpha + level.sigma)).square()


def edm(sigma_data: float = 1.0) -> Prediction:
    """What a network sees and means has unit variance at every level.

    Karras et al. 2022 (arXiv 2206.00364, §5 and table 1), for any process: with σ̂ = σ/a and data of deviation
    d,

        D(x, t) = c_skip · x/a + c_out · F(c_in · x/a, ¼ ln σ̂).

    Multiplied by a where that is 0, all of it stays finite: with q = a²d² + σ²,

        c_skip/a = ad²/q,   c_out = σd/√q,   c_in/a = 1/√q.

    For a variance-preserving process and d = 1 it is the prediction −v and the state as it is.

    Raises `BadValue` unless `sigma_data` is above 0.
    """
    check_range("sigma_data", sigma_data, 0, open_low=True)
    share = sigma_data**2

    def root(level: NoiseLevel) -> Tensor:
        return (level.alpha.square() * share + level.sigma.square()).sqrt()

    def out(level: NoiseLevel) -> Tensor:
        return sigma_data * level.sigma / root(level)

    def target(data: Tensor, noise: Tensor, level: NoiseLevel) -> Tensor:
        return (level.sigma * data - level.alpha * share * noise) / (sigma_data * root(level))

    def mean(output: Tensor, state: Tensor, level: NoiseLevel) -> Tensor:
        return level.alpha * share / root(level).square() * state + out(level) * output

    def precondition(state: Tensor, t: Tensor, level: NoiseLevel) -> tuple[Tensor, Tensor]:
        return state / root(level), level.ratio.log().clamp(-MAX_LOG_SIGMA, MAX_LOG_SIGMA).reshape(-1) / 4

    return Prediction(target, mean, lambda level: out(level).square(), precondition)


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
"""All are for every process and data of unit variance. `v` is Salimans & Ho's (2022, arXiv 2202.00512, §4 and
appendix D), `velocity` that of rectified flow, ε − x (arXiv 2209.03003, eq. 1)."""


def denoiser(network: Network, process: NoiseSchedule, prediction: Prediction) -> SignalDenoiser:
    """The network as a denoiser. Raises `BadValue` for "eps" where there is no signal."""
    seeing = prediction.wrap(network, process)

    def mean(state: Tensor, t: Tensor) -> Tensor:
        return prediction.mean(seeing(state, t), state, process.level(t, state))

    return mean
