"""What loses something of a signal: pure functions, one file each.

Pictures are float tensors in [0, 1], channels before rows and columns.
"""

from collections.abc import Callable, Mapping

from torch import Tensor

from modaloom.degradations.grey import grey
from modaloom.degradations.mosaic import mosaic
from modaloom.degradations.paint import paint
from modaloom.degradations.smaller import smaller

DEGRADATIONS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "grey": grey,
    "smaller": smaller,
    "paint": paint,
    "mosaic": mosaic,
}
"""Name → function of a batch (B, C, H, W), with its defaults."""

__all__ = ["DEGRADATIONS", "grey", "mosaic", "paint", "smaller"]
