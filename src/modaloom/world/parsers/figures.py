"""Joint classification of size and shape of blurred objects: the nearest of measured figures."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from modaloom.world.parsers.image import moments
from modaloom.world.scene import INVALID

AREA_SPREAD = 0.08
"""Relative standard deviation of an area."""
MAX_ERROR = 6.0
"""Largest deviation of any measure from the nearest figure, in standard deviations."""

Figure = tuple[float, float, float, float, float, float]
"""Area in pixels of 32 × 32, compactness, angular moments 2, 3, 4, 5; see `image.moments`."""


@dataclass(frozen=True)
class Figures:
    """Reference measurements of the shapes in one stream."""

    small: Mapping[str, Figure]
    large: Mapping[str, Figure]
    spread: float
    """Standard deviation of a moment."""

    def name(self, coverage: np.ndarray) -> tuple[str, str]:
        """Size and shape of coverage (SIDE, SIDE); both `INVALID` if no figure is near."""
        measured, area = moments(coverage), coverage.sum()
        errors = {
            (size, shape): np.array(
                [(area / figure[0] - 1) / AREA_SPREAD, *(measured - figure[1:]) / self.spread]
            )
            for size, figures in (("small", self.small), ("large", self.large))
            for shape, figure in figures.items()
        }
        best = min(errors, key=lambda name: float(errors[name] @ errors[name]))
        return best if np.abs(errors[best]).max() <= MAX_ERROR else (INVALID, INVALID)
