"""Parts of a value along its first axis, and the codes that lie within them."""

from collections.abc import Sequence

import torch
from torch import Tensor

from modaloom.core.errors import BadValue

Span = tuple[float, float]
"""Start and end of a part, in the unit of the axis."""
TOLERANCE = 1e-6
"""Of the ends of spans, for rounding."""


def to_text(span: Span) -> str:
    """START:END, exactly."""
    return ":".join(str(float(end)).removesuffix(".0") for end in span)


def cells_within(spans: Sequence[Span], cells: int, step: float, length: float) -> Tensor:
    """bool (cells,): the cells of `step` units each that lie within one of the spans.

    A cell that reaches past `length`, the end of the value, ends there. Raises `BadValue` for a span that is
    none, or has no cell.
    """
    edges = torch.arange(cells + 1) * step
    starts, ends = edges[:-1] + TOLERANCE, edges[1:].clamp(max=length) - TOLERANCE
    return places_within(spans, starts, ends, f"parts are whole steps of {step:g}, up to {edges[-1]:g}")


def places_within(spans: Sequence[Span], starts: Tensor, ends: Tensor, why: str) -> Tensor:
    """bool (n,): the places from `starts` to `ends` (n,) that lie within one of the spans.

    Raises `BadValue` for a span that is none, or has no place; `why` says why it may have none.
    """
    rows = torch.zeros(len(starts), dtype=torch.bool)
    for start, end in spans:
        named = to_text((start, end))
        if not 0 <= start < end:
            raise BadValue(f"{named} is no part of a value; give START:END, 0 or more")
        within = (starts >= start) & (ends <= end)
        if not bool(within.any()):
            raise BadValue(f"{named} keeps nothing: {why}")
        rows |= within
    return rows
