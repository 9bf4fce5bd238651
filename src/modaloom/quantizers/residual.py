"""Residual quantization: each stage quantizes what those before it left (arXiv 2107.03312, algorithm 1)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from modaloom.core.errors import BadValue, check_choice, check_range
from modaloom.core.types import Quantized
from modaloom.quantizers import stats
from modaloom.quantizers.base import Quantizer, is_finite, rows_of
from modaloom.quantizers.gradients import GRADIENT_ESTIMATORS
from modaloom.quantizers.options import QuantizerConfig


class Residual(Quantizer):
    """Any quantizers of one dim and codebook size, one after the other; the decoded vector is their sum.

    Stage q sees z − sg[decoded so far], so the gradient of every stage's loss reaches the encoder: its
    commitment adds 2β(residual − e)/N. Stages learn from their losses alone. The loss is the sum over stages;
    perplexity and usage are means over stages.

    dropout: the probability that a sample (an entry of z's leading axis) keeps only its first n stages in
    training, n uniform in 1..Q (arXiv 2107.03312, section 3.3). The others do not count it, neither in their
    loss nor in what they learn, and z_q is what the kept codes decode to; `codes` has them all.
    gradient_estimator: a name of `GRADIENT_ESTIMATORS`. Raises `BadValue` without stages, if they differ, or
    for other values.
    """

    def __init__(
        self,
        stages: Sequence[Quantizer],
        *,
        dropout: float = QuantizerConfig.dropout,
        gradient_estimator: str = QuantizerConfig.gradient_estimator,
    ) -> None:
        super().__init__()
        shapes = {(stage.dim, size) for stage in stages for size in stage.codebook_sizes}
        if len(shapes) != 1:
            raise BadValue(f"stages have (dim, size) {sorted(shapes)}; all must have the same")
        check_range("dropout", dropout, 0, 1)
        self.dim, self.dropout = stages[0].dim, dropout
        self.pass_gradient = GRADIENT_ESTIMATORS[
            check_choice("gradient_estimator", gradient_estimator, GRADIENT_ESTIMATORS)
        ]
        self.stages = nn.ModuleList(stages)

    def forward(
        self, z: Tensor, *, mask: Tensor | None = None, generator: torch.Generator | None = None
    ) -> Quantized:
        rows, counts = rows_of(z, mask, self.dim)
        kept = self._kept(z, rows[counts], generator) if self.training and self.dropout else None
        parts = self.parts(z, mask=mask, kept=kept, generator=generator)
        q = total([_where_kept(part.z_q.detach(), kept, q) for q, part in enumerate(parts)])
        measured = stats.averaged([part.stats for part in parts])
        ends = (end.detach().reshape(-1, self.dim)[counts] for end in (z, q))
        measured["distortion"] = stats.distortion(*ends)
        codes = torch.cat([part.codes for part in parts], -1)
        return Quantized(self.pass_gradient(z, q), codes, total([part.loss for part in parts]), measured)

    def parts(
        self,
        z: Tensor,
        *,
        mask: Tensor | None = None,
        kept: Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> list[Quantized]:
        """What each stage makes of what those before it left. A vector counts for its first `kept` (...)."""
        rest, parts = z, list[Quantized]()
        for q, stage in enumerate(self._stages):
            parts.append(stage(rest, mask=_both(mask, kept, q), generator=generator))
            rest = rest - parts[-1].z_q.detach()
        return parts

    def decode(self, codes: Tensor) -> Tensor:
        return total([stage.decode(part) for stage, part in self.split(codes)])

    def split(self, codes: Tensor) -> list[tuple[Quantizer, Tensor]]:
        """Each stage with its own of the codes (..., Q)."""
        stages = self._stages
        return list(zip(stages, torch.split(codes, [stage.depth for stage in stages], -1), strict=True))

    @property
    def codebook_sizes(self) -> tuple[int, ...]:
        return tuple(size for stage in self._stages for size in stage.codebook_sizes)

    @property
    def vectors(self) -> Tensor:
        return torch.cat([stage.vectors for stage in self._stages])

    @property
    def _stages(self) -> list[Quantizer]:
        return list(self.stages)  # type: ignore[arg-type]

    def _kept(self, z: Tensor, counted: Tensor, generator: torch.Generator | None) -> Tensor | None:
        """How many stages each vector keeps: int64 (...), the same within a sample.

        None where a counted value is not finite: every stage must see it, and learn nothing.
        """
        if not len(counted) or not is_finite(counted):
            return None
        sample = (*z.shape[:-1][:1], *[1] * (z.ndim - 2))
        device, deepest = generator.device if generator else z.device, len(self.stages)
        n = torch.randint(1, deepest + 1, sample, generator=generator, device=device)
        drops = torch.rand(sample, generator=generator, device=device) < self.dropout
        return torch.where(drops, n, deepest).to(z.device).expand(z.shape[:-1])


def total(terms: Sequence[Tensor]) -> Tensor:
    """The sum in the order of the terms, so that `forward` and `decode` round alike."""
    found = terms[0]
    for term in terms[1:]:
        found = found + term
    return found


def _both(mask: Tensor | None, kept: Tensor | None, q: int) -> Tensor | None:
    """The mask of stage q."""
    if kept is None:
        return mask
    return kept > q if mask is None else mask & (kept > q)


def _where_kept(z_q: Tensor, kept: Tensor | None, q: int) -> Tensor:
    return z_q if kept is None else torch.where((kept > q)[..., None], z_q, 0)
