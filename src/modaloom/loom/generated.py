"""Generated samples: their values, and the codes that they were decoded from; shown inline in notebooks."""

import html
from collections.abc import Mapping

from torch import Tensor

from modaloom.modalities import MODALITIES
from modaloom.modalities.base import Value


class Generated(dict[str, Value]):
    """Target stream → value.

    Args:
        values: target stream → value.
        codes: target stream → its codes.
        modality_of: target stream → name of its modality, by which notebooks show it.
    """

    codes: Mapping[str, Tensor]
    """Target stream → int64 (L, Q): Q residual codes at each of L positions, decoded to the value. Encoding
    the value again takes time, and need not give the same codes."""

    def __init__(
        self,
        values: Mapping[str, Value],
        codes: Mapping[str, Tensor],
        modality_of: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(values)
        self.codes, self.modality_of = codes, modality_of or {}

    def _repr_html_(self) -> str:
        values = (
            f"<div><small>{html.escape(name)}</small><br>{_shown(self.modality_of.get(name), value)}</div>"
            for name, value in self.items()
        )
        return f'<div style="display: inline-block; margin: 4px; vertical-align: top">{"".join(values)}</div>'


class GeneratedSamples(list[Generated]):
    """Samples in the order of their numbers."""

    def _repr_html_(self) -> str:
        return f"<div>{''.join(sample._repr_html_() for sample in self)}</div>"


def _shown(modality: str | None, value: Value) -> str:
    return html.escape(repr(value)) if modality is None else MODALITIES[modality].to_html(value, {})
