"""The codec contract: what values of a kind of data are to mathematics."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

from torch import Tensor

Value = Any
"""What users hold: a PIL image, a str, a dict."""

DataSpec = dict[str, Any]
"""JSON-able facts measured on training data that fix a modality's packed shape.

Packed specs have `size`, the lengths of their axes; those with a signal also have `channels`.
"""


class Codec(ABC):
    """Values as points and as identities. The kinds of codec add what they alone can do."""

    continuous: ClassVar[bool]
    """Values have distances that mean something, and two are equal only where one is a copy."""
    restorable: ClassVar[bool]
    """Values are signals of any size, which a Restorer learns."""
    whole: ClassVar[bool]
    """Values are compared as a whole, not place by place."""

    @abstractmethod
    def features(self, values: Sequence[Value], spec: DataSpec) -> Tensor:
        """float32 (n, D): what nearest neighbours and linear readouts see; nothing of it is learned."""

    @abstractmethod
    def identity_keys(self, values: Sequence[Value], spec: DataSpec) -> list[bytes]:
        """Equal for equal values, as finely as the spec tells them apart."""
