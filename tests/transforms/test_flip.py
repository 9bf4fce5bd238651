"""Mirror images, beside the columns counted backwards."""

import torch

from modaloom.transforms import flip

PICTURE = torch.arange(24.0).reshape(2, 3, 4)


def test_left_and_right_change_places_as_often_as_the_probability_says() -> None:
    seen = [flip(PICTURE, 0.25, generator=torch.Generator().manual_seed(seed)) for seed in range(400)]
    mirrored = [torch.equal(one, PICTURE[..., [3, 2, 1, 0]]) for one in seen]
    assert all(mirror or torch.equal(one, PICTURE) for mirror, one in zip(mirrored, seen))
    assert abs(sum(mirrored) / 400 - 0.25) < 0.07
