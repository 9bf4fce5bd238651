"""A generated sample: its values, and the codes that they were decoded from."""

from collections.abc import Mapping

from torch import Tensor

from modaloom.modalities.base import Value


class Generated(dict[str, Value]):
    """Target stream → value.

    Args:
        values: target stream → value.
        codes: target stream → its codes.
    """

    codes: Mapping[str, Tensor]
    """Target stream → int64 (L, Q): Q residual codes at each of L positions, decoded to the value. Encoding
    the value again takes time, and need not give the same codes."""

    def __init__(self, values: Mapping[str, Value], codes: Mapping[str, Tensor]) -> None:
        super().__init__(values)
        self.codes = codes
