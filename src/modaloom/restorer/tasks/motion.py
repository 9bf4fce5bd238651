"""Frames of a clip moved onto their neighbours, by hierarchical block matching.

The displacement of each block is searched on a grid of a quarter of the size, and refined by one position on
finer ones, whose blocks are smaller (Bierling 1988, doi 10.1117/12.969046).
"""

from itertools import product

import torch
from torch import Tensor
from torch.nn import functional as F

LEVELS, REACH = 3, 2
"""Grids, each of half of the size of the next, and positions that are searched on the coarsest."""
BLOCK = 8
"""Side of the blocks on each grid."""
STILL = 1e-5
"""Squared error that a displacement by one position must save."""


def aligned(clip: Tensor, offset: int) -> Tensor:
    """(C, T, H, W) → (C, T, H, W): for each frame the one `offset` later, moved onto it.

    Beyond an end the clip goes back, so that no frame of several is its own neighbour, whose noise it has.
    """
    _, length, height, width = clip.shape
    times = (torch.arange(length) + offset).abs()
    times = (length - 1 - (length - 1 - times).abs()).clamp_min(0)
    spare = [-side % (BLOCK << LEVELS - 1) for side in (width, height)]
    brightness = F.pad(clip.mean(0, keepdim=True), (0, spare[0], 0, spare[1]), mode="replicate")[0]
    here, there = [brightness], [brightness[times]]
    for _ in range(LEVELS - 1):
        here, there = ([F.avg_pool2d(grids[0], 2), *grids] for grids in (here, there))
    way = displacement(here[0], there[0], _blocks(here[0]), REACH)
    for a, b in zip(here[1:], there[1:]):
        way = displacement(a, b, 2 * _spread(way, 2), 1)
    return moved(clip[:, times], _spread(way, BLOCK)[..., :height, :width])


def displacement(a: Tensor, b: Tensor, start: Tensor, reach: int) -> Tensor:
    """How far what is in each block of a is in b: at most `reach` from `start`.

    Args:
        a: (T, H, W), sides multiples of BLOCK.
        b: likewise.
        start: int64 (2, T, H / BLOCK, W / BLOCK), rows and columns.
        reach: positions along each axis.
    """
    best, found = torch.full(start.shape[1:], torch.inf), start
    for step in product(range(-reach, reach + 1), repeat=2):
        way = start + torch.tensor(step)[:, None, None, None]
        error = (a - moved(b[None], _spread(way, BLOCK))[0]).square()
        cost = F.avg_pool2d(error, BLOCK) + STILL * way.abs().sum(0)
        found = torch.where(cost < best, way, found)
        best = torch.minimum(cost, best)
    return found


def moved(clip: Tensor, way: Tensor) -> Tensor:
    """(C, T, H, W), int64 (2, T, H, W) → what is at so many rows and columns from each position."""
    height, width = clip.shape[2:]
    rows = (torch.arange(height)[:, None] + way[0]).clamp_(0, height - 1)
    columns = (torch.arange(width) + way[1]).clamp_(0, width - 1)
    places = (rows * width + columns).flatten(1).expand(len(clip), -1, -1)
    return clip.flatten(2).gather(2, places).reshape(clip.shape)


def _blocks(grid: Tensor) -> Tensor:
    """(T, H, W) → zeros, int64 (2, T, H / BLOCK, W / BLOCK)."""
    length, height, width = grid.shape
    return torch.zeros(2, length, height // BLOCK, width // BLOCK, dtype=torch.int64)


def _spread(way: Tensor, factor: int) -> Tensor:
    """(2, T, H, W) → (2, T, H · factor, W · factor), each value repeated."""
    return way.repeat_interleave(factor, 2).repeat_interleave(factor, 3)
