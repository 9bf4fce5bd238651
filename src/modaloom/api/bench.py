"""Figures about modaloom itself."""

from collections.abc import Iterator

from modaloom.bench import BENCHES, Case
from modaloom.core.errors import choose
from modaloom.training.engine import Engine


def bench(name: str, *, device: str = "auto") -> Iterator[Case]:
    """The figures of a benchmark, each as soon as it is there. Raises `BadValue`."""
    return BENCHES[choose("benchmark", name, BENCHES)](Engine(device).device)
