"""Films of parts of clips: frame by frame."""

from fractions import Fraction

import numpy as np
import pytest

from modaloom.editing import film as module
from modaloom.editing.film import Shot, film
from modaloom.modalities.video_value import Video


def numbered(length, fps, height=8, width=8, base=0):
    """A clip whose frame k has the level base + k."""
    levels = np.arange(base, base + length, dtype=np.uint8)
    return Video.of(np.broadcast_to(levels[:, None, None, None], (length, height, width, 3)).copy(), fps)


def levels(clip):
    return [int(frame[frame.shape[0] // 2, frame.shape[1] // 2, 0]) for frame in clip.scan()]


def test_shots_follow_each_other():
    one, other = numbered(10, 10), numbered(10, 10, base=100)
    made = film([Shot(one, 2, 3), Shot(other, 0, 2), Shot(one, 5, 1)], 8, 8, Fraction(10))
    assert made.facts == (6, 8, 8, 10)
    assert levels(made) == [2, 3, 4, 100, 101, 5] == levels(made)


def counting(length, base=0):
    """A numbered clip, and the levels of the frames that are decoded of it."""
    clip, decoded = numbered(length, 10, base=base), []

    def scan():
        for frame in clip.frames:
            decoded.append(int(frame[0, 0, 0]))
            yield frame

    return Video(scan, length, 8, 8, Fraction(10)), decoded


@pytest.mark.parametrize("most", [1, 2])
def test_a_clip_goes_on_being_decoded_in_its_next_shot(most, monkeypatch):
    """Up to its last frame that is shown; anew where a shot begins before, or other clips took its place."""
    monkeypatch.setattr(module, "MAX_OPEN", most)
    (one, seen), (other, _) = counting(20), counting(20, 100)
    made = film([Shot(one, 2, 2), Shot(other, 5, 1), Shot(one, 4, 3), Shot(one, 9, 2)], 8, 8, Fraction(10))
    wanted = [2, 3, 105, 4, 5, 6, 9, 10]
    assert levels(made) == wanted
    assert seen == ([*range(11)] if most == 2 else [*range(4), *range(11)])
    seen.clear()
    back = film([Shot(one, 6, 1), Shot(one, 1, 2)], 8, 8, Fraction(10))
    assert levels(back) == [6, 1, 2]
    assert seen == [*range(7), *range(3)]


def test_clips_of_another_rate_keep_their_speed():
    made = film([Shot(numbered(4, 5), 2, 4)], 8, 8, Fraction(10))
    assert levels(made) == [1, 1, 2, 2]


def test_clips_of_another_size_are_fitted_on_black():
    white = Video.of(np.full((2, 4, 8, 3), 255, np.uint8), 10)
    frame = film([Shot(white, 0, 1)], 16, 16, Fraction(10)).frames[0]
    assert frame[8].min() == 255
    assert frame[[0, 3, 12, 15]].max() == 0
