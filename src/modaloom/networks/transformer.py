"""One transformer over the codes of all streams of a canvas.

Shapes: B batch, L positions of a stream, T tokens of the canvas (all streams), Q residual depth,
K codebook size, D width, E width of a codebook vector.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from modaloom.core.types import Canvas, CodeShape, Field, Logits
from modaloom.networks.blocks import TransformerBlock
from modaloom.networks.timestep_embedding import TimestepEmbedding


class CodeEmbedding(nn.Module):
    """Embeds and predicts the codes of one tokenizer; streams that share the tokenizer share it.

    A position is one token: the sum over its depths of a learned embedding and, where the tokenizer has
    codebook vectors, a projection of them, depth beside depth. Finer depths are many times shorter than the
    first; summed before the projection, what they tell would be learned last. The output has one head a
    depth.
    """

    def __init__(self, depth: int, codebook_size: int, width: int, vectors: Tensor | None) -> None:
        super().__init__()
        self.codebook_size, self.depth = codebook_size, depth
        self.embed = nn.Embedding(depth * (codebook_size + 1), width)
        self.head = nn.Linear(width, depth * codebook_size)
        nn.init.normal_(self.embed.weight, std=0.5 if vectors is None else 0.02)
        nn.init.normal_(self.embed.weight.data[codebook_size :: codebook_size + 1], std=0.5)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)
        self.offset_Q: Tensor
        self.vectors: Tensor | None
        self.register_buffer("offset_Q", torch.arange(depth) * (codebook_size + 1), persistent=False)
        self.register_buffer("vectors", None if vectors is None else _masked_last(vectors))
        self.project = None if vectors is None else nn.Linear(depth * vectors.shape[-1], width, bias=False)

    def forward(self, state_BLQ: Tensor) -> Tensor:
        """Codes with MASK = -1 → (B, L, D)."""
        row_BLQ = torch.where(state_BLQ < 0, self.codebook_size, state_BLQ) + self.offset_Q
        x_BLD: Tensor = self.embed(row_BLQ).sum(-2)
        if self.project is not None and self.vectors is not None:
            x_BLD = x_BLD + self.project(self.vectors[row_BLQ].flatten(-2))
        return x_BLD

    def logits(self, x_BLD: Tensor) -> Tensor:
        """(B, L, D) → float32 (B, L, Q, K)."""
        y: Tensor = self.head(x_BLD).float()
        return y.reshape(*y.shape[:-1], self.depth, self.codebook_size)


def _masked_last(vectors_QKE: Tensor) -> Tensor:
    """(Q, K, E) → (Q·(K+1), E) of unit mean square, the masked code's vector being zero.

    Depths are drawn together, to the square root of their lengths: measured against leaving them and against
    making them equal.
    """
    length_Q11 = vectors_QKE.square().mean((1, 2), keepdim=True).sqrt().clamp_min(1e-6)
    closer_QKE = vectors_QKE / length_Q11.sqrt()
    scale = closer_QKE.square().mean().sqrt().clamp_min(1e-6)
    return nn.functional.pad(closer_QKE / scale, (0, 0, 0, 1)).flatten(0, 1).clone()


class PositionalEmbedding(nn.Module):
    """Where a token is: a vector for its stream plus one for its coordinate on every axis."""

    def __init__(self, grid: Sequence[int], width: int) -> None:
        super().__init__()
        self.stream = nn.Parameter(torch.randn(width) * 0.5)
        self.axes = nn.ParameterList(torch.randn(side, width) * 0.5 for side in grid)

    def forward(self) -> Tensor:
        """(L, D)."""
        place = self.stream
        for axis in self.axes:
            place = place.unsqueeze(-2) + axis
        return place.reshape(-1, place.shape[-1])


class CanvasTransformer(nn.Module):
    """Canvas → logits of every stream in it.

    Streams that are absent cost nothing: they are not in the canvas. With `encoder_decoder`, given tokens
    attend to given tokens alone, so that they could be encoded once for all steps. With `time_conditioned`,
    tokens know their noise level.

    Args:
        shapes: stream → code shape.
        tables: stream → the name of its code table (the tokenizer's name).
        vectors: table → float32 (Q, K, E) codebook vectors, where the tokenizer has them.
    """

    def __init__(
        self,
        shapes: Mapping[str, CodeShape],
        tables: Mapping[str, str],
        vectors: Mapping[str, Tensor],
        *,
        width: int,
        depth: int,
        heads: int,
        encoder_decoder: bool = False,
        time_conditioned: bool = False,
    ) -> None:
        super().__init__()
        self.tables, self.encoder_decoder = dict(tables), encoder_decoder
        by_table = {tables[name]: shape for name, shape in shapes.items()}
        self.code_embed = nn.ModuleDict(
            {
                _module_name(t): CodeEmbedding(s.depth, s.codebook_size, width, vectors.get(t))
                for t, s in by_table.items()
            }
        )
        self.pos_embed = nn.ModuleDict(
            {_module_name(n): PositionalEmbedding(s.grid, width) for n, s in shapes.items()}
        )
        self.given_embed = nn.Parameter(torch.zeros(width))
        self.norm_in, self.norm_out = nn.LayerNorm(width, bias=False), nn.LayerNorm(width, bias=False)
        self.blocks = nn.ModuleList(TransformerBlock(width, heads) for _ in range(depth))
        self.time_embed = TimestepEmbedding(width) if time_conditioned else None

    def forward(self, canvas: Canvas) -> Logits:
        x_BTD = self.norm_in(torch.cat([self._embed(name, field) for name, field in canvas.items()], 1))
        mask = self._mask(canvas)
        for block in self.blocks:
            x_BTD = block(x_BTD, mask)
        lengths = [field.state.shape[1] for field in canvas.values()]
        parts = self.norm_out(x_BTD).split(lengths, 1)
        return {name: self._table(name).logits(part) for name, part in zip(canvas, parts)}

    def hidden_matrices(self) -> list[nn.Parameter]:
        """The matrices that map width to width, for optimizers that treat them apart (Muon)."""
        return [p for p in self.blocks.parameters() if p.ndim == 2]

    def _table(self, name: str) -> CodeEmbedding:
        table = self.code_embed[_module_name(self.tables[name])]
        assert isinstance(table, CodeEmbedding)
        return table

    def _embed(self, name: str, field: Field) -> Tensor:
        given_BL1 = field.known.all(-1, keepdim=True)
        x: Tensor = self._table(name)(field.state) + self.pos_embed[_module_name(name)]()
        if self.time_embed is not None:
            x = x + self.time_embed(field.t)[:, None]
        return x + given_BL1 * self.given_embed

    def _mask(self, canvas: Canvas) -> Tensor | None:
        valid_BT = torch.cat([f.valid for f in canvas.values()], 1)
        if not self.encoder_decoder:
            return None if bool(valid_BT.all()) else _attention_mask(valid_BT)
        known_BT = torch.cat([f.known.all(-1) for f in canvas.values()], 1)
        return _attention_mask(valid_BT) & (~known_BT[:, None, :, None] | known_BT[:, None, None, :])


def _attention_mask(valid_BT: Tensor) -> Tensor:
    """(B, 1, T, T): keys that are valid, and every token itself, so that no row is empty."""
    T = valid_BT.shape[1]
    return valid_BT[:, None, None, :] | torch.eye(T, dtype=torch.bool, device=valid_BT.device)


def _module_name(name: str) -> str:
    """Module names may not hold dots; stream names may."""
    return name.replace(".", "/")
