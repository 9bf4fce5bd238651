"""The reverse process of uniform diffusion itself: every code is drawn anew in every step."""

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor

from modaloom.core.types import Canvas, CodeDenoiser, Field
from modaloom.diffusion.categorical import apply_temperature_top_p, inverse_cdf
from modaloom.diffusion.noise import Noise
from modaloom.diffusion.process import unknown
from modaloom.diffusion.samplers.base import at_time, code_noise, outstanding, step_ends
from modaloom.diffusion.uniform import Uniform


@torch.no_grad()
def ancestral_uniform(
    denoise: CodeDenoiser,
    process: Uniform,
    canvas: Canvas,
    times: Tensor,
    *,
    noise: Noise,
    temperature: float = 1.0,
    top_p: float = 1.0,
) -> Iterator[Canvas]:
    """Each unknown code from its posterior q(z_s | z_t), independently: exact as steps get short.

    D3PM's ancestral sampler (arXiv 2107.03006). It may change a code as often as it likes, so it can
    put right what it drew too early.

    `canvas`: unknown codes as of the process at t = `times[0]`, where the wanted streams are. Yields a canvas
    per step of `times`. Raises `BadValue` for other times or temperatures.
    """
    for s in step_ends(times):
        canvas = ancestral_uniform_step(
            denoise, process, canvas, s, noise=noise, temperature=temperature, top_p=top_p
        )
        yield canvas


@torch.no_grad()
def ancestral_uniform_step(
    denoise: CodeDenoiser,
    process: Uniform,
    canvas: Canvas,
    s: float,
    *,
    noise: Noise,
    temperature: float,
    top_p: float,
) -> Canvas:
    """One step, from wherever the streams are to `s`; without an unknown code above it, no network call."""
    uniforms = code_noise(canvas, noise)
    due = outstanding({name: unknown(field) & (field.t > s)[:, None, None] for name, field in canvas.items()})
    logits = denoise(canvas) if due else {}
    drawn = dict(canvas)
    for name, where in due.items():
        field = canvas[name]
        clean = clean_law(process, logits[name], field, temperature, top_p)
        back = process.posterior(clean, field.state, field.t.clamp_max(s), field.t)
        codes = inverse_cdf(back.log(), uniforms[name][..., None]).squeeze(-1)
        drawn[name] = replace(field, state=torch.where(where, codes, field.state))
    return at_time(drawn, s)


def clean_law(process: Uniform, logits: Tensor, field: Field, temperature: float, top_p: float) -> Tensor:
    """Probabilities (B, L, Q, K) of the clean codes, given all of the canvas, float64.

    Temperature and top-p shape what the network says of a code from all the rest. What the code's own noisy
    state says is arithmetic, and stays.
    """
    rest = apply_temperature_top_p(
        process.from_posterior_logits(logits.double(), field), temperature=temperature, top_p=top_p
    )
    return process.to_posterior_logits(rest, field).softmax(-1)
