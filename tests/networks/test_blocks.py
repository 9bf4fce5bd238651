"""Attention, written out and fused."""

import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention

from modaloom.networks.blocks import SHORT, Block, attend


@pytest.mark.parametrize("length", [5, SHORT + 1])
@pytest.mark.parametrize("masked", [False, True])
def test_attend_is_softmax_attention(length: int, masked: bool) -> None:
    generator = torch.Generator().manual_seed(0)
    q, k, v = (torch.randn(2, 3, length, 8, generator=generator) for _ in range(3))
    mask = torch.rand(2, 1, length, length, generator=generator) < 0.5 if masked else None
    if mask is not None:
        mask |= torch.eye(length, dtype=torch.bool)
    torch.testing.assert_close(
        attend(q, k, v, mask), scaled_dot_product_attention(q, k, v, attn_mask=mask), atol=1e-5, rtol=0
    )


def test_a_fresh_block_is_the_identity() -> None:
    x = torch.randn(2, 4, 16)
    assert torch.equal(Block(16, 2)(x), x)
