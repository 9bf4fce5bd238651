"""What the samplers of masked diffusion share. Shapes: B batch, L positions, Q depths, K codes."""

from collections.abc import Callable, Mapping

from torch import Tensor

from modaloom.core.types import Canvas, CodeDenoiser, Field
from modaloom.diffusion.frontier import Frontier
from modaloom.diffusion.masked import Masked
from modaloom.diffusion.samplers.base import outstanding

Draw = Callable[[Tensor, Tensor], Tensor]
"""Logits (B, L, K), uniforms (B, L) → codes (B, L)."""


def unmask(
    denoise: CodeDenoiser,
    canvas: Canvas,
    due: Mapping[str, Tensor],
    uniforms: Mapping[str, Tensor],
    draw: Draw,
) -> Canvas:
    """Write each position's next `due` (B, L) codes, by stream.

    Codes of different positions are drawn independently, those of one position in turn, with a network call
    each. Where nothing is due the network is not called.
    """
    due = outstanding(due)
    while due:
        logits = denoise(canvas)
        for name, count in due.items():
            frontier = Frontier.of(canvas[name])
            codes = draw(frontier.pick(logits[name]), frontier.pick(uniforms[name]))
            canvas = canvas | {name: frontier.write(canvas[name], codes, count > 0)}
        due = outstanding({name: count - 1 for name, count in due.items()})
    return canvas


def masked_fraction(process: Masked, start: Field, s: float) -> Tensor:
    """float (B,): the share of the codes masked at the start that is still masked at level `s`."""
    return process.stay(start.t.clamp_max(s), start.t)
