"""Transformer parts against torch's own, at initialisation, and under a mask."""

import pytest
import torch
import torch.nn.functional as F

from modaloom.networks import blocks
from modaloom.networks.blocks import MAX_UNFUSED_TOKENS, MLP, Attention, TransformerBlock, attend


def queries(length, seed=0):
    return torch.randn(3, 2, 4, length, 8, generator=torch.Generator().manual_seed(seed)).unbind()


@pytest.mark.parametrize("length", [1, 9, MAX_UNFUSED_TOKENS, MAX_UNFUSED_TOKENS + 1])
@pytest.mark.parametrize("masked", [False, True])
def test_attention_is_torchs(length, masked):
    q, k, v = queries(length)
    mask = None
    if masked:
        mask = torch.rand(2, 1, length, length, generator=torch.Generator().manual_seed(1)) < 0.6
        mask |= torch.eye(length, dtype=torch.bool)
    expected = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    torch.testing.assert_close(attend(q, k, v, mask), expected, atol=1e-5, rtol=1e-5)


def test_only_short_canvases_are_written_out(monkeypatch):
    calls = []

    def spy(q, k, v, attn_mask):
        calls.append(q.shape[2])
        return v

    monkeypatch.setattr(blocks.F, "scaled_dot_product_attention", spy)
    for length in (MAX_UNFUSED_TOKENS, MAX_UNFUSED_TOKENS + 1):
        attend(*queries(length), None)
    assert calls == [MAX_UNFUSED_TOKENS + 1]


def stirred_attention():
    torch.manual_seed(0)
    attention = Attention(16, 4)
    torch.nn.init.normal_(attention.out.weight, std=0.3)
    return attention


def test_a_query_never_hears_of_a_masked_key():
    attention, x = stirred_attention(), torch.randn(1, 5, 16)
    mask = torch.ones(1, 1, 5, 5, dtype=torch.bool)
    mask[..., 0, 4] = False
    changed = x.clone()
    changed[:, 4] += 1
    before, after = attention(x, mask), attention(changed, mask)
    assert torch.equal(before[:, 0], after[:, 0])
    assert not torch.isclose(before[:, 1:], after[:, 1:]).all(-1).any()


def test_heads_are_independent_and_permutation_is_all_that_position_means():
    attention, x = stirred_attention(), torch.randn(2, 6, 16)
    order = torch.randperm(6)
    torch.testing.assert_close(attention(x[:, order]), attention(x)[:, order])


def test_queries_and_keys_are_normalised():
    """Scaling what makes queries and keys changes nothing, up to the norm's ε."""
    attention, x = stirred_attention(), torch.randn(2, 6, 16)
    before = attention(x)
    with torch.no_grad():
        attention.qkv.weight[:32] *= 50
    torch.testing.assert_close(attention(x), before, atol=1e-3, rtol=1e-3)


def test_mlp_is_a_squared_relu():
    mlp, x = MLP(6), torch.randn(2, 3, 6)
    torch.nn.init.normal_(mlp.down.weight)
    expected = (x @ mlp.up.weight.T).clamp_min(0) ** 2 @ mlp.down.weight.T
    torch.testing.assert_close(mlp(x), expected)


def test_a_fresh_block_is_the_identity_and_can_learn():
    block, x = TransformerBlock(16, 4), torch.randn(2, 5, 16)
    assert torch.equal(block(x), x)
    block(x).square().sum().backward()
    for zero in (block.attention.out.weight, block.mlp.down.weight):
        assert zero.grad.abs().max() > 0
