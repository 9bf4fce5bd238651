"""Where films are cut, and which clips are shown: against all ways of cutting."""

import math
from itertools import combinations, pairwise

import numpy as np
import pytest

from modaloom.core.errors import BadValue
from modaloom.editing.choice import choose_clips
from modaloom.editing.cuts import UNHEARD, WEAK, ShotLengths, choose_cuts

LENGTHS = ShotLengths(usual=1.0, shortest=0.5, longest=2.0)


def cost(cuts, heard, seconds, lengths=LENGTHS):
    shots = sum(lengths.cost(end - start) for start, end in pairwise([0.0, *cuts, seconds]))
    return shots + sum(heard.get(cut, UNHEARD) for cut in cuts)


@pytest.mark.parametrize("seed", range(12))
def test_no_cuts_are_cheaper(seed):
    """Among all sets of the onsets and the silent places."""
    rng, seconds = np.random.default_rng(seed), 2.5
    times, strengths = sorted(rng.uniform(0, seconds, 4).tolist()), rng.uniform(0.1, 1, 4).tolist()
    heard = {time: WEAK * (1 - strength) for time, strength in zip(times, strengths)}
    steps = 2 * math.ceil(2 * seconds / LENGTHS.shortest)
    places = sorted([*times, *(seconds * k / steps for k in range(1, steps))])
    best = min(cost(cuts, heard, seconds) for n in range(5) for cuts in combinations(places, n))
    assert cost(choose_cuts(times, strengths, seconds, LENGTHS), heard, seconds) == pytest.approx(best)


def test_cuts_lie_on_onsets_and_shots_are_even():
    rng = np.random.default_rng(0)
    times = np.cumsum(rng.uniform(0.2, 0.5, 60))
    cuts = choose_cuts(times.tolist(), rng.uniform(0.2, 1, 60).tolist(), 20.0, LENGTHS)
    assert {*cuts} <= {*times}
    shots = np.diff([0.0, *cuts, 20.0])
    assert shots.min() >= 0.5
    assert shots.max() <= 2
    assert np.median(shots) == pytest.approx(1, abs=0.2)


def test_silence_is_cut_too_and_a_short_film_is_one_shot():
    silent = np.diff([0.0, *choose_cuts([], [], 6.0, LENGTHS), 6.0])
    assert silent.max() <= 2
    assert choose_cuts([0.2], [1.0], 0.3, LENGTHS) == []


@pytest.mark.parametrize("seconds", [0.6, 0.7, 1.1, 3.3])
def test_any_film_can_be_divided(seconds):
    lengths = ShotLengths(0.5, 0.25, 0.5)
    assert np.diff([0.0, *choose_cuts([], [], seconds, lengths), seconds]).max() <= 0.5 + 1e-9


@pytest.mark.parametrize("how", [(1, 0, 2), (0.4, 0.5, 2), (3, 1, 2)])
def test_impossible_lengths_are_refused(how):
    with pytest.raises(BadValue):
        ShotLengths(*how)


def test_clips_take_turns_and_go_on():
    chosen = choose_clips([10] * 6, [25, 40, 30], [[0.1, 0.2, 0.3]] * 6)
    assert [clip for clip, _ in chosen] == [0, 1, 2, 0, 1, 2]
    assert [first for _, first in chosen] == [0, 0, 0, 10, 10, 10]


def test_the_cheapest_is_shown_and_none_twice_in_a_row():
    assert choose_clips([5], [9, 9], [[0.9, 0.1]]) == [(1, 0)]
    favoured = choose_clips([5] * 4, [9, 9, 9], [[0, 1.5, 1.5]] * 4)
    assert all(one[0] != other[0] for one, other in pairwise(favoured))
    assert [clip for clip, _ in choose_clips([5] * 3, [9], [[0.0]] * 3)] == [0, 0, 0]


def test_a_clip_that_is_shown_twice_in_a_row_jumps():
    """No frame that follows the last one of the shot before: it would be no cut."""
    assert choose_clips([10] * 5, [60], [[0.0]] * 5) == [(0, 0), (0, 20), (0, 40), (0, 0), (0, 20)]
    assert choose_clips([20] * 3, [30, 9], [[0, 0]] * 3) == [(0, 0)] * 3
    for sizes in ([5, 9, 7, 5, 6] * 4, [8] * 9):
        chosen = choose_clips(sizes, [23], [[0.0]] * len(sizes))
        ends = [first + size for (_, first), size in zip(chosen, sizes)]
        assert max(ends) <= 23
        assert all(end != first for end, (_, first) in zip(ends, chosen[1:]))


def test_a_clip_that_is_too_short_is_not_shown():
    assert choose_clips([5, 20], [9, 30], [[0, 1], [0, 1]]) == [(0, 0), (1, 0)]
    assert choose_clips([20, 20], [9, 30], [[0, 1], [0, 1]]) == [(1, 0), (1, 0)]
