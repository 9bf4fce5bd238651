"""Frames moved onto others, against clips whose motion is known."""

import pytest
import torch
from torch.nn import functional as F

from modaloom.restorer.example import ConditionalExample
from modaloom.restorer.tasks import TASKS, TASKS_OF_CLIPS, Signals
from modaloom.restorer.tasks.motion import aligned
from modaloom.restorer.tasks.neighbours import neighbours


def texture(height: int = 60, width: int = 70, seed: int = 0) -> torch.Tensor:
    """Noise of as much power in each octave, as pictures have: (3, height, width) about [0, 1]."""
    rough = torch.randn(1, 3, height, width, generator=torch.Generator().manual_seed(seed))
    octaves = [side * F.avg_pool2d(rough, side, 1, side // 2) for side in (3, 7, 15)]
    return 0.5 + 0.1 * torch.stack(octaves).sum(0)[0]


@pytest.mark.parametrize("step", [(0, 0), (1, -2), (-4, 3), (6, 7), (-9, 0)])
@pytest.mark.parametrize("offset", [-1, 1])
def test_a_pan_is_moved_back_exactly(step: tuple[int, int], offset: int) -> None:
    """But for what came in over the edges."""
    clip = torch.stack([texture().roll((k * step[0], k * step[1]), (1, 2)) for k in range(4)], 1)
    found = aligned(clip, offset)
    inner = (slice(None), slice(1, 3), slice(20, 40), slice(20, 50))
    torch.testing.assert_close(found[inner], clip[inner])


def test_at_the_ends_the_only_neighbour_is_on_both_sides() -> None:
    """Of a clip that stands still but for its noise, no frame is its own neighbour."""
    noise = 1e-3 * torch.randn(3, 4, 24, 16, generator=torch.Generator().manual_seed(0))
    clip = texture(24, 16)[:, None] + noise
    torch.testing.assert_close(aligned(clip, 1), clip[:, [1, 2, 3, 2]])
    torch.testing.assert_close(aligned(clip, -1), clip[:, [1, 0, 1, 2]])


def test_a_single_frame_and_equal_ones_stay() -> None:
    one = texture(9, 7)[:, None]
    for offset in (-1, 1):
        assert torch.equal(aligned(one, offset), one)
    still = texture(5, 1)[:, None].expand(-1, 3, -1, -1)
    assert torch.equal(aligned(still, 1), still)


def test_the_filter_of_noise_sees_the_frames_beside() -> None:
    """Noise of three looks at the same: at least 1.5 times less is left of it than of one."""
    clip = torch.stack([texture(40, 40)] * 5, 1)[[0, 1, 0]]
    left = {}
    for name, task in (("frame", TASKS["denoise"]), ("clip", TASKS_OF_CLIPS["denoise"])):
        options, draw = task.options(sigma=0.05), torch.Generator().manual_seed(3)
        held = task.degrade(Signals(clip), options, draw)
        example = task.build_condition(held, options)
        missing = ConditionalExample(
            clip - task.initial_estimate(example), example.condition, example.context, example.task_index
        )
        (ridge,) = task.fit_filters(options, [missing], channels=3, axes=3)
        left[name] = float((ridge(task.seen(example), 0.05) - clip).square().mean())
    assert left["clip"] < left["frame"] / 1.5


def test_what_is_beside_a_frame_is_at_the_end_of_its_condition() -> None:
    clip = torch.stack([texture(24, 20).roll(k, 2) for k in range(3)], 1)[[0, 1, 0]]
    for name in ("denoise", "jpeg", "restore"):
        task = TASKS_OF_CLIPS[name]
        held = task.degrade(Signals(clip), task.options(), torch.Generator().manual_seed(0))
        example = task.build_condition(held, task.options())
        first = task.initial_estimate(example)
        torch.testing.assert_close(neighbours(example), torch.cat([aligned(first, -1), aligned(first, 1)]))
        assert len(task.seen(example)) == 9
