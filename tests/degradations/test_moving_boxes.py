"""Holes of clips: what they are, from the masks alone."""

from itertools import pairwise

import torch

from modaloom.degradations.moving_boxes import MAX_STEP, MISSING, moving_boxes


def random(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_a_frame_is_missing_or_boxes_move_evenly() -> None:
    lost, steps = 0, set()
    for seed in range(400):
        known = moving_boxes((5, 24, 20), generator=random(seed))
        assert known.dtype == torch.bool
        assert known.shape == (5, 24, 20)
        whole = [bool(frame.any()) for frame in known]
        assert sum(whole) >= 4
        if not all(whole):
            lost += 1
            assert [bool(frame.all()) for frame in known] == whole
            continue
        fits = [
            (down, right)
            for down in range(-MAX_STEP, MAX_STEP + 1)
            for right in range(-MAX_STEP, MAX_STEP + 1)
            if all(torch.equal(a.roll((down, right), (0, 1)), b) for a, b in pairwise(known))
        ]
        assert fits
        steps.add(fits[0])
    assert abs(lost / 400 - MISSING) < 0.07
    assert len(steps) > 15


def test_a_clip_of_one_frame_keeps_some_of_it() -> None:
    for seed in range(40):
        known = moving_boxes((1, 8, 8), generator=random(seed))
        assert known.any()
        assert not known.all()
