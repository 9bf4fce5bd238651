"""Quasi-random noise (array-RQMC), with a much smaller variance than independent random numbers."""

import torch
from torch import Tensor
from torch.quasirandom import SobolEngine

from modaloom.core.types import MASK, Canvas

WIDTH = 12
"""Largest number of uniforms per sample between two sorts."""


class Strata:
    """Replaces `Noise`: each number is U[0, 1), those of a batch are stratified.

    Array-RQMC (L'Ecuyer, Lécot, Tuffin 2008): before each step the samples are sorted by state and assigned
    points of a scrambled Sobol sequence in order, so that the samples in one state are stratified, too.
    """

    def __init__(self, count: int, *, seed: int = 0) -> None:
        self.count, self.seed = count, seed
        self.restart(torch.arange(count))

    def sort(self, canvas: Canvas) -> None:
        """Sort by the states of a canvas; to be called before each step."""
        flat = torch.cat([field.state.flatten(1) for field in canvas.values()], 1) - MASK
        self.restart((flat * (1 + int(flat.max())) ** torch.arange(flat.shape[1])).sum(1).argsort())

    def restart(self, order: Tensor) -> None:
        self.seed += 1
        sobol = SobolEngine(WIDTH, scramble=True, seed=self.seed)  # type: ignore[no-untyped-call]
        points = sobol.draw(self.count, dtype=torch.float64)
        self.points, self.used = torch.empty_like(points).index_copy(0, order, points), 0

    def uniform(self, *shape: int) -> Tensor:
        first, self.used = self.used, self.used + torch.Size(shape).numel()
        assert self.used <= WIDTH
        return self.points[:, first : self.used].reshape(self.count, *shape)
