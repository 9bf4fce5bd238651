"""Maps streams to fields: per-position codes, and codes shared by all positions of a stream."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from modaloom.core.types import CodeShape

SHARED = ":shared"
"""Suffix of the field of shared codes; stream names contain no colon."""


@dataclass(frozen=True)
class FieldLayout:
    """Fields of streams of the given code shapes. A shared code is one token, noised and sampled once."""

    streams: Mapping[str, CodeShape]

    def fields_of(self, stream: str) -> list[str]:
        """Names of the stream's fields."""
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
        """Stream → table name, converted to field → table name."""
        return {key: names[name] + key[len(name) :] for name in self.streams for key in self.fields_of(name)}

    def vectors(self, names: Mapping[str, str], vectors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Codebook vectors by table, (Q, K, E), split by depth into those of the fields' tables."""
        return {
            names[name] + key[len(name) :]: own
            for name, shape in self.streams.items()
            if names[name] in vectors
            for key, own in zip(self.fields_of(name), vectors[names[name]].split_with_sizes(_depths(shape)))
        }

    def split(self, streams: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Stream → codes (B, L, Q), converted to field → codes."""
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
    """Name of the field of a stream's shared codes."""
    return stream + SHARED


def stream_of(field: str) -> str:
    """The stream that a field belongs to."""
    return field.removesuffix(SHARED)


def _depths(shape: CodeShape) -> list[int]:
    """Depths of the per-position field and of the shared field."""
    return [shape.depth - shape.shared, shape.shared]
