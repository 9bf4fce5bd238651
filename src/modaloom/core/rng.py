"""Random numbers that depend on names, not on history: (seed, purpose, epoch, index) → generator.

Nothing here keeps state, so a run that is stopped anywhere continues with the same numbers, and a sample's
randomness does not depend on the batch or the worker that drew it.
"""

import hashlib

import torch


def derive(seed: int, *path: str | int) -> int:
    """A 63-bit seed for one purpose, from SHA-256 of the seed and the path."""
    text = "/".join(map(str, (seed, *path)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator(seed: int, *path: str | int, device: torch.device | str = "cpu") -> torch.Generator:
    """A fresh generator for one purpose, e.g. `generator(seed, "noise", step)`."""
    return torch.Generator(device).manual_seed(derive(seed, *path))


def permutation(n: int, seed: int, *path: str | int) -> torch.Tensor:
    """int64 (n,): a random order of range(n)."""
    return torch.randperm(n, generator=generator(seed, *path))
