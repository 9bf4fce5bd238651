"""Tiles: the cells of scattered points, each of one colour."""

import torch
from torch import Tensor

from modaloom.core.rng import generator


def mosaic(image: Tensor, *, tile: int = 3) -> Tensor:
    """[0, 1] (..., C, H, W) → the same shape: every tile in the mean colour of its pixels.

    The tiles are the Voronoi cells of one point in each `tile` × `tile` square; they depend on the picture's
    size alone.
    """
    height, width = image.shape[-2:]
    cell = tiles(height, width, tile).to(image.device).flatten()
    flat = image.flatten(-2)
    sums = flat.new_zeros(*flat.shape[:-1], int(cell.max()) + 1).index_add(-1, cell, flat)
    count = torch.bincount(cell).clamp(min=1).to(flat)
    return (sums / count)[..., cell].reshape(image.shape)


def tiles(height: int, width: int, tile: int) -> Tensor:
    """int64 (height, width): the index of the nearest point."""
    rows, columns = -(-height // tile), -(-width // tile)
    points = torch.rand(rows, columns, 2, generator=generator(0, "mosaic", height, width, tile))
    points = tile * (
        torch.stack(torch.meshgrid(_up(rows), _up(columns), indexing="ij"), -1) + 0.25 + points / 2
    )
    y, x = torch.meshgrid(_up(height), _up(width), indexing="ij")
    found, least = torch.zeros(height, width, dtype=torch.int64), torch.full((height, width), torch.inf)
    # A point lies in the inner half of its square, so the nearest one is in the pixel's square or beside it.
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            row = (y // tile + down).clamp(0, rows - 1).long()
            column = (x // tile + right).clamp(0, columns - 1).long()
            at = points[row, column]
            far = (at[..., 0] - y - 0.5) ** 2 + (at[..., 1] - x - 0.5) ** 2
            found = torch.where(far < least, row * columns + column, found)
            least = torch.minimum(far, least)
    return found


def _up(n: int) -> Tensor:
    return torch.arange(n, dtype=torch.float32)
