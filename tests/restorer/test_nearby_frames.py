"""What is filled from the frames around, against frames whose values are known."""

import pytest
import torch

from modaloom.restorer.tasks.masking import pull_push
from modaloom.restorer.tasks.nearby_frames import REACH, fill_from_frames


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
