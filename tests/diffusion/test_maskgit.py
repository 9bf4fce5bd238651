"""The confidence-ordered sampler: what it keeps, and how much."""

import torch

from modaloom.core.types import MASK, Canvas, Field, Logits
from modaloom.diffusion.masked import Masked
from modaloom.diffusion.noise import Noise
from modaloom.diffusion.samplers.maskgit import maskgit
from modaloom.diffusion.samplers.ranked_unmasking import top_k
from modaloom.diffusion.schedules import SCHEDULES


def empty(batch: int, positions: int, depth: int) -> Field:
    state = torch.full((batch, positions, depth), MASK)
    valid = torch.ones(batch, positions, dtype=torch.bool)
    return Field(state, torch.zeros_like(state, dtype=torch.bool), valid, torch.ones(batch))


def noise(batch: int) -> Noise:
    return Noise([torch.Generator().manual_seed(i) for i in range(batch)])


def sharper_to_the_right(canvas: Canvas) -> Logits:
    """Every position wants code 1, the right ones more surely."""
    out = {}
    for name, field in canvas.items():
        logits = torch.zeros(*field.state.shape, 2)
        logits[..., 1] = 10 + torch.arange(field.state.shape[1])[:, None].float()
        out[name] = logits
    return out


def test_most_confident_first() -> None:
    canvas = {"x": empty(2, 8, 1)}
    times = torch.linspace(1, 0, 5)
    states = [
        c["x"].state[0, :, 0].tolist()
        for c in maskgit(sharper_to_the_right, Masked(), canvas, times, noise=noise(2), choice_temperature=0)
    ]
    assert states == [[MASK] * (8 - 2 * i) + [1] * 2 * i for i in range(1, 5)]


def test_counts_follow_the_schedule_per_sample_and_stream() -> None:
    """Known codes, padding and depth: (1 − α(s)) of each sample's own unknown codes stay masked."""
    canvas = {"x": empty(3, 20, 2), "y": empty(3, 10, 1)}
    canvas["x"].known[1, :15] = True
    canvas["x"].state[1, :15] = 0
    canvas["x"].valid[2, 10:] = False
    times, process = torch.linspace(1, 0, 9), Masked(SCHEDULES["cosine"])
    total = {"x": torch.tensor([40, 10, 20]), "y": torch.tensor([10, 10, 10])}
    steps = list(maskgit(sharper_to_the_right, process, canvas, times, noise=noise(3)))
    for s, now in zip(times[1:], steps, strict=True):
        for name, field in now.items():
            masked = ((field.state == MASK) & field.valid[..., None]).sum((1, 2))
            expected = (total[name] * (1 - process.schedule.alpha(s))).round()
            assert torch.equal(masked.float(), expected)
            assert (field.t == s).all()


def test_steps_without_codes_skip_the_network() -> None:
    calls = []

    def denoise(canvas: Canvas) -> Logits:
        calls.append(1)
        return sharper_to_the_right(canvas)

    steps = list(maskgit(denoise, Masked(), {"x": empty(1, 3, 1)}, torch.linspace(1, 0, 33), noise=noise(1)))
    assert len(steps) == 32
    assert len(calls) == 3


def test_jitter_mixes_the_order() -> None:
    """Without jitter the right half always comes first; with much of it each position is as likely."""
    canvas, times = {"x": empty(2000, 8, 1)}, torch.tensor([1.0, 0.5, 0.0])
    for choice_temperature, expected in [(0.0, [0.0] * 4 + [1.0] * 4), (1e6, [0.5] * 8)]:
        first, _ = maskgit(
            sharper_to_the_right,
            Masked(),
            canvas,
            times,
            noise=noise(2000),
            choice_temperature=choice_temperature,
        )
        shown = (first["x"].state[..., 0] != MASK).float().mean(0)
        torch.testing.assert_close(shown, torch.tensor(expected), atol=0.06, rtol=0)


def test_top() -> None:
    score = torch.tensor([[1.0, 5.0, 3.0, 4.0], [1.0, 5.0, 3.0, 4.0]])
    allowed = torch.tensor([[True, False, True, True], [True, False, False, False]])
    assert top_k(score, allowed, torch.tensor([2, 3])).tolist() == [
        [False, False, True, True],
        [True, False, False, False],
    ]
