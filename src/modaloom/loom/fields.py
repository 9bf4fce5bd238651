"""Fields of a canvas: known, wanted, unknown, partly sampled."""

from dataclasses import replace

import torch
from torch import Tensor

from modaloom.core.types import MASK, CodeShape, Field


def known_field(codes: Tensor, filled: Tensor, shape: CodeShape) -> Field:
    """A field of given `codes` (B, L, Q) at t = 0; `filled` bool (B, L): which positions there are."""
    ones = torch.ones_like(codes, dtype=torch.bool)
    return Field(codes, ones, filled, torch.zeros(len(codes), device=codes.device), shape.codebook_size)


def cut_field(f: Field, shape: CodeShape) -> Field:
    """The field of a variable stream without the positions that no sample has; another as it is."""
    if not shape.variable:
        return f
    most = max(int(f.valid.sum(1).max()), shape.row_size)
    return replace(f, state=f.state[:, :most], known=f.known[:, :most], valid=f.valid[:, :most])


def kept_field(f: Field, kept: Tensor, *, endless: bool) -> Field:
    """A given field at t = 1 of which only the positions `kept`, bool (L,), are known; `endless`: positions
    after the end are unknown, too."""
    known = (kept & f.valid)[..., None].expand_as(f.known)
    return replace(f, known=known, valid=f.valid | endless, t=torch.ones_like(f.t))


def noised_field(f: Field, t: float, *, whole: bool) -> Field:
    """A given field whose unknown codes are to be changed from the noise level t on; `whole`: all of them."""
    known = torch.zeros_like(f.known) if whole else f.known
    return replace(f, known=known, t=torch.full_like(f.t, t))


def own_field(f: Field) -> Field:
    """A field that is done, of a target stream: t = 0 but not `known`, as in training."""
    return replace(f, known=torch.zeros_like(f.known), t=torch.zeros_like(f.t))


def given_field(f: Field) -> Field:
    """The field as a condition."""
    return replace(f, known=torch.ones_like(f.known), t=torch.zeros_like(f.t))


def drawn_field(f: Field, codes: Tensor, depth: int) -> Field:
    """The field with sampled `codes` (B, L) of a depth; after the last depth, t = 0 but not `known`."""
    state, depths = f.state.clone(), torch.arange(f.state.shape[-1], device=codes.device)
    state[..., depth] = codes
    if depth + 1 < len(depths):
        return replace(f, state=state, known=(depths <= depth).expand_as(state))
    return own_field(replace(f, state=state))


def wanted_field(codes: Tensor, filled: Tensor, shape: CodeShape) -> Field:
    """A field of the target `codes` at t = 0, none of which is known."""
    return replace(known_field(codes, filled, shape), known=torch.zeros_like(codes, dtype=torch.bool))


def unknown_field(n: int, shape: CodeShape, device: torch.device) -> Field:
    """A field of n samples at t = 1, all of whose codes are masked."""
    codes = torch.full((n, shape.num_positions, shape.depth), MASK, device=device)
    filled = torch.ones(codes.shape[:2], dtype=torch.bool, device=device)
    return replace(wanted_field(codes, filled, shape), t=torch.ones(n, device=device))


def partly_field(f: Field, kept: Tensor) -> Field:
    """A known field whose positions but `kept`, bool (B, L), are unknown; t = 1 where there are any."""
    known = (kept | ~f.valid)[..., None].expand_as(f.known)
    return replace(f, known=known, t=(~known).flatten(1).any(1).to(f.t))


def rows_of(f: Field, rows: Tensor | slice) -> Field:
    """Some rows of a field, in that order."""
    return replace(f, state=f.state[rows], known=f.known[rows], valid=f.valid[rows], t=f.t[rows])
