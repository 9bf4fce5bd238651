"""Generation with a finished run: samples written as files, for one condition or a whole folder."""

import os
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Protocol

from torch import Tensor

from modaloom.core.defaults import DEVICE, DRAWS, FOLDER_DRAWS, OUTPUT, SEED
from modaloom.core.errors import BadValue, PartlyFailed, check_choice, check_names
from modaloom.core.frame import Frames
from modaloom.core.types import Sample
from modaloom.data.atomic_io import stoppable_folder
from modaloom.data.notices import Notify, once, silent
from modaloom.data.outputs import OUTPUTS
from modaloom.evaluation.scores import cautions, scores
from modaloom.loom.canvas import NOTHING
from modaloom.loom.command_line import generate_command, plain
from modaloom.loom.config import CodeSamplingConfig
from modaloom.loom.generated import Generated
from modaloom.loom.given_lines import rows_of
from modaloom.loom.jobs import MISSING, Job, batched, jobs_of_folder, jobs_of_rows, reader_of_given
from modaloom.loom.long_streams import LongStream, drawing
from modaloom.loom.muxing import Muxing
from modaloom.loom.run import TrainedRun, check_draws, load
from modaloom.modalities.base import Value
from modaloom.tokenizers.spans import Span


class Refiner(Protocol):
    """Post-processes the generated values of one stream."""

    @property
    def run(self) -> str:
        """Its run, as written on a command line."""

    @property
    def stream(self) -> str:
        """The stream that it refines."""

    @property
    def hash(self) -> str:
        """SHA-256 that identifies its model."""

    def refine(self, value: Value, *, seed: int, name: str) -> Value:
        """Returns the refined value; random numbers depend on `seed` and `name` only."""


def generate(
    run: str | os.PathLike[str] | TrainedRun,
    folder: str | os.PathLike[str] | None = None,
    *,
    given: Mapping[str, Value] | None = None,
    want: str | Sequence[str],
    out: str | os.PathLike[str],
    n: int | None = None,
    seed: int = SEED,
    keep: Mapping[str, Sequence[Span]] = NOTHING,
    strength: Mapping[str, float] = NOTHING,
    length: float | None = None,
    sampling: Mapping[str, object] | None = None,
    refiner: Refiner | None = None,
    mux: str = "",
    format: str = OUTPUT,
    device: str = DEVICE,
    notify: Notify = silent,
) -> Frames[list[Sample]]:
    """Generate samples and write them as plain files of the data contract, step by step.

    The output folder appears when all samples are written, or when the work is stopped, with those that are
    finished. Without `folder`, samples `0000`, `0001`, … are generated from `given`. With it, samples are
    generated for every sample of the folder from the streams that it has, under the same key. Samples without
    a given stream, or with an unreadable one, are skipped. With `Lines`, samples are generated for each.

    Args:
        run: a loaded run, or a run folder or bundled run to load.
        folder: data folder that provides given streams.
        given: stream → value for all samples, as in `TrainedRun.generate`, or `Lines`: one for each.
        want: target streams; with `folder` also "missing": the streams that each sample lacks.
        out: folder to create.
        n: samples per condition, 1 to 100,000; default 4, with `folder` or `Lines` 1.
        seed: seed of the sampling noise, a signed 64-bit integer.
        keep: as in `TrainedRun.generate`; without `folder` and `Lines`.
        strength: as in `TrainedRun.generate`; without `folder`.
        length: as in `TrainedRun.generate`.
        sampling: overrides of the run's `CodeSamplingConfig`.
        refiner: post-processes one of the generated streams before it is written.
        mux: `CLIP+SOUND`: a wanted stream, and one that is wanted or given, which are written as one file.
        format: a name in `OUTPUTS`.
        device: device of a run that is loaded here: auto | cpu | cuda | mps.
        notify: receives a warning for every direction that is no better than its baseline, for given values
            that a limit of the run shortens, and for values that end before `length`.

    Yields:
        A frame after each sampling step and each refined sample. Its result is the samples that it finishes,
        which are written; its preview the batch that is being generated. `total` assumes that all files are
        readable; if they are not, the work ends before it.

    Raises:
        BadValue, BadFile, BadFolder, BadRun: before anything is written.
        PartlyFailed: at the end, if files of the folder could not be read; all other samples are written.
        KeyboardInterrupt: after Ctrl-C; the message says how many samples are kept.
    """
    trained = run if isinstance(run, TrainedRun) else load(run, device=device)
    want = check_names("want", want)
    if refiner is not None:
        _check_refiner(refiner, trained, want)
    options, output = trained.sampling(sampling or {}), OUTPUTS[check_choice("format", format, OUTPUTS)]
    check_draws(1 if n is None else n, seed)
    fixed = [trained.values(row) for row in rows_of(given or {})]
    if folder is not None and len(fixed) > 1:
        raise BadValue("a FOLDER and lines of given values are two lists of samples; give one of them")
    if keep and (folder is not None or len(fixed) > 1):
        raise BadValue("a part is kept of one given value; leave out keep, or the FOLDER and the lines")
    if strength and folder is not None:
        raise BadValue("strength is of a given value, or of lines; leave out strength, or the FOLDER")
    kept = trained.kept(fixed[0], want, keep, strength)
    long, *_ = [LongStream.of(trained.model, want, length, row, kept) for row in fixed]
    lost = trained.shortenings()
    for name, value in ((name, value) for row in fixed for name, value in row.items()):
        lost.add(name, trained.lost(name, value))
    reader = None if folder is None else reader_of_given(trained, Path(folder), fixed[0], want, lost)
    known = {*fixed[0], *(reader.streams if reader else ())}
    muxing = Muxing.of(mux, want, known, trained.modality_of) if mux else None
    plan, jobs = (
        jobs_of_rows(trained, fixed, want, n or (DRAWS if len(fixed) == 1 else FOLDER_DRAWS))
        if reader is None
        else jobs_of_folder(trained, reader, fixed[0], want, n or FOLDER_DRAWS)
    )
    source = trained.path if isinstance(run, TrainedRun) else run
    facts = {
        "seed": seed,
        "model": trained.hash,
        "command": generate_command(
            source, folder, plain(given or {}, fixed[0]), want, n, seed, options, keep, length, strength
        ),
    }
    if refiner is not None:
        command = f"{facts['command']} --refine {shlex.quote(refiner.run)}"
        facts |= {"refine": refiner.hash, "command": command}
    if muxing is not None:
        facts["command"] = f"{facts['command']} --mux {mux}"
    if format != OUTPUT:
        facts["command"] = f"{facts['command']} --format {format}"
    rows, warn = scores(trained.path), once(notify)
    goes_on = trained.model.codes({name: [fixed[0][name]] for name in want if name in fixed[0]})
    steps_of = (
        partial(trained.model.num_steps, options=options, given=goes_on, kept=kept)
        if long is None
        else partial(long.num_steps, options=options, given=goes_on)
    )
    total, step, count, ended = _num_steps(steps_of, plan, refiner), 0, 0, 0
    kinds = trained.modality_of | (muxing.modality_of if muxing else {})
    title = f"Samples that modaloom generated, by\n\n```bash\n{facts['command']}\n```"
    with (
        stoppable_folder(out, "samples", lambda: count) as root,
        output.writing(root, kinds, title) as writer,
    ):
        for batch in batched(jobs):
            for caution in cautions(rows, batch[0].given, batch[0].want):
                warn(caution)
            keys, refines = [job.key for job in batch], _refines(refiner, batch[0].want)
            for frame in _sampled(trained, batch, seed, options, kept, strength, long):
                step += 1
                shown = replace(
                    frame.map(partial(_named, keys)), step=step, total=max(step, total), first=count
                )
                if frame.result is None or refines:
                    yield replace(shown, result=None)
            assert frame.result is not None
            pairs = [*zip(batch, frame.result)]
            for group in [[pair] for pair in pairs] if refines else [pairs]:
                step, written = step + refines, list[Sample]()
                for job, sample in group:
                    nearest = trained.neighbours.nearest(trained.model.loom.layout, sample.codes)
                    finished = _refined(refiner, Sample(job.key, sample), seed)
                    whole = muxing.joined(finished, job.given) if muxing else finished
                    writer.write(output.shown(whole, job.given), {**facts, "nearest": nearest})
                    written.append(finished)
                    count += 1
                    ended += long is not None and long.has_ended(sample.codes)
                yield replace(shown, step=step, result=written)
        failures = [] if reader is None else reader.failures()
    lost.notify(notify)
    if ended:
        notify(f"{', '.join(want)}: {ended:,} of {count:,} values end by themselves before length {length:g}")
    if failures:
        raise PartlyFailed(failures, f"{count:,} samples are in {out}")


def _check_refiner(refiner: Refiner, trained: TrainedRun, want: Sequence[str]) -> None:
    """Raise `BadValue` if the refiner's stream is not among the targets."""
    if refiner.stream not in (trained.model.wanted if tuple(want) == (MISSING,) else want):
        raise BadValue(f"{refiner.run} restores {refiner.stream}, which is not wanted; leave --refine out")


def _refines(refiner: Refiner | None, want: Sequence[str]) -> bool:
    return refiner is not None and refiner.stream in want


def _refined(refiner: Refiner | None, sample: Sample, seed: int) -> Sample:
    if refiner is None or refiner.stream not in sample.streams:
        return sample
    refined = refiner.refine(sample.streams[refiner.stream], seed=seed, name=sample.key)
    return Sample(sample.key, {**sample.streams, refiner.stream: refined})


def _num_steps(steps_of: Callable[[Sequence[str]], int], plan: Iterator[Job], refiner: Refiner | None) -> int:
    """Sampling steps of all batches, and one for each refined sample."""
    return sum(
        steps_of(batch[0].want) + len(batch) * _refines(refiner, batch[0].want) for batch in batched(plan)
    )


def _sampled(
    trained: TrainedRun,
    batch: Sequence[Job],
    seed: int,
    sampling: CodeSamplingConfig,
    kept: Mapping[str, Tensor],
    strength: Mapping[str, float],
    long: LongStream | None,
) -> Frames[list[Generated]]:
    given = {name: [job.given[name] for job in batch] for name in batch[0].given}
    keys = [job.key for job in batch]
    draw = drawing(trained.model, batch[0].want, kept, long, strength)
    codes = trained.model.codes(given)
    frames = draw(codes, n=len(batch), seed=seed, names=keys, options=sampling)
    decoded = partial(trained.model.values, kept={name: given[name] for name in kept})
    return (frame.map(decoded) for frame in frames)


def _named(keys: Sequence[str], samples: Sequence[Generated]) -> list[Sample]:
    return [Sample(key, sample) for key, sample in zip(keys, samples, strict=True)]
