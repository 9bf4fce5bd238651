"""Brightness, beside a factor of the distance from black."""

import torch

from modaloom.transforms import brightness

LEVELS = torch.tensor([-1.0, -0.5, 0.0, 0.2]).reshape(1, 1, 4)


def test_all_values_have_one_factor_and_black_stays() -> None:
    found = torch.cat(
        [brightness(LEVELS, 0.3, generator=torch.Generator().manual_seed(seed)) for seed in range(200)]
    ).flatten(1)
    factors = (found[:, 1:] + 1) / (LEVELS.flatten()[1:] + 1)
    torch.testing.assert_close(factors, factors[:, :1].expand_as(factors))
    assert torch.equal(found[:, 0], torch.full((200,), -1.0))
    assert 0.7 <= factors.min() < 0.75
    assert 1.25 < factors.max() <= 1.3
    white = brightness(torch.ones(1, 1, 1), 1.0, generator=torch.Generator().manual_seed(1))
    assert -1 <= float(white) <= 1
