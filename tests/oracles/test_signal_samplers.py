"""D2–D4 for every walk over signals and every process.

Oracles: for data N(μ, S) the flow and every law are closed forms (normal_data.py). A walk is then affine in
its start and its noise, so unit vectors in their place tell mean and variance of its draws without chance.
"""

import math
from collections import deque

import pytest
import torch
from normal_data import EYE, MU, WALKED, S, amplitudes, exact, flow, law, normals
from torch import Tensor

from modaloom.core.errors import BadValue
from modaloom.diffusion.gaussian_process import GaussianProcess
from modaloom.diffusion.noise import Noise
from modaloom.diffusion.prediction import PREDICTIONS, SignalDenoiser, denoiser
from modaloom.diffusion.samplers.continuous import SIGNAL_SAMPLERS
from modaloom.diffusion.samplers.continuous.timestep_spacing import TIMESTEP_SPACINGS

every_process = pytest.mark.parametrize("name", WALKED)
every_sampler = pytest.mark.parametrize("sampler", SIGNAL_SAMPLERS)
stochastic = pytest.mark.parametrize("sampler", [name for name, s in SIGNAL_SAMPLERS.items() if s.stochastic])
solver = pytest.mark.parametrize("sampler", [name for name, s in SIGNAL_SAMPLERS.items() if not s.stochastic])
POINT = torch.tensor([3.0, -7.0], dtype=torch.float64)


class Unit:
    """Noise whose draws are unit vectors, each in two rows of its own, from row `first` on."""

    def __init__(self, rows: int, first: int) -> None:
        self.rows, self.next = rows, first

    def normal(self, *shape: int) -> Tensor:
        drawn = torch.zeros(self.rows, *shape, dtype=torch.float64)
        drawn[self.next : self.next + 2] = EYE
        self.next += 2
        return drawn


def own(batch: int, *, first: int = 0) -> Noise:
    return Noise([torch.Generator().manual_seed(first + i) for i in range(batch)])


def sample(
    sampler: str, denoise: SignalDenoiser, process: GaussianProcess, x: Tensor, times: Tensor
) -> list[Tensor]:
    return [*SIGNAL_SAMPLERS[sampler].sample(denoise, process, x, times, noise=own(len(x)))]


def even(start: float, end: float, steps: int) -> Tensor:
    return torch.linspace(start, end, steps + 1, dtype=torch.float64)


def uneven(start: float, end: float, steps: int) -> Tensor:
    """Every second step is twice as long, so that a solver must know the lengths of its steps."""
    lengths = torch.tensor([1.0, 2.0], dtype=torch.float64).repeat(steps // 2)
    parts = torch.cat([torch.zeros(1), lengths.cumsum(0) / lengths.sum()])
    return start + (end - start) * parts


def drawn_law(sampler: str, process: GaussianProcess, times: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and covariance, without chance, of a walk that starts with the law of the state at `times[0]`."""
    mean, covariance = law(process, float(times[0]))
    rows = 3 + 2 * (len(times) - 1)
    x = mean.repeat(rows, 1)
    x[1:3] += torch.linalg.cholesky(covariance).T
    states = SIGNAL_SAMPLERS[sampler].sample(exact(process), process, x, times, noise=Unit(rows, 3))
    end = deque(states, maxlen=1).pop()
    return end[0], (end[1:] - end[0]).T @ (end[1:] - end[0])


def slope(errors: list[float]) -> float:
    """The power of the step with which the error falls when the steps are halved."""
    return math.log2(errors[0] / errors[1])


@every_process
@solver
def test_order_of_the_error(name: str, sampler: str) -> None:
    """D4: against the closed form of the flow the error falls with the declared power of the step."""
    process, x = WALKED[name], normals(50, 2)
    errors = []
    for steps in (200, 400):
        end = sample(sampler, exact(process), process, x, uneven(0.8, 0.1, steps))[-1]
        errors.append(float((end - flow(process, x, 0.8, 0.1)).norm()))
    assert slope(errors) == pytest.approx(SIGNAL_SAMPLERS[sampler].order, abs=0.2)
    assert errors[-1] < 0.05


@every_process
@stochastic
def test_order_of_the_drawn_law(name: str, sampler: str) -> None:
    """D4: the covariance of what is drawn nears the data's with the declared power; the mean is exact."""
    errors = []
    for steps in (200, 400):
        mean, covariance = drawn_law(sampler, WALKED[name], uneven(0.8, 0.1, steps))
        right_mean, right_covariance = law(WALKED[name], 0.1)
        torch.testing.assert_close(mean, right_mean)
        errors.append(float((covariance - right_covariance).norm()))
    assert slope(errors) == pytest.approx(SIGNAL_SAMPLERS[sampler].order, abs=0.2)


@every_process
@every_sampler
def test_draws_have_the_law_of_the_data(name: str, sampler: str) -> None:
    """D4: all the way from noise to data in 200 steps, to 5%, from the law at t = 1."""
    mean, covariance = drawn_law(sampler, WALKED[name], even(1, 0, 200))
    torch.testing.assert_close(mean, MU, rtol=0, atol=0.05)
    torch.testing.assert_close(covariance, S, rtol=0, atol=0.05 * 1.5)


@stochastic
def test_draws_differ_and_repeat_at_any_batch_size(sampler: str) -> None:
    process, x, times = WALKED["cosine"], normals(8, 2), even(1, 0.2, 4)

    def run(x: Tensor, noise: Noise) -> Tensor:
        return deque(
            SIGNAL_SAMPLERS[sampler].sample(exact(process), process, x, times, noise=noise), maxlen=1
        ).pop()

    whole, part = run(x, own(8)), run(x[2:4], own(2, first=2))
    torch.testing.assert_close(whole[2:4], part, rtol=0, atol=1e-12)
    assert (run(x, own(8, first=8)) - whole).abs().min() > 1e-3


@every_process
@every_sampler
@pytest.mark.parametrize("steps", [1, 2, 7])
@pytest.mark.parametrize("start", [1.0, 0.6])
def test_dirac_data_is_hit_exactly(name: str, sampler: str, steps: int, start: float) -> None:
    """D2: whatever the steps and the start; each step is evaluated where the step before it ended.

    The walks that follow a curve's tangent in t leave it on the way, so that they end at the right point only
    where the path is straight.
    """
    process, seen = WALKED[name], []

    def denoise(state: Tensor, t: Tensor) -> Tensor:
        seen.append(float(t[0]))
        return POINT.expand_as(state)

    times = even(start, 0, steps)
    x = process.level(times[:1], normals(5, 2)).mix(POINT, normals(5, 2))
    states = sample(sampler, denoise, process, x, times)
    assert len(states) == steps
    assert [*dict.fromkeys(seen)] == times[:-1].tolist()
    if name == "flow" or sampler not in ("euler", "heun"):
        torch.testing.assert_close(states[-1], POINT.expand(5, 2), rtol=0, atol=1e-12)
    if not SIGNAL_SAMPLERS[sampler].stochastic and (name == "flow" or sampler in ("ddim", "dpmpp_2m")):
        for state, t in zip(states, times[1:, None]):
            torch.testing.assert_close(state, process.level(t, x).mix(POINT, normals(5, 2)))


@every_sampler
@pytest.mark.parametrize("spacing", TIMESTEP_SPACINGS)
@pytest.mark.parametrize("prediction", ["x0", "v", "velocity"])
def test_constant_data_recovers_its_mean(sampler: str, spacing: str, prediction: str) -> None:
    """D3: a network without loss on constant data draws it from pure noise, on any grid."""
    process, kind = WALKED["flow"], PREDICTIONS[prediction]

    def network(state: Tensor, t: Tensor) -> Tensor:
        level, clean = process.level(t, state), POINT.expand_as(state)
        return kind.target(clean, level.noise_of(state, clean), level)

    times = TIMESTEP_SPACINGS[spacing](process, 3)
    end = sample(sampler, denoiser(network, process, kind), process, normals(5, 2), times)[-1]
    torch.testing.assert_close(end, POINT.expand(5, 2), rtol=0, atol=1e-10)


def test_euler_of_a_straight_path_is_ddim() -> None:
    process, x, times = WALKED["flow"], normals(5, 2), even(1, 0, 7)
    for one, other in zip(*(sample(s, exact(process), process, x, times) for s in ("euler", "ddim"))):
        torch.testing.assert_close(one, other)


@every_process
def test_one_step_of_ddpm_is_bayes_rule(name: str) -> None:
    """Mean and variance of q(x_s | x_t, x_0) from the joint covariance of x_s and x_t."""
    process, t, s, data, x = WALKED[name], 0.7, 0.3, 1.5, 0.8
    (a, sigma), (b, tau) = amplitudes(process, t), amplitudes(process, s)
    fade = a / b
    regress = tau**2 * fade / sigma**2
    mean, variance = b * data + regress * (x - a * data), tau**2 - regress * tau**2 * fade
    start = torch.full((3, 2), x, dtype=torch.float64)
    (state,) = SIGNAL_SAMPLERS["ddpm"].sample(
        lambda x, t: torch.full_like(x, data), process, start, torch.tensor([t, s]).double(), noise=Unit(3, 1)
    )
    torch.testing.assert_close(state[0], torch.full((2,), mean, dtype=torch.float64))
    torch.testing.assert_close(state[1:] - state[0], math.sqrt(variance) * EYE)


@every_sampler
@pytest.mark.parametrize("times", [[1.0], [0.0, 1.1], [-0.1, 1.0], [1.0, 0.5, 0.5], [1.0, 0.2, 0.4]])
def test_other_times_are_refused(sampler: str, times: list[float]) -> None:
    with pytest.raises(BadValue, match="times must all fall"):
        sample(sampler, exact(WALKED["flow"]), WALKED["flow"], normals(1, 2), torch.tensor(times))


@stochastic
def test_noise_leads_only_to_data(sampler: str) -> None:
    with pytest.raises(BadValue, match="times must all fall within"):
        sample(sampler, exact(WALKED["flow"]), WALKED["flow"], normals(1, 2), torch.tensor([0.2, 0.8]))


@solver
@pytest.mark.parametrize("name", ["flow", "cosine"])
def test_it_walks_up_too(name: str, sampler: str) -> None:
    """From data to the noise that the flow leads to, 5% of its size away at most in 400 steps."""
    process, x = WALKED[name], MU + normals(50, 2) @ torch.linalg.cholesky(S).T
    end = sample(sampler, exact(process), process, x, even(0, 1, 400))[-1]
    assert float((end - flow(process, x, 0, 1)).square().mean().sqrt()) < 0.05
