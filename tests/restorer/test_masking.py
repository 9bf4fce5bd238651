"""What is not known takes after what is near it."""

import pytest
import torch

from modaloom.restorer.tasks.masking import pull_push

SHAPES = [(2, 51), (3, 16, 23), (1, 6, 7, 10), (3, 1, 1), (1, 1, 9)]


def some(shape: tuple[int, ...], share: float) -> tuple[torch.Tensor, torch.Tensor]:
    """A signal, and which of its places are known: the first and a share of the others."""
    random = torch.Generator().manual_seed(0)
    known = (torch.rand(1, *shape[1:], generator=random) < share).float()
    known.view(-1)[0] = 1
    return torch.rand(shape, generator=random), known


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("share", [0.0, 0.1, 0.9])
def test_known_values_stay_and_others_are_means_of_them(shape, share):
    signal, known = some(shape, share)
    found, at = pull_push(signal, known), known.expand(shape) > 0
    assert torch.equal(found[at], signal[at])
    for channel, values, mask in zip(found, signal, at):
        assert channel.min() >= values[mask].min() - 1e-5
        assert channel.max() <= values[mask].max() + 1e-5
    other = torch.where(at, signal, torch.full_like(signal, 7.0))
    torch.testing.assert_close(pull_push(other, known), found)


def test_a_hole_is_filled_from_its_own_surroundings():
    """Left half 0, right half 1, a hole in each: the mean of all is far from both."""
    signal, known = torch.zeros(1, 32, 64), torch.ones(1, 32, 64)
    signal[..., 32:] = 1
    known[:, 10:20, 10:20] = known[:, 10:20, 44:54] = 0
    assert (pull_push(signal, known) - signal).abs().max() < 0.05


def test_where_nothing_is_known_there_is_nothing():
    assert torch.equal(pull_push(torch.rand(3, 9, 7), torch.zeros(1, 9, 7)), torch.zeros(3, 9, 7))
