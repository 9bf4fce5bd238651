"""Samplers of codes, one per file: generators that step t from 1 to 0."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from modaloom.core.errors import BadValue, check_choice
from modaloom.core.types import Canvas
from modaloom.diffusion.samplers.ancestral import ancestral, ancestral_step
from modaloom.diffusion.samplers.ancestral_uniform import ancestral_uniform, ancestral_uniform_step
from modaloom.diffusion.samplers.coarse_to_fine import coarse_to_fine
from modaloom.diffusion.samplers.first_hitting import first_hitting
from modaloom.diffusion.samplers.maskgit import maskgit
from modaloom.diffusion.samplers.remasking import remasking
from modaloom.diffusion.samplers.top_probability import top_probability

CodeSamplerFn = Callable[..., Iterator[Canvas]]
"""`run(denoise, process, canvas, times, *, noise, temperature, top_p)` yields a canvas per step."""


@dataclass(frozen=True)
class CodeSampler:
    """A sampler and the processes that it supports."""

    fns: Mapping[str, CodeSamplerFn]
    """Name in PROCESSES → sampling function."""
    options: tuple[str, ...] = ()
    """Names of additional keyword arguments."""
    exact: bool = True
    """Whether an exact denoiser gives exact samples: with one code per step, or as steps get short."""
    ranked: bool = False
    """Whether each step unmasks a fixed number of codes: exact with one code per step, stream by stream. The
    others are exact in the limit of short steps."""
    revises: tuple[str, ...] = ()
    """The processes under which it may change a code that is already unmasked."""


CODE_SAMPLERS: dict[str, CodeSampler] = {
    "ancestral": CodeSampler({"masked": ancestral, "uniform": ancestral_uniform}, revises=("uniform",)),
    "top_probability": CodeSampler({"masked": top_probability}, ranked=True),
    "maskgit": CodeSampler({"masked": maskgit}, ("choice_temperature",), exact=False, ranked=True),
    "coarse_to_fine": CodeSampler(
        {"masked": coarse_to_fine}, ("choice_temperature",), exact=False, ranked=True
    ),
    "first_hitting": CodeSampler({"masked": first_hitting}, ranked=True),
    "remasking": CodeSampler(
        {
            "masked": partial(remasking, step=ancestral_step),
            "uniform": partial(remasking, step=ancestral_uniform_step),
        },
        ("remask",),
        revises=("masked", "uniform"),
    ),
}

AUTO = "auto"
"""Sampler name that stands for the default of the process."""
DEFAULT_SAMPLER = {"masked": "maskgit", "uniform": "ancestral"}
"""Process → default sampler of a stream when something is given."""
UNCONDITIONAL_SAMPLER = {"masked": "top_probability", "uniform": "ancestral"}
"""Process → default sampler of the first stream when nothing is given, which determines the diversity."""


def resolve_sampler(sampler: str, process: str, default: Mapping[str, str] = DEFAULT_SAMPLER) -> str:
    """The sampler's name, or the default of the process for `AUTO`.

    Raises `BadValue` for an unknown sampler or one that does not support the process.
    """
    if sampler == AUTO:
        return default[process]
    if process in CODE_SAMPLERS[check_choice("sampler", sampler, (*CODE_SAMPLERS, AUTO))].fns:
        return sampler
    allowed = ", ".join(sorted(name for name, value in CODE_SAMPLERS.items() if process in value.fns))
    raise BadValue(f"the sampler {sampler!r} does not fit the process {process!r}; choose from: {allowed}")
