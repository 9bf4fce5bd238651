"""A stream's codes as fields: those of each position, and those that all of its positions share."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from modaloom.core.types import CodeShape

SHARED = ":shared"
"""Ends the name of a field of shared codes; no stream's name holds a colon."""


@dataclass(frozen=True)
class FieldLayout:
    """The fields of streams of these shapes. A code that is shared is one token, drawn and noised once."""

    streams: Mapping[str, CodeShape]

    def fields_of(self, stream: str) -> list[str]:
        """The names of its fields."""
        return [stream, shared_field(stream)] if self.streams[stream].shared else [stream]

    @property
    def shapes(self) -> dict[str, CodeShape]:
        """Field → its code shape."""
        return {
            key: replace(shape, grid=(1,) if key != name else shape.grid, depth=depth, shared=0)
            for name, shape in self.streams.items()
            for key, depth in zip(self.fields_of(name), _depths(shape))
        }

    def tables(self, names: Mapping[str, str]) -> dict[str, str]:
        """Stream → its table's name becomes field → its table's."""
        return {key: names[name] + key[len(name) :] for name in self.streams for key in self.fields_of(name)}

    def vectors(self, names: Mapping[str, str], vectors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Table → (Q, K, E), where it has them, becomes the same of the fields' tables."""
        return {
            names[name] + key[len(name) :]: own
            for name, shape in self.streams.items()
            if names[name] in vectors
            for key, own in zip(self.fields_of(name), vectors[names[name]].split_with_sizes(_depths(shape)))
        }

    def split(self, streams: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Stream → codes (B, L, Q) becomes field → codes."""
        return {
            key: codes if key == name else codes[:, :1]
            for name, whole in streams.items()
            for key, codes in zip(
                self.fields_of(name), whole.split_with_sizes(_depths(self.streams[name]), -1)
            )
        }

    def join(self, fields: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The inverse of `split`."""
        return {
            name: torch.cat(
                [fields[key].expand(*fields[name].shape[:2], -1) for key in self.fields_of(name)], -1
            )
            for name in self.streams
            if name in fields
        }


def shared_field(stream: str) -> str:
    """The field of the codes that a stream's positions share."""
    return stream + SHARED


def stream_of(field: str) -> str:
    """The stream that a field is of."""
    return field.removesuffix(SHARED)


def _depths(shape: CodeShape) -> list[int]:
    """Of a stream's own field, and of the shared one."""
    return [shape.depth - shape.shared, shape.shared]
