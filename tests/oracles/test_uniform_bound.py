"""D7, D8 for uniform noise: with the exact conditionals the bound is −log p(x)."""

import math
from dataclasses import replace

import pytest
import torch

from modaloom.bench.bounds import uniform_bound, unknown
from modaloom.bench.joint import Joint
from modaloom.core.types import Canvas, Field, Logits
from modaloom.diffusion.noise import Noise
from modaloom.diffusion.schedules import SCHEDULES
from modaloom.diffusion.uniform import Uniform

SHAPES = {
    "V=3 L=3": ({"x": (3, 1)}, 3),
    "L=2 Q=2": ({"x": (2, 2)}, 2),
    "two streams": ({"x": (1, 2), "y": (2, 1)}, 2),
}
KNOWN = torch.tensor([[[True, True], [True, False]]])


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("shape", SHAPES)
def test_bound_is_the_likelihood(shape: str, schedule: str) -> None:
    joint, process = Joint(*SHAPES[shape], seed=1), Uniform(SCHEDULES[schedule])
    bound = uniform_bound(joint.denoiser(process), process, joint)
    torch.testing.assert_close(bound, -joint.log_p, atol=1e-6, rtol=0)


def test_a_wrong_denoiser_pays_more() -> None:
    """On average over the data: the bound's mean is the entropy and a divergence."""
    joint, process = Joint({"x": (3, 1)}, 3, seed=2), Uniform()
    exact = joint.denoiser(process)

    def flattened(canvas: Canvas) -> Logits:
        return {
            name: process.to_posterior_logits(
                0.5 * process.from_posterior_logits(logits, canvas[name]), canvas[name]
            )
            for name, logits in exact(canvas).items()
        }

    excess = uniform_bound(flattened, process, joint) + joint.log_p
    assert (joint.log_p.exp() * excess).sum() > 0.1


def test_loss_by_its_definition() -> None:
    """Σ over jumps of R̂ − R + R·log(R / R̂) from transition matrices; padding and known codes are free."""
    process, size = Uniform(SCHEDULES["cosine"]), 4
    generator = torch.Generator().manual_seed(0)
    codes, state = torch.randint(size, (2, 1, 3, 2), generator=generator)
    logits = torch.randn(1, 3, 2, size, dtype=torch.float64, generator=generator)
    known, valid = torch.zeros_like(codes, dtype=torch.bool), torch.tensor([[True, True, False]])
    known[0, 0, 0] = True
    t = torch.tensor([0.3], dtype=torch.float64, requires_grad=True)
    kept = process.schedule.alpha(t)
    (slope,) = torch.autograd.grad(kept, t)
    alpha = float(kept.detach())
    sigma = -float(slope) / alpha
    q = alpha * torch.eye(size, dtype=torch.float64) + (1 - alpha) / size
    expected = 0.0
    for place, depth in [(0, 1), (1, 0), (1, 1)]:
        x, j = int(codes[0, place, depth]), int(state[0, place, depth])
        p = logits[0, place, depth].softmax(0)
        for i in {*range(size)} - {j}:
            guess = float((p * q[:, i] / q[:, j]).sum()) * sigma / size
            truth = float(q[x, i] / q[x, j]) * sigma / size
            expected += guess - truth + truth * math.log(truth / guess)
    nats = process.loss(logits, codes, Field(state, known, valid, t.detach()))
    assert float(nats) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("t", [0.0, 1e-30, 1e-6, 0.5, 1 - 1e-7, 1.0])
def test_loss_is_finite_at_the_ends(t: float) -> None:
    codes = torch.tensor([[[0], [1], [2]]])
    state, logits = torch.tensor([[[0], [2], [2]]]), torch.tensor([9.0, 0.0, -9.0]).expand(1, 3, 1, 3)
    field = Field(state, codes < 0, torch.ones(1, 3, dtype=torch.bool), torch.tensor([t]))
    for schedule in SCHEDULES.values():
        process = Uniform(schedule)
        nats = process.loss(process.to_posterior_logits(logits, field), codes, field)
        assert torch.isfinite(nats).all()
        assert t < 1 or float(nats) == 0


@pytest.mark.parametrize("wanted", [["x"], ["y"], ["x", "y"]])
def test_sampled_bound_is_unbiased(wanted: list[str]) -> None:
    """`nelbo` at few points, one row repeated: the mean is −log p(wanted | rest) within 4 standard errors."""
    joint, process = Joint({"x": (1, 2), "y": (2, 1)}, 2, seed=3), Uniform()
    rest = [name for name in joint.shapes if name not in wanted]
    for row in (0, 7, 13):
        canvas = joint.canvas(torch.full((10_000,), row))
        canvas |= unknown({name: canvas[name] for name in wanted})
        generator = torch.Generator().manual_seed(row)
        parts = process.nelbo(joint.denoiser(process), canvas, wanted, points=2, generator=generator)
        nats = sum(parts.values())
        exact = -joint.log_p[row] + (joint.log_marginal(rest)[row] if rest else 0)
        assert abs(nats.mean() - exact) < 4 * nats.std() / math.sqrt(len(nats))


def test_known_codes_condition_the_bound() -> None:
    """A known position, and a known depth: the bound is that of the rest given it."""
    joint, process = Joint({"x": (2, 2)}, 2, seed=4), Uniform()
    for row in (2, 9):
        field = replace(joint.canvas(torch.full((10_000,), row))["x"], known=KNOWN.expand(10_000, 2, 2))
        generator = torch.Generator().manual_seed(0)
        nats = process.nelbo(joint.denoiser(process), {"x": field}, ["x"], points=2, generator=generator)["x"]
        same = (joint.table[:, :3] == joint.table[row, :3]).all(1)
        exact = (same * joint.log_p.exp()).sum().log() - joint.log_p[row]
        assert abs(nats.mean() - exact) < 4 * nats.std() / math.sqrt(len(nats))


@pytest.mark.parametrize("name", SCHEDULES)
def test_no_terminal_leak(name: str) -> None:
    """D8: at t = 1 every unknown code is uniform, whatever it was; at t = 0 it is as it was."""
    codes = torch.full((30_000, 1, 2), 3)
    known = torch.tensor([True, False]).expand_as(codes)
    field = Field(codes, known, ~known[..., 1], torch.zeros(30_000), 4)
    process, generator = Uniform(SCHEDULES[name]), torch.Generator().manual_seed(0)
    ends = [
        process.corrupt(field, torch.ones(30_000), generator=generator),
        process.prior(replace(field, state=codes - 4 * ~known), noise=Noise([generator], each=30_000)),
    ]
    for end in ends:
        assert (end.state[..., 0] == 3).all()
        shares = end.state[..., 1].flatten().bincount(minlength=4) / 30_000
        torch.testing.assert_close(shares, torch.full((4,), 0.25), atol=0.011, rtol=0)
    start = process.corrupt(field, torch.zeros(30_000), generator=generator)
    assert torch.equal(start.state, codes)


def test_what_a_code_says_of_itself() -> None:
    """`to_posterior_logits` is Bayes' rule with q(state | code), `from_posterior_logits` its inverse."""
    process, size, t = Uniform(), 3, torch.tensor([0.0, 0.2, 1.0], dtype=torch.float64)
    u = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
    for j in range(size):
        state = torch.full((3, 1, 1), j)
        field = Field(state, state < 0, state[..., 0] >= 0, t, size)
        logits = u.log().expand(3, 1, 1, size)
        expected = u * (torch.eye(size)[j] * (1 - t)[:, None] + t[:, None] / size)
        weighed = process.to_posterior_logits(logits, field)
        torch.testing.assert_close(
            weighed.softmax(-1)[:, 0, 0], expected / expected.sum(1, keepdim=True), atol=1e-9, rtol=0
        )
        torch.testing.assert_close(process.from_posterior_logits(weighed, field), logits)


def test_training_pays_for_the_unknown_codes() -> None:
    """Mean cross-entropy of the clean codes, by hand."""
    p = torch.tensor([0.7, 0.2, 0.1])
    codes = torch.tensor([[[0], [1], [2], [0]], [[0], [1], [2], [0]]])
    known = torch.tensor([[[True], [False], [False], [False]], [[True]] * 4])
    valid = torch.tensor([[True, True, True, False], [True] * 4])
    loss = Uniform().training_loss(
        p.log().expand(2, 4, 1, 3), codes, Field(codes, known, valid, torch.ones(2), 3)
    )
    torch.testing.assert_close(loss, torch.tensor([-(math.log(0.2) + math.log(0.1)) / 2, 0.0]))
