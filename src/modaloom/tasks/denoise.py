"""White noise taken away, from signals over any axes."""

from dataclasses import dataclass, replace

import torch

from modaloom.core.errors import check_range
from modaloom.degradations.noise import noise
from modaloom.models.pair import Pair
from modaloom.tasks.base import Signals, Task, given, wanted
from modaloom.tasks.known import improve, wholly_known


@dataclass(frozen=True)
class Denoise:
    """Options."""

    sigma: float = 25 / 255
    """Of the noise, for signals in [0, 1]; training goes from none up to this."""

    def __post_init__(self) -> None:
        check_range("sigma", self.sigma, 0, 1, open_low=True)


def _draw(options: Denoise, generator: torch.Generator) -> Denoise:
    return replace(options, sigma=options.sigma * (1 - float(torch.rand((), generator=generator)) ** 2))


def _degrade(signals: Signals, options: Denoise, generator: torch.Generator) -> Signals:
    want = wanted(signals)
    return Signals(want, noise(want, sigma=options.sigma, generator=generator))


def _ask(signals: Signals, options: Denoise) -> Pair:
    return improve(wholly_known(given(signals)), level=options.sigma)


DENOISE = Task(Denoise, _degrade, _ask, draw=_draw, certain=lambda options: False, learned={"sigma": "up to"})
