"""Benchmarks of modaloom itself, by name. Each yields its results one by one."""

from collections.abc import Callable, Iterator

import torch

from modaloom.bench import discrete, quantizer, restore
from modaloom.bench.case import BenchmarkResult

__all__ = ["BENCHES", "BenchmarkResult"]

BENCHES: dict[str, Callable[[torch.device], Iterator[BenchmarkResult]]] = {
    "quantizer": quantizer.cases,
    "discrete": discrete.cases,
    "restore": restore.cases,
}
