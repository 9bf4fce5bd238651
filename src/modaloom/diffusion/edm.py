"""Preconditioning: what a network sees and means, so that both have unit variance at every level.

Karras et al. 2022 (arXiv 2206.00364, §5 and table 1), for any process: with σ̂ = σ/a and data of deviation d,

    D(x, t) = c_skip · x/a + c_out · F(c_in · x/a, c_noise).

Multiplied by a where that is 0, all of it stays finite: with q = a²d² + σ²,

    c_skip/a = ad²/q,   c_out = σd/√q,   c_in/a = 1/√q.

For a variance-preserving process and d = 1 it is the prediction −v and the state as it is.
"""

from torch import Tensor

from modaloom.core.errors import check_range
from modaloom.diffusion.level import Level
from modaloom.diffusion.prediction import Levels, Network, Prediction

FAR = 20.0
"""The most of |ln σ̂| that a network is told: at data and at pure noise it is ∞."""


def edm(deviation: float = 1.0) -> Prediction:
    """What F puts out: (data − c_skip · x/a) / c_out. Raises `BadValue` unless `deviation` is above 0."""
    check_range("deviation", deviation, 0, open_low=True)
    share = deviation**2

    def root(level: Level) -> Tensor:
        return (level.signal.square() * share + level.noise.square()).sqrt()

    def target(data: Tensor, noise: Tensor, level: Level) -> Tensor:
        return (level.noise * data - level.signal * share * noise) / (deviation * root(level))

    def out(level: Level) -> Tensor:
        return deviation * level.noise / root(level)

    def mean(output: Tensor, state: Tensor, level: Level) -> Tensor:
        return level.signal * share / root(level).square() * state + out(level) * output

    return Prediction(target, mean, lambda level: out(level).square())


def preconditioned(network: Network, process: Levels, *, deviation: float = 1.0) -> Network:
    """State and t → F of the state at unit variance, c_in · x/a, and c_noise = ¼ ln σ̂ (B,)."""
    check_range("deviation", deviation, 0, open_low=True)

    def scaled(state: Tensor, t: Tensor) -> Tensor:
        level = process.level(t, state)
        size = (level.signal.square() * deviation**2 + level.noise.square()).sqrt()
        told = level.ratio.log().clamp(-FAR, FAR) / 4
        return network(state / size, told.reshape(-1))

    return scaled
