"""Residual quantization: each stage quantizes the residual of those before (arXiv 2107.03312, alg. 1)."""

from collections.abc import Sequence
from itertools import accumulate

import torch
from torch import Tensor, nn

from modaloom.core.distributed import SINGLE_PROCESS, Distributed
from modaloom.core.errors import BadValue, check_choice, check_range
from modaloom.core.types import Quantized
from modaloom.quantizers import stats
from modaloom.quantizers.base import Quantizer, is_learnable, rows_of
from modaloom.quantizers.beam_search import beam_search
from modaloom.quantizers.gradients import GRADIENT_ESTIMATORS
from modaloom.quantizers.options import QuantizerConfig


class Residual(Quantizer):
    """Quantizers of one dim and codebook size in sequence; the decoded vector is their sum.

    Stage q quantizes z − sg[sum of the stages before], so the gradient of every stage's commitment loss,
    2β(residual − e)/N, reaches the encoder. The loss is the sum over stages; perplexity and usage are means.

    Args:
        stages: at least one, all of one dim and codebook size.
        dropout: probability, 0–1, that in training a sample (an entry of z's leading axis) keeps only its
            first n stages, n uniform in 1..Q (arXiv 2107.03312, §3.3). The other stages ignore it in loss and
            update, and z_q decodes the kept codes; `codes` has all.
        gradient_estimator: a name of `GRADIENT_ESTIMATORS`.
        beam_width: beams of `encode`, at least 1; 1 is the greedy choice of `forward`.

    Raises:
        BadValue: for no stages, different ones, or a value out of range.
    """

    def __init__(
        self,
        stages: Sequence[Quantizer],
        *,
        dropout: float = QuantizerConfig.dropout,
        gradient_estimator: str = QuantizerConfig.gradient_estimator,
        beam_width: int = QuantizerConfig.beam_width,
    ) -> None:
        super().__init__()
        shapes = {(stage.dim, size) for stage in stages for size in stage.codebook_sizes}
        if len(shapes) != 1:
            raise BadValue(f"(dim, size) of the stages are {sorted(shapes)}; all must be the same")
        check_range("dropout", dropout, 0, 1)
        self.dim, self.dropout = stages[0].dim, dropout
        self.pass_gradient = GRADIENT_ESTIMATORS[
            check_choice("gradient_estimator", gradient_estimator, GRADIENT_ESTIMATORS)
        ]
        self.beam_width = beam_width
        self.stages = nn.ModuleList(stages)

    def forward(
        self,
        z: Tensor,
        *,
        mask: Tensor | None = None,
        generator: torch.Generator | None = None,
        distributed: Distributed = SINGLE_PROCESS,
    ) -> Quantized:
        rows, counts = rows_of(z, mask, self.dim)
        drops = self.training and self.dropout
        kept = self._kept(z, rows[counts], generator, distributed) if drops else None
        parts = self.parts(z, mask=mask, kept=kept, generator=generator, distributed=distributed)
        q = total([_where_kept(part.z_q.detach(), kept, q) for q, part in enumerate(parts)])
        measured = stats.averaged([part.stats for part in parts])
        ends = (end.detach().reshape(-1, self.dim)[counts] for end in (z, q))
        measured["distortion"] = stats.distortion(*ends, distributed=distributed)
        codes = torch.cat([part.codes for part in parts], -1)
        return Quantized(self.pass_gradient(z, q), codes, total([part.loss for part in parts]), measured)

    def parts(
        self,
        z: Tensor,
        *,
        mask: Tensor | None = None,
        kept: Tensor | None = None,
        generator: torch.Generator | None = None,
        distributed: Distributed = SINGLE_PROCESS,
    ) -> list[Quantized]:
        """Quantize the residual of each stage.

        Args:
            z: float (..., dim).
            mask: bool (...), True for vectors that count.
            kept: int64 (...), the number of stages for which each vector counts; None: all.
            generator: as of `forward`.
            distributed: as of `forward`.

        Returns:
            The result of each stage.
        """
        residual, parts = z, list[Quantized]()
        for q, stage in enumerate(self._stages):
            own = _stage_mask(mask, kept, q)
            parts.append(stage(residual, mask=own, generator=generator, distributed=distributed))
            residual = residual - parts[-1].z_q.detach()
        return parts

    @torch.no_grad()
    def encode(self, z: Tensor) -> Tensor:
        if self.beam_width == 1:
            return super().encode(z)
        rows, _ = rows_of(z, None, self.dim)
        return beam_search(rows, self.vectors, self.beam_width).reshape(*z.shape[:-1], self.depth)

    def decode(self, codes: Tensor) -> Tensor:
        return total([stage.decode(part) for stage, part in self.split(codes)])

    def split(self, codes: Tensor) -> list[tuple[Quantizer, Tensor]]:
        """Each stage with its part of the codes (..., Q); of fewer codes, the first stages."""
        depths = list(accumulate(stage.depth for stage in self._stages))
        given = [end for end in depths if end <= codes.shape[-1]]
        if codes.shape[-1] not in given:
            raise BadValue(f"{codes.shape[-1]} codes a position; give {', '.join(map(str, depths))}")
        return list(zip(self._stages, torch.tensor_split(codes, given[:-1], -1)))

    @property
    def codebook_sizes(self) -> tuple[int, ...]:
        return tuple(size for stage in self._stages for size in stage.codebook_sizes)

    @property
    def vectors(self) -> Tensor:
        return torch.cat([stage.vectors for stage in self._stages])

    @property
    def _stages(self) -> list[Quantizer]:
        return list(self.stages)  # type: ignore[arg-type]

    def _kept(
        self, z: Tensor, counted: Tensor, generator: torch.Generator | None, distributed: Distributed
    ) -> Tensor | None:
        """Quantizer dropout: the number of stages each vector keeps, int64 (...), constant within a sample.

        None if an unmasked value is not finite, so that every stage sees it and skips its update.
        """
        if not is_learnable(counted, distributed):
            return None
        samples = distributed.rows(len(z))
        sample = (*[samples.total][: z.ndim - 1], *[1] * (z.ndim - 2))
        device, deepest = generator.device if generator else z.device, len(self.stages)
        n = torch.randint(1, deepest + 1, sample, generator=generator, device=device)
        drops = torch.rand(sample, generator=generator, device=device) < self.dropout
        return samples.own(torch.where(drops, n, deepest)).to(z.device).expand(z.shape[:-1])


def total(terms: Sequence[Tensor]) -> Tensor:
    """The sum in the order of the terms, so that `forward` and `decode` round alike."""
    result = terms[0]
    for term in terms[1:]:
        result = result + term
    return result


def _stage_mask(mask: Tensor | None, kept: Tensor | None, q: int) -> Tensor | None:
    """The mask of stage q."""
    if kept is None:
        return mask
    return kept > q if mask is None else mask & (kept > q)


def _where_kept(z_q: Tensor, kept: Tensor | None, q: int) -> Tensor:
    return z_q if kept is None else torch.where((kept > q)[..., None], z_q, 0)
