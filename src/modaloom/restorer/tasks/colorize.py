"""Grey pictures coloured, with or without hints."""

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

RECOLOR_STD = (0.8, 0.8, 0.8, 0.8, 0.2)
"""How much of red, green and blue beyond the luma, of the luma beyond its mean, and of 1 is in a new channel;
standard deviations, before all are times one share from 0 to 1."""


@dataclass(frozen=True)
class Colorize:
    """Options."""

    hints: int = 16
    """The most pixels whose colour a training picture shows; from none up to this."""
    repainted: float = 1.0
    """Share of the training pictures with hints that get other colours: hints count more than memory."""

    def __post_init__(self) -> None:
        check_range("hints", self.hints, 0)
        check_range("repainted", self.repainted, 0, 1)


def _prepare(image: Tensor, mask: Tensor | None, options: Colorize) -> Tensor:
    """The mask marks the pixels whose colours are right; without one, none is."""
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
    """RGB (3, H, W) and bool (H, W) → (4, H, W): grey but for the hints, and where they are."""
    check_mask_size(hinted, image)
    grey = quantize_8bit(luma(image)).expand_as(image)
    return append_mask(torch.where(hinted, replace_luma(grey[:1], image), grey), hinted)


def _augment(signals: Signals, options: Colorize, generator: torch.Generator) -> Signals:
    """In other colours and as bright, where hints tell which."""
    want, known = require_target(signals), require_input(signals)[3] > 0
    if not known.any() or torch.rand((), generator=generator) >= options.repainted:
        return signals
    other = random_recolor(want, generator)
    return Signals(other, gray_with_hints(other, known))


def random_recolor(image: Tensor, generator: torch.Generator) -> Tensor:
    """RGB (3, H, W) in colours that are a random affine map of its own and of its brightness; as bright."""
    grey = quantize_8bit(luma(image))
    seen = torch.cat([image - grey, grey - grey.mean(), torch.ones_like(grey)])
    mixing = torch.randn(3, len(RECOLOR_STD), generator=generator) * torch.tensor(RECOLOR_STD)
    mixing *= torch.rand((), generator=generator)
    return replace_luma(grey, torch.tensordot(mixing.to(image), seen, 1))


def _build_condition(signals: Signals, options: Colorize) -> ConditionalExample:
    """The guess takes each place's colour from the hints that are near, and as bright; how near they are is
    shown, too."""
    hinted = _hinted(require_input(signals))
    held, known = hinted[:3], hinted[3:]
    grey = luma(held)
    colour, near = spread_hints(held - grey, known, grey)
    return restoration_example(torch.cat([(grey + colour).clamp(0, 1), near]))


def _hinted(held: Tensor) -> Tensor:
    """A grey picture (1, H, W), one in RGB (3, H, W), or with hints (4, H, W) → (4, H, W)."""
    if len(held) == 4:
        return held
    if len(held) not in (1, 3):
        raise BadValue(f"a picture of {len(held)} channels; give grey, RGB, or RGB and a mask of hints")
    return gray_with_hints(held.expand(3, -1, -1), torch.zeros(held.shape[1:], dtype=torch.bool))


def _postprocess(restored: Tensor, signals: Signals, options: Colorize) -> Tensor:
    """The luma in 8 bits is the given one, bit for bit."""
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
    needs_color=True,
)
