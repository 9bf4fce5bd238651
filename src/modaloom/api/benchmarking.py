"""Figures about modaloom itself."""

from collections.abc import Iterator

from modaloom.bench import BENCHES, BenchmarkResult
from modaloom.core.defaults import DEVICE
from modaloom.core.errors import check_choice
from modaloom.training.accelerator import Accelerator


def bench(name: str, *, device: str = DEVICE) -> Iterator[BenchmarkResult]:
    """The figures of a benchmark, each as soon as it is there. Raises `BadValue`."""
    return BENCHES[check_choice("benchmark", name, BENCHES)](Accelerator(device).device)
