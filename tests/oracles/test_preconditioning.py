"""EDM's preconditioning and the weights of a loss. Oracles: the paper's table 1, moments of a normal law."""

import pytest
import torch
from normal_data import WALKED, normals
from torch import Tensor

from modaloom.core.errors import BadValue
from modaloom.diffusion.prediction import MAX_LOG_SIGMA, PREDICTIONS, denoiser, edm

TIMES = torch.linspace(0.01, 0.99, 40, dtype=torch.float64)
every_process = pytest.mark.parametrize("name", WALKED)


@every_process
@pytest.mark.parametrize("deviation", [0.5, 1.0, 3.0])
def test_it_is_table_1(name: str, deviation: float) -> None:
    """D = c_skip·x̂ + c_out·F(c_in·x̂, c_noise) of x̂ = x/a = data + σ̂ε."""
    process, state = WALKED[name], normals(40, 3)
    level = process.level(TIMES, state)
    ratio, power = level.ratio, level.ratio**2 + deviation**2
    skip, out = deviation**2 / power, ratio * deviation / power.sqrt()

    def network(scaled: Tensor, told: Tensor) -> Tensor:
        torch.testing.assert_close(scaled, state / level.alpha / power.sqrt())
        torch.testing.assert_close(told, ratio.log().flatten() / 4)
        return scaled.sin() + told[:, None]

    denoise = denoiser(network, process, edm(deviation))
    output = network(state / level.alpha / power.sqrt(), ratio.log().flatten() / 4)
    torch.testing.assert_close(denoise(state, TIMES), skip * state / level.alpha + out * output)


@every_process
@pytest.mark.parametrize("deviation", [0.5, 1.0, 3.0])
def test_the_target_tells_the_data_and_the_weight_is_one(name: str, deviation: float) -> None:
    """λ(σ̂)·c_out² = 1: the paper's weight of the clean data is the plain squared error of F."""
    process, data, eps = WALKED[name], normals(40, 2), normals(40, 2, seed=1)
    level, kind = process.level(TIMES, data), edm(deviation)
    state, target = level.mix(data, eps), kind.target(data, eps, level)
    torch.testing.assert_close(kind.mean(target, state, level), data)
    off = kind.mean(target + 1, state, level) - data
    torch.testing.assert_close(off.square(), kind.gain(level).expand_as(off))
    paper = (level.ratio**2 + deviation**2) / (level.ratio * deviation) ** 2
    torch.testing.assert_close(paper * kind.gain(level), torch.ones_like(paper))


@every_process
def test_inputs_and_targets_have_unit_variance(name: str) -> None:
    """At every level, for data of the deviation 0.5; 40,000 draws, 4 standard errors."""
    process, data = WALKED[name], 0.5 * normals(10, 40_000)
    t, eps = torch.linspace(0, 1, 10, dtype=torch.float64), normals(10, 40_000, seed=1)
    level = process.level(t, data)
    target = edm(0.5).target(data, eps, level)
    assert (target.square().mean(1) - 1).abs().max() < 0.03
    seen, _ = edm(0.5).precondition(level.mix(data, eps), t, level)
    assert (seen.square().mean(1) - 1).abs().max() < 0.03


def test_at_both_ends_it_is_finite() -> None:
    """Pure noise tells the mean through F alone; clean data is its own mean."""
    t, state = torch.tensor([0.0, 1.0], dtype=torch.float64), normals(2, 3)
    mean = denoiser(lambda x, told: x + told[:, None], WALKED["flow"], edm())(state, t)
    torch.testing.assert_close(mean[0], state[0])
    torch.testing.assert_close(mean[1], state[1] + MAX_LOG_SIGMA / 4)


@pytest.mark.parametrize("name", ["cosine", "linear", "zero_terminal"])
def test_of_unit_data_it_is_minus_v(name: str) -> None:
    data, eps = normals(40, 2), normals(40, 2, seed=1)
    level = WALKED[name].level(TIMES, data)
    torch.testing.assert_close(edm().target(data, eps, level), -PREDICTIONS["v"].target(data, eps, level))


@pytest.mark.parametrize("wrong", [0.0, -1.0])
def test_impossible_sizes_are_refused(wrong: float) -> None:
    with pytest.raises(BadValue, match="it must be more than 0"):
        edm(wrong)


@every_process
def test_training_shows_the_network_what_a_walk_shows_it(name: str) -> None:
    """The loss of F = c_in·x: the same by hand, from what `shown` gives."""
    process, data, kind = WALKED[name], normals(40, 3), edm(0.5)
    level, eps = process.level(TIMES, data), process.prior(data, generator=torch.Generator().manual_seed(1))
    expected = (
        kind.precondition(level.mix(data, eps), TIMES, level)[0] - kind.target(data, eps, level)
    ).square()
    generator = torch.Generator().manual_seed(1)
    loss = process.loss(lambda seen, told: seen, kind, data, TIMES, generator=generator)
    torch.testing.assert_close(loss, expected.mean(1))
