"""Unmasking, shared by the samplers of masked diffusion.

Shapes: B batch, L positions, Q depths, K codes.
"""

from collections.abc import Callable, Mapping

from torch import Tensor

from modaloom.core.types import Canvas, CodeDenoiser, Field
from modaloom.diffusion.frontier import Frontier
from modaloom.diffusion.masked import Masked
from modaloom.diffusion.samplers.base import nonempty

SampleCodes = Callable[[Tensor, Tensor], Tensor]
"""Logits (B, L, K), uniforms (B, L) → codes (B, L)."""


def unmask(
    denoise: CodeDenoiser,
    canvas: Canvas,
    counts: Mapping[str, Tensor],
    uniforms: Mapping[str, Tensor],
    sample: SampleCodes,
) -> Canvas:
    """Unmask the next codes of each position.

    Codes of different positions are sampled independently, those of one position in sequence, with a network
    call each. Without codes to unmask the network is not called.

    Args:
        denoise: noisy canvas → logits of the clean codes.
        canvas: unknown codes are `MASK`.
        counts: stream → int64 (B, L), the number of codes to unmask.
        uniforms: stream → float (B, L, Q) ~ U[0, 1).
        sample: logits and uniforms → codes.

    Returns:
        The canvas with the codes written.
    """
    counts = nonempty(counts)
    while counts:
        logits = denoise(canvas)
        for name, count in counts.items():
            frontier = Frontier.of(canvas[name])
            codes = sample(frontier.pick(logits[name]), frontier.pick(uniforms[name]))
            canvas = canvas | {name: frontier.write(canvas[name], codes, count > 0)}
        counts = nonempty({name: count - 1 for name, count in counts.items()})
    return canvas


def masked_fraction(process: Masked, start: Field, s: float) -> Tensor:
    """float (B,): the fraction of the codes masked in `start` that is still masked at time `s`."""
    return process.stay(start.t.clamp_max(s), start.t)
