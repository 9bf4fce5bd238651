"""SimVQ: a codebook that is a linear map of fixed random vectors (Zhu et al. 2024, arXiv 2411.02038)."""

import torch
from torch import Tensor, nn

from modaloom.core.distributed import SINGLE_PROCESS, Distributed
from modaloom.quantizers.codebook import Codebook
from modaloom.quantizers.error import mean_squared_error


class SimCodebook(Codebook):
    """vectors = CW + b: C (K, D) normal and fixed, W (D, D) and b (D,) learned from ‖sg[z] − e‖².

    A gradient step moves all codes, so that none dies and there are no restarts. (The bias b, not in the
    paper, fits data whose mean is not zero.) Zero until `start`, which sets b to the mean and W to the square
    root of the covariance of the first batch.
    """

    def __init__(self, dim: int, size: int, *, decay: float) -> None:
        super().__init__()
        self.decay = decay
        self.register_buffer("base", torch.zeros(size, dim))
        self.register_buffer("count", torch.zeros(size))
        self.register_buffer("started", torch.zeros((), dtype=torch.bool))
        self.weight = nn.Parameter(torch.zeros(dim, dim))
        self.bias = nn.Parameter(torch.zeros(dim))
        self.base: Tensor

    @property
    def vectors(self) -> Tensor:  # type: ignore[override]
        with torch.autocast(self.base.device.type, enabled=False):
            return torch.addmm(self.bias, self.base, self.weight)

    @property
    def used(self) -> int:
        return len(self.count)

    @torch.no_grad()
    def start(self, z: Tensor, generator: torch.Generator | None) -> None:
        device = generator.device if generator else z.device
        self.base.copy_(torch.randn(self.base.shape, generator=generator, device=device))
        self.weight.copy_(_root_of_covariance(z))
        self.bias.copy_(z.mean(0))
        self.count.fill_(len(z) / len(self.count))
        self.started.fill_(True)

    def loss(self, z: Tensor, e: Tensor, distributed: Distributed) -> Tensor:
        return mean_squared_error(e, z, distributed)

    @torch.no_grad()
    def update(
        self,
        z: Tensor,
        codes: Tensor,
        generator: torch.Generator | None,
        distributed: Distributed = SINGLE_PROCESS,
    ) -> None:
        """Update the counts; the optimizer updates W and b."""
        hits = distributed.sum(torch.bincount(codes, minlength=len(self.count)).to(self.count))
        self.count.lerp_(hits, 1 - self.decay)


def _root_of_covariance(z: Tensor) -> Tensor:
    """z (N, D) → the symmetric square root (D, D) of the covariance of z."""
    centred = z - z.mean(0)
    values, axes = torch.linalg.eigh(centred.T @ centred / len(z))
    root: Tensor = axes * values.clamp(min=0).sqrt() @ axes.T
    return root
