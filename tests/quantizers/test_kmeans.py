import torch
from torch import Tensor

from modaloom.quantizers.kmeans import kmeans, residual_sums, sample_rows


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=seeded(seed))


def error(z: Tensor, centroids: Tensor) -> Tensor:
    return torch.cdist(z, centroids).min(1).values.square().mean()


def test_lloyd_lowers_the_error_at_every_iteration() -> None:
    z = normal(1000, 3)
    errors = [error(z, kmeans(z, 12, iterations=i, generator=seeded())[0]) for i in range(1, 12)]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.9 * error(z, sample_rows(z, 12, seeded()))


def test_an_iteration_ends_at_the_means_of_the_members() -> None:
    """From the random vectors of z that `sample_rows` names, one step of Lloyd's algorithm in float64."""
    z = normal(200, 3)
    starts = sample_rows(z, 6, seeded()).double()
    codes = torch.cdist(z.double(), starts).argmin(1)
    means = torch.stack([z[codes == k].double().mean(0) for k in range(6)])
    centroids, counts = kmeans(z, 6, iterations=1, generator=seeded())
    torch.testing.assert_close(centroids.double(), means, atol=1e-6, rtol=0)
    assert counts.tolist() == codes.bincount(minlength=6).tolist()


def test_counts_are_of_the_members() -> None:
    _, counts = kmeans(normal(1000, 3), 12, generator=seeded())
    assert counts.sum() == 1000


def test_more_centroids_than_vectors_are_different_copies_near_them() -> None:
    z = normal(5, 3)
    centroids, counts = kmeans(z, 50, generator=seeded())
    assert len(centroids.unique(dim=0)) == 50
    assert torch.cdist(centroids, z).min(1).values.max() < 0.1
    assert counts.sum() == 5


def test_pulls_keep_their_precision_far_from_the_origin() -> None:
    z, vectors, codes = 1e4 + normal(300, 4), torch.full((2, 4), 1e4), torch.arange(300) % 2
    pull, counts = residual_sums(z, codes, vectors)
    exact = torch.stack([(z[codes == k].double() - 1e4).sum(0) for k in range(2)])
    assert counts.tolist() == [150, 150]
    torch.testing.assert_close(pull.double(), exact, rtol=1e-5, atol=1e-4)


def test_draw_takes_different_rows_and_all_when_there_are_few() -> None:
    z = torch.arange(10.0)[:, None]
    assert len(sample_rows(z, 6, seeded()).unique()) == 6
    assert sample_rows(z, 99, seeded())[:, 0].sort().values.tolist() == list(range(10))
