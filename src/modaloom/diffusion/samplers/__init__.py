"""Walks of t from 1 to 0, one per file."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from modaloom.core.errors import BadValue, check_choice
from modaloom.core.types import Canvas
from modaloom.diffusion.samplers.ancestral import ancestral, ancestral_step
from modaloom.diffusion.samplers.ancestral_uniform import ancestral_uniform, ancestral_uniform_step
from modaloom.diffusion.samplers.first_hitting import first_hitting
from modaloom.diffusion.samplers.maskgit import maskgit
from modaloom.diffusion.samplers.remasking import remasking
from modaloom.diffusion.samplers.top_probability import top_probability

CodeSamplerFn = Callable[..., Iterator[Canvas]]
"""`run(denoise, process, canvas, times, *, noise, temperature, top_p)` yields a canvas per step."""


@dataclass(frozen=True)
class CodeSampler:
    """A way of walking, and what it can walk."""

    fns: Mapping[str, CodeSamplerFn]
    """Name in PROCESSES → its walk."""
    options: tuple[str, ...] = ()
    """What the walks take besides."""
    exact: bool = True
    """Whether an exact denoiser's law is drawn from: with one code a step, or as steps get short."""
    ranked: bool = False
    """Whether each step brings back so many codes of a stream: exact with one at a time, stream by stream;
    others are as steps get short."""
    revises: tuple[str, ...] = ()
    """The processes under which a code that is written may change."""


CODE_SAMPLERS: dict[str, CodeSampler] = {
    "ancestral": CodeSampler({"masked": ancestral, "uniform": ancestral_uniform}, revises=("uniform",)),
    "top_probability": CodeSampler({"masked": top_probability}, ranked=True),
    "maskgit": CodeSampler({"masked": maskgit}, ("choice_temperature",), exact=False, ranked=True),
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
"""As a sampler's name: the one that suits the process."""
DEFAULT_SAMPLER = {"masked": "maskgit", "uniform": "ancestral"}
"""Process → the sampler of streams of which something is known."""
UNCONDITIONAL_SAMPLER = {"masked": "top_probability", "uniform": "ancestral"}
"""Process → the sampler of the first stream where nothing is given: its variety is that of all the rest."""


def resolve_sampler(sampler: str, process: str, default: Mapping[str, str] = DEFAULT_SAMPLER) -> str:
    """The sampler's name, or the usual one of the process for `AUTO`.

    Raises `BadValue` for an unknown one, or one that cannot walk the process.
    """
    if sampler == AUTO:
        return default[process]
    if process in CODE_SAMPLERS[check_choice("sampler", sampler, (*CODE_SAMPLERS, AUTO))].fns:
        return sampler
    fits = ", ".join(sorted(name for name, value in CODE_SAMPLERS.items() if process in value.fns))
    raise BadValue(f"the sampler {sampler!r} does not fit the process {process!r}; choose from: {fits}")
