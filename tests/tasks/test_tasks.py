"""Each task's pairs and answers, exactly."""

import pytest
import torch
from torch import Tensor

from modaloom.core.errors import BadValue
from modaloom.degradations.eight_bits import eight_bits
from modaloom.degradations.jpeg import jpeg
from modaloom.degradations.luma import luma
from modaloom.degradations.smaller import smaller
from modaloom.tasks import TASKS, Signals
from modaloom.tasks.colorize import Colorize, hinting
from modaloom.tasks.denoise import Denoise
from modaloom.tasks.inpaint import Inpaint
from modaloom.tasks.jpeg import Jpeg
from modaloom.tasks.known import with_known
from modaloom.tasks.restore import PARTS, Restore
from modaloom.tasks.style import Style, patches
from modaloom.tasks.superres import SuperRes, consistent
from modaloom.tasks.vary import Vary


def random(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def picture(seed: int = 0, channels: int = 3, height: int = 16, width: int = 24) -> Tensor:
    """Smooth colours under a little grain, in multiples of 1/255."""
    coarse = torch.rand(1, channels, 3, 4, generator=random(seed))
    smooth = torch.nn.functional.interpolate(coarse, (height, width), mode="bilinear")[0]
    return eight_bits(smooth + 0.05 * torch.randn(smooth.shape, generator=random(seed + 1)))


@pytest.mark.parametrize("name", TASKS)
def test_the_target_is_what_makes_the_answer_the_wanted_signal(name):
    """Contract: asking with what a user would hold, the pair's own target is answered by the truth.

    Colours come back within the rounding of 8 bits. The condition lies on the target's grid.
    """
    task, want = TASKS[name], picture()
    options, seen = task.options(), Signals(want, given=(want + 0.1).clamp(0, 1))
    pair = task.pair(seen, options, random())
    again = random()
    drawn = task.draw(options, again)
    held = task.vary(task.degrade(seen, drawn, again), drawn, again)
    asked = task.ask(Signals(given=held.given, style=held.style), drawn)
    assert pair.target.shape == asked.target.shape == want.shape
    assert pair.condition.shape[1:] == want.shape[1:]
    assert pair.context.ndim == 2
    assert 0 <= int(pair.kind) < task.kinds
    replay = task.answer(pair.target, pair, held, drawn)
    assert (replay - held.want).abs().max() * 255 <= 2


def test_superres_asks_with_what_was_made_smaller():
    want, options = picture(), SuperRes(factor=4)
    held = TASKS["superres"].degrade(Signals(want), options, random())
    assert torch.equal(held.given, eight_bits(smaller(want, factor=4)))
    pair = TASKS["superres"].pair(Signals(want), options, random())
    torch.testing.assert_close(pair.condition[:3] + pair.target, want)
    assert (pair.condition[3] == 1).all()
    assert float(pair.context) == 1
    with pytest.raises(BadValue, match=r"unknown factor '3'.*allowed: 2, 4"):
        SuperRes(factor=3)
    with pytest.raises(BadValue, match="4 does not divide"):
        TASKS["superres"].pair(Signals(want[:, :15]), options, random())


@pytest.mark.parametrize("factor", [2, 4])
def test_a_consistent_answer_made_smaller_is_the_input(factor):
    """Within 1/255 RMS in 8 bits, from a guess that is far off; the truth hardly moves."""
    want, options = picture(height=32, width=48), SuperRes(factor=factor)
    task = TASKS["superres"]
    held = task.degrade(Signals(want), options, random())
    pair = task.ask(Signals(given=held.given), options)
    guess = 0.2 * torch.randn(want.shape, generator=random(3))
    found = eight_bits(task.answer(guess, pair, held, options))
    off = eight_bits(smaller(found, factor=factor)) - held.given
    assert float(off.square().mean().sqrt()) < 1 / 255
    raw = task.answer(guess, pair, held, SuperRes(factor=factor, consistent=False))
    assert float((smaller(raw, factor=factor) - held.given).square().mean().sqrt()) > 4 / 255
    assert float((consistent(want, held.given, factor) - want).square().mean().sqrt()) < 0.5 / 255


def test_colorize_leaves_the_luminance_as_it_is_bit_for_bit():
    want, task = picture(), TASKS["colorize"]
    grey = (luma(want) * 255).round() / 255
    for given in (grey, grey.expand(3, -1, -1), hinting(want, torch.rand(16, 24, generator=random()) < 0.1)):
        held = Signals(given=given)
        asked = task.ask(held, Colorize())
        found = task.answer(torch.randn(want.shape, generator=random(1)), asked, held, Colorize())
        assert torch.equal((luma(found) * 255).round(), grey * 255)
        assert (found - grey).abs().max() > 0.2


def test_hints_show_the_colour_of_their_pixels_alone():
    want = picture()
    held = TASKS["colorize"].degrade(Signals(want), Colorize(hints=40), random(2)).given
    hinted = held[3] > 0
    assert 0 < int(hinted.sum()) <= 40
    assert (held[:3] - want)[:, hinted].abs().max() * 255 <= 2
    grey = held[:3, ~hinted]
    assert torch.equal(grey[0], grey[1])
    assert torch.equal(grey[0] * 255, (luma(want)[0, ~hinted] * 255).round())
    none = TASKS["colorize"].degrade(Signals(want), Colorize(hints=0), random()).given
    assert not none[3].any()
    with pytest.raises(BadValue, match="1 channels has no colours"):
        TASKS["colorize"].pair(Signals(want[:1]), Colorize(), random())
    with pytest.raises(BadValue, match="a picture of 2 channels"):
        TASKS["colorize"].ask(Signals(given=want[:2]), Colorize())


@pytest.mark.parametrize("shape", [(2, 50), (3, 16, 24), (1, 6, 8, 10)])
def test_inpaint_shows_nothing_of_the_hole_and_touches_nothing_else(shape):
    task, want = TASKS["inpaint"], torch.rand(shape, generator=random())
    held = task.degrade(Signals(want), Inpaint(), random(1))
    known = held.given[-1] > 0
    other = torch.where(known, want, 1 - want)
    asked = task.ask(held, Inpaint())
    again = task.ask(Signals(given=with_known(other, known)), Inpaint())
    assert torch.equal(asked.condition, again.condition)
    found = task.answer(torch.full(shape, 9.0), asked, held, Inpaint())
    assert torch.equal(found[:, known], want[:, known])
    assert (found[:, ~known] == 1).all()


def test_masks_that_do_not_fit_are_refused():
    with pytest.raises(BadValue, match="the mask is 16×23, the signal 16×24"):
        with_known(picture(), torch.ones(16, 23))
    held = Signals(given=with_known(picture(), torch.zeros(16, 24)))
    with pytest.raises(BadValue, match="leaves nothing"):
        TASKS["inpaint"].ask(held, Inpaint())


def test_denoise_learns_every_sigma_up_to_its_own():
    options, task = Denoise(0.2), TASKS["denoise"]
    drawn = torch.tensor([task.draw(options, random(seed)).sigma for seed in range(200)])
    assert 0 < drawn.min() < 0.03
    assert 0.19 < drawn.max() <= 0.2
    pair = task.pair(Signals(torch.zeros(1, 100_000)), options, random(5))
    assert float(pair.target.std()) == pytest.approx(float(pair.context), rel=0.02)


def test_jpeg_asks_with_the_decoded_file():
    want = picture()
    pair = TASKS["jpeg"].pair(Signals(want), Jpeg(30), random())
    assert torch.equal(pair.condition[:3], jpeg(want, quality=30))
    assert float(pair.context) == pytest.approx(0.7)


def test_paint_and_refine_pair_two_streams():
    want, given = picture(0), picture(5)
    pair = TASKS["refine"].pair(Signals(want, given), TASKS["refine"].options(), random())
    assert torch.equal(pair.condition[:3], given)
    assert torch.equal(pair.target, want - given)
    for wrong, message in ((None, "needs a given signal"), (given[:, :8], "must be equal")):
        with pytest.raises(BadValue, match=message):
            TASKS["paint"].pair(Signals(want, wrong), TASKS["paint"].options(), random())


def test_vary_starts_from_the_signal_at_its_strength():
    given, task = picture(), TASKS["vary"]
    assert torch.equal(task.ask(Signals(given=given), Vary(0.3)).target, given)
    assert task.start(Vary(0.3)) == 0.3
    assert TASKS["generate"].start(TASKS["generate"].options()) == 1
    for strength in (-0.1, 1.1):
        with pytest.raises(BadValue, match="strength is"):
            Vary(strength)


def test_generate_and_vary_learn_the_signal_itself_from_no_condition():
    for name in ("generate", "vary"):
        pair = TASKS[name].pair(Signals(picture()), TASKS[name].options(), random())
        assert torch.equal(pair.target, picture())
        assert pair.condition.shape == (0, 16, 24)


def test_style_sees_the_content_as_a_drawing_and_the_reference_as_a_set():
    """The condition does not know the colours, the context does not know the places."""
    task, content, reference = TASKS["style"], picture(0), picture(7, height=8, width=11)
    asked = task.ask(Signals(given=content, style=reference), Style(4))
    grey = luma(content).expand(3, -1, -1)
    same = task.ask(Signals(given=grey + 0.1, style=reference), Style(4))
    torch.testing.assert_close(same.condition, asked.condition)
    assert torch.equal(asked.context[1], reference[:, :4, 4:8].flatten())
    assert asked.context.shape == (2 * 3, 3 * 16)
    edge = torch.nn.functional.pad(reference, [0, 1, 0, 0], mode="replicate")
    assert torch.equal(patches(edge, 4), asked.context)
    with pytest.raises(BadValue, match="needs a reference"):
        task.ask(Signals(given=content), Style())


def test_restore_asks_as_its_parts_do_and_says_which():
    want = picture()
    for kind, (fault, part) in enumerate(PARTS.items()):
        options = Restore(fault)
        held = TASKS["restore"].degrade(Signals(want), options, random(3))
        asked, alone = TASKS["restore"].ask(held, options), part.ask(held, options.part)
        assert torch.equal(asked.condition, alone.condition)
        assert asked.context[0].tolist() == [float(k == kind) for k in range(5)] + alone.context[0].tolist()
        assert int(asked.kind) == kind
        found = 0.1 * torch.randn(want.shape, generator=random(4))
        a = TASKS["restore"].answer(found, asked, held, options)
        assert torch.equal(a, part.answer(found, alone, held, options.part))
    drawn = [TASKS["restore"].draw(Restore(), random(seed)).fault for seed in range(100)]
    assert all(10 <= drawn.count(fault) <= 30 for fault in PARTS)
    with pytest.raises(BadValue, match=r"unknown fault 'denoize'.*'denoise'"):
        Restore("denoize")
