"""Stateless seeding: (seed, purpose, epoch, index) → generator.

A resumed run continues with the same random numbers, and those of a sample depend neither on its batch nor
on its worker.
"""

import hashlib

import torch


def derive(seed: int, *path: str | int) -> int:
    """A 63-bit seed for one purpose: SHA-256 of the seed and the path."""
    text = "/".join(map(str, (seed, *path)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator(seed: int, *path: str | int, device: torch.device | str = "cpu") -> torch.Generator:
    """A new generator for one purpose, e.g. `generator(seed, "noise", step)`."""
    return torch.Generator(device).manual_seed(derive(seed, *path))


def permutation(n: int, seed: int, *path: str | int) -> torch.Tensor:
    """int32 (n,), int64 from 2³¹ on: a random permutation of range(n)."""
    dtype = torch.int32 if n < 2**31 else torch.int64
    return torch.randperm(n, generator=generator(seed, *path), dtype=dtype)
