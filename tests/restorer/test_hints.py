"""Hints of colour go to what is near them and to what is as bright."""

import pytest
import torch
from torch.nn import functional as F

from modaloom.degradations.luma import luma
from modaloom.restorer.tasks import TASKS, Signals
from modaloom.restorer.tasks.colorize import Colorize, gray_with_hints
from modaloom.restorer.tasks.hints import spread_hints

SHAPES = [(2, 51), (3, 16, 23), (1, 6, 7, 10), (3, 1, 1)]


def random(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def some(shape: tuple[int, ...], share: float) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Colours, which of them are known (the first and a share of the others), and the brightness."""
    known = (torch.rand(1, *shape[1:], generator=random()) < share).float()
    known.view(-1)[0] = 1
    return torch.rand(shape, generator=random(1)), known, torch.rand(1, *shape[1:], generator=random(2))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("share", [0.0, 0.1, 0.9])
@pytest.mark.parametrize("even", [False, True])
def test_known_colours_stay_and_others_are_means_of_them(shape, share, even):
    colour, known, brightness = some(shape, share)
    if even:
        brightness.fill_(1)
    (found, near), at = spread_hints(colour, known, brightness), known.expand(shape) > 0
    assert torch.equal(near == 1, known == 1)
    assert torch.equal(found[at], colour[at])
    for channel, values, mask in zip(found, colour, at):
        assert channel.min() >= values[mask].min() - 1e-5
        assert channel.max() <= values[mask].max() + 1e-5
    other = torch.where(at, colour, torch.full_like(colour, 7.0))
    torch.testing.assert_close(spread_hints(other, known, brightness)[0], found)


def test_where_no_colour_is_known_there_is_none():
    for nothing in spread_hints(torch.rand(3, 9, 7), torch.zeros(1, 9, 7), torch.rand(1, 9, 7)):
        assert not nothing.any()


def stripes(width: int = 48) -> tuple[torch.Tensor, torch.Tensor]:
    """Brightness 0.3 and 0.7 in turns of three rows, each of a colour of its own."""
    brightness = torch.where(torch.arange(width) % 6 < 3, 0.3, 0.7).view(1, -1, 1).expand(1, width, width)
    return torch.where(brightness > 0.5, 0.2, -0.2), brightness


def test_a_colour_goes_to_all_that_is_as_bright():
    """Four hints colour stripes that what is near alone would mix."""
    colour, brightness = stripes()
    known = torch.zeros_like(colour)
    for row in (13, 16, 31, 34):
        known[0, row, 24] = 1
    assert (spread_hints(colour, known, brightness)[0] - colour).abs().max() < 0.01


def test_among_what_is_as_bright_the_nearest_counts_most():
    colour = torch.linspace(-1, 1, 64).expand(1, 64, 64)
    known = torch.zeros_like(colour)
    known[0, ::8, 0] = known[0, ::8, 63] = 1
    found = spread_hints(colour, known, torch.full_like(colour, 0.5))[0][0]
    assert found[:, 4].mean() < -0.8
    assert found[:, 59].mean() > 0.8
    assert found[:, 31:33].mean().abs() < 0.1


def test_weights_fall_with_the_distance_to_the_fourth():
    """One hint a side, far apart: the share of the farther one against 1 / distance⁴ on two axes."""
    size, colour = 256, torch.zeros(1, 256, 256)
    known, brightness = torch.zeros_like(colour), torch.full_like(colour, 0.5)
    known[0, 128, 2], known[0, 128, 250], colour[0, 128, 250] = 1, 1, 1
    found = spread_hints(colour, known, brightness)[0][0, 128]
    for x in range(40, size - 40, 8):
        ideal = (x - 2) ** 4 / ((x - 2) ** 4 + (250 - x) ** 4)
        assert abs(float(found[x]) - ideal) < 0.08


def test_nearness_falls_with_the_distance():
    known, brightness = torch.zeros(1, 256, 256), torch.full((1, 256, 256), 0.5)
    known[0, 128, 8] = 1
    near = spread_hints(torch.zeros_like(known), known, brightness)[1][0, 128]
    for x in range(4, 200, 4):
        assert 0.8 < x * float(near[8 + x]) < 1.45


def test_training_repaints_where_hints_tell_which():
    want, task = torch.rand(3, 16, 24, generator=random()), TASKS["colorize"]
    want = F.avg_pool2d(want, 3, 1, 1)
    for repainted in (0.0, 1.0):
        options = Colorize(hints=400, repainted=repainted)
        pair = task.make_example(Signals(want), options, random(3))
        known, learned = pair.condition[3] == 1, pair.condition[:3] + pair.target
        assert known.any()
        assert (pair.condition[3][~known] > 0).all()
        assert (luma(learned) - luma(want)).abs().max() <= 1 / 255
        assert ((learned - want).abs().amax() > 0.05) == (repainted == 1.0)
        torch.testing.assert_close(pair.condition[:3, known], learned[:, known], atol=3 / 255, rtol=0)
    assert not task.build_condition(Signals(input=luma(want)), Colorize()).condition[3].any()
    none = task.augment(
        Signals(want, gray_with_hints(want, torch.zeros(16, 24) > 0)), Colorize(repainted=1.0), random()
    )
    assert torch.equal(none.target, want)
