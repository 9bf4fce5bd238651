"""Residual quantization: each stage quantizes what those before it left (arXiv 2107.03312, algorithm 1)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from modaloom.core.errors import BadValue
from modaloom.core.types import Quantized
from modaloom.quantizers import stats
from modaloom.quantizers.base import Quantizer, straight_through


class Residual(Quantizer):
    """Any quantizers of one dim and codebook size, one after the other; the decoded vector is their sum.

    Stage q sees z − sg[decoded so far], so the gradient of every stage's loss reaches the encoder: its
    commitment adds 2β(residual − e)/N. The loss is the sum over stages; perplexity and usage are means over
    stages. Raises `BadValue` without stages or if they differ.
    """

    def __init__(self, stages: Sequence[Quantizer]) -> None:
        super().__init__()
        shapes = {(stage.dim, size) for stage in stages for size in stage.codebook_sizes}
        if len(shapes) != 1:
            raise BadValue(f"stages have (dim, size) {sorted(shapes)}; all must have the same")
        self.dim = stages[0].dim
        self.stages = nn.ModuleList(stages)

    def forward(
        self, z: Tensor, *, mask: Tensor | None = None, generator: torch.Generator | None = None
    ) -> Quantized:
        rest, parts = z, list[Quantized]()
        for stage in self._stages:
            parts.append(stage(rest, mask=mask, generator=generator))
            rest = rest - parts[-1].z_q.detach()
        q = _total([part.z_q.detach() for part in parts])
        codes = torch.cat([part.codes for part in parts], -1)
        loss = _total([part.loss for part in parts])
        seen = slice(None) if mask is None else mask
        measured = {
            name: _total([part.stats[name] for part in parts]) / len(parts) for name in parts[0].stats
        }
        measured["distortion"] = stats.distortion(*(x[seen].reshape(-1, self.dim) for x in (z.detach(), q)))
        return Quantized(straight_through(z, q), codes, loss, measured)

    def decode(self, codes: Tensor) -> Tensor:
        split = torch.split(codes, [stage.depth for stage in self._stages], -1)
        return _total([stage.decode(part) for stage, part in zip(self._stages, split, strict=True)])

    @property
    def codebook_sizes(self) -> tuple[int, ...]:
        return tuple(size for stage in self._stages for size in stage.codebook_sizes)

    @property
    def vectors(self) -> Tensor:
        return torch.cat([stage.vectors for stage in self._stages])

    @property
    def _stages(self) -> list[Quantizer]:
        return list(self.stages)  # type: ignore[arg-type]


def _total(terms: Sequence[Tensor]) -> Tensor:
    """The sum in the order of the terms, so that `forward` and `decode` round alike."""
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total
