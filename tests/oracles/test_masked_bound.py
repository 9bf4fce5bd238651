"""D7, D8: with the exact conditionals the bound of masked diffusion is −log p(x), flat and nested."""

import itertools
import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from modaloom.bench.bounds import masked_bound, unknown
from modaloom.bench.joint import Joint
from modaloom.core.types import MASK, Canvas, Logits
from modaloom.diffusion.masked import Masked
from modaloom.diffusion.schedules import SCHEDULES

SHAPES = {
    "V=3 L=3": ({"x": (3, 1)}, 3),
    "nested L=2 Q=2": ({"x": (2, 2)}, 2),
    "nested L=1 Q=3": ({"x": (1, 3)}, 3),
    "two streams": ({"x": (1, 2), "y": (2, 1)}, 2),
}


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("shape", SHAPES)
def test_bound_is_the_likelihood(shape: str, schedule: str) -> None:
    joint = Joint(*SHAPES[shape], seed=1)
    clean = unknown(joint.canvas(torch.arange(len(joint.table))))
    bound = masked_bound(joint.denoise, Masked(SCHEDULES[schedule]), clean)
    torch.testing.assert_close(bound, -joint.log_p, atol=1e-6, rtol=0)


def test_bound_is_the_mean_over_orders() -> None:
    """ARDM's form, E over orders of the chain rule, holds for any denoiser: here for a wrong one."""
    joint = Joint({"x": (3, 1)}, 3, seed=2)

    def flattened(canvas: Canvas) -> Logits:
        return {name: 0.5 * logits for name, logits in joint.denoise(canvas).items()}

    clean = unknown(joint.canvas(torch.arange(27)))
    codes = clean["x"].state
    total = torch.zeros(27, dtype=torch.float64)
    for order in itertools.permutations(range(3)):
        state = torch.full_like(codes, MASK)
        for position in order:
            log_p = flattened({"x": replace(clean["x"], state=state)})["x"].log_softmax(-1)
            total -= log_p[:, position, 0].gather(1, codes[:, position]).squeeze(1) / 6
            state = state.index_copy(1, torch.tensor([position]), codes[:, [position]])
    torch.testing.assert_close(masked_bound(flattened, Masked(), clean), total, atol=1e-6, rtol=0)
    assert (total + joint.log_p).abs().max() > 0.1


@pytest.mark.parametrize("wanted", [["x"], ["y"], ["x", "y"]])
def test_sampled_bound_is_unbiased(wanted: list[str]) -> None:
    """`nelbo` at few points, one row repeated: the mean is −log p(wanted | rest) within 4 standard errors."""
    joint = Joint({"x": (1, 2), "y": (2, 1)}, 2, seed=3)
    rest = [name for name in joint.shapes if name not in wanted]
    for row in (0, 7, 13):
        canvas = joint.canvas(torch.full((20_000,), row))
        canvas |= unknown({name: canvas[name] for name in wanted})
        generator = torch.Generator().manual_seed(row)
        nats = sum(Masked().nelbo(joint.denoise, canvas, wanted, points=2, generator=generator).values())
        exact = -joint.log_p[row] + (joint.log_marginal(rest)[row] if rest else 0)
        assert abs(nats.mean() - exact) < 4 * nats.std() / math.sqrt(len(nats))


def test_known_codes_condition_the_bound() -> None:
    """A known position, and a known coarse depth: the bound is that of the rest given it."""
    joint = Joint({"x": (2, 2)}, 2, seed=4)
    known = torch.tensor([[[True, True], [True, False]]]).expand(20_000, 2, 2)
    for row in (2, 9):
        field = replace(joint.canvas(torch.full((20_000,), row))["x"], known=known)
        nats = Masked().nelbo(
            joint.denoise, {"x": field}, ["x"], points=2, generator=torch.Generator().manual_seed(0)
        )["x"]
        same = (joint.table[:, :3] == joint.table[row, :3]).all(1)
        exact = (same * joint.log_p.exp()).sum().log() - joint.log_p[row]
        assert abs(nats.mean() - exact) < 4 * nats.std() / math.sqrt(len(nats)) + 1e-6


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_no_terminal_leak(name: str, dtype: torch.dtype) -> None:
    """D8: α is exactly 1 at data and exactly 0 at noise."""
    ends = SCHEDULES[name].alpha(torch.tensor([0.0, 1.0], dtype=dtype))
    assert ends.tolist() == [1.0, 0.0]


@pytest.mark.parametrize("name", SCHEDULES)
def test_rate_is_the_derivative(name: str) -> None:
    t = torch.linspace(0.01, 0.99, 50, dtype=torch.float64, requires_grad=True)
    alpha = SCHEDULES[name].alpha(t)
    (slope,) = torch.autograd.grad(alpha.sum(), t)
    torch.testing.assert_close(SCHEDULES[name].rate(t), -slope / (1 - alpha))
    torch.testing.assert_close(SCHEDULES[name].decay(t), -slope / alpha)


def test_posterior_is_bayes() -> None:
    """D9 for the absorbing kernel: q(x_s | x_t, x_0) from products of transition matrices."""
    process, size = Masked(SCHEDULES["cosine"]), 3
    s, t = torch.tensor([0.3]), torch.tensor([0.8])
    keep_s, keep_t = (float(process.schedule.alpha(u)) for u in (s, t))

    def kernel(keep: float) -> Tensor:
        """(K + 1, K + 1): from each clean code or the mask (last) to each."""
        matrix = keep * torch.eye(size + 1)
        matrix[:, size] += 1 - keep
        return matrix

    first, second = kernel(keep_s), kernel(keep_t / keep_s)
    for code, now in [(0, MASK), (1, MASK), (2, 2)]:
        joint = first[code] * second[:, now]
        expected = joint / joint.sum()
        clean = torch.nn.functional.one_hot(torch.tensor(code), size).float().view(1, 1, 1, size)
        got = process.posterior(clean, torch.full((1, 1, 1), now), s, t).flatten()
        torch.testing.assert_close(got, expected)
