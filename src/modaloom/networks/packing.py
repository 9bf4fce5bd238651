"""The valid tokens of a batch as one sequence, so that padding costs nothing.

Shapes: B batch, T tokens of the canvas, N valid tokens of the batch, G rows of a group, M tokens of its
longest row, n valid tokens of a group, H heads, C channels of a head, D width.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

MIN_FILL = 0.75
"""A group's rows have at least this share of the tokens of its longest."""


@dataclass(frozen=True)
class Group:
    """Rows of similar length, whose tokens follow each other in the packed sequence."""

    rows: int
    """G."""
    index: Tensor
    """int64 (n,): place of each token among the G · M padded ones."""
    mask: Tensor | None
    """bool (G, 1, M, M): True where a query may attend to a key. None: everywhere, and n = G · M."""
    length: int
    """M."""

    def pad(self, x_1HnC: Tensor) -> Tensor:
        """(1, H, n, C) → (G, H, M, C), with zeros after the end of a row."""
        x_HnC = x_1HnC[0]
        if len(self.index) < self.rows * self.length:
            padded = x_HnC.new_zeros(len(x_HnC), self.rows * self.length, x_HnC.shape[-1])
            x_HnC = padded.index_copy(1, self.index, x_HnC)
        return x_HnC.view(-1, self.rows, self.length, x_HnC.shape[-1]).transpose(0, 1)

    def unpad(self, x_GHMC: Tensor) -> Tensor:
        """The inverse of `pad`."""
        return x_GHMC.transpose(0, 1).flatten(1, 2).index_select(1, self.index)[None]


@dataclass(frozen=True)
class Packing:
    """The valid tokens of a batch row by row, the longest row first.

    What a transformer does token by token is done on the packed sequence. Attention is computed by groups of
    rows, each padded to its longest.
    """

    tokens: Tensor
    """int64 (N,): index of each packed token among the B · T."""
    groups: Sequence[Group]

    @classmethod
    def of(cls, valid_BT: Tensor, known_BT: Tensor | None = None) -> "Packing":
        """Pack the tokens that are valid, bool (B, T), at least one; known tokens, bool (B, T), attend to
        known ones only."""
        counts, order = valid_BT.sum(1).sort(descending=True, stable=True)
        row, column = valid_BT[order].nonzero(as_tuple=True)
        tokens = order[row] * valid_BT.shape[1] + column
        known_N = None if known_BT is None else known_BT.flatten()[tokens]
        return cls(tokens, [*_groups([*filter(None, counts.tolist())], known_N, tokens.device)])

    def pack(self, x_BTD: Tensor) -> Tensor:
        """(B, T, D) → (1, N, D)."""
        return x_BTD.flatten(0, 1).index_select(0, self.tokens)[None]

    def unpack(self, x_1ND: Tensor, valid_BT: Tensor) -> Tensor:
        """The inverse of `pack`, with zeros for the tokens that are not valid."""
        zeros = x_1ND.new_zeros(valid_BT.numel(), x_1ND.shape[-1])
        return zeros.index_copy(0, self.tokens, x_1ND[0]).view(*valid_BT.shape, -1)


def _groups(counts: Sequence[int], known_N: Tensor | None, device: torch.device) -> Iterator[Group]:
    """Groups of rows of these numbers of tokens, longest first."""
    start, first = 0, 0
    while start < len(counts):
        most = counts[start]
        rows = [count for count in counts[start:] if count >= MIN_FILL * most]
        last = first + sum(rows)
        filled_GM = torch.arange(most, device=device) < torch.tensor(rows, device=device)[:, None]
        index = filled_GM.flatten().nonzero().squeeze(1)
        mask = None if last - first == filled_GM.numel() else filled_GM[:, None, None]
        if known_N is not None:
            known_GM = torch.zeros_like(filled_GM.flatten()).index_copy(0, index, known_N[first:last])
            known_GM = known_GM.view(filled_GM.shape)
            mask = filled_GM[:, None, None] & (~known_GM[:, None, :, None] | known_GM[:, None, None])
        yield Group(len(rows), index, mask, most)
        start, first = start + len(rows), last
