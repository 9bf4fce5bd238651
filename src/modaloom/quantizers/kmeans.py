"""Lloyd's k-means (1957), the initialisation of codebooks."""

from collections.abc import Callable

import torch
from torch import Tensor

from modaloom.quantizers.error import CHUNK_SIZE
from modaloom.quantizers.nearest import nearest


def flat(x: Tensor) -> Tensor:
    """The identity: no constraint on the vectors."""
    return x


@torch.no_grad()
def kmeans(
    z: Tensor,
    size: int,
    *,
    iterations: int = 10,
    surface: Callable[[Tensor], Tensor] = flat,
    generator: torch.Generator | None = None,
) -> tuple[Tensor, Tensor]:
    """Lloyd's algorithm from random vectors of z.

    A centroid without members stays unchanged, with count 0. With the unit sphere as `surface` this is
    spherical k-means (Dhillon & Modha 2001).

    Args:
        z: float32 (N, D), N ≥ 1.
        size: number of centroids.
        iterations: at least 1.
        surface: projection of vectors and centroids.
        generator: of the initial centroids.

    Returns:
        Centroids float32 (size, D) and the number of members of each, float32 (size,).
    """
    z = surface(z)
    centroids = surface(_initial_centroids(z, size, generator))
    for _ in range(iterations):
        pull, counts = residual_sums(z, nearest(z, centroids), centroids)
        centroids = surface(centroids + pull / counts.clamp(min=1)[:, None])
    return centroids, counts


def residual_sums(z: Tensor, codes: Tensor, vectors: Tensor) -> tuple[Tensor, Tensor]:
    """For each of K vectors: Σ(z − vector) over its members (K, D), and their number (K,), as floats.

    Sums of differences stay precise for data far from the origin, unlike sums of z.
    """
    pull, rows = torch.zeros_like(vectors), max(1, CHUNK_SIZE // z.shape[1])
    for part, code in zip(torch.split(z, rows), torch.split(codes, rows)):
        pull.index_add_(0, code, part - vectors[code])
    return pull, torch.bincount(codes, minlength=len(vectors)).to(z.dtype)


def sample_rows(z: Tensor, n: int, generator: torch.Generator | None) -> Tensor:
    """n different random rows of z; all of them if it has fewer."""
    device = generator.device if generator else z.device
    return z[torch.randperm(len(z), generator=generator, device=device)[:n].to(z.device)]


def _initial_centroids(z: Tensor, size: int, generator: torch.Generator | None) -> Tensor:
    """`size` random rows of z; if it has fewer, repeated with 1% of noise so that no two are equal."""
    rows = sample_rows(z, size, generator)
    if len(rows) == size:
        return rows
    again = rows.repeat(-(-size // len(rows)) - 1, 1)[: size - len(rows)]
    device = generator.device if generator else z.device
    noise = torch.randn(again.shape, generator=generator, device=device).to(again)
    return torch.cat([rows, again + 0.01 * z.square().mean().sqrt() * noise])
