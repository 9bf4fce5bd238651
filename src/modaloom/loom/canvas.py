"""The canvas of a request: known fields of what is given, masked ones of what is wanted."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor

from modaloom.core.types import Canvas, CodeShape, Field
from modaloom.loom.fields import cut_field, kept_field, known_field, unknown_field
from modaloom.loom.layout import FieldLayout, length_field, stream_of

NOTHING: Mapping[str, Any] = MappingProxyType({})
NOWHERE = torch.zeros(1, dtype=torch.bool)


def build_canvas(
    layout: FieldLayout,
    given: Mapping[str, Tensor],
    want: Sequence[str],
    n: int,
    kept: Mapping[str, Tensor] = NOTHING,
    *,
    device: torch.device,
) -> Canvas:
    """The fields of n samples.

    Of a variable stream that is kept up to its end, the length and the shared codes are unknown, too: it goes
    on. Their states stay as they are given.

    Args:
        layout: of the streams.
        given: stream → codes (n, L, Q), or (n, *grid, Q).
        want: target streams.
        n: number of samples.
        kept: stream that is both given and wanted → bool (L,), the positions that stay as they are given.
        device: of the fields.
    """
    shapes = layout.streams
    rows = {name: codes.reshape(n, shapes[name].num_positions, -1) for name, codes in given.items()}
    shown = layout.split({name: codes.to(device) for name, codes in rows.items()})
    filled = layout.filled(shown)
    endless = [n for n, places in kept.items() if shapes[n].variable and bool((places | ~filled[n]).all())]
    canvas: Canvas = {}
    for key, shape in layout.shapes.items():
        name = stream_of(key)
        if key in shown:
            field = known_field(shown[key], filled[key], shape)
            if key in kept or name in endless:
                places = kept.get(key, NOWHERE).to(device)
                field = kept_field(field, places, endless=name in endless)
            canvas[key] = cut_field(field, shape)
        elif name in want:
            canvas[key] = unknown_field(n, shape, device)
    return canvas


def as_given(codes: Tensor, given: Canvas, drawn: Canvas, key: str, depth: int) -> Tensor:
    """The codes (B, 1) of a depth of a field that are drawn; shared ones of a value that is drawn as long as
    the given one are those of that one."""
    length = length_field(stream_of(key))
    if key == length or length not in drawn:
        return codes
    as_long = drawn[length].state[..., 0] == given[length].state[..., 0]
    return torch.where(as_long, given[key].state[..., depth], codes)


def shortest(codes: Field, shape: CodeShape) -> int:
    """The least length of a variable stream that has all of its known codes."""
    places = codes.known.any(-1).any(0).nonzero()
    return int(places[-1]) // shape.row_size + 1 if len(places) else 0
