"""Masked diffusion: the law of its masks, its loss at the edges."""

import math

import pytest
import torch

from modaloom.core.types import MASK, Field
from modaloom.diffusion.frontier import Frontier
from modaloom.diffusion.masked import Masked
from modaloom.diffusion.noise import Noise
from modaloom.diffusion.process import count
from modaloom.diffusion.schedules import SCHEDULES


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def field(state: torch.Tensor, *, t: float, known: torch.Tensor | None = None) -> Field:
    return Field(
        state=state,
        known=torch.zeros_like(state, dtype=torch.bool) if known is None else known,
        valid=torch.ones(state.shape[:2], dtype=torch.bool),
        t=torch.full((len(state),), t),
    )


@pytest.mark.parametrize("name", SCHEDULES)
def test_masked_counts_are_binomial_and_nested(name: str) -> None:
    process, t, depth, batch = Masked(SCHEDULES[name]), torch.tensor(0.6), 3, 50_000
    codes = torch.zeros(batch, 1, depth, dtype=torch.int64)
    state = process.corrupt(field(codes, t=0), t.expand(batch), generator=generator()).state
    hidden = (state == MASK).long().squeeze(1)
    assert (hidden.diff(dim=1) >= 0).all()
    rate = 1 - float(process.schedule.alpha(t))
    expected = [math.comb(depth, m) * rate**m * (1 - rate) ** (depth - m) for m in range(depth + 1)]
    got = hidden.sum(1).bincount(minlength=depth + 1) / batch
    torch.testing.assert_close(got, torch.tensor(expected), atol=0.01, rtol=0)


def test_ends_are_exact() -> None:
    codes = torch.randint(5, (64, 7, 2), generator=generator())
    known = torch.zeros_like(codes, dtype=torch.bool)
    known[:, :3] = True
    clean = field(codes, t=0, known=known)
    prior = Masked().prior(clean, noise=Noise([]))
    for t, expected in [(0.0, codes), (1.0, prior.state)]:
        state = Masked().corrupt(clean, torch.full((64,), t), generator=generator()).state
        assert torch.equal(state, expected)
    assert (prior.state[:, 3:] == MASK).all()
    assert (prior.t == 1).all()


def test_known_coarse_depths_stay() -> None:
    """With the coarse depth known, the other Q − 1 depths follow the law of Q − 1 codes."""
    codes = torch.full((50_000, 1, 3), 4)
    known = torch.tensor([True, False, False]).expand_as(codes)
    clean = field(codes, t=0, known=known)
    state = Masked().corrupt(clean, torch.full((50_000,), 0.5), generator=generator()).state
    got = (state == MASK).sum(-1).flatten().bincount(minlength=4) / len(codes)
    torch.testing.assert_close(got, torch.tensor([0.25, 0.5, 0.25, 0.0]), atol=0.01, rtol=0)


def test_loss_by_hand() -> None:
    """m · rate · CE of the coarsest masked depth only; padding and shown positions cost nothing."""
    codes = torch.tensor([[[1, 0, 1], [0, 1, 1], [1, 1, 0]]])
    state = torch.tensor([[[1, MASK, MASK], [0, 1, 1], [MASK, MASK, MASK]]])
    logits = torch.randn(1, 3, 3, 2, generator=generator())
    noisy = field(state, t=0.25)
    noisy.valid[0, 2] = False
    expected = 2 / 0.25 * -logits[0, 0, 1].log_softmax(-1)[0]
    torch.testing.assert_close(Masked().loss(logits, codes, noisy), expected[None])
    assert count(noisy).tolist() == [6]


def test_loss_and_gradient_at_time_zero() -> None:
    codes = torch.zeros(2, 3, 1, dtype=torch.int64)
    logits = torch.zeros(2, 3, 1, 4, requires_grad=True)
    loss = Masked().loss(logits, codes, field(codes, t=0.0))
    loss.sum().backward()
    assert loss.tolist() == [0, 0]
    assert logits.grad is not None
    assert (logits.grad == 0).all()


def test_loss_is_float32_under_bfloat16() -> None:
    """Logits of a large codebook in bf16 lose nothing more in the loss."""
    codes = torch.randint(5000, (2, 8, 1), generator=generator())
    logits = (4 * torch.randn(2, 8, 1, 5000, generator=generator())).bfloat16()
    noisy = field(torch.full_like(codes, MASK), t=1.0)
    with torch.autocast("cpu", torch.bfloat16):
        loss = Masked().loss(logits, codes, noisy)
    torch.testing.assert_close(loss, Masked().loss(logits.float(), codes, noisy), rtol=1e-6, atol=0)


def test_smaller_codebooks_are_padded_with_infinity() -> None:
    codes = torch.ones(1, 1, 1, dtype=torch.int64)
    logits = torch.tensor([0.5, 0.1, -torch.inf, -torch.inf], requires_grad=True)
    loss = Masked().loss(logits.view(1, 1, 1, 4), codes, field(torch.full_like(codes, MASK), t=1.0))
    loss.backward()
    torch.testing.assert_close(loss.detach(), -logits[:2].log_softmax(0)[1:2].detach())
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()


def test_diffuse_gives_each_stream_its_own_level() -> None:
    codes = torch.zeros(4, 100, 1, dtype=torch.int64)
    canvas = {name: field(codes, t=0.0) for name in "abc"}
    levels = {"a": torch.tensor([0.0, 1.0, 0.0, 1.0]), "b": torch.tensor([1.0, 0.0, 0.0, 1.0])}
    noisy = Masked().diffuse(canvas, levels, generator=generator())
    for name, t in levels.items():
        assert torch.equal((noisy[name].state == MASK).float().mean((1, 2)), t)
        assert torch.equal(noisy[name].t, t)
    assert noisy["c"] is canvas["c"]


def test_frontier_writes_the_next_code_only() -> None:
    state = torch.tensor([[[3, MASK, MASK], [MASK, MASK, MASK], [1, 2, 3], [2, MASK, MASK]]])
    frontier = Frontier.of(field(state, t=0.5))
    where = torch.tensor([[True, True, True, False]])
    written = frontier.write(field(state, t=0.5), torch.tensor([[7, 8, 9, 5]]), where)
    expected = [[[3, 7, MASK], [8, MASK, MASK], [1, 2, 3], [2, MASK, MASK]]]
    assert written.state.tolist() == expected
