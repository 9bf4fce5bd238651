"""Masked signals: the last channel is the mask of known positions."""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

from modaloom.core.errors import BadValue
from modaloom.restorer.example import ConditionalExample, unlabeled_example


def append_mask(signal: Tensor, known: Tensor) -> Tensor:
    """Signal (C, *axes), mask bool (*axes) → (C + 1, *axes). Raises `BadValue` for a mask of another size."""
    check_mask_size(known, signal)
    return torch.cat([signal, known[None].to(signal)])


def check_mask_size(mask: Tensor, signal: Tensor) -> None:
    """Raises `BadValue` unless the mask (*axes) has the size of the signal (C, *axes)."""
    if signal.shape[1:] != mask.shape:
        sizes = ["×".join(map(str, shape)) for shape in (mask.shape, signal.shape[1:])]
        raise BadValue(f"the mask is {sizes[0]}, the signal {sizes[1]}; they must be of one size")


def check_marked(marked: bool) -> None:
    """Raises `BadValue` for a mask that marks nothing."""
    if not marked:
        raise BadValue("the mask marks nothing; make white, or loud, what is to be restored")


def append_full_mask(signal: Tensor) -> Tensor:
    """(C, *axes) → (C + 1, *axes): every position is known."""
    return append_mask(signal, torch.ones(signal.shape[1:], dtype=torch.bool))


INTERPOLATION_MODES: Mapping[int, str] = {1: "linear", 2: "bilinear", 3: "trilinear"}
"""Number of axes → name of linear interpolation in `torch.nn.functional.interpolate`."""


def pull_push(signal: Tensor, known: Tensor) -> Tensor:
    """Fills unknown positions from known ones nearby: (C, *axes), weights (1, *axes) in [0, 1] → (C, *axes).

    Halves the signal until all positions are known, then upsamples and blends by the weights (pull–push:
    Gortler et al. 1996, doi 10.1145/237170.237200, §5.3). 0 if nothing is known.
    """
    if bool((known == 1).all()) or known.numel() == 1:
        return signal * known
    size = known.shape[1:]
    halved = [(n + 1) // 2 for n in size]
    weight, total = (F.interpolate(x[None], halved, mode="area")[0] for x in (known, signal * known))
    small = pull_push(total / weight.clamp_min(1e-9), (weight * 2 ** len(size)).clamp_max(1))
    return torch.lerp(F.interpolate(small[None], size, mode=INTERPOLATION_MODES[len(size)])[0], signal, known)


def restoration_example(signal: Tensor, *, level: float = 0.0) -> ConditionalExample:
    """Masked signal (C + 1, *axes) → unlabeled example; `level` in [0, 1] is the degradation's strength."""
    return unlabeled_example(signal, len(signal) - 1, context=signal.new_full((1, 1), level))
