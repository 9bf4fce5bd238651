"""A small joint distribution of a few streams, with exact conditionals by enumeration."""

import itertools
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from modaloom.core.types import MASK, Canvas, CodeDenoiser, Field, Logits
from modaloom.diffusion.masked import Masked
from modaloom.diffusion.process import Process
from modaloom.diffusion.uniform import Uniform

Likelihood = Callable[[str, Field], Tensor]
"""Stream, field → (B, N): the likelihood of the field's state given each row of the table."""


class Joint:
    """A random p over the codes of streams of shapes (L, Q), codebook size `size`, and its exact denoiser."""

    def __init__(self, shapes: Mapping[str, tuple[int, int]], size: int, *, seed: int) -> None:
        self.shapes, self.size = dict(shapes), size
        self.codes_per_stream = [positions * depth for positions, depth in shapes.values()]
        self.table = torch.tensor(list(itertools.product(range(size), repeat=sum(self.codes_per_stream))))
        noise = torch.randn(
            len(self.table), dtype=torch.float64, generator=torch.Generator().manual_seed(seed)
        )
        self.log_p = (2 * noise).log_softmax(0)
        self.parts = dict(zip(shapes, torch.split(self.table, self.codes_per_stream, 1), strict=True))

    def denoise(self, canvas: Canvas) -> Logits:
        """log p(code | all unmasked codes of the canvas), absent streams marginalised."""
        return self.shared(canvas, lambda name, field: self.fits(name, field.state).double())

    def denoiser(self, process: Process) -> CodeDenoiser:
        """As `denoise`, for the noise of a process of DENOISERS."""
        return DENOISERS[type(process)](self, process)

    def blurred(self, name: str, field: Field, alpha: Callable[[Tensor], Tensor]) -> Tensor:
        """float64 (B, N): q(noisy codes of a stream | each row of the table), for uniform noise."""
        kept = torch.where(field.known.flatten(1), 1.0, alpha(field.t.double())[:, None])[:, None]
        same = field.state.flatten(1)[:, None] == self.parts[name]
        likelihood: Tensor = (kept * same + (1 - kept) / self.size).prod(-1)
        return likelihood

    def shared(self, canvas: Canvas, likelihood: Likelihood) -> Logits:
        """`conditionals`, computed once for samples of equal codes and noise levels."""
        flat = torch.cat([field.state.flatten(1) for field in canvas.values()], 1) - MASK
        key = (flat * (self.size + 1) ** torch.arange(flat.shape[1])).sum(1)
        for field in canvas.values():
            levels, place = torch.unique(field.t, return_inverse=True)
            key = key * len(levels) + place
        _, inverse = torch.unique(key, return_inverse=True)
        first = torch.zeros(int(inverse.max()) + 1, dtype=torch.int64)
        first[inverse] = torch.arange(len(inverse))
        distinct = {
            name: replace(field, state=field.state[first], known=field.known[first], t=field.t[first])
            for name, field in canvas.items()
        }
        return {name: logits[inverse] for name, logits in self.conditionals(distinct, likelihood).items()}

    def conditionals(self, canvas: Canvas, likelihood: Likelihood) -> Logits:
        """Bayes' rule by enumeration of the table."""
        weights = self.log_p.exp().expand(1, -1)
        for name, field in canvas.items():
            weights = weights * likelihood(name, field)
        weights = weights / weights.sum(1, keepdim=True)
        return {
            name: (weights @ F.one_hot(self.parts[name], self.size).double().flatten(1))
            .log()
            .view(*field.state.shape, self.size)
            for name, field in canvas.items()
        }

    def fits(self, name: str, state: Tensor) -> Tensor:
        """bool (B, N): which rows of the table agree with the unmasked codes of a stream."""
        flat = state.flatten(1)[:, None]
        fit: Tensor = ((flat == MASK) | (flat == self.parts[name])).all(-1)
        return fit

    def canvas(self, rows: Tensor, *, hidden: Collection[str] = ()) -> Canvas:
        """Rows of the table as a canvas; the `hidden` streams are fully masked at t = 1, the others known."""
        canvas = {}
        for name, shape in self.shapes.items():
            state = self.parts[name][rows].view(-1, *shape)
            known = torch.full_like(state, name not in hidden, dtype=torch.bool)
            canvas[name] = Field(
                state=state.masked_fill(~known, MASK),
                known=known,
                valid=torch.ones(state.shape[:2], dtype=torch.bool),
                t=torch.full((len(rows),), float(name in hidden)),
                codebook_size=self.size,
            )
        return canvas

    @staticmethod
    def shown(field: Field) -> Field:
        """The field with all codes known at t = 0."""
        return replace(field, known=torch.ones_like(field.known), t=torch.zeros_like(field.t))

    def log_marginal(self, names: Collection[str]) -> Tensor:
        """log p (N,) of the streams `names` in each row."""
        same = torch.stack([self.fits(name, self.parts[name]) for name in names]).all(0)
        return (same * self.log_p.exp()).sum(1).log()


def _masked(joint: Joint, process: Any) -> CodeDenoiser:
    return joint.denoise


def _uniform(joint: Joint, process: Any) -> CodeDenoiser:
    alpha = process.schedule.alpha
    return lambda canvas: joint.shared(canvas, lambda name, field: joint.blurred(name, field, alpha))


DENOISERS: Mapping[type[Process], Callable[[Joint, Any], CodeDenoiser]] = {Masked: _masked, Uniform: _uniform}
"""Process → joint and process → the exact denoiser."""
