"""Noise by position: a cut of it is itself, and it is white and normal."""

import math
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from modaloom.core import counter_rng
from modaloom.core.counter_rng import counter_noise, counter_normal

N = 200_000


def test_a_tile_has_the_noise_of_the_whole():
    whole = counter_normal(3, (0, 0, 0), (2, 30, 41))
    part = counter_normal(3, (1, 7, 11), (1, 9, 30))
    assert torch.equal(part, whole[1:, 7:16, 11:])


def test_seeds_and_axes_are_told_apart():
    square = counter_normal(0, (0, 0), (40, 40))
    assert not torch.isclose(square, square.T).fill_diagonal_(False).any()
    assert (square - counter_normal(1, (0, 0), (40, 40))).abs().min() > 0
    assert (square - counter_normal(2**62 + 5, (0, 0), (40, 40))).abs().min() > 0


@pytest.mark.parametrize("start", [(0, 0), (2**40, 2**40)])
def test_it_is_normal(start: tuple[int, int]) -> None:
    """Chi-square over 64 intervals of equal chance: within 5 deviations of its mean; and its tail."""
    x = counter_normal(7, start, (400, 500)).flatten()
    chance = torch.special.ndtr(x)
    count = torch.bincount((chance * 64).long(), minlength=64).double()
    chi = float(((count - N / 64) ** 2 / (N / 64)).sum())
    assert abs(chi - 63) < 5 * math.sqrt(2 * 63)
    beyond = float((x.abs() > 4).sum())
    assert abs(beyond - N * 6.334e-5) < 5 * math.sqrt(N * 6.334e-5)
    assert abs(float(x.mean())) < 5 / math.sqrt(N)
    assert abs(float(x.var()) - 1) < 5 * math.sqrt(2 / N)


@pytest.mark.parametrize("shift", [(0, 1), (1, 0), (1, 1), (0, 256), (2, -1)])
def test_neighbours_tell_nothing_of_each_other(shift: tuple[int, int]) -> None:
    """Neither themselves nor their squares, whose product sees a shared radius."""
    a = counter_normal(5, (10, 10), (400, 500))
    b = counter_normal(5, (10 + shift[0], 10 + shift[1]), (400, 500))
    for u, v in ((a, b), (a**2 - 1, b**2 - 1)):
        assert abs(float((u * v).mean() / (u.std() * v.std()))) < 5 / math.sqrt(N)


def test_its_spectrum_is_flat() -> None:
    """The power of each of 16 × 16 blocks of frequencies of 512 × 512 values, within 6 deviations."""
    power = torch.fft.fft2(counter_normal(9, (0, 0), (512, 512))).abs().square() / 512**2
    blocks = power.reshape(16, 32, 16, 32).mean((1, 3))
    assert (blocks - 1).abs().max() < 6 / math.sqrt(32 * 32 / 2)


def test_a_signal_made_by_rows_is_the_whole() -> None:
    whole = counter_normal(4, (0, 0, 0), (3, 21, 10)).float()
    assert torch.equal(counter_noise(4, (3, 21, 10), max_elements=8 * 30), whole)
    assert torch.equal(counter_noise(4, (3, 9, 10), start=7, max_elements=4 * 30), whole[:, 7:16])


def test_no_more_numbers_are_computed_at_once_than_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of large frames one at a time."""
    sizes = []

    def normal(seed: int, start: Sequence[int], shape: Sequence[int]) -> Tensor:
        sizes.append(math.prod(shape))
        return torch.zeros(*shape)

    monkeypatch.setattr(counter_rng, "counter_normal", normal)
    counter_noise(0, (3, 7, 10, 20), max_elements=1300)
    assert sizes == [1200, 1200, 1200, 600]
    sizes.clear()
    counter_noise(0, (3, 7, 10, 20), max_elements=500)
    assert sizes == [600] * 7
