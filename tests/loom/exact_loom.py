"""Looms of few codes: one with random weights, one with the exact conditionals of a table."""

from collections.abc import Mapping
from itertools import product

import torch
from torch import Tensor

from modaloom.core.types import MASK, CodeShape
from modaloom.loom.config import LoomConfig
from modaloom.loom.loom import Loom

SHAPES = {"a": CodeShape((1,), 1, 3), "b": CodeShape((3,), 1, 2)}
PLACES = {"a": [0], "b": [1, 2, 3]}
OUTCOMES = torch.tensor([*product(range(3), range(2), range(2), range(2))])
VALUES = torch.tensor([*product(range(2), repeat=3)])[..., None]
"""All values of b."""
SMALL = {"width": 8, "num_layers": 1, "num_heads": 1}


def some_loom(shapes: Mapping[str, CodeShape] = SHAPES, process: str = "masked") -> Loom:
    """A network with random weights: its conditionals fit no joint distribution."""
    loom = Loom(shapes, {name: name for name in shapes}, {}, LoomConfig(process=process, **SMALL))
    random = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weights in loom.parameters():
            weights.normal_(0, 0.7, generator=random)
    return loom.eval()


class Exact(Loom):
    """The exact conditionals of a random table over all outcomes."""

    def __init__(self) -> None:
        super().__init__(SHAPES, {name: name for name in SHAPES}, {}, LoomConfig(**SMALL))
        self.p = torch.rand(len(OUTCOMES), generator=torch.Generator().manual_seed(1), dtype=torch.float64)
        self.p /= self.p.sum()

    def forward(self, canvas, augmented=None):
        weights = self.p
        for name, f in canvas.items():
            state, own = f.state[:, None, :, 0], OUTCOMES[:, PLACES[name]]
            weights = weights * ((state == own) | (state == MASK)).all(-1)
        found = {}
        for name in canvas:
            codes = torch.arange(SHAPES[name].codebook_size)
            shown = (OUTCOMES[:, PLACES[name], None] == codes).double()
            rows = weights.expand(len(canvas[name].t), -1)
            found[name] = torch.einsum("bo,olk->blk", rows, shown).log()[:, :, None]
        return found

    def of(self, **codes: int | list[int]) -> Tensor:
        """p(codes at their places; -1 is any), summed over all else."""
        fits = torch.ones(len(OUTCOMES), dtype=torch.bool)
        for name, own in codes.items():
            state = torch.tensor(own).reshape(-1)
            fits &= ((OUTCOMES[:, PLACES[name]] == state) | (state == -1)).all(1)
        return self.p[fits].sum()
