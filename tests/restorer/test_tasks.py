"""Each task's pairs and answers, exactly."""

from dataclasses import replace
from functools import cache

import pytest
import torch
from torch import Tensor

from modaloom.core.errors import BadValue
from modaloom.degradations.downsample import downsample
from modaloom.degradations.jpeg import jpeg
from modaloom.degradations.luma import luma
from modaloom.degradations.quantize_8bit import quantize_8bit
from modaloom.modalities import MODALITIES
from modaloom.restorer.example import ConditionalExample
from modaloom.restorer.tasks import TASKS, Signals, Task, pipeline_of, tasks_of
from modaloom.restorer.tasks.colorize import Colorize, gray_with_hints
from modaloom.restorer.tasks.denoise import Denoise
from modaloom.restorer.tasks.inpaint import Inpaint
from modaloom.restorer.tasks.jpeg import Jpeg
from modaloom.restorer.tasks.masking import append_mask
from modaloom.restorer.tasks.restore import SUBTASKS, Restore
from modaloom.restorer.tasks.style import Style, patches
from modaloom.restorer.tasks.superres import SuperRes, consistent
from modaloom.restorer.tasks.vary import Vary


def random(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def picture(seed: int = 0, channels: int = 3, height: int = 16, width: int = 24) -> Tensor:
    """Smooth colours under a little grain, in multiples of 1/255."""
    coarse = torch.rand(1, channels, 3, 4, generator=random(seed))
    smooth = torch.nn.functional.interpolate(coarse, (height, width), mode="bilinear")[0]
    return quantize_8bit(smooth + 0.05 * torch.randn(smooth.shape, generator=random(seed + 1)))


def example_of(task: Task, seed: int) -> ConditionalExample:
    want = picture(seed)
    seen = Signals(want, input=(want + 0.1).clamp(0, 1), reference=want)
    return task.make_example(seen, task.options(), random(seed))


@cache
def fitted(name: str) -> Task:
    """The task with linear filters that are fitted to the examples 100 to 139."""
    task = TASKS[name]
    examples = [example_of(task, seed) for seed in range(100, 140)]
    return replace(task, filters=task.fit_filters(task.options(), examples, channels=3, axes=2))


@pytest.mark.parametrize("filtered", [False, True])
@pytest.mark.parametrize("name", TASKS)
def test_the_target_is_what_makes_the_answer_the_wanted_signal(name, filtered):
    """Contract: asking with what a user would hold, the pair's own target is answered by the truth.

    Colours come back within the rounding of 8 bits. The condition lies on the target's grid.
    """
    task, want = fitted(name) if filtered else TASKS[name], picture()
    options, seen = task.options(), Signals(want, input=(want + 0.1).clamp(0, 1))
    pair = task.make_example(seen, options, random())
    again = random()
    drawn = task.sample_options(options, again)
    held = task.augment(task.degrade(seen, drawn, again), drawn, again)
    asked = task.build_condition(Signals(input=held.input, reference=held.reference), drawn)
    assert pair.target.shape == asked.target.shape == want.shape
    assert pair.condition.shape[1:] == want.shape[1:]
    assert pair.context.ndim == 2
    assert 0 <= int(pair.task_index) < task.num_tasks
    replay = task.finalize(pair.target, pair, held, drawn)
    assert (replay - held.target).abs().max() * 255 <= 2


@pytest.mark.parametrize("name", TASKS)
def test_a_filter_of_each_subtask_improves_what_is_predicted_to_and_leaves_the_condition(name):
    """The target is what the subtask's own filter, at the example's level, leaves of the error."""
    plain, task = TASKS[name], fitted(name)
    assert len(task.filters) == (task.num_tasks if task.is_residual else 0)
    error = torch.zeros(2)
    for seed in range(100, 140):
        before, after = example_of(plain, seed), example_of(task, seed)
        assert torch.equal(before.condition, after.condition)
        guess = plain.initial_estimate(before)
        if task.is_residual:
            chosen = task.filters[int(before.task_index)]
            estimate = chosen(guess, float(before.context[0, -1]))
            torch.testing.assert_close(after.target, guess + before.target - estimate, rtol=0, atol=1e-6)
        error += torch.stack([before.target.square().sum(), after.target.square().sum()])
    assert error[1] < error[0] if task.is_residual else error[1] == error[0]


def test_superres_asks_with_what_was_made_smaller():
    want, options = picture(), SuperRes(factor=4)
    held = TASKS["superres"].degrade(Signals(want), options, random())
    assert torch.equal(held.input, quantize_8bit(downsample(want, factor=4)))
    pair = TASKS["superres"].make_example(Signals(want), options, random())
    torch.testing.assert_close(pair.condition[:3] + pair.target, want)
    assert (pair.condition[3] == 1).all()
    assert float(pair.context) == 1
    with pytest.raises(BadValue, match=r"unknown factor '3'.*allowed: 2, 4"):
        SuperRes(factor=3)
    with pytest.raises(BadValue, match="factor is 4; it must divide"):
        TASKS["superres"].make_example(Signals(want[:, :15]), options, random())


@pytest.mark.parametrize("factor", [2, 4])
def test_a_consistent_answer_made_smaller_is_the_input(factor):
    """Within 1/255 RMS in 8 bits, from a guess that is far off; the truth hardly moves."""
    want, options = picture(height=32, width=48), SuperRes(factor=factor)
    task = TASKS["superres"]
    held = task.degrade(Signals(want), options, random())
    pair = task.build_condition(Signals(input=held.input), options)
    guess = 0.2 * torch.randn(want.shape, generator=random(3))
    found = quantize_8bit(task.finalize(guess, pair, held, options))
    off = quantize_8bit(downsample(found, factor=factor)) - held.input
    assert float(off.square().mean().sqrt()) < 1 / 255
    raw = task.finalize(guess, pair, held, SuperRes(factor=factor, consistent=False))
    assert float((downsample(raw, factor=factor) - held.input).square().mean().sqrt()) > 4 / 255
    assert float((consistent(want, held.input, factor) - want).square().mean().sqrt()) < 0.5 / 255


def test_colorize_leaves_the_luminance_as_it_is_bit_for_bit():
    want, task = picture(), TASKS["colorize"]
    grey = (luma(want) * 255).round() / 255
    for given in (
        grey,
        grey.expand(3, -1, -1),
        gray_with_hints(want, torch.rand(16, 24, generator=random()) < 0.1),
    ):
        held = Signals(input=given)
        asked = task.build_condition(held, Colorize())
        found = task.finalize(torch.randn(want.shape, generator=random(1)), asked, held, Colorize())
        assert torch.equal((luma(found) * 255).round(), grey * 255)
        assert (found - grey).abs().max() > 0.2


def test_hints_show_the_colour_of_their_pixels_alone():
    want = picture()
    held = TASKS["colorize"].degrade(Signals(want), Colorize(hints=40), random(2)).input
    hinted = held[3] > 0
    assert 0 < int(hinted.sum()) <= 40
    assert (held[:3] - want)[:, hinted].abs().max() * 255 <= 2
    grey = held[:3, ~hinted]
    assert torch.equal(grey[0], grey[1])
    assert torch.equal(grey[0] * 255, (luma(want)[0, ~hinted] * 255).round())
    none = TASKS["colorize"].degrade(Signals(want), Colorize(hints=0), random()).input
    assert not none[3].any()
    with pytest.raises(BadValue, match="1 channels has no colours"):
        TASKS["colorize"].make_example(Signals(want[:1]), Colorize(), random())
    with pytest.raises(BadValue, match="a picture of 2 channels"):
        TASKS["colorize"].build_condition(Signals(input=want[:2]), Colorize())


@pytest.mark.parametrize("shape", [(2, 50), (3, 16, 24), (1, 6, 8, 10)])
def test_inpaint_shows_nothing_of_the_hole_and_touches_nothing_else(shape):
    task, want = TASKS["inpaint"], torch.rand(shape, generator=random())
    held = task.degrade(Signals(want), Inpaint(), random(1))
    known = held.input[-1] > 0
    other = torch.where(known, want, 1 - want)
    asked = task.build_condition(held, Inpaint())
    again = task.build_condition(Signals(input=append_mask(other, known)), Inpaint())
    assert torch.equal(asked.condition, again.condition)
    found = task.finalize(torch.full(shape, 9.0), asked, held, Inpaint())
    assert torch.equal(found[:, known], want[:, known])
    assert (found[:, ~known] == 1).all()


def test_masks_that_do_not_fit_are_refused():
    with pytest.raises(BadValue, match="the mask is 16×23, the signal 16×24"):
        append_mask(picture(), torch.ones(16, 23))
    held = Signals(input=append_mask(picture(), torch.zeros(16, 24)))
    with pytest.raises(BadValue, match="leaves nothing"):
        TASKS["inpaint"].build_condition(held, Inpaint())


def test_denoise_learns_every_sigma_up_to_its_own():
    options, task = Denoise(0.2), TASKS["denoise"]
    drawn = torch.tensor([task.sample_options(options, random(seed)).sigma for seed in range(200)])
    assert 0 < drawn.min() < 0.03
    assert 0.19 < drawn.max() <= 0.2
    pair = task.make_example(Signals(torch.zeros(1, 100_000)), options, random(5))
    assert float(pair.target.std()) == pytest.approx(float(pair.context), rel=0.02)


def test_jpeg_asks_with_the_decoded_file():
    want = picture()
    pair = TASKS["jpeg"].make_example(Signals(want), Jpeg(30), random())
    assert torch.equal(pair.condition[:3], jpeg(want, quality=30))
    assert float(pair.context) == pytest.approx(0.7)


def test_paint_and_refine_pair_two_streams():
    want, given = picture(0), picture(5)
    pair = TASKS["refine"].make_example(Signals(want, given), TASKS["refine"].options(), random())
    assert torch.equal(pair.condition[:3], given)
    assert torch.equal(pair.target, want - given)
    for wrong, message in ((None, "needs a given signal"), (given[:, :8], "must be equal")):
        with pytest.raises(BadValue, match=message):
            TASKS["image_to_image"].make_example(
                Signals(want, wrong), TASKS["image_to_image"].options(), random()
            )


def test_vary_starts_from_the_signal_at_its_strength():
    given, task = picture(), TASKS["vary"]
    assert torch.equal(task.build_condition(Signals(input=given), Vary(0.3)).target, given)
    assert task.start_time(Vary(0.3)) == 0.3
    assert TASKS["generate"].start_time(TASKS["generate"].options()) == 1
    for strength in (-0.1, 1.1):
        with pytest.raises(BadValue, match="strength is"):
            Vary(strength)


def test_generate_and_vary_learn_the_signal_itself_from_no_condition():
    for name in ("generate", "vary"):
        pair = TASKS[name].make_example(Signals(picture()), TASKS[name].options(), random())
        assert torch.equal(pair.target, picture())
        assert pair.condition.shape == (0, 16, 24)


def test_style_sees_the_content_as_a_drawing_and_the_reference_as_a_set():
    """The condition does not know the colours, the context does not know the places."""
    task, content, reference = TASKS["style"], picture(0), picture(7, height=8, width=11)
    asked = task.build_condition(Signals(input=content, reference=reference), Style(4))
    grey = luma(content).expand(3, -1, -1)
    same = task.build_condition(Signals(input=grey + 0.1, reference=reference), Style(4))
    torch.testing.assert_close(same.condition, asked.condition)
    assert torch.equal(asked.context[1], reference[:, :4, 4:8].flatten())
    assert asked.context.shape == (2 * 3, 3 * 16)
    edge = torch.nn.functional.pad(reference, [0, 1, 0, 0], mode="replicate")
    assert torch.equal(patches(edge, 4), asked.context)
    with pytest.raises(BadValue, match="needs a reference"):
        task.build_condition(Signals(input=content), Style())


def test_restore_asks_as_its_parts_do_and_says_which():
    want = picture()
    for kind, (degradation, subtask) in enumerate(SUBTASKS.items()):
        options = Restore(degradation)
        held = TASKS["restore"].degrade(Signals(want), options, random(3))
        asked, alone = (
            TASKS["restore"].build_condition(held, options),
            subtask.build_condition(held, options.subtask_options),
        )
        assert torch.equal(asked.condition, alone.condition)
        assert asked.context[0].tolist() == [float(k == kind) for k in range(5)] + alone.context[0].tolist()
        assert int(asked.task_index) == kind
        found = 0.1 * torch.randn(want.shape, generator=random(4))
        a = TASKS["restore"].finalize(found, asked, held, options)
        assert torch.equal(a, subtask.finalize(found, alone, held, options.subtask_options))
    drawn = [TASKS["restore"].sample_options(Restore(), random(seed)).degradation for seed in range(100)]
    assert all(10 <= drawn.count(degradation) <= 30 for degradation in SUBTASKS)
    with pytest.raises(BadValue, match=r"unknown degradation 'denoize'.*'denoise'"):
        Restore("denoize")


@pytest.mark.parametrize(
    ("modality", "task", "name"),
    [
        ("image", "restore", "image-to-image"),
        ("image", "generate", "unconditional-image-generation"),
        ("raster", "superres", "image-to-image"),
        ("audio", "denoise", "audio-to-audio"),
        ("audio", "generate", "any-to-any"),
        ("video", "superres", "video-to-video"),
        ("volume", "inpaint", "image-to-image"),
    ],
)
def test_tasks_have_the_hubs_names(modality: str, task: str, name: str) -> None:
    codec = MODALITIES[modality].signal
    assert pipeline_of(codec, tasks_of(codec)[task]) == name
