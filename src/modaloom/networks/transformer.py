"""A transformer over the codes of all streams of a canvas.

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
    """Embedding and output head for the codes of one tokenizer; shared by its streams.

    A position is one token: the sum over depths of a learned embedding plus, where the tokenizer has codebook
    vectors, a projection of these, concatenated over depths. (Residual vectors of finer depths are many times
    shorter; summed before the projection they would be learned last.) There is one output head per depth.

    Args:
        depth: residual depth Q.
        codebook_size: K.
        width: D of the tokens.
        vectors: float32 (Q, K, E) codebook vectors; None: learned embeddings alone.
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
        """int64 codes (B, L, Q), MASK = -1 where unknown → (B, L, D)."""
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
    """(Q, K, E) → (Q·(K+1), E) of unit mean square; the mask's vector is zero.

    The RMS of each depth is replaced by its square root, which trained better than the raw and than equal
    lengths.
    """
    rms_Q11 = vectors_QKE.square().mean((1, 2), keepdim=True).sqrt().clamp_min(1e-6)
    balanced_QKE = vectors_QKE / rms_Q11.sqrt()
    scale = balanced_QKE.square().mean().sqrt().clamp_min(1e-6)
    return nn.functional.pad(balanced_QKE / scale, (0, 0, 0, 1)).flatten(0, 1).clone()


class PositionalEmbedding(nn.Module):
    """Learned positional embedding: a vector for the stream plus one for the coordinate on each axis."""

    def __init__(self, grid: Sequence[int], width: int) -> None:
        super().__init__()
        self.stream = nn.Parameter(torch.randn(width) * 0.5)
        self.axes = nn.ParameterList(torch.randn(side, width) * 0.5 for side in grid)

    def forward(self) -> Tensor:
        """(L, D)."""
        embedding = self.stream
        for axis in self.axes:
            embedding = embedding.unsqueeze(-2) + axis
        return embedding.reshape(-1, embedding.shape[-1])


class CanvasTransformer(nn.Module):
    """Canvas → logits of every stream in it. Absent streams have no tokens.

    Args:
        shapes: stream → code shape.
        tables: stream → name of its code embedding (the tokenizer's name).
        vectors: embedding → float32 (Q, K, E) codebook vectors, where the tokenizer has them.
        width: D of the tokens; a multiple of `heads`.
        depth: number of transformer blocks.
        heads: attention heads.
        encoder_decoder: given tokens attend to given tokens alone, so that they can be encoded once for all
            sampling steps.
        time_conditioned: add an embedding of each stream's noise level t to its tokens.
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
        by_stream = self.norm_out(x_BTD).split(lengths, 1)
        return {name: self._table(name).logits(x_BLD) for name, x_BLD in zip(canvas, by_stream)}

    def hidden_matrices(self) -> list[nn.Parameter]:
        """Weight matrices of the transformer blocks, for optimizers that treat them apart (Muon)."""
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
    """bool (B, 1, T, T): True for valid keys and for each token itself, so that no row is empty."""
    T = valid_BT.shape[1]
    return valid_BT[:, None, None, :] | torch.eye(T, dtype=torch.bool, device=valid_BT.device)


def _module_name(name: str) -> str:
    """A valid module name: these may not contain dots, stream names may."""
    return name.replace(".", "/")
