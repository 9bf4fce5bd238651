"""Functions shared by all samplers of codes. Shapes: B batch, L positions, Q depths."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

from torch import Tensor

from modaloom.core.errors import BadValue
from modaloom.core.types import Canvas
from modaloom.diffusion.noise import Noise


def step_ends(times: Tensor) -> list[float]:
    """The end of each step of `times` (S + 1,); `BadValue` unless they fall from at most 1 to exactly 0."""
    values: list[float] = times.tolist()
    if len(values) < 2 or values[0] > 1 or values[-1] != 0 or any(t < s for t, s in pairwise(values)):
        raise BadValue(f"the times of a sampler must fall from at most 1 to exactly 0; got {values}")
    return values[1:]


def at_time(canvas: Canvas, s: float) -> Canvas:
    """The canvas with each field's t reduced to at most `s`; given fields have t = 0."""
    return {name: replace(field, t=field.t.clamp_max(s)) for name, field in canvas.items()}


def code_noise(canvas: Canvas, noise: Noise) -> dict[str, Tensor]:
    """Stream → uniforms (B, L, Q).

    For all codes, needed or not, so that the random numbers of a sample do not depend on its batch.
    """
    return {
        name: noise.uniform(*field.state.shape[1:]).to(field.state.device) for name, field in canvas.items()
    }


def nonempty(counts: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The streams that have a positive count (or a True) anywhere."""
    return {name: count for name, count in counts.items() if bool((count > 0).any())}
