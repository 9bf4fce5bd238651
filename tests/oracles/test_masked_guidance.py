"""D5 for masked diffusion: guidance on an enumerated joint, and its sign and scale."""

import pytest
import torch

from modaloom.bench.joint import Joint
from modaloom.core.types import Canvas, Logits
from modaloom.diffusion.guidance import guide

JOINT = Joint({"a": (1, 1), "b": (2, 1)}, 3, seed=6)


def half_masked() -> Canvas:
    """`a` given, `b` wanted, for every row of the joint; b's first position is shown already."""
    canvas = JOINT.canvas(torch.arange(len(JOINT.table)), hidden=["b"])
    canvas["b"].state[:, 0] = JOINT.parts["b"][:, :1]
    return canvas


def conditional(canvas: Canvas) -> torch.Tensor:
    return JOINT.denoise(canvas)["b"].log_softmax(-1)


@pytest.mark.parametrize("scale", [0.0, 0.5, 1.0, 2.0, 5.0])
def test_guided_law(scale: float) -> None:
    """p ∝ p(b | a)^w · p(b)^(1 − w), by hand at the masked position."""
    canvas = half_masked()
    with_a, without = conditional(canvas)[:, 1].exp(), conditional({"b": canvas["b"]})[:, 1].exp()
    expected = with_a**scale * without ** (1 - scale)
    got = guide(JOINT.denoise, scale)(canvas)["b"][:, 1].softmax(-1)
    torch.testing.assert_close(got, expected / expected.sum(-1, keepdim=True), atol=1e-5, rtol=0)


@pytest.mark.parametrize(("scale", "calls"), [(0.0, 1), (1.0, 1), (3.0, 2)])
def test_no_needless_call(scale: float, calls: int) -> None:
    seen = []

    def denoise(canvas: Canvas) -> Logits:
        seen.append(set(canvas))
        return JOINT.denoise(canvas)

    guide(denoise, scale)(half_masked())
    assert len(seen) == calls
    guide(denoise, scale)({"b": half_masked()["b"]})
    assert seen[calls:] == [{"b"}], "nothing was given"


def test_impossible_codes_stay_impossible() -> None:
    """A codebook's padding is −∞ in both answers: the result holds no NaN and nothing there."""
    padded = torch.tensor([0.0, 1.0, -torch.inf])

    def denoise(canvas: Canvas) -> Logits:
        return {name: padded.expand(*field.state.shape, 3) for name, field in canvas.items()}

    p = guide(denoise, 3.0)(half_masked())["b"].softmax(-1)
    torch.testing.assert_close(p, padded.softmax(0).expand_as(p))
