"""Networks of vectors, and of time."""

import math

import torch
from torch import nn

from modaloom.networks.mlp import ResidualMLP
from modaloom.networks.time_conditioned import CHANNEL_FREQUENCIES, TIME_CHANNELS, TimeConditioned
from modaloom.networks.timestep_embedding import sinusoidal_embedding


def test_it_starts_at_0_and_then_at_the_linear_map_that_is_set() -> None:
    net, x = ResidualMLP(3, 2, width=8), torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    assert torch.equal(net(x), torch.zeros(5, 2))
    matrix = torch.tensor([[1.0, 2.0, 3.0], [0.0, -1.0, 0.5]])
    with torch.no_grad():
        net.linear.weight.copy_(matrix)
    torch.testing.assert_close(net(x), x @ matrix.T)


def test_it_learns_what_no_linear_map_can() -> None:
    """Exclusive or, for which the best linear map has error 1."""
    x = torch.tensor([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]])
    y = x[:, :1] * x[:, 1:]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = ResidualMLP(2, 1, width=16)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    for _ in range(200):
        optimizer.zero_grad()
        (net(x) - y).square().mean().backward()
        optimizer.step()
    assert (net(x) - y).square().mean() < 0.01


def test_waves_in_closed_form() -> None:
    t = torch.tensor([0.0, 0.25, 1.0], dtype=torch.float64)
    rows = [[f(k * u * math.pi / 2) for f in (math.sin, math.cos) for k in (1, 2, 3, 4)] for u in t.tolist()]
    torch.testing.assert_close(
        sinusoidal_embedding(t, CHANNEL_FREQUENCIES), torch.tensor(rows, dtype=torch.float64)
    )


def test_each_sample_is_told_its_own_time_at_every_position() -> None:
    state = torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(0))
    t = torch.tensor([0.2, 0.9])
    told = TimeConditioned(nn.Identity())(state, t)
    assert torch.equal(told[:, :3], state)
    assert torch.equal(
        told[:, 3:],
        sinusoidal_embedding(t, CHANNEL_FREQUENCIES)[:, :, None, None].expand(2, TIME_CHANNELS, 4, 5),
    )
    assert torch.equal(
        TimeConditioned(nn.Identity())(state[:, :, 0, 0], t)[:, 3:],
        sinusoidal_embedding(t, CHANNEL_FREQUENCIES),
    )
