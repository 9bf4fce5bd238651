"""Counter-based random numbers: white noise as a function of the seed and the absolute position.

There is no sequential state, so a tile has the same noise as that part of the whole signal has.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

GOLDEN_GAMMA = 0x9E3779B97F4A7C15 - 2**64
"""2⁶⁴ / φ, odd, as a signed number."""
MAX_ELEMENTS = 2**20
"""Numbers that are computed at once, in 8 MiB, and a few times as much while they are."""


def counter_normal(seed: int, start: Sequence[int], shape: Sequence[int]) -> Tensor:
    """float64 `shape` of N(0, 1): the values at positions `start` to `start + shape` of an infinite grid.

    The Box-Muller transform (1958) of two hashes of the position. Uses a few times the memory of its result.
    """
    rows = [torch.arange(first, first + side) for first, side in zip(start, shape, strict=True)]
    angle = 2 * math.pi * _uniform(_hash(2 * seed, rows))
    return torch.sqrt(-2 * torch.log(_uniform(_hash(2 * seed + 1, rows)))) * torch.cos(angle)


def _hash(seed: int, rows: Sequence[Tensor]) -> Tensor:
    """int64, uniform: the coordinates are hashed one axis after the other."""
    state = _mix64(torch.tensor((seed + 2**63) % 2**64 - 2**63))
    for row in rows:
        state = _mix64(state[..., None] + (row + 1) * GOLDEN_GAMMA)
    return state


def _mix64(x: Tensor) -> Tensor:
    """The finaliser of SplitMix64 (Steele, Lea & Flood 2014, doi 10.1145/2660193.2660195, fig. 17)."""
    x = (x ^ _logical_right_shift(x, 30)) * (0xBF58476D1CE4E5B9 - 2**64)
    x = (x ^ _logical_right_shift(x, 27)) * (0x94D049BB133111EB - 2**64)
    return x ^ _logical_right_shift(x, 31)


def _logical_right_shift(x: Tensor, bits: int) -> Tensor:
    """Right shift of `x` as an unsigned number (zeros are shifted in)."""
    return (x >> bits) & ((1 << (64 - bits)) - 1)


def _uniform(x: Tensor) -> Tensor:
    """float64 in (0, 1): the upper 53 bits, at the midpoint of their interval."""
    return (_logical_right_shift(x, 11).double() + 0.5) * 2.0**-53


def counter_noise(
    seed: int, shape: Sequence[int], *, start: int = 0, max_elements: int = MAX_ELEMENTS
) -> Tensor:
    """float32 `shape` (C, *axes) of N(0, 1) from position `start` of the first axis on.

    To bound memory, at most `max_elements`, or one position of that axis, are computed at a time.
    """
    noise = torch.empty(*shape)
    rows = max(1, max_elements * shape[1] // max(1, noise.numel()))
    for first in range(0, shape[1], rows):
        block = noise[:, first : first + rows]
        block.copy_(counter_normal(seed, (0, start + first, *[0] * (len(shape) - 2)), block.shape))
    return noise
