"""Ridge regression from image patches to pixels: the linear baseline of image restoration.

Shapes: N patches, F values of a patch and a constant, P phases.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True)
class PatchRidge:
    """Linear filter of the square around each pixel, with weights for each phase of a grid, shared by all
    channels."""

    weight_PF: Tensor
    """float64."""
    side: int
    """Side length of the square in pixels, odd."""
    step: int
    """Period of the grid along each axis: P = step² phases; 1: the same weights for all pixels."""

    @classmethod
    def fit(
        cls, pairs: Iterable[tuple[Tensor, Tensor]], *, side: int = 7, step: int = 1, penalty: float = 1e-4
    ) -> "PatchRidge":
        """Ridge regression (Hoerl & Kennard 1970, eq. 2.1) over all pixels of image pairs.

        Args:
            pairs: pairs of input and target image, (C, H, W) each.
            side: side length of the square in pixels, odd.
            step: period of the grid along each axis.
            penalty: penalty on the squared weights, per pixel.
        """
        features = side * side + 1
        gram_PFF = torch.zeros(step**2, features, features, dtype=torch.float64)
        moment_PF = torch.zeros(step**2, features, dtype=torch.float64)
        for given, wanted in pairs:
            for phase, (x_NF, y_N) in enumerate(
                zip(_phases(_patches(given, side), step), _phases(wanted[..., None].double(), step))
            ):
                gram_PFF[phase] += x_NF.T @ x_NF + penalty * len(x_NF) * torch.eye(features)
                moment_PF[phase] += (x_NF.T @ y_N).squeeze(-1)
        return cls(torch.linalg.solve(gram_PFF, moment_PF), side, step)

    def __call__(self, given: Tensor) -> Tensor:
        """(C, H, W) → (C, H, W)."""
        patches, out = _patches(given, self.side), torch.empty_like(given)
        for phase, weight_F in enumerate(self.weight_PF):
            row, column = divmod(phase, self.step)
            part = patches[:, row :: self.step, column :: self.step] @ weight_F
            out[:, row :: self.step, column :: self.step] = part.to(given)
        return out


def _patches(image: Tensor, side: int) -> Tensor:
    """(C, H, W) → float64 (C, H, W, F), with edge padding."""
    wide = F.pad(image.double(), [side // 2] * 4, mode="replicate")
    squares = wide.unfold(1, side, 1).unfold(2, side, 1).flatten(3)
    return F.pad(squares, (0, 1), value=1.0)


def _phases(values: Tensor, step: int) -> list[Tensor]:
    """(C, H, W, F) → P times (N, F)."""
    grid = [(row, column) for row in range(step) for column in range(step)]
    return [values[:, row::step, column::step].flatten(0, 2) for row, column in grid]
