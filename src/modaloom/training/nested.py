"""Batches: tensors in nested mappings, sequences and dataclasses."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from torch import Tensor


def map_tensors(batch: Any, function: Callable[[Tensor], Tensor]) -> Any:
    """Apply a function to every tensor in nested mappings, sequences and dataclasses."""
    if isinstance(batch, Tensor):
        return function(batch)
    if isinstance(batch, Mapping):
        return {name: map_tensors(value, function) for name, value in batch.items()}
    if isinstance(batch, list | tuple):
        return type(batch)(map_tensors(value, function) for value in batch)
    if is_dataclass(batch) and not isinstance(batch, type):
        return replace(
            batch, **{f.name: map_tensors(getattr(batch, f.name), function) for f in fields(batch)}
        )
    return batch


def leaves(batch: Any, name: str) -> Iterator[tuple[str, Tensor]]:
    """Tensors of a nested batch, each with its path."""
    if isinstance(batch, Tensor):
        yield name, batch
    elif isinstance(batch, list | tuple):
        batch = dict(enumerate(batch))
    elif is_dataclass(batch):
        batch = vars(batch)
    if isinstance(batch, Mapping):
        for key, value in batch.items():
            yield from leaves(value, f"{name}.{key}")
