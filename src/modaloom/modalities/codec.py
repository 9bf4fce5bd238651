"""Interface of a codec: values as features and identity keys."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from typing import Any, ClassVar

from torch import Tensor

Value = Any
"""A PIL image, a str or a dict."""

DataSpec = dict[str, Any]
"""JSON-able facts inferred from training data, which determine the shape of packed values.

Specs of packed values have `size`, the lengths of the axes; those of signals also have `channels`. With
`VARIABLE`, the first axis of a packed value has its own length, and `size` the most.
"""
VARIABLE = "variable"


class Codec(ABC):
    """Features and identity keys of values; subclasses add packing."""

    continuous: ClassVar[bool]
    """Whether distances between values are meaningful, and equal values are copies."""
    whole: ClassVar[bool]
    """Whether values are compared as a whole, not by position."""
    augmentations: Collection[str] = ()
    """Names of the random changes that make variants of training values: the settings
    `training.augment.NAME`, each with a strength in [0, 1]."""

    @abstractmethod
    def features(self, values: Sequence[Value], spec: DataSpec) -> Tensor:
        """Returns fixed features for nearest neighbours and linear probes, float32 (n, D)."""

    @abstractmethod
    def identity_keys(self, values: Sequence[Value], spec: DataSpec) -> list[bytes]:
        """Returns keys that are equal for values that are equal at the spec's resolution."""
