"""The sampler of many residual depths: no finer code before the coarser ones of all positions."""

import torch

from modaloom.core.types import MASK, Canvas, Field, Logits
from modaloom.diffusion.masked import Masked
from modaloom.diffusion.noise import Noise
from modaloom.diffusion.samplers.coarse_to_fine import coarse_to_fine
from modaloom.diffusion.schedules import SCHEDULES

POSITIONS, DEPTHS, STEPS = 10, 4, 16


def empty(batch: int) -> Field:
    state = torch.full((batch, POSITIONS, DEPTHS), MASK)
    valid = torch.ones(batch, POSITIONS, dtype=torch.bool)
    return Field(state, torch.zeros_like(state, dtype=torch.bool), valid, torch.ones(batch))


def noise(batch: int) -> Noise:
    return Noise([torch.Generator().manual_seed(i) for i in range(batch)])


def surer_of_the_finer(canvas: Canvas) -> Logits:
    """A denoiser that would have the fine codes of the right positions first."""
    out = {}
    for name, field in canvas.items():
        logits = torch.zeros(*field.state.shape, 2)
        logits[..., 1] = 10 + 3.0 * torch.arange(DEPTHS) + 0.1 * torch.arange(field.state.shape[1])[:, None]
        out[name] = logits
    return out


def walk(canvas: Canvas, seen: list[Canvas], times: torch.Tensor) -> list[Canvas]:
    def denoise(now: Canvas) -> Logits:
        seen.append(now)
        return surer_of_the_finer(now)

    return [*coarse_to_fine(denoise, Masked(), canvas, times, noise=noise(2), choice_temperature=0)]


def test_depth_by_depth_and_within_it_the_surest_first() -> None:
    seen: list[Canvas] = []
    states = walk({"x": empty(2)}, seen, torch.linspace(1, 0, STEPS + 1))
    for canvas in [*seen, *states]:
        (field,) = canvas.values()
        written = (field.state != MASK).sum(-1)
        assert (written.amax(1) - written.amin(1) <= 1).all()
        assert (written.diff(dim=1) >= 0).all(), "a position was written before a surer one"


def test_counts_are_those_of_the_cosine_of_each_samples_own_codes() -> None:
    """Known codes and padding count for nothing."""
    canvas = {"x": empty(2)}
    canvas["x"].known[0, :5], canvas["x"].state[0, :5] = True, 0
    canvas["x"].valid[1, 4:] = False
    times, total = torch.linspace(1, 0, STEPS + 1), torch.tensor([20, 16])
    for s, now in zip(times[1:], walk(canvas, [], times), strict=True):
        masked = ((now["x"].state == MASK) & now["x"].valid[..., None]).sum((1, 2))
        assert torch.equal(masked, (total * (1 - SCHEDULES["cosine"].alpha(s))).round().long())
    first = [int((now["x"].state[0] != MASK).sum()) for now in walk({"x": empty(2)}, [], times)]
    assert first[: STEPS // 3][-1] <= POSITIONS  # the coarsest depth has a third of the steps or more
