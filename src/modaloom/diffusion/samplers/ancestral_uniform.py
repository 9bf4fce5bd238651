"""Ancestral sampling of uniform diffusion: every unknown code is resampled in every step."""

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor

from modaloom.core.types import Canvas, CodeDenoiser, Field
from modaloom.diffusion.categorical import apply_temperature_top_p, inverse_cdf
from modaloom.diffusion.noise import Noise
from modaloom.diffusion.process import unknown
from modaloom.diffusion.samplers.base import at_time, code_noise, nonempty, step_ends
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
    """Ancestral sampling (D3PM, arXiv 2107.03006): each unknown code from its posterior q(z_s | z_t).

    Codes are sampled independently, which is exact in the limit of short steps. A code may change in every
    step, so early errors can be corrected.

    Args:
        denoise: noisy canvas → logits of the clean codes.
        process: the process whose reverse is sampled.
        canvas: wanted streams at t = `times[0]`, their unknown codes as of the process at that time.
        times: float (S + 1,), falling from at most 1 to exactly 0.
        noise: random numbers, one generator per sample.
        temperature: of the codes, at least 0; 0 takes the most probable code.
        top_p: nucleus sampling, in (0, 1].

    Yields:
        The canvas at each later time.

    Raises:
        BadValue: for other times, temperatures or `top_p`.
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
    """One ancestral step, from each stream's own time to `s`; no network call if nothing is above `s`.

    Args:
        denoise: noisy canvas → logits of the clean codes.
        process: the process whose reverse is sampled.
        canvas: each stream at its own `t`.
        s: time at the end of the step, in [0, 1].
        noise: random numbers, one generator per sample.
        temperature: of the codes, at least 0; 0 takes the most probable code.
        top_p: nucleus sampling, in (0, 1].

    Returns:
        The canvas at `s`.
    """
    uniforms = code_noise(canvas, noise)
    pending = nonempty(
        {name: unknown(field) & (field.t > s)[:, None, None] for name, field in canvas.items()}
    )
    logits = denoise(canvas) if pending else {}
    result = dict(canvas)
    for name, where in pending.items():
        field = canvas[name]
        clean = clean_probabilities(process, logits[name], field, temperature, top_p)
        posterior = process.posterior(clean, field.state, field.t.clamp_max(s), field.t)
        codes = inverse_cdf(posterior.log(), uniforms[name][..., None]).squeeze(-1)
        result[name] = replace(field, state=torch.where(where, codes, field.state))
    return at_time(result, s)


def clean_probabilities(
    process: Uniform, logits: Tensor, field: Field, temperature: float, top_p: float
) -> Tensor:
    """Probabilities of the clean codes given all of the canvas.

    Temperature and top-p apply to the network's prediction from the rest of the canvas; the likelihood of the
    code's own noisy state is exact and unchanged.

    Args:
        process: gives the likelihood of a noisy code.
        logits: float (B, L, Q, K), posterior logits of the clean codes.
        field: the noisy codes.
        temperature: at least 0.
        top_p: in (0, 1].

    Returns:
        float64 (B, L, Q, K).
    """
    rest = apply_temperature_top_p(
        process.from_posterior_logits(logits.double(), field), temperature=temperature, top_p=top_p
    )
    return process.to_posterior_logits(rest, field).softmax(-1)
