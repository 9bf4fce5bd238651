"""D9: transitions and posteriors against products of transition matrices, and the bound of T steps.

Every state of a code has a number: its code, and K for the mask where there is one.
"""

import itertools
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from modaloom.bench.joint import Joint
from modaloom.core.types import MASK, Field
from modaloom.diffusion.masked import Masked
from modaloom.diffusion.schedules import SCHEDULES
from modaloom.diffusion.uniform import Uniform

SIZE = 3
Kind = type[Masked] | type[Uniform]
KINDS: dict[Kind, tuple[int, Tensor]] = {
    Masked: (SIZE + 1, one_hot(torch.tensor(SIZE), SIZE + 1).double()),
    Uniform: (SIZE, torch.full((SIZE,), 1 / SIZE, dtype=torch.float64)),
}
"""Process → how many states a code has, and the law of its noise over them."""

every_process = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
every_schedule = pytest.mark.parametrize("schedule", SCHEDULES)


def alpha(process: Masked | Uniform, t: float) -> float:
    return float(process.schedule.alpha(torch.tensor(t, dtype=torch.float64)))


def kernel(process: Masked | Uniform, times: Sequence[float]) -> Tensor:
    """float64 (S, S): from each state at the first time to each at the last, step by step."""
    states, noise = KINDS[type(process)]
    product = torch.eye(states, dtype=torch.float64)
    for s, t in itertools.pairwise(times):
        keep = alpha(process, t) / alpha(process, s)
        product = product @ (keep * torch.eye(states, dtype=torch.float64) + (1 - keep) * noise)
    return product


def level(t: float, count: int) -> Tensor:
    return torch.full((count,), t, dtype=torch.float64)


def codes_of(state: Tensor) -> Tensor:
    """Numbers of states → (B, L, 1) codes."""
    return state.masked_fill(state == SIZE, MASK)[..., None]


@every_process
@every_schedule
def test_posterior_is_bayes(kind: Kind, schedule: str) -> None:
    """q(z_s | z_t, x) for every x and z_t, for certain clean codes and uncertain ones; rows sum to 1."""
    process = kind(SCHEDULES[schedule])
    states, _ = KINDS[kind]
    clean = torch.tensor([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0.2, 0.3, 0.5]], dtype=torch.float64)
    early, late = kernel(process, [0, 0.1, 0.3])[:SIZE], kernel(process, [0.3, 0.4, 0.6, 0.8])
    for now in range(states):
        given_x = early * late[:, now]
        possible = given_x.sum(1, keepdim=True)
        bayes = torch.where(possible > 0, given_x / possible, 0)
        for p in clean[[now]] if kind is Masked and now < SIZE else clean:
            got = process.posterior(
                p.view(1, 1, 1, SIZE), codes_of(torch.tensor([[now]])), level(0.3, 1), level(0.8, 1)
            ).flatten()
            torch.testing.assert_close(got, p @ bayes)
            assert float(got.sum()) == pytest.approx(1)


@every_process
def test_advance_is_the_transition(kind: Kind) -> None:
    """From 0 to 0.4 and on to 0.7 in draws: the laws of both moments, and of the second given the first."""
    process, draws = kind(SCHEDULES["square"]), 100_000
    states, _ = KINDS[kind]
    codes = torch.ones(draws, 1, 1, dtype=torch.int64)
    field = Field(codes, codes < 0, codes[..., 0] > 0, torch.zeros(draws), SIZE)
    generator = torch.Generator().manual_seed(0)
    seen = []
    for t in (0.4, 0.7):
        uniform = torch.rand(draws, 1, 1, dtype=torch.float64, generator=generator)
        field = process.advance(field, torch.full((draws,), t), uniform=uniform)
        seen.append(field.state.flatten() % (SIZE + 1))
    expected = kernel(process, [0, 0.4])[1][:, None] * kernel(process, [0.4, 0.7])
    got = (seen[0] * states + seen[1]).bincount(minlength=states**2).view(states, states) / draws
    torch.testing.assert_close(got.double(), expected, atol=0.006, rtol=0)


@every_process
@every_schedule
def test_bound_of_many_steps_falls_to_the_entropy(kind: Kind, schedule: str) -> None:
    """Σ over T steps of E KL(q(z_s | z_t, x) ‖ Π codes' posteriors): the gap halves as T doubles."""
    process, joint = kind(SCHEDULES[schedule]), Joint({"x": (2, 1)}, SIZE, seed=7)
    entropy = -float((joint.log_p.exp() * joint.log_p).sum())
    gaps = [discrete_bound(process, joint, steps) - entropy for steps in (1, 2, 4, 8, 16, 32, 64, 128)]
    assert all(0 < after < before for before, after in itertools.pairwise(gaps))
    assert gaps[-1] < 0.02
    assert gaps[-1] / gaps[-2] == pytest.approx(0.5, abs=0.1)


def discrete_bound(process: Masked | Uniform, joint: Joint, steps: int) -> float:
    states, _ = KINDS[type(process)]
    every = torch.tensor(list(itertools.product(range(states), repeat=2)))
    codes = codes_of(every)
    total = 0.0
    for step in range(1, steps + 1):
        s, t = level((step - 1) / steps, len(every)), level(step / steps, len(every))
        field = Field(codes, torch.zeros_like(codes, dtype=torch.bool), codes[..., 0] > -2, t, SIZE)
        p = joint.denoiser(process)({"x": field})["x"].softmax(-1)
        ours = process.posterior(p, codes, s, t)
        chance = kernel(process, [0, step / steps])
        for x, weight in zip(joint.table, joint.log_p.exp(), strict=True):
            reached = chance[x[0], every[:, 0]] * chance[x[1], every[:, 1]]
            clean = one_hot(x, SIZE).double().view(1, 2, 1, SIZE).expand_as(p)
            truth = process.posterior(clean, codes, s, t)
            nats = (torch.xlogy(truth, truth) - torch.xlogy(truth, ours)).sum((1, 2, 3))
            total += float(weight * (reached * nats)[reached > 0].sum())
    return total
