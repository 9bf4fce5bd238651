"""Degradations of signals: pure functions, one file each.

Images are float tensors in [0, 1], channels before rows and columns.
"""

from collections.abc import Callable, Mapping

from torch import Tensor

from modaloom.degradations.downsample import downsample
from modaloom.degradations.grey import grey
from modaloom.degradations.kuwahara import kuwahara
from modaloom.degradations.mosaic import mosaic

DEGRADATIONS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "grey": grey,
    "downsample": downsample,
    "kuwahara": kuwahara,
    "mosaic": mosaic,
}
"""Name → function of a batch (B, C, H, W), with default parameters."""

__all__ = ["DEGRADATIONS", "downsample", "grey", "kuwahara", "mosaic"]
