"""The random order: every masked code is as likely to be next."""

from itertools import pairwise

import torch

from modaloom.core.types import MASK, Canvas, Field, Logits
from modaloom.diffusion.masked import Masked
from modaloom.diffusion.noise import Noise
from modaloom.diffusion.samplers.first_hitting import first_hitting


def flat(canvas: Canvas) -> Logits:
    return {name: torch.zeros(*field.state.shape, 2) for name, field in canvas.items()}


def unknown(state: torch.Tensor) -> Field:
    valid = torch.ones(state.shape[:2], dtype=torch.bool)
    return Field(state, state != MASK, valid, torch.ones(len(state)))


def test_the_next_position_is_drawn_by_its_masked_codes() -> None:
    """3, 2, 1 and no masked codes: the first one to come back is theirs with probability 3/6, 2/6, 1/6, 0."""
    draws = 30_000
    state = torch.tensor([[MASK, MASK, MASK], [0, MASK, MASK], [0, 0, MASK], [0, 0, 0]]).repeat(draws, 1, 1)
    noise = Noise([torch.Generator().manual_seed(0)], each=draws)
    first, *_ = first_hitting(flat, Masked(), {"x": unknown(state)}, torch.linspace(1, 0, 7), noise=noise)
    written = ((first["x"].state != MASK) & (state == MASK)).sum(-1)
    assert (written.sum(1) == 1).all()
    expected = torch.tensor([3 / 6, 2 / 6, 1 / 6, 0])
    torch.testing.assert_close(written.float().mean(0), expected, atol=0.012, rtol=0)


def test_a_code_a_call_whatever_the_steps() -> None:
    """8 codes: with many steps 8 calls, one code each; with 2 steps two groups of 4."""
    for steps, expected in ((50, [1] * 8), (8, [1] * 8), (2, [4, 4])):
        seen = []

        def denoise(canvas: Canvas, seen: list[int] = seen) -> Logits:
            seen.append(int((canvas["x"].state == MASK).sum()))
            return flat(canvas)

        start = {"x": unknown(torch.full((1, 8, 1), MASK))}
        noise = Noise([torch.Generator().manual_seed(0)])
        *_, last = first_hitting(denoise, Masked(), start, torch.linspace(1, 0, steps + 1), noise=noise)
        assert (last["x"].state >= 0).all()
        left = [*seen, 0]
        assert [before - after for before, after in pairwise(left)] == expected
