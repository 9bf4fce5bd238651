"""A Restorer that leaps, where the average velocity is a closed form: data N(0, deviation²) at each place."""

import pytest
import torch
from torch import Tensor, nn

from modaloom.core.errors import BadValue
from modaloom.diffusion.flow import RectifiedFlow
from modaloom.diffusion.prediction import PREDICTIONS
from modaloom.networks.unet import UNet, UNetConfig
from modaloom.restorer.config import RestorerConfig, SignalSamplingConfig
from modaloom.restorer.example import ConditionalExample
from modaloom.restorer.inference import run_task
from modaloom.restorer.restorer import Restorer
from modaloom.restorer.tasks import TASKS, Signals

DEVIATION = torch.tensor([0.5, 1.7])


class Exact(nn.Module):
    """The average velocity between t and t - reach: the flow keeps the number of deviations."""

    def forward(self, state: Tensor, t: Tensor, condition: Tensor, context: Tensor) -> Tensor:
        end, reach = t.unbind(1) if t.ndim == 2 else (t, torch.zeros_like(t))
        reach = reach.clamp_min(1e-4)
        spread, before = self.spread(end), self.spread((end - reach).clamp_min(0))
        return state * (1 - before / spread) / reach[:, None, None]

    def spread(self, t: Tensor) -> Tensor:
        t = t[:, None, None]
        return (((1 - t) * DEVIATION).square() + t.square()).sqrt()


def pairs(n: int, seed: int = 0) -> ConditionalExample:
    noise = torch.randn(n, 1, 2, generator=torch.Generator().manual_seed(seed))
    return ConditionalExample(
        DEVIATION * noise, torch.zeros(n, 0, 2), torch.zeros(n, 1, 0), torch.zeros(n).long()
    )


def restorer(network: nn.Module, *, mean_prob: float = 0.0, mean_flow_prob: float = 0.5) -> Restorer:
    return Restorer(
        network, RectifiedFlow(), PREDICTIONS["velocity"], mean_prob=mean_prob, mean_flow_prob=mean_flow_prob
    )


@pytest.mark.parametrize("steps", [1, 2, 7])
def test_few_steps_draw_from_the_law(steps: int) -> None:
    pair, exact = pairs(20_000), restorer(Exact())
    noise = torch.randn(pair.target.shape, generator=torch.Generator().manual_seed(1))
    drawn = exact.sample_mean_flow(pair, noise, torch.linspace(1, 0, steps + 1))
    torch.testing.assert_close(drawn, DEVIATION * noise, rtol=1e-4, atol=1e-4)


def test_the_same_network_is_the_velocity_of_a_walk() -> None:
    pair, exact = pairs(500), restorer(Exact())
    noise = torch.randn(pair.target.shape, generator=torch.Generator().manual_seed(1))
    walked = exact.sample(pair, noise, torch.linspace(1, 0, 201))
    assert (walked - DEVIATION * noise).abs().mean() < 0.02


def test_the_exact_average_has_the_least_loss() -> None:
    class Off(nn.Module):
        def __init__(self, shift: float) -> None:
            super().__init__()
            self.exact, self.shift = Exact(), shift

        def forward(self, state: Tensor, *told: Tensor) -> Tensor:
            return self.exact(state, *told) + self.shift

    draws = torch.Generator().manual_seed
    found = {
        shift: restorer(Off(shift), mean_flow_prob=0.6).loss(pairs(20_000), draws(3))
        for shift in (-0.2, 0, 0.2)
    }
    assert found[0].parts.keys() == {"sample", "leap"}
    for part in ("sample", "leap"):
        assert found[0].parts[part] < min(found[-0.2].parts[part], found[0.2].parts[part])


def test_shares_of_the_questions() -> None:
    """Of a network that answers 0 each loss part is known: the mean's is that of the data itself."""

    class Nothing(nn.Module):
        def forward(self, state: Tensor, *told: Tensor) -> Tensor:
            return 0 * state

    loss = restorer(Nothing(), mean_prob=0.5, mean_flow_prob=0.5).loss(
        pairs(40_000), torch.Generator().manual_seed(0)
    )
    power = float(DEVIATION.square().mean())
    assert float(loss.parts["mean"]) == pytest.approx(power, rel=0.05)
    assert float(loss.parts["sample"]) == pytest.approx(1 + power, rel=0.05)
    # A leap's squared error, of ε − x here, counts by its root.
    apart = torch.randn(100_000, 2, generator=torch.Generator().manual_seed(1)) * (1 + DEVIATION**2).sqrt()
    leap = apart.square().mean(1).sqrt().mean()
    shares = 0.5 * loss.parts["mean"] + 0.25 * loss.parts["sample"] + 0.25 * leap
    assert float(loss.total) == pytest.approx(float(shares), rel=0.02)


@pytest.mark.parametrize("axes", [1, 2])
def test_a_network_learns_how_far_to_reach(axes: int) -> None:
    torch.manual_seed(0)
    net = UNet(1, UNetConfig((8, 8), groups=2), axes=axes, interval_conditioned=True)
    for parameter in net.parameters():
        nn.init.normal_(parameter, std=0.2)
    data = torch.randn(4, 1, *[8] * axes)
    pair = ConditionalExample(
        data, torch.zeros(4, 0, *[8] * axes), torch.zeros(4, 1, 0), torch.zeros(4).long()
    )
    restorer(net, mean_flow_prob=1.0).loss(pair, torch.Generator().manual_seed(0)).total.backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in net.parameters())
    near, far = (net(data, torch.tensor([[1.0, reach]] * 4)) for reach in (0.0, 1.0))
    assert not torch.allclose(near, far)
    torch.testing.assert_close(net(data, torch.ones(4)), near)


def test_what_can_be_asked() -> None:
    with pytest.raises(BadValue, match="process=flow"):
        RestorerConfig(mean_flow_prob=0.5)
    with pytest.raises(BadValue, match="mean_flow_prob"):
        RestorerConfig(sampling=SignalSamplingConfig("mean_flow"))
    held = Signals(input=torch.zeros(1, 2))
    sampling, options = SignalSamplingConfig("mean_flow", steps=1), TASKS["generate"].options()
    with pytest.raises(BadValue, match="not learned mean flow"):
        run_task(restorer(Exact(), mean_flow_prob=0), TASKS["generate"], held, options, sampling=sampling)
    found = run_task(restorer(Exact()), TASKS["generate"], held, options, sampling=sampling, seed=3)
    assert found.shape == (1, 2)
