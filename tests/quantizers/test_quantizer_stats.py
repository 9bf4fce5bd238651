import pytest
import torch

from modaloom.quantizers import stats


def test_perplexity_counts_codes_in_equal_use() -> None:
    used = stats.use(torch.tensor([1, 1, 4, 4, 6, 6]), 8)
    assert used["perplexity"] == pytest.approx(3)
    assert used["usage"] == pytest.approx(3 / 8)


def test_distortion_is_one_at_the_mean_and_zero_at_the_data() -> None:
    z = 3 + torch.randn(500, 4, generator=torch.Generator().manual_seed(0))
    assert stats.distortion(z, z.mean(0).expand_as(z)) == pytest.approx(1, rel=1e-5)
    assert stats.distortion(z, z) == 0
    half = z.mean(0) + 0.5 * (z - z.mean(0))
    assert stats.distortion(z, half) == pytest.approx(0.25, rel=1e-4)


def test_constant_data_kept_exactly_is_no_distortion() -> None:
    assert stats.distortion(torch.ones(5, 2), torch.ones(5, 2)) == 0
