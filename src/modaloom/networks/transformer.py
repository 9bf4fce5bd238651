"""A transformer over the codes of all streams of a canvas.

Shapes: B batch, L positions of a stream, T tokens of the canvas (all streams), Q residual depth,
K codebook size, D width, E width of a codebook vector.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from modaloom.core.errors import BadValue
from modaloom.core.types import Canvas, CodeShape, Field, Logits
from modaloom.networks.blocks import TransformerBlock
from modaloom.networks.packing import Packing
from modaloom.networks.rotary import Rotary
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

    def logits(self, x_BLD: Tensor, valid_BL: Tensor | None = None) -> Tensor:
        """(B, L, D) → float32 (B, L, Q, K), 0 where not `valid_BL`, bool (B, L)."""
        y: Tensor = self.head(x_BLD if valid_BL is None else x_BLD[valid_BL]).float()
        if valid_BL is not None:
            y = y.new_zeros(*valid_BL.shape, y.shape[-1]).index_put((valid_BL,), y)
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

    The first axis of a variable stream has rotary positions instead of learned ones, so that nothing in the
    network depends on its greatest length; tokens of other streams are at position 0. A canvas with a
    variable stream is packed: invalid positions cost nothing, and their logits are 0.

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

    Raises:
        BadValue: a stream is variable and the heads have an odd number of channels.
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
        self.row_sizes = {name: shape.row_size for name, shape in shapes.items() if shape.variable}
        self.head_channels = width // heads
        if self.row_sizes and self.head_channels % 2:
            raise BadValue(
                f"a stream of variable length needs heads with an even number of channels, not {width} / "
                f"{heads}; change the width or the number of heads"
            )
        by_table = {tables[name]: shape for name, shape in shapes.items()}
        self.code_embed = nn.ModuleDict(
            {
                _module_name(t): CodeEmbedding(s.depth, s.codebook_size, width, vectors.get(t))
                for t, s in by_table.items()
            }
        )
        self.pos_embed = nn.ModuleDict(
            {
                _module_name(n): PositionalEmbedding(s.grid[1:] if s.variable else s.grid, width)
                for n, s in shapes.items()
            }
        )
        self.given_embed = nn.Parameter(torch.zeros(width))
        self.norm_in, self.norm_out = nn.LayerNorm(width, bias=False), nn.LayerNorm(width, bias=False)
        self.blocks = nn.ModuleList(TransformerBlock(width, heads) for _ in range(depth))
        self.time_embed = TimestepEmbedding(width) if time_conditioned else None
        self.mark_D: Tensor
        self.register_buffer("mark_D", 1.0 - 2 * (torch.arange(width) % 2), persistent=False)

    def forward(self, canvas: Canvas, augmented: Tensor | None = None) -> Logits:
        """`augmented`: bool (B,), in training, whose tokens are marked by a fixed vector.

        So the network need not believe that samples without the mark look like augmented ones (Karras et al.
        2022, arXiv 2206.00364, appendix F.2).
        """
        x_BTD = torch.cat([self._embed(name, field) for name, field in canvas.items()], 1)
        if augmented is not None:
            x_BTD = x_BTD + augmented[:, None, None] * self.mark_D
        x_BTD = self.norm_in(x_BTD)
        rotary = self._rotary(canvas)
        if rotary is not None:
            valid_BT = torch.cat([f.valid for f in canvas.values()], 1)
            if bool(valid_BT.any()) and not bool(valid_BT.all()):
                return self._packed(canvas, x_BTD, valid_BT, rotary)
        return self._unpacked(canvas, x_BTD, self._mask(canvas), rotary)

    def masked(self, canvas: Canvas) -> Logits:
        """`forward` as one graph for all values: of every field any positions from the first one on, at least
        one, of which those that are not valid are masked."""
        embedded = [self._embed(name, field, whole=False) for name, field in canvas.items()]
        x_BTD = self.norm_in(torch.cat(embedded, 1))
        mask = torch.cat([f.valid for f in canvas.values()], 1)[:, None, None, :]
        if self.encoder_decoder:
            known_BT = _given(canvas)
            mask = mask & (~known_BT[:, None, :, None] | known_BT[:, None, None, :])
        return self._unpacked(canvas, x_BTD, mask, self._rotary(canvas))

    def _unpacked(self, canvas: Canvas, x_BTD: Tensor, mask: Tensor | None, rotary: Rotary | None) -> Logits:
        for block in self.blocks:
            x_BTD = block(x_BTD, mask, rotary)
        lengths = [field.state.shape[1] for field in canvas.values()]
        by_stream = self.norm_out(x_BTD).split(lengths, 1)
        return {name: self._table(name).logits(x_BLD) for name, x_BLD in zip(canvas, by_stream)}

    def _packed(self, canvas: Canvas, x_BTD: Tensor, valid_BT: Tensor, rotary: Rotary) -> Logits:
        """The same for valid tokens only; other logits are 0."""
        known_BT = _given(canvas) if self.encoder_decoder else None
        packing = Packing.of(valid_BT, known_BT)
        x_1ND, rotary = packing.pack(x_BTD), rotary[packing.tokens % x_BTD.shape[1]]
        for block in self.blocks:
            x_1ND = block(x_1ND, None, rotary, packing.groups)
        x_BTD = packing.unpack(self.norm_out(x_1ND), valid_BT)
        by_stream = x_BTD.split_with_sizes([field.state.shape[1] for field in canvas.values()], 1)
        return {name: self._table(name).logits(x, canvas[name].valid) for name, x in zip(canvas, by_stream)}

    def hidden_matrices(self) -> list[nn.Parameter]:
        """Weight matrices of the transformer blocks, for optimizers that treat them apart (Muon)."""
        return [p for p in self.blocks.parameters() if p.ndim == 2]

    def _table(self, name: str) -> CodeEmbedding:
        table = self.code_embed[_module_name(self.tables[name])]
        assert isinstance(table, CodeEmbedding)
        return table

    def _embed(self, name: str, field: Field, *, whole: bool = True) -> Tensor:
        """`whole`: whether there is a multiple of the learned positions."""
        pos_RD, L = self.pos_embed[_module_name(name)](), field.state.shape[1]
        if whole:
            pos_LD = pos_RD.repeat(L // len(pos_RD), 1)
        else:
            pos_LD = pos_RD[torch.arange(L, device=pos_RD.device) % len(pos_RD)]
        x: Tensor = self._table(name)(field.state) + pos_LD
        if self.time_embed is not None:
            x = x + self.time_embed(field.t)[:, None]
        return x + field.given[:, None, None] * self.given_embed

    def _rotary(self, canvas: Canvas) -> Rotary | None:
        """Positions of the tokens; None if the canvas has no variable stream."""
        if not self.row_sizes.keys() & canvas.keys():
            return None
        device = self.given_embed.device
        positions = [
            torch.arange(L, device=device) // self.row_sizes[name]
            if name in self.row_sizes
            else torch.zeros(L, dtype=torch.int64, device=device)
            for name, L in ((name, field.state.shape[1]) for name, field in canvas.items())
        ]
        return Rotary.of(torch.cat(positions), self.head_channels)

    def _mask(self, canvas: Canvas) -> Tensor | None:
        valid_BT = torch.cat([f.valid for f in canvas.values()], 1)
        if not self.encoder_decoder:
            return None if bool(valid_BT.all()) else _attention_mask(valid_BT)
        known_BT = _given(canvas)
        return _attention_mask(valid_BT) & (~known_BT[:, None, :, None] | known_BT[:, None, None, :])


def _given(canvas: Canvas) -> Tensor:
    """bool (B, T): True for the tokens of given fields."""
    return torch.cat([f.given[:, None].expand_as(f.valid) for f in canvas.values()], 1)


def _attention_mask(valid_BT: Tensor) -> Tensor:
    """bool (B, 1, T, T): True for valid keys and for each token itself, so that no row is empty."""
    T = valid_BT.shape[1]
    return valid_BT[:, None, None, :] | torch.eye(T, dtype=torch.bool, device=valid_BT.device)


def _module_name(name: str) -> str:
    """A valid module name: these may not contain dots, stream names may."""
    return name.replace(".", "/")
