"""D1–D4 for the gaussian process: for data N(μ, S) the denoiser and the probability flow are closed forms."""

import math
from collections import deque
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from modaloom.core.errors import BadValue
from modaloom.diffusion.gaussian import VariancePreserving
from modaloom.diffusion.prediction import PREDICTIONS, denoiser
from modaloom.diffusion.samplers.continuous.ddim import ddim

PROCESS = VariancePreserving()
MU = torch.tensor([2.0, -1.0], dtype=torch.float64)
S = torch.tensor([[1.5, 0.6], [0.6, 0.5]], dtype=torch.float64)

every_prediction = pytest.mark.parametrize("name", PREDICTIONS)


def amplitudes(t: float) -> tuple[float, float]:
    """√ᾱ and σ, by the definition."""
    return math.cos(math.pi * t / 2), math.sin(math.pi * t / 2)


def exact(state: Tensor, t: Tensor) -> Tensor:
    """E[data | state] of N(μ, S): μ + aS(a²S + σ²I)⁻¹(x − aμ)."""
    a, sigma = amplitudes(float(t[0]))
    gain = a * S @ torch.linalg.inv(a * a * S + sigma * sigma * torch.eye(2, dtype=S.dtype))
    return MU + (state - a * MU) @ gain.T


def flow(x: Tensor, t: float, s: float) -> Tensor:
    """The probability flow of N(μ, S): along every axis of S the state keeps its number of deviations."""
    (a, sigma), (b, tau) = amplitudes(t), amplitudes(s)
    values, axes = torch.linalg.eigh(S)
    stretch = ((b * b * values + tau * tau) / (a * a * values + sigma * sigma)).sqrt()
    return b * MU + ((x - a * MU) @ axes * stretch) @ axes.T


def last(x: Tensor, start: float, end: float, steps: int) -> Tensor:
    times = torch.linspace(start, end, steps + 1, dtype=torch.float64)
    return deque(ddim(exact, PROCESS, x, times), maxlen=1).pop()


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_no_data_at_1_and_no_noise_at_0(dtype: torch.dtype) -> None:
    """D3: exactly."""
    level = PROCESS.level(torch.tensor([0.0, 1.0], dtype=dtype), torch.zeros(2, dtype=dtype))
    assert level.alpha.tolist() == [1.0, 0.0]
    assert level.sigma.tolist() == [0.0, 1.0]


def test_levels_are_those_of_the_cosine_and_keep_the_variance() -> None:
    t = torch.linspace(0, 1, 101, dtype=torch.float64)
    level = PROCESS.level(t, torch.zeros(101, 3, 2))
    assert level.alpha.shape == (101, 1, 1)
    torch.testing.assert_close(
        level.alpha.flatten(), torch.tensor([amplitudes(u)[0] for u in t.tolist()]).double()
    )
    torch.testing.assert_close(level.alpha**2 + level.sigma**2, torch.ones_like(level.sigma))
    torch.testing.assert_close(level.snr[50], torch.ones_like(level.snr[50]))


@every_prediction
def test_the_target_tells_the_data(name: str) -> None:
    prediction, data, eps = PREDICTIONS[name], noise(50, 2), noise(50, 2, seed=1)
    level = PROCESS.level(torch.linspace(0.01, 0.99, 50, dtype=torch.float64), data)
    target = prediction.target(data, eps, level)
    torch.testing.assert_close(prediction.mean(target, level.mix(data, eps), level), data)


def test_v_is_the_state_s_velocity() -> None:
    """v = dx/dφ along the angle φ = πt/2 between data and noise (Salimans & Ho, appendix D)."""
    t = torch.tensor([0.3], dtype=torch.float64)
    data, eps = noise(1, 2), noise(1, 2, seed=1)

    def state(angle: Tensor) -> Tensor:
        return PROCESS.level(angle / (math.pi / 2), data).mix(data, eps)

    velocity = torch.autograd.functional.jacobian(state, t * math.pi / 2).squeeze(-1)
    torch.testing.assert_close(PREDICTIONS["v"].target(data, eps, PROCESS.level(t, data)), velocity)


def test_losses_agree_after_conversion() -> None:
    """D1: the same weight (S, cut at 5) on the clean data gives every parameterisation the same gradient."""
    data, eps, estimate = noise(19, 2), noise(19, 2, seed=1), noise(19, 2, seed=2).requires_grad_()
    level = PROCESS.level(torch.linspace(0.05, 0.95, 19, dtype=torch.float64), data)
    state, weight = level.mix(data, eps), level.snr.clamp_max(5)
    weights = {
        "x0": weight,
        "eps": weight / level.snr,
        "v": weight / (level.snr + 1),
        "velocity": weight / (level.snr.sqrt() + 1) ** 2,
        "edm": weight / (level.snr + 1),
    }
    for name, prediction in PREDICTIONS.items():
        implied = (state - level.alpha * estimate) / level.sigma
        output = prediction.target(estimate, implied, level)
        error = (output - prediction.target(data, eps, level)).square()
        (slope,) = torch.autograd.grad((weights[name] * error).sum(), estimate)
        torch.testing.assert_close(slope, 2 * weight * (estimate.detach() - data))
        torch.testing.assert_close(weight * prediction.gain(level), weights[name])


@every_prediction
def test_the_exact_denoiser_has_the_least_loss(name: str) -> None:
    """E‖data − D‖² = tr of the posterior covariance; within 4 standard errors, and any shift costs more."""
    t, n = 0.4, 40_000
    a, sigma = amplitudes(t)
    times = torch.full((n,), t, dtype=torch.float64)
    data = MU + noise(n, 2) @ torch.linalg.cholesky(S).T
    prediction, level = PREDICTIONS[name], PROCESS.level(times, data)
    posterior = torch.linalg.inv(torch.linalg.inv(S) + (a / sigma) ** 2 * torch.eye(2, dtype=S.dtype))

    def loss(shift: float) -> Tensor:
        def network(state: Tensor, t: Tensor) -> Tensor:
            mean = exact(state, times) + shift
            return prediction.target(mean, level.noise_of(state, mean), level)

        generator = torch.Generator().manual_seed(1)
        return PROCESS.loss(network, prediction, data, times, generator=generator)

    errors = loss(0) * prediction.gain(level).flatten()
    assert abs(errors.mean() - posterior.trace() / 2) < 4 * errors.std() / math.sqrt(n)
    for shift in (-0.2, 0.2):
        assert loss(shift).mean() > loss(0).mean()


def test_noise_says_nothing_at_1() -> None:
    """D3: ε is refused where ᾱ = 0, v and x0 are not."""
    state, t = noise(2, 3), torch.tensor([0.5, 1.0], dtype=torch.float64)
    for name in ("x0", "v", "velocity"):
        assert denoiser(lambda x, t: x, PROCESS, PREDICTIONS[name])(state, t).isfinite().all()
    with pytest.raises(BadValue, match="choose prediction v or x0"):
        denoiser(lambda x, t: x, PROCESS, PREDICTIONS["eps"])(state, t)


@pytest.mark.parametrize("name", ["x0", "v", "velocity"])
def test_constant_data_recovers_its_mean(name: str) -> None:
    """D3: what has no loss on constant data draws it from noise, in a single step from t = 1 too."""
    constant, prediction = torch.tensor([3.0, -7.0], dtype=torch.float64), PREDICTIONS[name]

    def network(state: Tensor, t: Tensor) -> Tensor:
        level, clean = PROCESS.level(t, state), constant.expand_as(state)
        return prediction.target(clean, level.noise_of(state, clean), level)

    data, generator = constant.expand(64, 2), torch.Generator().manual_seed(0)
    t = torch.linspace(0.1, 1, 64, dtype=torch.float64)
    assert PROCESS.loss(network, prediction, data, t, generator=generator).max() < 1e-20
    start = PROCESS.prior(data, generator=generator)
    (drawn,) = ddim(denoiser(network, PROCESS, prediction), PROCESS, start, torch.tensor([1.0, 0.0]))
    torch.testing.assert_close(drawn, data, rtol=0, atol=1e-12)


@pytest.mark.parametrize("steps", [1, 2, 7])
@pytest.mark.parametrize("start", [1.0, 0.6])
def test_dirac_data_is_hit_exactly(steps: int, start: float) -> None:
    """D2: for any number of steps and from any level; each step ends where the next one starts."""
    point, seen = torch.tensor([3.0, -7.0], dtype=torch.float64), []

    def denoise(state: Tensor, t: Tensor) -> Tensor:
        seen.append(float(t[0]))
        return point.expand_as(state)

    times = torch.linspace(start, 0, steps + 1, dtype=torch.float64)
    eps = noise(5, 2)
    x = PROCESS.level(times[:1], eps).mix(point, eps)
    states = [*ddim(denoise, PROCESS, x, times)]
    assert torch.equal(states[-1], point.expand(5, 2))
    assert seen == times[:-1].tolist()
    for state, t in zip(states, times[1:, None]):
        torch.testing.assert_close(state, PROCESS.level(t, eps).mix(point, eps))


@pytest.mark.parametrize(("start", "end"), [(1.0, 0.0), (0.7, 0.2), (0.0, 1.0), (0.1, 0.8)])
def test_the_walk_has_order_one(start: float, end: float) -> None:
    """D4: against the closed form of the flow the error halves with the step, both ways."""
    x = noise(100, 2) if start else MU + noise(100, 2) @ torch.linalg.cholesky(S).T
    goal = flow(x, start, end)
    errors = [float((last(x, start, end, steps) - goal).square().mean().sqrt()) for steps in (50, 100, 200)]
    slopes = [math.log2(coarse / fine) for coarse, fine in pairwise(errors)]
    assert slopes == pytest.approx([1, 1], abs=0.1)
    assert errors[-1] < 0.03


def test_samples_have_the_mean_and_covariance_of_the_data() -> None:
    """D4: 20,000 draws in 400 steps; 4 standard errors plus 1% for the steps."""
    n = 20_000
    start = PROCESS.prior(torch.empty(n, 2, dtype=torch.float64), generator=torch.Generator().manual_seed(2))
    drawn = last(start, 1, 0, 400)
    assert ((drawn.mean(0) - MU).abs() < 4 * (S.diag() / n).sqrt() + 0.01 * S.diag().sqrt()).all()
    scale = torch.outer(S.diag(), S.diag()).sqrt()
    assert ((drawn.T.cov() - S).abs() < (4 * math.sqrt(2 / n) + 0.01) * scale).all()


def test_the_mean_of_the_noise_of_clean_data_is_0() -> None:
    """At t = 0 nothing tells of ε: the step from there goes to √ᾱ x."""
    x = noise(4, 2)
    (state,) = ddim(lambda x, t: x, PROCESS, x, torch.tensor([0.0, 0.25], dtype=torch.float64))
    torch.testing.assert_close(state, math.cos(math.pi / 8) * x)


@pytest.mark.parametrize("times", [[1.0], [0.0, 1.1], [-0.1, 1.0], [1.0, 0.5, 0.5], [1.0, 0.2, 0.4]])
def test_other_times_are_refused(times: list[float]) -> None:
    with pytest.raises(BadValue, match="all fall or all rise"):
        next(ddim(exact, PROCESS, noise(1, 2), torch.tensor(times)))
