"""What is filled from the frames around, against frames whose values are known."""

import pytest
import torch

from modaloom.core.errors import BadValue
from modaloom.restorer.tasks.masking import pull_push
from modaloom.restorer.tasks.nearby_frames import REACH, check_gaps, fill_from_frames


def clip(n: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(2, n, 7, 6, generator=torch.Generator().manual_seed(seed))


def test_what_is_known_stays_to_the_bit() -> None:
    whole = clip(6)
    known = (torch.rand(1, 6, 7, 6, generator=torch.Generator().manual_seed(1)) > 0.4).float()
    filled = fill_from_frames(whole * known, known)
    assert torch.equal(filled * known, whole * known)


@pytest.mark.parametrize("lost", [0, 2, 5])
def test_what_stands_still_is_found_again(lost: int) -> None:
    """In a missing frame, and behind a box that moves."""
    still = clip(1).expand(-1, 6, -1, -1).clone()
    known = torch.ones(1, 6, 7, 6)
    known[:, lost] = 0
    for k in range(6):
        known[:, k, 2, k % 3] = 0
    torch.testing.assert_close(fill_from_frames(still * known, known), still)


def test_a_missing_frame_is_the_mean_of_its_neighbours_where_time_is_even() -> None:
    ramp = torch.arange(9.0)[None, :, None, None].expand(1, 9, 3, 3)
    known = torch.ones(1, 9, 3, 3)
    known[:, 4] = 0
    torch.testing.assert_close(fill_from_frames(ramp * known, known), ramp)


def test_the_nearest_frames_decide() -> None:
    whole = torch.zeros(1, 9, 3, 3)
    whole[:, 5] = 1
    known = torch.ones(1, 9, 3, 3)
    known[:, 4] = 0
    share = float(fill_from_frames(whole, known)[0, 4, 1, 1])
    weights = 2 * sum(4.0**-k for k in range(1, REACH + 1))
    assert share == pytest.approx(0.25 / weights)


def test_what_no_frame_knows_is_filled_from_its_surroundings() -> None:
    whole = clip(3)
    known = torch.ones(1, 3, 7, 6)
    known[:, :, 3, 2:4] = 0
    filled = fill_from_frames(whole, known)
    for frame, there, want in zip(whole.unbind(1), known.unbind(1), filled.unbind(1)):
        torch.testing.assert_close(want, pull_push(frame, there))


def test_a_frame_depends_on_none_that_is_farther_than_the_reach() -> None:
    whole, known = clip(2 * REACH + 4), torch.ones(1, 2 * REACH + 4, 7, 6)
    known[:, REACH + 1, 1:5] = 0
    moved = whole.clone()
    moved[:, 0] += 1
    moved[:, 2 * REACH + 2 :] += 1
    a, b = (fill_from_frames(one, known)[:, REACH + 1] for one in (whole, moved))
    assert torch.equal(a, b)


@pytest.mark.parametrize("n", [1, 4, 5, 9, 10, 24])
def test_gaps_are_refused_of_which_a_frame_would_stay_black(n: int) -> None:
    """Oracle: what is filled, of a white clip."""
    white, draw = torch.ones(1, n, 3, 3), torch.Generator().manual_seed(n)
    found = set()
    for share in (0.05, 0.1, 0.2, 0.3, 0.5) * 4:
        known = (torch.rand(1, n, 1, 1, generator=draw) < share).float()
        filled = bool((fill_from_frames(white, known.expand_as(white)) > 0.99).all())
        found.add(filled)
        if filled:
            check_gaps((1 - known).flatten().tolist())
        else:
            with pytest.raises(BadValue, match=r"missing as a whole|leaves nothing"):
                check_gaps((1 - known).flatten().tolist())
    assert found == {True, False}


def test_the_frames_of_a_long_gap_are_named() -> None:
    hole = [0.0] * 3 + [1.0] * (2 * REACH) + [0.5]
    check_gaps(hole)
    with pytest.raises(BadValue, match="frames 4 to 12 are missing"):
        check_gaps([0.0, *hole[:2], 1.0, *hole[3:]])
    with pytest.raises(BadValue, match="frames 1 to 5 are missing"):
        check_gaps([1.0] * (REACH + 1) + [0.0])
    with pytest.raises(BadValue, match="frames 2 to 6 are missing"):
        check_gaps([0.0] + [1.0] * (REACH + 1))
