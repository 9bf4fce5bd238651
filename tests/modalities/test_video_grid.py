"""Times of frames → a fixed grid, against times that are known."""

from fractions import Fraction

import numpy as np
import pytest

from modaloom.core.errors import BadValue
from modaloom.modalities.video_grid import grid_of
from modaloom.modalities.video_rate import at_rate
from modaloom.modalities.video_value import MAX_FRAMES, Video

NTSC = Fraction(30_000, 1001)


def ticks(fps: Fraction | int, n: int, tick: float = 0.001) -> tuple[list[float], float]:
    """Times of n frames and of their end, rounded as Matroska does."""
    *times, end = (round(float(k / Fraction(fps)) / tick) * tick for k in range(n + 1))
    return times, end


@pytest.mark.parametrize("fps", [1, 8, 12, 24, 25, 30, 50])
@pytest.mark.parametrize("n", [1, 2, 5, 16, 300])
def test_rounded_times_are_on_the_grid_that_they_come_from(fps: int, n: int) -> None:
    times, end = ticks(fps, n)
    grid = grid_of(times, end)
    assert (grid.fps, grid.length, grid.regular) == (fps, n, True)


def test_a_hint_is_taken_where_it_fits_and_only_there() -> None:
    times, end = ticks(NTSC, 300)
    assert grid_of(times, end, (NTSC,)).fps == NTSC
    assert grid_of(times, end, (Fraction(24), NTSC)).fps == NTSC
    wrong = grid_of(times, end, (Fraction(1000), None))
    assert (wrong.length, wrong.regular) == (300, True)


def test_30_is_no_hint_for_a_minute_of_29_97() -> None:
    times, end = ticks(NTSC, 1800)
    assert float(grid_of(times, end, (Fraction(30),)).fps) == pytest.approx(float(NTSC), rel=1e-4)


def test_a_late_start_is_the_start() -> None:
    times, end = ticks(10, 5)
    late = grid_of([5 + time for time in times], 5 + end)
    assert (late.start, late.fps, late.length) == (5, 10, 5)


def test_gaps_and_times_that_go_back_are_refused() -> None:
    with pytest.raises(BadValue, match="no clip"):
        grid_of([0, 0.01, 0.02, 2.0 * MAX_FRAMES], 2.0 * MAX_FRAMES + 1)
    with pytest.raises(BadValue, match="go back"):
        grid_of([0, 2, 1], 3)


@pytest.mark.parametrize("jitter", [0.0, 0.2])
def test_each_place_shows_the_frame_of_its_middle(jitter: float) -> None:
    """Frames that are up to 0.2 of their duration off are each shown once."""
    times = [(k + jitter * (-1) ** k) / 10 for k in range(9)]
    grid = grid_of(times, times[0] + 0.9, (Fraction(10),))
    frames = [np.full((1, 1, 3), k, np.uint8) for k in range(9)]
    assert [int(frame[0, 0, 0]) for frame in grid.fill(zip(times, frames))] == [*range(9)]


@pytest.mark.parametrize(
    ("fps", "to", "kept"),
    [
        (8, 8, [0, 1, 2, 3, 4, 5]),
        (8, 4, [1, 3, 5]),
        (8, 16, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]),
        (30, 8, [1, 5]),
        (30, NTSC, [0, 1, 2, 3, 4, 5]),
    ],
)
def test_another_rate_shows_what_is_there_in_the_middle(
    fps: int, to: Fraction | int, kept: list[int]
) -> None:
    clip = Video.of(np.arange(6, dtype=np.uint8)[:, None, None, None].repeat(3, 3), fps)
    found = at_rate(clip, Fraction(to))
    assert found.frames[:, 0, 0, 0].tolist() == kept
    assert found.length == len(kept)
    assert at_rate(clip, Fraction(to), 1).frames[:, 0, 0, 0].tolist() == kept[:1]
