"""Benchmarks of modaloom."""

from collections.abc import Iterator

from modaloom.bench import BENCHES, BenchmarkResult
from modaloom.core.defaults import DEVICE
from modaloom.core.errors import check_choice
from modaloom.training.accelerator import Accelerator


def bench(name: str, *, device: str = DEVICE) -> Iterator[BenchmarkResult]:
    """Yields the results of a benchmark as soon as they are measured. Raises `BadValue`."""
    return BENCHES[check_choice("benchmark", name, BENCHES)](Accelerator(device).device)
