"""What is measured about modaloom itself, by name. Each yields its figures one by one."""

from collections.abc import Callable, Iterator

import torch

from modaloom.bench import discrete, quantizer, restore
from modaloom.bench.case import Case

__all__ = ["BENCHES", "Case"]

BENCHES: dict[str, Callable[[torch.device], Iterator[Case]]] = {
    "quantizer": quantizer.cases,
    "discrete": discrete.cases,
    "restore": restore.cases,
}
