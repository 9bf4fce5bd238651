"""Translation, beside a picture whose pixels say where they are."""

import torch

from modaloom.transforms import shift


def random(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def mapped(height: int, width: int) -> torch.Tensor:
    """(2, H, W): the row and the column of each pixel."""
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return torch.stack([rows, columns]).float()


def offsets(moved: torch.Tensor) -> tuple[int, int]:
    """How far the pixel in the middle has come, from the pixel that is there now."""
    middle = torch.tensor([moved.shape[1] // 2, moved.shape[2] // 2])
    down, right = (middle - moved[:, middle[0], middle[1]].long()).tolist()
    return down, right


def test_every_pixel_comes_from_the_same_distance_or_from_the_edge() -> None:
    for seed in range(50):
        moved = shift(mapped(12, 20), 0.25, generator=random(seed))
        down, right = offsets(moved)
        expected = (mapped(12, 20) - torch.tensor([down, right])[:, None, None]).clamp(min=0)
        expected = expected.minimum(torch.tensor([11, 19])[:, None, None])
        assert torch.equal(moved, expected)


def test_it_goes_as_far_as_the_fraction_of_each_side_in_both_directions() -> None:
    seen = [offsets(shift(mapped(12, 20), 0.25, generator=random(seed))) for seed in range(400)]
    assert {down for down, _ in seen} == set(range(-3, 4))
    assert {right for _, right in seen} == set(range(-5, 6))
    share = sum(down == 0 for down, _ in seen) / len(seen)
    assert abs(share - 1 / 6) < 0.07  # a uniform part of ±3 pixels that is rounded to 0


def test_pictures_of_two_sizes_move_by_the_same_part() -> None:
    for seed in range(50):
        small, large = (offsets(shift(mapped(n, n), 0.25, generator=random(seed))) for n in (16, 32))
        assert all(abs(2 * a - b) <= 1 for a, b in zip(small, large))
    assert torch.equal(shift(mapped(8, 8), 0.0, generator=random(0)), mapped(8, 8))
