"""Maps streams to fields: per-position codes, codes shared by all positions of a stream, and its length."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from modaloom.core.types import CodeShape
from modaloom.networks.rotary import Rotary

SHARED, LENGTH = ":shared", ":length"
"""Suffixes of the fields of shared codes and of lengths; stream names contain no colon."""
LENGTH_CHANNELS = 32
"""Sines and cosines of the embedding of a length."""


@dataclass(frozen=True)
class FieldLayout:
    """Fields of streams of the given code shapes. A shared code is one token, noised and sampled once.

    The length of a variable stream is one token, too; its code is the length itself, 0 to `grid[0]`. Where it
    is to be predicted, the codes are left out, as the number of tokens would tell it. Where they are to be
    predicted, it is known.
    """

    streams: Mapping[str, CodeShape]

    def fields_of(self, stream: str) -> list[str]:
        """Names of the stream's fields: its codes, its length and its shared codes."""
        first, *shared = self._code_fields(stream)
        return [first, *[length_field(stream)] * self.streams[stream].variable, *shared]

    @property
    def shapes(self) -> dict[str, CodeShape]:
        """Field → its code shape."""
        found = {}
        for name, shape in self.streams.items():
            own, shared = _depths(shape)
            found[name] = replace(shape, depth=own, shared=0)
            if shape.shared:
                found[shared_field(name)] = CodeShape((1,), shared, shape.codebook_size)
            if shape.variable:
                found[length_field(name)] = CodeShape((1,), 1, shape.grid[0] + 1)
        return found

    def num_codes(self, stream: str) -> int:
        """The number of codes of the stream's fields; of a variable one the most, and one for its length."""
        return sum(self.shapes[key].num_codes for key in self.fields_of(stream))

    def count(self, stream: str, codes: Tensor) -> Tensor:
        """int64 (B,): the number of codes of the fields of a stream with codes (B, L, Q)."""
        fields = self.split({stream: codes})
        filled = self.filled(fields)
        return torch.stack([filled[key].sum(1) * state.shape[-1] for key, state in fields.items()]).sum(0)

    def num_tokens(self, streams: Mapping[str, Tensor], present: Mapping[str, Tensor]) -> Tensor:
        """int64 (B,): the number of tokens of the streams that a sample has, of codes (B, L, Q)."""
        filled = self.filled(self.split(streams))
        return torch.stack([here.sum(1) * present[stream_of(key)] for key, here in filled.items()]).sum(0)

    def tables(self, names: Mapping[str, str]) -> dict[str, str]:
        """Stream → table name, converted to field → table name. Each length has its own table."""
        lengths = {key: key for key in map(length_field, self.streams) if key in self.shapes}
        codes = {key: names[stream_of(key)] + key[len(stream_of(key)) :] for key in self.shapes}
        return codes | lengths

    def vectors(self, names: Mapping[str, str], vectors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Codebook vectors by table, (Q, K, E), split by depth into those of the fields' tables.

        The vector of a length is its sinusoidal embedding, so that a length that no training sample has is
        embedded like its neighbours.
        """
        codes = {
            names[name] + key[len(name) :]: own
            for name, shape in self.streams.items()
            if names[name] in vectors
            for key, own in zip(
                self._code_fields(name), vectors[names[name]].split_with_sizes(_depths(shape))
            )
        }
        lengths = {
            length_field(name): _sinusoidal(torch.arange(shape.grid[0] + 1))[None]
            for name, shape in self.streams.items()
            if shape.variable
        }
        return codes | lengths

    def split(self, streams: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Stream → codes (B, L, Q), converted to field → codes; after the end of a sample they are 0."""
        found = {}
        for name, whole in streams.items():
            shape = self.streams[name]
            if shape.variable:
                ended = whole == shape.padding
                found[length_field(name)] = (~ended[..., :1]).sum(1, keepdim=True) // shape.row_size
                whole = whole.masked_fill(ended, 0)
            depths = whole.split_with_sizes(_depths(shape), -1)
            for key, codes in zip(self._code_fields(name), depths):
                found[key] = codes if key == name else codes[:, :1]
        return found

    def join(self, fields: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The inverse of `split`."""
        filled, found = self.filled(fields), {}
        for name in [name for name in self.streams if name in fields]:
            shape, L = self.streams[name], fields[name].shape[1]
            own = [fields[key].expand(-1, L, -1) for key in self._code_fields(name)]
            whole = torch.cat(own, -1).masked_fill(~filled[name][..., None], shape.padding)
            found[name] = F.pad(whole, (0, 0, 0, shape.num_positions - L), value=shape.padding)
        return found

    def filled(self, fields: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Field → bool (B, L): the positions before the end of the sample, of fields with codes (B, L, Q)."""
        found = {key: torch.ones_like(codes[..., 0], dtype=torch.bool) for key, codes in fields.items()}
        for name, shape in self.streams.items():
            if shape.variable and name in fields:
                end_B1 = fields[length_field(name)][..., 0] * shape.row_size
                found[name] = torch.arange(fields[name].shape[1], device=end_B1.device) < end_B1
        return found

    def trim(self, streams: Mapping[str, Tensor], present: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Cut the codes (B, L, Q) of variable streams to the longest of the samples that have the stream."""
        found = dict(streams)
        for name, codes in streams.items():
            if self.streams[name].variable:
                ends = (codes[present[name], :, 0] != self.streams[name].padding).sum(1)
                found[name] = codes[:, : max([self.streams[name].row_size, *ends.tolist()])]
        return found

    def _code_fields(self, stream: str) -> list[str]:
        return [stream, shared_field(stream)] if self.streams[stream].shared else [stream]


def shared_field(stream: str) -> str:
    """Name of the field of a stream's shared codes."""
    return stream + SHARED


def length_field(stream: str) -> str:
    """Name of the field of a variable stream's length."""
    return stream + LENGTH


def stream_of(field: str) -> str:
    """The stream that a field belongs to."""
    return field.partition(":")[0]


def _sinusoidal(lengths: Tensor) -> Tensor:
    """(N,) → (N, `LENGTH_CHANNELS`): the sinusoidal embedding of Vaswani et al. 2017, arXiv 1706.03762."""
    turns = Rotary.of(lengths, LENGTH_CHANNELS)
    return torch.cat([turns.cos, turns.sin], 1)


def _depths(shape: CodeShape) -> list[int]:
    """Depths of the per-position field and of the shared field."""
    return [shape.depth - shape.shared, shape.shared]
