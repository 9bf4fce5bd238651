"""The discriminator of patches: its scores, what they see, and that samples do not mix."""

import pytest
import torch
from torch import Tensor, nn

from modaloom.networks.patch_discriminator import PatchDiscriminator


def made(axes: int, num_layers: int = 2) -> PatchDiscriminator:
    net = PatchDiscriminator(2, 4, num_layers, axes=axes)
    draw = torch.Generator().manual_seed(0)
    for p in net.parameters():
        nn.init.normal_(p, std=0.3, generator=draw)
    return net


def noise(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("sides", [(32,), (16, 8), (8, 4, 16)])
def test_every_layer_halves_and_the_last_scores(sides: tuple[int, ...]) -> None:
    *features, scores = made(len(sides))(noise(3, 2, *sides))
    assert [tuple(f.shape) for f in features] == [
        (3, 4 << i, *(side >> (i + 1) for side in sides)) for i in range(2)
    ]
    assert scores.shape == (3, 1, *(side // 4 for side in sides))
    assert made(len(sides), 4)(noise(1, 2, *[1] * len(sides)))[-1].shape == (1, 1, *[1] * len(sides))


def test_a_score_is_of_its_patch_and_its_sample_alone() -> None:
    """Score 8 of 64 values: stride 4, and radii 1 + 2 + 4 around value 32."""
    net, x = made(1), noise(2, 2, 64)
    scores = net(x)[-1]
    for place, seen in ((32 - 7, True), (32 - 8, False), (32 + 7, True), (32 + 8, False)):
        moved = x.clone()
        moved[0, :, place] += 1
        found = net(moved)[-1]
        assert bool(found[0, 0, 8] != scores[0, 0, 8]) == seen, place
        assert torch.equal(found[1], scores[1])
