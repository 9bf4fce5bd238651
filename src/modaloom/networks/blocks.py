"""Transformer layers: pre-norm attention with normalised queries and keys (QK-norm), squared-ReLU MLP.

Shapes: B batch, L tokens, D width, H heads, C channels of a head.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from modaloom.networks.packing import Group
from modaloom.networks.rotary import Rotary

MAX_UNFUSED_TOKENS = 256
"""The longest sequence for which attention on a CPU is computed without the fused kernel."""


class Attention(nn.Module):
    """Multi-head self-attention with QK-norm (Dehghani et al. 2023, arXiv 2302.05442)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.norm_q = nn.LayerNorm(width // heads, bias=False)
        self.norm_k = nn.LayerNorm(width // heads, bias=False)
        nn.init.zeros_(self.out.weight)

    def forward(
        self,
        x_BLD: Tensor,
        mask: Tensor | None = None,
        rotary: Rotary | None = None,
        groups: Sequence[Group] = (),
    ) -> Tensor:
        """(B, L, D) → (B, L, D).

        Args:
            x_BLD: float (B, L, D).
            mask: as in `attend`.
            rotary: positions of the L tokens; None: attention does not depend on positions.
            groups: of a packed sequence (B = 1), in place of a mask; see `Packing`.
        """
        B, L, D = x_BLD.shape
        q_BHLC, k_BHLC, v_BHLC = self.qkv(x_BLD).view(B, L, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        q_BHLC, k_BHLC = self.norm_q(q_BHLC).to(v_BHLC), self.norm_k(k_BHLC).to(v_BHLC)
        if rotary is not None:
            q_BHLC, k_BHLC = rotary(q_BHLC), rotary(k_BHLC)
        qkv = (q_BHLC, k_BHLC, v_BHLC)
        y_BHLC = attend_by_group(*qkv, groups) if groups else attend(*qkv, mask)
        out: Tensor = self.out(y_BHLC.transpose(1, 2).reshape(B, L, D))
        return out


def attend(q_BHLC: Tensor, k_BHLC: Tensor, v_BHLC: Tensor, mask: Tensor | None) -> Tensor:
    """Softmax attention; short sequences on a CPU avoid torch's fused kernel, which is slower there.

    In bfloat16 on a CPU the fused kernel took 14–24 ms, the two matrix products 3–5 ms (B 64, L 30).

    Args:
        q_BHLC: float queries (B, H, L, C).
        k_BHLC: float keys, same shape.
        v_BHLC: float values, same shape.
        mask: bool, broadcastable to (B, H, L, L); True where a query may attend to a key. None: everywhere.

    Returns:
        float (B, H, L, C).
    """
    if q_BHLC.device.type != "cpu" or q_BHLC.shape[2] > MAX_UNFUSED_TOKENS:
        return F.scaled_dot_product_attention(q_BHLC, k_BHLC, v_BHLC, attn_mask=mask)
    score_BHLL = q_BHLC @ k_BHLC.transpose(-1, -2) * q_BHLC.shape[-1] ** -0.5
    if mask is not None:
        score_BHLL = score_BHLL.masked_fill(~mask, float("-inf"))
    y_BHLC: Tensor = score_BHLL.softmax(-1).to(v_BHLC) @ v_BHLC
    return y_BHLC


def attend_by_group(q_1HNC: Tensor, k_1HNC: Tensor, v_1HNC: Tensor, groups: Sequence[Group]) -> Tensor:
    """`attend` within each row of a packed sequence: (1, H, N, C) → (1, H, N, C)."""
    sizes = [len(group.index) for group in groups]
    queries, keys, values = (x.split_with_sizes(sizes, 2) for x in (q_1HNC, k_1HNC, v_1HNC))
    return torch.cat(
        [
            group.unpad(attend(group.pad(q), group.pad(k), group.pad(v), group.mask))
            for group, q, k, v in zip(groups, queries, keys, values)
        ],
        2,
    )


class MLP(nn.Module):
    """Two linear layers with a squared ReLU between them (So et al. 2021, arXiv 2109.08668)."""

    def __init__(self, width: int, ratio: int = 4) -> None:
        super().__init__()
        self.up = nn.Linear(width, ratio * width, bias=False)
        self.down = nn.Linear(ratio * width, width, bias=False)
        nn.init.zeros_(self.down.weight)

    def forward(self, x_BLD: Tensor) -> Tensor:
        h = torch.relu(self.up(x_BLD))
        y: Tensor = self.down(h * h)
        return y


class TransformerBlock(nn.Module):
    """Pre-norm block: x + attention(norm x), then x + MLP(norm x); the identity at initialisation."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm_a, self.norm_m = nn.LayerNorm(width, bias=False), nn.LayerNorm(width, bias=False)
        self.attention, self.mlp = Attention(width, heads), MLP(width)

    def forward(
        self,
        x_BLD: Tensor,
        mask: Tensor | None = None,
        rotary: Rotary | None = None,
        groups: Sequence[Group] = (),
    ) -> Tensor:
        """(B, L, D) → (B, L, D); arguments as in `Attention`."""
        x_BLD = x_BLD + self.attention(self.norm_a(x_BLD), mask, rotary, groups)
        y: Tensor = x_BLD + self.mlp(self.norm_m(x_BLD))
        return y
