"""The Restorer against exact answers: targets that are normal given the condition."""

import math

import pytest
import torch
from torch import Tensor, nn

from modaloom.core.errors import BadValue
from modaloom.diffusion import GAUSSIAN_PROCESSES
from modaloom.diffusion.gaussian import VariancePreserving
from modaloom.diffusion.prediction import MAX_LOG_SIGMA, PREDICTIONS
from modaloom.restorer.example import ConditionalExample, collate, unlabeled_example
from modaloom.restorer.restorer import Restorer

SLOPE, DEVIATION = torch.tensor([0.8, -2.0]), torch.tensor([0.1, 3.0])
"""Of the two num_tasks: target = slope · condition + deviation · N(0, 1)."""
PROCESS = VariancePreserving()


class Exact(nn.Module):
    """The best network there can be: the posterior mean, as v, for the two kinds of `question`.

    At t = 1 and an all-zero state it gives the mean, and so it does for any other state there.
    """

    def __init__(self, restorer: Restorer, kind: Tensor) -> None:
        super().__init__()
        self.shift, self.scale = restorer.shift_K[kind], restorer.scale_K[kind]
        self.slope, self.deviation = SLOPE[kind], DEVIATION[kind]

    def forward(self, state: Tensor, t: Tensor, condition: Tensor, context: Tensor) -> Tensor:
        shift, scale, slope, deviation = (
            x[:, None, None] for x in (self.shift, self.scale, self.slope, self.deviation)
        )
        level = PROCESS.level(t, state)
        prior, variance = (slope * condition - shift) / scale, (deviation / scale) ** 2
        gain = variance * level.alpha / (level.alpha**2 * variance + level.sigma**2)
        data = prior + gain * (state - level.alpha * prior)
        return level.alpha * (state - level.alpha * data) / level.sigma - level.sigma * data


class Off(nn.Module):
    """A network's output plus a constant."""

    def __init__(self, network: nn.Module, change: float) -> None:
        super().__init__()
        self.network, self.change = network, change

    def forward(self, *told: Tensor) -> Tensor:
        return self.network(*told) + self.change


def drawn(n: int, seed: int = 0, side: int = 50) -> ConditionalExample:
    """A stacked pair of n signals, kinds in turn."""
    random = torch.Generator().manual_seed(seed)
    condition = torch.rand(n, 1, side, generator=random)
    kind = torch.arange(n) % 2
    noise = torch.randn(n, 1, side, generator=random)
    target = SLOPE[kind, None, None] * condition + DEVIATION[kind, None, None] * noise
    return ConditionalExample(target, condition, torch.zeros(n, 1, 0), kind)


def singles(pair: ConditionalExample) -> list[ConditionalExample]:
    return [
        ConditionalExample(*row) for row in zip(pair.target, pair.condition, pair.context, pair.task_index)
    ]


@pytest.fixture(scope="module")
def pair() -> ConditionalExample:
    return drawn(2000)


@pytest.fixture(scope="module")
def restorer(pair: ConditionalExample) -> Restorer:
    restorer = Restorer(nn.Identity(), PROCESS, PREDICTIONS["v"], num_tasks=2)
    restorer.fit_normalizer(singles(pair))
    restorer.network = Exact(restorer, pair.task_index)
    return restorer


def test_shift_and_scale_are_those_of_each_kind(pair, restorer):
    """D12."""
    for kind in (0, 1):
        values = pair.target[kind::2].double()
        assert float(restorer.shift_K[kind]) == pytest.approx(float(values.mean()), rel=1e-5)
        deviation = float(values.std(correction=0))
        assert float(restorer.scale_K[kind]) == pytest.approx(deviation, rel=1e-5)


def test_kinds_that_do_not_occur_keep_their_scale_and_constants_are_refused():
    restorer = Restorer(nn.Identity(), PROCESS, PREDICTIONS["v"], num_tasks=3)
    restorer.fit_normalizer(singles(drawn(4)))
    assert float(restorer.scale_K[2]) == 1
    with pytest.raises(BadValue, match="nothing to learn"):
        restorer.fit_normalizer([unlabeled_example(torch.zeros(1, 8), 1)])


def test_the_mean_is_the_mean_whatever_stands_in_the_target(pair, restorer):
    expected = SLOPE[pair.task_index, None, None] * pair.condition
    other = ConditionalExample(
        torch.full_like(pair.target, 7.0), pair.condition, pair.context, pair.task_index
    )
    torch.testing.assert_close(restorer.mean(other), expected, rtol=0, atol=1e-5)


def test_samples_are_spread_as_the_targets_are(pair, restorer):
    """Given the condition they have its mean and the kind's deviation; and twice the mean's squared error."""
    noise = torch.randn(pair.target.shape, generator=torch.Generator().manual_seed(5))
    found = restorer.sample(pair, noise, torch.linspace(1, 0, 60))
    for kind in (0, 1):
        rest = (found - SLOPE[pair.task_index, None, None] * pair.condition)[kind::2]
        n = rest.numel()
        assert abs(float(rest.mean())) < 5 * float(DEVIATION[kind]) / math.sqrt(n)
        assert float(rest.std()) == pytest.approx(float(DEVIATION[kind]), rel=0.04)
        ratio = [(x - pair.target)[kind::2].square().mean() for x in (found, restorer.mean(pair))]
        assert float(ratio[0] / ratio[1]) == pytest.approx(2, rel=0.06)


def test_a_walk_from_less_than_1_stays_near_its_target(pair, restorer):
    """The correlation with the target falls with the strength; at 0 the target is the answer."""
    noise = torch.randn(pair.target.shape, generator=torch.Generator().manual_seed(5))
    left = []
    for strength in (0.2, 0.5, 0.8, 1.0):
        found = restorer.sample(pair, noise, torch.linspace(strength, 0, 30))
        rest = [
            (x - SLOPE[pair.task_index, None, None] * pair.condition)[1::2].flatten()
            for x in (found, pair.target)
        ]
        left.append(float(torch.corrcoef(torch.stack(rest))[0, 1]))
    # Of unit variance, the state at t is cos(πt/2) of the data; the deterministic walk keeps that share.
    assert left == pytest.approx([math.cos(math.pi * s / 2) for s in (0.2, 0.5, 0.8, 1.0)], abs=0.03)
    assert torch.equal(restorer.sample(pair, noise, torch.tensor([0.0, 0.0])), pair.target)


def test_the_loss_of_the_best_network_is_the_posterior_variance(pair, restorer):
    """Asked for the mean: variance / scale². Any other network loses more; each kind counts alike."""
    only = Restorer(restorer.network, PROCESS, PREDICTIONS["v"], num_tasks=2, mean_prob=1.0)
    only.load_state_dict(restorer.state_dict(), strict=False)
    random = torch.Generator().manual_seed(1)
    least = float(only.loss(pair, random).total)
    expected = float((DEVIATION / restorer.scale_K).square().mean())
    assert least == pytest.approx(expected, rel=0.02)
    assert set(only.loss(pair, random).parts) == {"mean"}
    both = restorer.loss(pair, torch.Generator().manual_seed(2))
    assert set(both.parts) == {"mean", "sample"}
    for change in (-0.1, 0.1):
        only.network = Off(restorer.network, change)
        assert float(only.loss(pair, torch.Generator().manual_seed(1)).total) == pytest.approx(
            least + 0.01, rel=0.01
        )


@pytest.mark.parametrize("process", GAUSSIAN_PROCESSES)
def test_a_preconditioned_network_sees_unit_variance_in_training_and_in_a_draw(process, pair):
    """EDM's network is shown the state at unit variance, whatever the level, and ¼ ln σ̂ for t."""
    seen: list[tuple[Tensor, Tensor]] = []

    class Spy(nn.Module):
        def forward(self, state: Tensor, t: Tensor, condition: Tensor, context: Tensor) -> Tensor:
            seen.append((state, t))
            return torch.zeros_like(state)

    restorer = Restorer(Spy(), GAUSSIAN_PROCESSES[process](), PREDICTIONS["edm"], num_tasks=2, mean_prob=0)
    restorer.fit_normalizer(singles(pair))
    loss = restorer.loss(pair, torch.Generator().manual_seed(0)).total
    assert float(loss) == pytest.approx(1, abs=0.05)
    restorer.sample(pair, torch.randn(pair.target.shape), torch.tensor([1.0, 0.0]))
    for state, t in seen:
        assert float(state.square().mean()) == pytest.approx(1, abs=0.05)
        assert float(t.abs().max()) <= MAX_LOG_SIGMA / 4
    assert float(seen[-1][1].min()) == MAX_LOG_SIGMA / 4


def test_half_of_the_pairs_ask_for_the_mean_and_only_they_show_an_empty_state():
    seen: list[tuple[Tensor, Tensor]] = []

    class Spy(nn.Module):
        def forward(self, state: Tensor, t: Tensor, condition: Tensor, context: Tensor) -> Tensor:
            seen.append((state, t))
            return state

    pair = drawn(1000, side=4)
    Restorer(Spy(), PROCESS, PREDICTIONS["v"], num_tasks=2, mean_prob=0.3).loss(
        pair, torch.Generator().manual_seed(0)
    )
    (state, t), empty = seen[0], (seen[0][0] == 0).flatten(1).all(1)
    assert torch.equal(t == 1, empty)
    assert abs(float(empty.float().mean()) - 0.3) < 5 * math.sqrt(0.21 / 1000)
    assert state[~empty].std() > 0.5


def test_pairs_are_stacked_in_order():
    pair = drawn(4, side=3)
    again = collate(singles(pair))
    for name in ("target", "condition", "context", "task_index"):
        assert torch.equal(getattr(again, name), getattr(pair, name))
