"""Mean flow: for data N(μ, diag d²) the average velocity between two times is a closed form."""

from collections import deque

import pytest
import torch
from normal_data import normals
from torch import Tensor, nn

from modaloom.core.errors import BadValue
from modaloom.diffusion.flow import RectifiedFlow
from modaloom.diffusion.mean_flow import (
    AverageVelocity,
    adaptive_weighting,
    average_target,
    mean_flow_error,
    sample_intervals,
)
from modaloom.diffusion.prediction import SignalDenoiser
from modaloom.diffusion.samplers.continuous.euler import euler
from modaloom.diffusion.samplers.continuous.mean_flow import mean_flow

MU = torch.tensor([2.0, -1.0], dtype=torch.float64)
SPREAD = torch.tensor([0.5, 1.7], dtype=torch.float64)


def variance(t: Tensor) -> Tensor:
    """(B, 2): that of the state at t."""
    return ((1 - t[:, None]) * SPREAD).square() + t[:, None].square()


def carried(state: Tensor, r: Tensor, t: Tensor) -> Tensor:
    """The flow keeps the number of deviations on every axis."""
    deviations = (state - (1 - t[:, None]) * MU) / variance(t).sqrt()
    return (1 - r[:, None]) * MU + variance(r).sqrt() * deviations


def average(state: Tensor, r: Tensor, t: Tensor) -> Tensor:
    apart = (t - r)[:, None]
    return torch.where(
        apart > 0,
        (state - carried(state, r, t)) / apart.where(apart > 0, torch.ones(())),
        RectifiedFlow().velocity(state, denoise(state, t), t),
    )


def denoise(state: Tensor, t: Tensor) -> Tensor:
    fade = 1 - t[:, None]
    return MU + fade * SPREAD**2 / variance(t) * (state - fade * MU)


def times(n: int, seed: int) -> tuple[Tensor, Tensor]:
    drawn = torch.rand(2, n, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return drawn.amin(0), drawn.amax(0)


def test_the_exact_average_is_its_own_target() -> None:
    """The identity of §4.1, with the flow's exact velocity."""
    (r, t), state = times(200, 0), 2 * normals(200, 2)
    velocity = RectifiedFlow().velocity(state, denoise(state, t), t)
    output, target = average_target(average, state, velocity, r, t)
    torch.testing.assert_close(output, average(state, r, t))
    torch.testing.assert_close(target, output)


def test_another_average_is_not() -> None:
    (r, t), state = times(200, 0), 2 * normals(200, 2)
    velocity = RectifiedFlow().velocity(state, denoise(state, t), t)
    output, target = average_target(lambda z, r, t: average(z, r, t) + z, state, velocity, r, t)
    assert (output - target).abs().mean() > 0.1


def test_the_derivative_is_that_along_the_flow() -> None:
    """v − (t − r)·du/dt by central differences along z + h·u(z, t, t), t + h, whatever the sample's v."""
    (r, t), state, velocity, h = times(50, 1), normals(50, 2), normals(50, 2, seed=1), 1e-6
    _, target = average_target(average, state, velocity, r, t)
    flow = average(state, t, t)
    slope = (average(state + h * flow, r, t + h) - average(state - h * flow, r, t - h)) / (2 * h)
    torch.testing.assert_close(target, velocity - (t - r)[:, None] * slope, rtol=1e-5, atol=1e-5)


def test_attention_has_a_derivative_too() -> None:
    """Fused kernels have none in forward mode; by central differences again."""
    (r, t), state, velocity, h = times(3, 1), normals(3, 4, 2), normals(3, 4, 2, seed=1), 1e-6

    def attended(state: Tensor, r: Tensor, t: Tensor) -> Tensor:
        told = state * t[:, None, None]
        return nn.functional.scaled_dot_product_attention(told, state, told)

    _, target = average_target(attended, state, velocity, r, t)
    flow = attended(state, t, t)
    ends = (attended(state + sign * h * flow, r, t + sign * h) for sign in (1, -1))
    slope = (next(ends) - next(ends)) / (2 * h)
    torch.testing.assert_close(target, velocity - (t - r)[:, None, None] * slope, rtol=1e-5, atol=1e-5)


def test_the_loss_is_least_at_the_exact_average() -> None:
    """Over draws of data and ε, each with its own line's velocity; a shift either way costs more."""
    n, (r, t) = 20_000, (torch.full((20_000,), u, dtype=torch.float64) for u in (0.3, 0.8))
    data = MU + normals(n, 2) * SPREAD
    noise = torch.randn(n, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))

    def loss(shift: float) -> float:
        def shifted(state: Tensor, r: Tensor, t: Tensor) -> Tensor:
            return average(state, r, t) + shift

        made = mean_flow_error(shifted, data, noise, r, t)
        return float(made.mean())

    assert loss(-0.1) > loss(0) + 0.005
    assert loss(0.1) > loss(0) + 0.005


def test_the_loss_trains_the_output_alone() -> None:
    """The gradient is 2·(output − target) a value, over the error's own size: the target has none."""
    (r, t), data = times(6, 2), normals(6, 2)
    shift = torch.zeros(6, 2, dtype=torch.float64, requires_grad=True)

    def shifted(state: Tensor, r: Tensor, t: Tensor) -> Tensor:
        return average(state, r, t) + shift * (1 + t[:, None])

    noise = torch.randn(6, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    state = (1 - t[:, None]) * data + t[:, None] * noise
    output, target = average_target(average, state, noise - data, r, t)
    error = output - target
    for power in (0.0, 1.0):
        made = mean_flow_error(shifted, data, noise, r, t)
        loss = adaptive_weighting(made, power=power)
        (slope,) = torch.autograd.grad(loss.sum(), shift)
        size = (error.square().mean(1, keepdim=True) + 1e-3) ** power
        torch.testing.assert_close(slope, error * (1 + t[:, None]) / size)


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_few_steps_are_exact(steps: int) -> None:
    x = normals(50, 2)
    grid = torch.linspace(1, 0, steps + 1, dtype=torch.float64)
    states = [*mean_flow(average, x, grid)]
    for state, r in zip(states, grid[1:], strict=True):
        torch.testing.assert_close(state, carried(x, r.expand(50), torch.ones(50, dtype=torch.float64)))


@pytest.mark.parametrize("grid", [[1.0], [0.0, 1.0], [1.0, 0.5, 0.5]])
def test_other_times_are_refused(grid: list[float]) -> None:
    with pytest.raises(BadValue, match="times must all fall"):
        next(mean_flow(average, normals(1, 2), torch.tensor(grid)))


def test_stretches_are_apart_for_their_share() -> None:
    draws = torch.rand(2, 10_000, generator=torch.Generator().manual_seed(0))
    r, t = sample_intervals(*draws, share=0.25, generator=torch.Generator().manual_seed(1))
    assert torch.equal(t, draws.amax(0))
    apart = r < t
    assert float(apart.float().mean()) == pytest.approx(0.25, abs=0.02)
    assert torch.equal(r[apart], draws.amin(0)[apart])
    assert torch.equal(r[~apart], t[~apart])


class Net(nn.Module):
    """An average velocity on two axes."""

    def __init__(self) -> None:
        super().__init__()
        layers = [nn.Linear(6, 64), nn.SiLU(), nn.Linear(64, 64), nn.SiLU(), nn.Linear(64, 2)]
        self.layers = nn.Sequential(*layers)

    def forward(self, state: Tensor, r: Tensor, t: Tensor) -> Tensor:
        told = torch.stack([t, t - r, (3 * t).sin(), (3 * t).cos()], 1)
        return self.layers(torch.cat([state, told], 1))


def corners(n: int, generator: torch.Generator) -> Tensor:
    """(n, 2): four narrow bumps."""
    signs = 2 * torch.randint(0, 2, (n, 2), generator=generator) - 1.0
    return signs * 0.9 + 0.15 * torch.randn(n, 2, generator=generator)


def trained(share: float, steps: int = 500) -> Net:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = Net()
    generator = torch.Generator().manual_seed(0)
    optimizer = torch.optim.Adam(net.parameters(), 3e-3)
    for _ in range(steps):
        r, t = sample_intervals(*torch.rand(2, 256, generator=generator), share=share, generator=generator)
        data, noise = corners(256, generator), torch.randn(256, 2, generator=generator)
        loss = mean_flow_error(net, data, noise, r, t).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return net


def distance(x: Tensor, y: Tensor) -> float:
    """Energy distance: 0 for the same law."""
    return float(2 * torch.cdist(x, y).mean() - torch.cdist(x, x).mean() - torch.cdist(y, y).mean())


def test_one_and_two_steps_beat_plain_flow() -> None:
    """The same network and steps of training: at 1 step a tenth of the distance, at 2 two thirds."""
    generator = torch.Generator().manual_seed(9)
    truth, noise = corners(2000, generator), torch.randn(2000, 2, generator=generator)

    def reached(
        sampler: object, network: AverageVelocity | SignalDenoiser, steps: int, *process: RectifiedFlow
    ) -> float:
        grid = torch.linspace(1, 0, steps + 1)
        return distance(deque(sampler(network, *process, noise, grid), maxlen=1).pop(), truth)

    average, few = trained(0.0), trained(0.5)

    def plain(state: Tensor, t: Tensor) -> Tensor:
        """With r = t the network is the flow's velocity: D = z − t·u(z, t, t)."""
        return state - t[:, None] * average(state, t, t)

    for steps, share in ((1, 0.1), (2, 2 / 3)):
        assert reached(mean_flow, few, steps) < share * reached(euler, plain, steps, RectifiedFlow())
