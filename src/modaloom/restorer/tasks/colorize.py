"""Colorization of grey images, with or without colour hints."""

from dataclasses import dataclass

import torch
from torch import Tensor

from modaloom.core.errors import BadValue, check_range
from modaloom.degradations.luma import luma, replace_luma
from modaloom.degradations.quantize_8bit import quantize_8bit
from modaloom.restorer.example import ConditionalExample
from modaloom.restorer.tasks.base import Signals, Task, require_input, require_target
from modaloom.restorer.tasks.hints import spread_hints
from modaloom.restorer.tasks.masking import append_mask, check_mask_size, restoration_example
from modaloom.transforms import recolour


@dataclass(frozen=True)
class Colorize:
    """Options of colorization."""

    hints: int = 16
    """Maximum number of hint pixels per training image; sampled uniformly from 0 to this."""
    repainted: float = 1.0
    """Fraction of the training images with hints that are randomly recoloured, in [0, 1], so that hints
    outweigh learned colours."""

    def __post_init__(self) -> None:
        check_range("hints", self.hints, 0)
        check_range("repainted", self.repainted, 0, 1)


def _prepare(image: Tensor, mask: Tensor | None, options: Colorize) -> Tensor:
    """The mask marks the pixels whose colours are hints; None: no hints."""
    return image if mask is None else gray_with_hints(image, mask)


def _degrade(signals: Signals, options: Colorize, generator: torch.Generator) -> Signals:
    want = require_target(signals)
    if len(want) != 3:
        raise BadValue(f"a picture of {len(want)} channels has no colours to learn; give RGB pictures")
    count = int(torch.randint(options.hints + 1, (), generator=generator))
    hinted = torch.zeros(want.shape[1:], dtype=torch.bool)
    hinted.view(-1)[torch.randint(hinted.numel(), (count,), generator=generator)] = True
    return Signals(want, gray_with_hints(want, hinted))


def gray_with_hints(image: Tensor, hinted: Tensor) -> Tensor:
    """RGB (3, H, W) and hint mask, bool (H, W) → (4, H, W): grey except at the hints, and the mask."""
    check_mask_size(hinted, image)
    grey = quantize_8bit(luma(image)).expand_as(image)
    return append_mask(torch.where(hinted, replace_luma(grey[:1], image), grey), hinted)


def _augment(signals: Signals, options: Colorize, generator: torch.Generator) -> Signals:
    """Randomly recolours images that have hints, with unchanged luma."""
    want, known = require_target(signals), require_input(signals)[3] > 0
    if not known.any() or torch.rand((), generator=generator) >= options.repainted:
        return signals
    other = recolour(want, generator)
    return Signals(other, gray_with_hints(other, known))


def _build_condition(signals: Signals, options: Colorize) -> ConditionalExample:
    """The initial estimate spreads the colour of hints to pixels that are close in position and luma; the
    condition's last channel is the proximity of the hints."""
    hinted = _hinted(require_input(signals))
    held, known = hinted[:3], hinted[3:]
    grey = luma(held)
    colour, near = spread_hints(held - grey, known, grey)
    return restoration_example(torch.cat([(grey + colour).clamp(0, 1), near]))


def _hinted(held: Tensor) -> Tensor:
    """Grey (1, H, W), RGB (3, H, W) or hinted (4, H, W) image → hinted image (4, H, W)."""
    if len(held) == 4:
        return held
    if len(held) not in (1, 3):
        raise BadValue(f"a picture of {len(held)} channels; give grey, RGB, or RGB and a mask of hints")
    return gray_with_hints(held.expand(3, -1, -1), torch.zeros(held.shape[1:], dtype=torch.bool))


def _postprocess(restored: Tensor, signals: Signals, options: Colorize) -> Tensor:
    """Replaces the luma by the input's; equal in 8 bits."""
    return replace_luma(quantize_8bit(luma(_hinted(require_input(signals))[:3])), restored)


COLORIZE = Task(
    Colorize,
    _degrade,
    _build_condition,
    postprocess=_postprocess,
    augment=_augment,
    prepare=_prepare,
    fixed_options={"hints": "only", "repainted": "only"},
    recolors=lambda options: True,
    needs_8_bits=True,
    needs_color=True,
)
