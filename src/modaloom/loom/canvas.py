"""Canvases: the one of a request, with known fields of what is given and masked ones of what is wanted,
and that of a training batch."""

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


def training_canvas(
    layout: FieldLayout,
    codes: Mapping[str, Tensor],
    present: Mapping[str, Tensor],
    level: Mapping[str, Tensor],
) -> Canvas:
    """The fields of a batch at t = 0; known are those of the streams whose `level` (B,) is 0.

    Args:
        layout: of the streams.
        codes: stream → codes (B, L, Q).
        present: stream → bool (B,), False where the sample lacks the stream.
        level: stream → noise level (B,).
    """
    fields = layout.split(layout.trim(codes, present))
    filled, canvas = layout.filled(fields), {}
    for key, state in fields.items():
        t, here = level[stream_of(key)], present[stream_of(key)]
        known, valid = (t == 0)[:, None, None].expand_as(state), filled[key] & here[:, None]
        canvas[key] = Field(state, known, valid, torch.zeros_like(t), layout.shapes[key].codebook_size)
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
