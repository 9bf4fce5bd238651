"""Walks of t from 1 to 0, one per file."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from modaloom.core.errors import BadValue, choose
from modaloom.core.types import Canvas
from modaloom.diffusion.samplers import renewal
from modaloom.diffusion.samplers.ancestral import ancestral, step
from modaloom.diffusion.samplers.certainty import certainty
from modaloom.diffusion.samplers.confidence import confidence
from modaloom.diffusion.samplers.first_hitting import first_hitting
from modaloom.diffusion.samplers.revising import revising

Run = Callable[..., Iterator[Canvas]]
"""`run(denoise, process, canvas, times, *, noise, temperature, top_p)` yields a canvas per step."""


@dataclass(frozen=True)
class Sampler:
    """A way of walking, and what it can walk."""

    runs: Mapping[str, Run]
    """Name in PROCESSES → its walk."""
    options: tuple[str, ...] = ()
    """What the walks take besides."""
    exact: bool = True
    """Whether an exact denoiser's law is drawn from: with one code a step, or as steps get short."""
    revises: tuple[str, ...] = ()
    """The processes under which a code that is written may change."""


SAMPLERS: dict[str, Sampler] = {
    "ancestral": Sampler({"masked": ancestral, "uniform": renewal.renewal}, revises=("uniform",)),
    "certainty": Sampler({"masked": certainty}),
    "confidence": Sampler({"masked": confidence}, ("jitter",), exact=False),
    "first_hitting": Sampler({"masked": first_hitting}),
    "revising": Sampler(
        {"masked": partial(revising, step=step), "uniform": partial(revising, step=renewal.step)},
        ("churn",),
        revises=("masked", "uniform"),
    ),
}

AUTO = "auto"
"""As a sampler's name: the one that suits the process."""
USUAL = {"masked": "confidence", "uniform": "ancestral"}
"""Process → the sampler of streams of which something is known."""
OPENING = {"masked": "certainty", "uniform": "ancestral"}
"""Process → the sampler of the first stream where nothing is given: its variety is that of all the rest."""


def fitting(sampler: str, process: str, usual: Mapping[str, str] = USUAL) -> str:
    """The sampler's name, or the usual one of the process for `AUTO`.

    Raises `BadValue` for an unknown one, or one that cannot walk the process.
    """
    if sampler == AUTO:
        return usual[process]
    if process in SAMPLERS[choose("sampler", sampler, (*SAMPLERS, AUTO))].runs:
        return sampler
    fits = ", ".join(sorted(name for name, value in SAMPLERS.items() if process in value.runs))
    raise BadValue(f"the sampler {sampler!r} does not fit the process {process!r}; choose from: {fits}")
