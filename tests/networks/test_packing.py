"""Packed rows: every valid token once, groups that are nearly full, attention within a row."""

import pytest
import torch

from modaloom.networks.blocks import attend, attend_by_group
from modaloom.networks.packing import MIN_FILL, Packing

B, T, H, C = 9, 12, 2, 4


def valid_tokens(seed=0, fraction=0.5):
    """(B, T) with a row of none and a row of all."""
    draw = torch.Generator().manual_seed(seed)
    valid = torch.rand(B, T, generator=draw) < fraction * torch.rand(B, 1, generator=draw) * 2
    valid[3], valid[5] = False, True
    return valid


def test_packing_keeps_every_valid_token_in_its_place():
    valid = valid_tokens()
    x = torch.randn(B, T, 3)
    packing = Packing.of(valid)
    packed = packing.pack(x)
    assert packed.shape == (1, int(valid.sum()), 3)
    assert torch.equal(packing.unpack(packed, valid), x * valid[..., None])


def test_groups_are_nearly_full_and_rows_of_equal_length_need_no_mask():
    packing = Packing.of(valid_tokens())
    assert sum(len(group.index) for group in packing.groups) == len(packing.tokens)
    assert len(packing.groups) > 1
    for group in packing.groups:
        assert len(group.index) >= MIN_FILL * group.rows * group.length
    (one,) = Packing.of(torch.arange(T).expand(B, T) < 5).groups
    assert (one.rows, one.length, one.mask) == (B, 5, None)


@pytest.mark.parametrize("encoder_decoder", [False, True])
def test_attention_by_group_is_attention_row_by_row(encoder_decoder):
    valid = valid_tokens()
    known = torch.rand(B, T, generator=torch.Generator().manual_seed(1)) < 0.5
    q, k, v = torch.randn(3, B, T, H * C, generator=torch.Generator().manual_seed(2)).double()
    packing = Packing.of(valid, known if encoder_decoder else None)
    packed = (packing.pack(x).unflatten(-1, (H, C)).transpose(1, 2) for x in (q, k, v))
    y = packing.unpack(attend_by_group(*packed, packing.groups).transpose(1, 2).flatten(2), valid)
    for row in range(B):
        here, given = valid[row], known[row, valid[row]]
        own = (x[row, here].unflatten(-1, (H, C)).transpose(0, 1)[None] for x in (q, k, v))
        mask = ~given[:, None] | given[None] if encoder_decoder else None
        expected = attend(*own, mask)[0].transpose(0, 1).flatten(1)
        torch.testing.assert_close(y[row, here], expected)
