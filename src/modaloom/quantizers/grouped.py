"""Product quantization: one quantizer per slice of the vector (Jégou et al. 2011)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from modaloom.core.distributed import SINGLE_PROCESS, Distributed
from modaloom.core.errors import BadValue
from modaloom.core.types import Quantized
from modaloom.quantizers import stats
from modaloom.quantizers.base import Quantizer, rows_of


class Grouped(Quantizer):
    """Quantizers of one codebook size on consecutive slices; `dim` and `depth` are sums over them.

    Codes are concatenated. The loss is the mean of the quantizers' losses weighted by their dims; perplexity
    and usage are means over the quantizers. Raises `BadValue` for no quantizer, or different sizes.
    """

    def __init__(self, quantizers: Sequence[Quantizer]) -> None:
        super().__init__()
        sizes = {size for quantizer in quantizers for size in quantizer.codebook_sizes}
        if len(sizes) != 1:
            raise BadValue(f"codebook sizes of the groups are {sorted(sizes)}; all must be the same")
        self.quantizers = nn.ModuleList(quantizers)
        self.dim = sum(quantizer.dim for quantizer in quantizers)

    def forward(
        self,
        z: Tensor,
        *,
        mask: Tensor | None = None,
        generator: torch.Generator | None = None,
        distributed: Distributed = SINGLE_PROCESS,
    ) -> Quantized:
        rows, counts = rows_of(z, mask, self.dim)
        # A vector that is not finite in one slice is invalid for all quantizers, so that none learns from it.
        checked = z.masked_fill(~z.isfinite().all(-1, keepdim=True), float("nan"))
        slices = torch.split(checked, [quantizer.dim for quantizer in self._parts], -1)
        parts: list[Quantized] = [
            quantizer(part, mask=mask, generator=generator, distributed=distributed)
            for quantizer, part in zip(self._parts, slices)
        ]
        z_q = torch.cat([part.z_q for part in parts], -1)
        shares = [quantizer.dim / self.dim for quantizer in self._parts]
        loss = torch.stack([share * part.loss for share, part in zip(shares, parts)]).sum()
        measured = stats.averaged([part.stats for part in parts])
        ends = (end.detach().reshape(-1, self.dim)[counts] for end in (rows, z_q))
        measured["distortion"] = stats.distortion(*ends, distributed=distributed)
        return Quantized(z_q, torch.cat([part.codes for part in parts], -1), loss, measured)

    @torch.no_grad()
    def encode(self, z: Tensor) -> Tensor:
        slices = torch.split(z, [quantizer.dim for quantizer in self._parts], -1)
        return torch.cat([quantizer.encode(part) for quantizer, part in zip(self._parts, slices)], -1)

    def decode(self, codes: Tensor) -> Tensor:
        slices = torch.split(codes, [quantizer.depth for quantizer in self._parts], -1)
        return torch.cat([quantizer.decode(part) for quantizer, part in zip(self._parts, slices)], -1)

    @property
    def codebook_sizes(self) -> tuple[int, ...]:
        return tuple(size for quantizer in self._parts for size in quantizer.codebook_sizes)

    @property
    def vectors(self) -> Tensor:
        """Each quantizer's vectors, zero outside its slice."""
        found, start = list[Tensor](), 0
        for quantizer in self._parts:
            end = start + quantizer.dim
            found.append(nn.functional.pad(quantizer.vectors, (start, self.dim - end)))
            start = end
        return torch.cat(found)

    @property
    def _parts(self) -> list[Quantizer]:
        return list(self.quantizers)  # type: ignore[arg-type]
