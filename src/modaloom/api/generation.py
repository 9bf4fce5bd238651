"""Generation by a Loom, with a Restorer to refine what it generates."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from modaloom.core.defaults import DEVICE, SEED
from modaloom.core.types import Sample
from modaloom.data.notices import Notify, silent
from modaloom.loom import generation
from modaloom.loom.config import CodeSamplingOptions
from modaloom.modalities.base import Value
from modaloom.restorer.restoration import RestoredRun, RestoreOptions, load_restored


@dataclass(frozen=True)
class RunRefiner:
    """A `Refiner` that is a run of the Restorer."""

    run: str
    restored: RestoredRun

    @property
    def stream(self) -> str:
        return self.restored.restoration.plan.streams[-1]

    @property
    def hash(self) -> str:
        return self.restored.hash

    def refine(self, value: Value, *, seed: int, name: str) -> Value:
        return self.restored.restore(value, RestoreOptions(seed=seed), name=name)


def generate(
    run: str | os.PathLike[str],
    folder: str | os.PathLike[str] | None = None,
    *,
    given: Mapping[str, Value] | None = None,
    want: str | Sequence[str],
    out: str | os.PathLike[str],
    n: int | None = None,
    seed: int = SEED,
    sampling: CodeSamplingOptions | None = None,
    refine: str | os.PathLike[str] | None = None,
    device: str = DEVICE,
    notify: Notify = silent,
) -> Iterator[Sample]:
    """Generate samples and write them as plain files; yields each sample, and the folder appears at the end.

    Without `folder`: n (default 4) samples `0000`, `0001`, … from `given`. With it: n (default 1) for every
    sample of the folder, which keeps its key, from the streams that it has; `want` may then be ("missing",).
    A sample of which nothing is given, or of which a stream cannot be read, is left out.

    Args:
        run: a run folder, or the name of a bundled run.
        folder: generate for each of its samples.
        given: stream → value, the same for every sample.
        want: streams to generate.
        out: a new folder.
        n: how many samples.
        seed: the same seed gives the same files at any n.
        sampling: fields of `CodeSamplingConfig` that differ from the run's.
        refine: a run that restores one of the wanted streams: it improves what was generated.
        device: auto | cpu | cuda | mps.
        notify: gets a warning for every direction that is no better than its baseline.

    Raises:
        BadValue, BadFile, BadFolder, BadRun: before anything is written.
        PartlyFailed: at the end, for files of the folder that could not be read; all else is written.
    """
    refiner = None if refine is None else RunRefiner(str(refine), load_restored(refine, device=device))
    return generation.generate(
        run,
        folder,
        given=given,
        want=want,
        out=out,
        n=n,
        seed=seed,
        sampling=sampling,
        refiner=refiner,
        device=device,
        notify=notify,
    )
