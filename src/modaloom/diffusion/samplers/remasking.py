"""Steps back between the steps: what was drawn early is noised and drawn again."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from modaloom.core.errors import check_range
from modaloom.core.types import Canvas, CodeDenoiser, Field
from modaloom.diffusion.noise import Noise
from modaloom.diffusion.process import Process
from modaloom.diffusion.samplers.base import code_noise, step_ends

Step = Callable[..., Canvas]
"""`step(denoise, process, canvas, s, *, noise, temperature, top_p)`: from wherever the streams are to `s`."""


@torch.no_grad()
def remasking(
    denoise: CodeDenoiser,
    process: Process,
    canvas: Canvas,
    times: Tensor,
    *,
    step: Step,
    noise: Noise,
    temperature: float = 1.0,
    top_p: float = 1.0,
    remask: float = 1.0,
) -> Iterator[Canvas]:
    """Before each step from t to s, the forward process takes the state back to t + `remask` · (t − s).

    A corrector (Campbell et al., arXiv 2205.14987) made of the process itself. For masked codes it is
    remasking (ReMDM, 2503.00307): without it a code stays as it was drawn, however little was known then.
    Exact for an exact denoiser as steps get short. The last step takes nothing back, as nothing would be
    left to draw it again with care; `remask` 0 is the ancestral sampler.

    `canvas`, what is yielded and the errors: as the ancestral sampler's of the process.
    """
    check_range("remask", remask, 0)
    for s in step_ends(times):
        if s > 0:
            canvas = renoised(process, canvas, s, remask, noise)
        canvas = step(denoise, process, canvas, s, noise=noise, temperature=temperature, top_p=top_p)
        yield canvas


def renoised(process: Process, canvas: Canvas, s: float, remask: float, noise: Noise) -> Canvas:
    """Every stream that is above `s` so much noisier, but no more than noise."""

    def later(field: Field) -> Tensor:
        return (field.t + remask * (field.t - s).clamp_min(0)).clamp_max(1)

    uniforms = code_noise(canvas, noise)
    return {
        name: process.advance(field, later(field), uniform=uniforms[name]) for name, field in canvas.items()
    }
