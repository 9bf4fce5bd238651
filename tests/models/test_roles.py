"""Who is given and who is wanted."""

from collections import Counter

import pytest
import torch

from modaloom.core.types import CodeShape
from modaloom.models.roles import RolesConfig, draw_noise, draw_streams

SHAPES = {"image": CodeShape((4, 4), 3, 8), "text": CodeShape((12,), 1, 8), "answer": CodeShape((2,), 1, 8)}
N = 20_000


def gen() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def here(*lacking: str) -> dict[str, torch.Tensor]:
    return {name: torch.full((N,), name not in lacking) for name in SHAPES}


def test_one_stream_is_wanted_and_the_others_are_given() -> None:
    levels = draw_noise(SHAPES, here(), RolesConfig(joint=0, full=0), gen())
    wanted = torch.stack([level > 0 for level in levels.values()], 1)
    assert (wanted.sum(1) == 1).all()
    share = wanted.float().mean(0)
    weights = torch.tensor([shape.codes**0.25 for shape in SHAPES.values()])
    torch.testing.assert_close(share, weights / weights.sum(), atol=0.02, rtol=0)


def test_joint_and_full_shares() -> None:
    levels = draw_noise(SHAPES, here(), RolesConfig(joint=0.3, full=0.25), gen())
    wanted = torch.stack([level > 0 for level in levels.values()], 1)
    assert (wanted.sum(1) == 3).float().mean() == pytest.approx(0.3, abs=0.02)
    image = levels["image"][levels["image"] > 0]
    assert (image == 1).float().mean() == pytest.approx(0.25, abs=0.02)


def test_levels_are_stratified_over_the_batch() -> None:
    only = {"image": SHAPES["image"]}
    level = draw_noise(only, {"image": here()["image"]}, RolesConfig(joint=0, full=0), gen())["image"]
    assert (torch.histc(level, 10, 0, 1) - N / 10).abs().max() <= 1


def test_a_stream_that_is_absent_or_never_wanted_is_not_wanted() -> None:
    roles = RolesConfig(joint=0.5, wanted=("image", "text"))
    levels = draw_noise(SHAPES, here("image"), roles, gen())
    assert (levels["image"] == 0).all()
    assert (levels["answer"] == 0).all()
    assert (levels["text"] > 0).all()


def test_every_subset_with_a_wanted_stream_occurs() -> None:
    generator, roles = gen(), RolesConfig(alone=0.2, wanted=("image", "text"))
    seen = Counter(tuple(draw_streams(SHAPES, roles, generator)) for _ in range(2000))
    assert set(seen) == {
        ("image",), ("text",), ("image", "text"), ("image", "answer"), ("text", "answer"),
        ("image", "text", "answer"),
    }  # fmt: skip
    assert (seen[("image",)] + seen[("text",)]) / 2000 == pytest.approx(0.2, abs=0.03)
