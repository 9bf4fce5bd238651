"""One masked transformer over all tokens (MaskGIT, Chang et al. 2022, arXiv 2202.04200), from torch's parts.

Shapes: B batch, T tokens of the whole sequence, V size of the vocabulary, D width.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

JOINT = 0.1
"""Share of training rows in which every stream is masked."""
GIVEN = 0.5
"""Probability that a stream other than the target is given."""
STEPS, TEMPERATURE, CHOICE = 32, 0.9, 1.0
"""Of sampling: steps a stream, temperature of the tokens, and of the choice which of them stay."""


@dataclass(frozen=True)
class Span:
    """Where a stream stands: its tokens in the sequence, its codes in the vocabulary."""

    tokens: slice
    codes: slice


class MaskedTransformer(nn.Module):
    """Tokens (B, T), hidden ones being V, → logits (B, T, V)."""

    def __init__(
        self, spans: Mapping[str, Span], wanted: Sequence[str], *, width: int = 128, depth: int = 6
    ) -> None:
        super().__init__()
        self.spans, self.wanted = dict(spans), tuple(wanted)
        self.size = max(span.codes.stop for span in spans.values())
        stream_T = [i for i, s in enumerate(spans.values()) for _ in range(s.tokens.start, s.tokens.stop)]
        layer = nn.TransformerEncoderLayer(
            width, 4, 4 * width, 0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.code = nn.Embedding(self.size + 1, width)
        self.position = nn.Embedding(len(stream_T), width)
        self.modality = nn.Embedding(len(spans), width)
        for table in (self.code, self.position, self.modality):
            nn.init.normal_(table.weight, std=0.02)
        self.blocks = nn.TransformerEncoder(layer, depth, nn.LayerNorm(width), enable_nested_tensor=False)
        self.head = nn.Linear(width, self.size)
        self.stream_T: Tensor
        self.register_buffer("stream_T", torch.tensor(stream_T), persistent=False)

    def forward(self, tokens_BT: Tensor) -> Tensor:
        x_BTD = self.code(tokens_BT) + self.position.weight + self.modality(self.stream_T)
        with sdpa_kernel(
            SDPBackend.MATH
        ):  # on a CPU in bfloat16, a step takes 0.6 of the fused kernel's time
            return self.head(self.blocks(x_BTD))

    def loss(self, tokens_BT: Tensor, generator: torch.Generator) -> Tensor:
        """Cross-entropy of masked tokens of one target stream per row, at a ratio of cos(πu/2).

        The mean of a row's tokens first: over all of a batch, pictures would outweigh the words.
        """
        hidden_BT, target_BT = self.masks(len(tokens_BT), generator)
        logits = self(tokens_BT.masked_fill(hidden_BT, self.size))[target_BT]
        each = F.cross_entropy(logits.float(), tokens_BT[target_BT], reduction="none")
        weight_BT = target_BT / target_BT.sum(1, keepdim=True)
        return (each * weight_BT[target_BT]).sum() / len(tokens_BT)

    def masks(self, B: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """bool (B, T): which tokens are masked, and which of them are predicted."""
        names = list(self.spans)
        can = torch.tensor([i for i, name in enumerate(names) if name in self.wanted])
        picked_B = can[torch.randint(len(can), (B,), generator=generator)]
        joint_B1 = torch.rand(B, 1, generator=generator) < JOINT
        want_BS = (torch.arange(len(names)) == picked_B[:, None]) | joint_B1
        show_BS = torch.rand(B, len(names), generator=generator) < GIVEN
        ratio_B1 = torch.cos(torch.rand(B, 1, generator=generator) * math.pi / 2)
        noise_BT = torch.rand(B, len(self.stream_T), generator=generator)
        want_BT, show_BT = want_BS[:, self.stream_T], show_BS[:, self.stream_T]
        # The first of a row's wanted tokens, in random order, is always among the masked ones.
        first_BT = noise_BT.masked_fill(~want_BT, 2) == noise_BT.masked_fill(~want_BT, 2).amin(
            1, keepdim=True
        )
        target_BT = want_BT & ((noise_BT < ratio_B1) | first_BT)
        return target_BT | (~want_BT & ~show_BT), target_BT

    @torch.no_grad()
    def sample(self, tokens_BT: Tensor, want: Sequence[str], generator: torch.Generator) -> Tensor:
        """Unmask the target streams, short ones first, by confidence (MaskGIT, §3.2)."""
        for name in sorted(
            want, key=lambda name: self.spans[name].tokens.stop - self.spans[name].tokens.start
        ):
            tokens_BT = self._filled(tokens_BT, self.spans[name], generator)
        return tokens_BT

    def _filled(self, tokens_BT: Tensor, span: Span, generator: torch.Generator) -> Tensor:
        length = span.tokens.stop - span.tokens.start
        steps = min(STEPS, length)
        for step in range(1, steps + 1):
            part_BL = tokens_BT[:, span.tokens]
            logits = self(tokens_BT)[:, span.tokens, span.codes].float() / TEMPERATURE
            drawn_BL = (logits + gumbel(logits, generator)).argmax(-1)
            sure_BL = logits.log_softmax(-1).gather(-1, drawn_BL[..., None])[..., 0]
            sure_BL = sure_BL + CHOICE * (1 - step / steps) * gumbel(sure_BL, generator)
            hidden_BL = part_BL == self.size
            sure_BL = sure_BL.masked_fill(~hidden_BL, math.inf)
            left = math.floor(length * math.cos(math.pi / 2 * step / steps))
            left = min(left, length - step) if step < steps else 0
            stays_BL = sure_BL.argsort(1).argsort(1) >= left
            part_BL = torch.where(hidden_BL & stays_BL, drawn_BL + span.codes.start, part_BL)
            tokens_BT = tokens_BT.clone()
            tokens_BT[:, span.tokens] = part_BL
        return tokens_BT


def gumbel(like: Tensor, generator: torch.Generator) -> Tensor:
    """Standard Gumbel noise, in the shape of `like`."""
    uniform = torch.rand(like.shape, dtype=torch.float64, generator=generator).clamp_min(1e-300)
    return -(-uniform.log()).log().to(like)
