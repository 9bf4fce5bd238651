"""Generation by a Loom, optionally refined by a Restorer."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from modaloom.core.defaults import DEVICE, OUTPUT, SEED
from modaloom.core.results import Results
from modaloom.core.types import Sample
from modaloom.data.notices import Notify, silent
from modaloom.loom import generation
from modaloom.loom.config import CodeSamplingOptions
from modaloom.loom.run import TrainedRun
from modaloom.modalities.base import Value
from modaloom.restorer.restoration import RestoredRun, RestoreOptions, load_restored


@dataclass(frozen=True)
class RunRefiner:
    """A `Refiner` that uses a Restorer run."""

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
    run: str | os.PathLike[str] | TrainedRun,
    folder: str | os.PathLike[str] | None = None,
    *,
    given: Mapping[str, Value] | None = None,
    want: str | Sequence[str],
    out: str | os.PathLike[str],
    n: int | None = None,
    seed: int = SEED,
    keep: Mapping[str, Sequence[tuple[float, float]]] | None = None,
    strength: Mapping[str, float] | None = None,
    length: float | None = None,
    sampling: CodeSamplingOptions | None = None,
    refine: str | os.PathLike[str] | None = None,
    mux: str = "",
    format: str = OUTPUT,
    device: str = DEVICE,
    notify: Notify = silent,
) -> Results[Sample]:
    """Generates samples while it is iterated over, writes them and yields each.

    The folder appears at the end, or when the work is stopped, with the samples that are finished.
    Without `folder`: n (default 4) samples `0000`, `0001`, … from `given`. With it: n (default 1) for every
    sample of the folder, under its key, from the streams that it has; `want` may then be ("missing",).
    Samples without any input stream, or with an unreadable one, are left out.

    Args:
        run: a run folder, the name of a bundled run, or a loaded run.
        folder: paired files; samples are generated for each of them.
        given: input stream → value, the same for every sample; or `Lines(path)`, a sample (or n) for each
            line of a text file.
        want: streams to generate.
        out: a new folder.
        n: number of samples.
        seed: equal seeds give equal files, independently of n.
        keep: stream that is both given and wanted → the parts (start, end) of its value that stay, in
            seconds of sound, frames, rows of the run's pixels or characters of text; without `folder` and
            `Lines`.
        strength: stream that is both given and wanted → how much of its value is drawn anew, in (0, 1], under
            the other given streams; without `folder`.
        length: how long values of the one wanted stream should be, in the same unit (tokens of text), beyond
            what is drawn at once: they go on block by block, from their start or from a value that is given,
            too.
        sampling: fields of `CodeSamplingConfig` that differ from the run's.
        refine: a Restorer run that refines one of the generated streams.
        mux: `CLIP+SOUND`, such as `video+music`: a wanted stream, and one that is wanted or given, which are
            written as one file; a given one is as it is given, as long.
        format: files | parquet: plain files, or a local dataset of Hugging Face, a row for each sample with
            its key, what was given and what was generated, which needs `modaloom[tables]`.
        device: auto | cpu | cuda | mps; a loaded run stays on its device.
        notify: gets a warning for every direction that is no better than its baseline.

    Raises:
        BadValue, BadFile, BadFolder, BadRun: before anything is written.
        PartlyFailed: at the end, if files of the folder could not be read; all other samples are written.
        KeyboardInterrupt: after Ctrl-C; the message says how many samples are kept.
    """
    refiner = None if refine is None else RunRefiner(str(refine), load_restored(refine, device=device))
    frames = generation.generate(
        run,
        folder,
        given=given,
        want=want,
        out=out,
        n=n,
        seed=seed,
        keep=keep or {},
        strength=strength or {},
        length=length,
        sampling=sampling,
        refiner=refiner,
        mux=mux,
        format=format,
        device=device,
        notify=notify,
    )
    return Results(frames)
