"""Levels, their derivatives and inverses for every process and angle; predictions for all of them.

Oracles: automatic differentiation, numerical integration of β, the definitions.
"""

import math

import pytest
import torch
from normal_data import WALKED, normals
from torch import Tensor

from modaloom.core.errors import BadValue
from modaloom.diffusion import GAUSSIAN_PROCESSES
from modaloom.diffusion.flow import RectifiedFlow
from modaloom.diffusion.gaussian import VariancePreserving
from modaloom.diffusion.prediction import PREDICTIONS, denoiser
from modaloom.diffusion.vp_schedule import LinearVP, ZeroTerminalVP

every_process = pytest.mark.parametrize("name", WALKED)
every_prediction = pytest.mark.parametrize("prediction", PREDICTIONS)
TIMES = torch.linspace(0.01, 0.99, 50, dtype=torch.float64)


def test_the_table_holds_what_is_tested() -> None:
    assert {type(process) for process in WALKED.values()} == {*GAUSSIAN_PROCESSES.values()}


@every_process
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_clean_at_0_and_noise_at_1(name: str, dtype: torch.dtype) -> None:
    """D3: exactly; only DDPM's own schedule keeps some data, e^(−10.05/2) of it."""
    level = WALKED[name].at(torch.tensor([0.0, 1.0], dtype=dtype))
    left = math.exp(-20.1 / 4) if name == "linear" else 0
    assert level.alpha.tolist() == [1.0, pytest.approx(left, rel=1e-5)]
    assert level.sigma.tolist() == [0.0, pytest.approx(math.sqrt(1 - left**2), abs=1e-7 if left else 0)]


@every_process
def test_data_fades(name: str) -> None:
    ratio = WALKED[name].at(torch.linspace(0, 1, 1001, dtype=torch.float64)).ratio
    assert (ratio.diff() > 0).all()


@every_process
def test_rates_are_the_derivatives(name: str) -> None:
    rate = WALKED[name].rate(TIMES)
    for part, value in (("alpha", rate.alpha), ("sigma", rate.sigma)):

        def amplitude(t: Tensor, part: str = part) -> Tensor:
            return getattr(WALKED[name].at(t), part)

        slope = torch.autograd.functional.jacobian(amplitude, TIMES)
        torch.testing.assert_close(value, slope.diagonal())


@every_process
def test_time_is_the_inverse_of_the_ratio(name: str) -> None:
    process = WALKED[name]
    torch.testing.assert_close(process.time(process.at(TIMES).ratio), TIMES)
    assert process.time(torch.tensor([0.0, torch.inf])).tolist() == [0.0, 1.0]


@pytest.mark.parametrize("name", ["cosine", "linear", "zero_terminal"])
def test_variance_is_kept(name: str) -> None:
    level = WALKED[name].at(TIMES)
    torch.testing.assert_close(level.alpha**2 + level.sigma**2, torch.ones_like(TIMES))


def test_linear_is_the_integral_of_beta() -> None:
    """ᾱ of 100,000 steps of DDPM's recursion ∏(1 − β/N) is that of continuous time to 1e-4."""
    n = 100_000
    beta = 0.1 + (torch.arange(n, dtype=torch.float64) + 0.5) / n * 19.9
    steps = (1 - beta / n).log().cumsum(0).exp().sqrt()[n // 10 - 1 :: n // 10]
    times = torch.arange(1, 11, dtype=torch.float64) / 10
    torch.testing.assert_close(WALKED["linear"].at(times).alpha, steps, rtol=1e-3, atol=1e-6)


def test_zero_terminal_shifts_and_stretches_the_amplitude() -> None:
    """(c − c₁) / (1 − c₁) of the amplitude c beneath (Lin et al., algorithm 1)."""
    c = WALKED["linear"].at(torch.cat([TIMES, torch.ones(1)])).alpha
    torch.testing.assert_close(WALKED["zero_terminal"].at(TIMES).alpha, ((c - c[-1]) / (1 - c[-1]))[:-1])


@pytest.mark.parametrize("name", ["linear", "zero_terminal", "cosine"])
def test_float32_is_precise_near_data(name: str) -> None:
    """σ of small times has no cancellation: to 5e-6 of itself."""
    t = torch.tensor([1e-4, 1e-3, 1e-2])
    noise = WALKED[name].at(t.double()).sigma
    torch.testing.assert_close(WALKED[name].at(t).sigma.double(), noise, rtol=5e-6, atol=0)


@every_process
def test_velocity_is_the_path_s_for_a_known_pair(name: str) -> None:
    """Where D is the data itself, dx/dt is the derivative of a(t)·x + σ(t)·ε."""
    process, data, eps = WALKED[name], normals(50, 2), normals(50, 2, seed=1)

    def state(t: Tensor) -> Tensor:
        return process.level(t, data).mix(data, eps)

    _, slope = torch.autograd.functional.jvp(state, TIMES, torch.ones_like(TIMES))
    torch.testing.assert_close(process.velocity(state(TIMES), data, TIMES), slope)


@every_process
@every_prediction
def test_the_target_tells_the_data(name: str, prediction: str) -> None:
    """A network that puts out its target is denoised to the data; gain is the squared slope of that map."""
    data, eps = normals(50, 2), normals(50, 2, seed=1)
    process, kind = WALKED[name], PREDICTIONS[prediction]
    level = process.level(TIMES, data)
    state, target = level.mix(data, eps), kind.target(data, eps, level)
    torch.testing.assert_close(denoiser(lambda x, t: target, process, kind)(state, TIMES), data)
    off = denoiser(lambda x, t: target + 1, process, kind)(state, TIMES) - data
    torch.testing.assert_close(off.square(), kind.gain(level).expand_as(off))


@every_process
def test_gradients_agree_after_conversion(name: str) -> None:
    """D1: the same weight on the clean data gives every parameterisation the same gradient."""
    level = WALKED[name].level(TIMES, data := normals(50, 2))
    estimate, eps = normals(50, 2, seed=2).requires_grad_(), normals(50, 2, seed=1)
    weight = level.snr.clamp_max(5)
    implied = (level.mix(data, eps) - level.alpha * estimate) / level.sigma
    for prediction in PREDICTIONS.values():
        error = prediction.target(estimate, implied, level) - prediction.target(data, eps, level)
        loss = (weight * prediction.gain(level) * error.square()).sum()
        (slope,) = torch.autograd.grad(loss, estimate, retain_graph=True)
        torch.testing.assert_close(slope, 2 * weight * (estimate.detach() - data))


@pytest.mark.parametrize(
    "process", [VariancePreserving(), VariancePreserving(ZeroTerminalVP()), RectifiedFlow()]
)
def test_epsilon_is_refused_where_no_data_is_left(process: VariancePreserving | RectifiedFlow) -> None:
    state, t = normals(1, 3), torch.ones(1, dtype=torch.float64)
    with pytest.raises(BadValue, match="choose prediction v or x0"):
        denoiser(lambda x, t: x, process, PREDICTIONS["eps"])(state, t)
    mean = denoiser(lambda x, t: x, VariancePreserving(LinearVP()), PREDICTIONS["eps"])(state, t)
    assert mean.isfinite().all()


@pytest.mark.parametrize("betas", [(0, 20), (2, 1)])
def test_impossible_betas_are_refused(betas: tuple[float, float]) -> None:
    with pytest.raises(BadValue, match="must be more than"):
        LinearVP(*betas)
