"""What surrounds convolutions over 1, 2 and 3 axes: exact rearrangement, padding, norm and layout."""

import itertools

import numpy as np
import pytest
import torch

from modaloom.networks.conv import (
    CONV,
    ChannelNorm,
    depth_to_space,
    pad_to_stride,
    space_to_depth,
    to_channels_last,
)

SIDES = [(6,), (4, 6), (2, 4, 6)]
CELLS = [((6,), (3,)), ((4, 6), (1, 2)), ((4, 6), (4, 3)), ((2, 4, 6), (1, 2, 2)), ((3, 4, 2), (3, 4, 1))]


def folded_by_hand(x: np.ndarray, cell: tuple[int, ...]) -> np.ndarray:
    """out[b, c·cells + (number of the offset), i, j, …] = x[b, c, f₁i + offset₁, f₂j + offset₂, …]."""
    small, size = [side // f for side, f in zip(x.shape[2:], cell)], int(np.prod(cell))
    out = np.zeros((len(x), x.shape[1] * size, *small), x.dtype)
    for number, offset in enumerate(itertools.product(*map(range, cell))):
        out[:, number::size] = x[(..., *(slice(o, None, f) for o, f in zip(offset, cell)))]
    return out


@pytest.mark.parametrize("sides", SIDES)
def test_fold_puts_every_value_in_its_place_and_unfold_takes_it_back(sides):
    x = torch.arange(2 * 3 * int(np.prod(sides)), dtype=torch.float32).reshape(2, 3, *sides)
    assert np.array_equal(space_to_depth(x).numpy(), folded_by_hand(x.numpy(), (2,) * len(sides)))
    assert torch.equal(depth_to_space(space_to_depth(x)), x)
    y = torch.randn(2, 3 * 2 ** len(sides), *sides)
    assert torch.equal(space_to_depth(depth_to_space(y)), y)


@pytest.mark.parametrize(("sides", "cell"), CELLS)
def test_every_axis_has_its_own_factor(sides, cell):
    x = torch.arange(2 * 3 * int(np.prod(sides)), dtype=torch.float32).reshape(2, 3, *sides)
    assert np.array_equal(space_to_depth(x, cell).numpy(), folded_by_hand(x.numpy(), cell))
    assert torch.equal(depth_to_space(space_to_depth(x, cell), cell), x)


def test_padding_repeats_the_last_values_of_each_axis_to_its_own_stride():
    x = torch.arange(15.0).reshape(1, 1, 3, 5)
    padded = pad_to_stride(x, (2, 4))
    assert padded.shape == (1, 1, 4, 8)
    assert torch.equal(padded[..., :3, :5], x)
    assert torch.equal(padded[..., 3, :], padded[..., 2, :])
    assert (padded[..., 5:] == padded[..., 4:5]).all()


def test_channel_norm_is_each_positions_own():
    norm, x = ChannelNorm(5), torch.randn(2, 5, 3, 4)
    x[1, :, 2, 3] *= 1000
    expected = (x - x.mean(1, keepdim=True)) / (x.var(1, unbiased=False, keepdim=True) + norm.eps).sqrt()
    torch.testing.assert_close(norm(x), expected)
    changed = x.clone()
    changed[0, :, 0, 0] = torch.randn(5)
    differs = (norm(changed) != norm(x)).any(1)
    assert differs.nonzero().tolist() == [[0, 0, 0]]


def test_memory_format_changes_the_layout_and_no_value():
    for axes in (1, 2, 3):
        x = torch.randn(2, 3, *[4] * axes)
        assert torch.equal(to_channels_last(x), x)
    assert to_channels_last(torch.randn(2, 3, 4, 4)).stride()[1] == 1


@pytest.mark.parametrize("kernel", [3, 5])
@pytest.mark.parametrize("axes", [1, 2, 3])
def test_the_gradient_in_bfloat16_is_that_of_float32_on_axes_shorter_than_the_kernel(axes, kernel):
    """In each of 12 draws: oneDNN's reads memory that is mostly zeros; oracle: float32."""
    torch.manual_seed(0)
    for first in (1, 2, 3, 4) * 3:
        conv = CONV[axes](16, 16, kernel, padding=kernel // 2)
        x = torch.randn(8, 16, first, *[4] * (axes - 1))
        with torch.autocast("cpu", dtype=torch.bfloat16):
            made = conv(x)
        gradient = torch.randn(made.shape)
        (found,) = torch.autograd.grad(made, [conv.weight], gradient.to(made.dtype))
        (exact,) = torch.autograd.grad(conv(x), [conv.weight], gradient)
        torch.testing.assert_close(found, exact, rtol=0, atol=0.02 * float(exact.abs().max()))


def test_a_short_first_axis_changes_no_value():
    plain, own = torch.nn.Conv3d(3, 4, 3, stride=2, padding=1), CONV[3](3, 4, 3, stride=2, padding=1)
    own.load_state_dict(plain.state_dict())
    for first in (1, 2, 3, 6):
        x = torch.randn(2, 3, first, 5, 4)
        torch.testing.assert_close(own(x), plain(x))
