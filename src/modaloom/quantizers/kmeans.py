"""Lloyd's k-means (1957): where a codebook starts."""

from collections.abc import Callable

import torch
from torch import Tensor

from modaloom.quantizers.error import CHUNK_SIZE
from modaloom.quantizers.nearest import nearest


def flat(x: Tensor) -> Tensor:
    """All of space: x as it is."""
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
    """z (N, D), N ≥ 1 → centroids (size, D) and how many of z each one is the mean of (size,).

    Starts at random vectors of z. A centroid that attracts none stays where it is, with count 0. Vectors and
    centroids are brought onto `surface`: on the unit sphere that is spherical k-means (Dhillon & Modha 2001).
    """
    z = surface(z)
    centroids = surface(_starts(z, size, generator))
    for _ in range(iterations):
        pull, counts = pulls(z, nearest(z, centroids), centroids)
        centroids = surface(centroids + pull / counts.clamp(min=1)[:, None])
    return centroids, counts


def pulls(z: Tensor, codes: Tensor, vectors: Tensor) -> tuple[Tensor, Tensor]:
    """For each of K vectors: Σ(z − vector) over the z that chose it (K, D), and their number (K,), as floats.

    Sums of differences keep their precision where sums of z would lose it: far from the origin.
    """
    pull, rows = torch.zeros_like(vectors), max(1, CHUNK_SIZE // z.shape[1])
    for part, code in zip(torch.split(z, rows), torch.split(codes, rows)):
        pull.index_add_(0, code, part - vectors[code])
    return pull, torch.bincount(codes, minlength=len(vectors)).to(z.dtype)


def draw(z: Tensor, n: int, generator: torch.Generator | None) -> Tensor:
    """n different rows of z, in random order; all of them where it has fewer."""
    device = generator.device if generator else z.device
    return z[torch.randperm(len(z), generator=generator, device=device)[:n].to(z.device)]


def _starts(z: Tensor, size: int, generator: torch.Generator | None) -> Tensor:
    """`size` rows of z; where it has fewer, again the same ones with 1% of noise so that no two are equal."""
    rows = draw(z, size, generator)
    if len(rows) == size:
        return rows
    again = rows.repeat(-(-size // len(rows)) - 1, 1)[: size - len(rows)]
    device = generator.device if generator else z.device
    noise = torch.randn(again.shape, generator=generator, device=device).to(again)
    return torch.cat([rows, again + 0.01 * z.square().mean().sqrt() * noise])
