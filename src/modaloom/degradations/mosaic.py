"""Mosaic: Voronoi cells of constant colour."""

import torch
from torch import Tensor

from modaloom.core.rng import generator


def mosaic(image: Tensor, *, tile: int = 3) -> Tensor:
    """[0, 1] (..., C, H, W) → the same shape: each cell in the mean colour of its pixels.

    The cells are the Voronoi cells of one point in each `tile` × `tile` square; they depend on the image size
    alone.
    """
    height, width = image.shape[-2:]
    cell = tiles(height, width, tile).to(image.device).flatten()
    flat = image.flatten(-2)
    sums = flat.new_zeros(*flat.shape[:-1], int(cell.max()) + 1).index_add(-1, cell, flat)
    count = torch.bincount(cell).clamp(min=1).to(flat)
    return (sums / count)[..., cell].reshape(image.shape)


def tiles(height: int, width: int, tile: int) -> Tensor:
    """int64 (height, width): the cell of each pixel, the index of the nearest point."""
    rows, columns = -(-height // tile), -(-width // tile)
    points = torch.rand(rows, columns, 2, generator=generator(0, "mosaic", height, width, tile))
    points = tile * (
        torch.stack(torch.meshgrid(_arange(rows), _arange(columns), indexing="ij"), -1) + 0.25 + points / 2
    )
    y, x = torch.meshgrid(_arange(height), _arange(width), indexing="ij")
    nearest, least = torch.zeros(height, width, dtype=torch.int64), torch.full((height, width), torch.inf)
    # Points are in the inner half of their squares: the nearest is in the pixel's square or an adjacent one.
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            row = (y // tile + down).clamp(0, rows - 1).long()
            column = (x // tile + right).clamp(0, columns - 1).long()
            at = points[row, column]
            distance = (at[..., 0] - y - 0.5) ** 2 + (at[..., 1] - x - 0.5) ** 2
            nearest = torch.where(distance < least, row * columns + column, nearest)
            least = torch.minimum(distance, least)
    return nearest


def _arange(n: int) -> Tensor:
    return torch.arange(n, dtype=torch.float32)
