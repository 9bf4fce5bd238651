"""Walks of t from 1 to 0, one per file."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from modaloom.core.types import Canvas
from modaloom.diffusion.samplers.ancestral import ancestral
from modaloom.diffusion.samplers.certainty import certainty
from modaloom.diffusion.samplers.confidence import confidence


@dataclass(frozen=True)
class Sampler:
    """A sampler and what it can walk."""

    run: Callable[..., Iterator[Canvas]]
    """`run(denoise, process, canvas, times, *, noise, temperature, top_p)` yields a canvas per step."""
    processes: tuple[str, ...]
    """Names in PROCESSES."""
    options: tuple[str, ...] = ()
    """What `run` takes besides."""


SAMPLERS: dict[str, Sampler] = {
    "ancestral": Sampler(ancestral, ("masked",)),
    "certainty": Sampler(certainty, ("masked",)),
    "confidence": Sampler(confidence, ("masked",), ("jitter",)),
}
