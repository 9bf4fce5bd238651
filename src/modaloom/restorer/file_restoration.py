"""Restoration of files and folders with a finished run."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from modaloom.core.defaults import DEVICE, DRAWS
from modaloom.core.errors import (
    BadFile,
    BadValue,
    ModaloomError,
    PartlyFailed,
    bounded,
    check_count,
)
from modaloom.core.frame import Frame, Frames
from modaloom.core.results import Results
from modaloom.data.atomic_io import all_or_none, stoppable_folder
from modaloom.data.inputs import named_files
from modaloom.data.names import split_suffix
from modaloom.data.notices import Notify, silent
from modaloom.data.writer import write_with_tracks
from modaloom.modalities.base import Modality, Value
from modaloom.restorer.restoration import RestoredRun, RestoreOptions, load_restored, opened

MAX_DRAWS = 100_000
"""Maximum number of samples per call."""


def restore(
    run: str | os.PathLike[str],
    inputs: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] = (),
    *,
    out: str | os.PathLike[str],
    n: int | None = None,
    restore_options: RestoreOptions | None = None,
    device: str = DEVICE,
    notify: Notify = silent,
) -> Results[Path]:
    """Restores files while it is iterated over, and yields the path of each result.

    The output folder appears at the end, or when the work is stopped, with the results that are finished.

    Results are written to `OUT/STEM.SUFFIX`: the input's stem, and the modality's suffix, or the input's own
    if that holds every value of the modality (TIFF and `.npy` for rasters). A folder among the
    inputs stands for all readable files in it, recursively, and its relative paths are kept. Results of an
    unconditional task are `OUT/0000.SUFFIX`, …. Clips keep their sound, as far as it can be
    read.

    Args:
        run: path of the run.
        inputs: files and folders; empty for an unconditional task.
        out: the output folder.
        n: number of samples of an unconditional task, 1 to MAX_DRAWS; None: 4.
        restore_options: inference options; None: the defaults.
        device: auto, cpu, cuda, …
        notify: gets messages about properties of inputs that results do not keep, and about files of folders
            that are skipped.

    Raises:
        BadValue, BadFile, BadFolder, BadRun: before anything is written, or if every input fails.
        PartlyFailed: at the end, if some inputs failed; the results of all others are written.
        KeyboardInterrupt: after Ctrl-C; the message says how many files are kept.
    """
    trained, restore_options = load_restored(run, device=device), restore_options or RestoreOptions()
    paths = [Path(inputs)] if isinstance(inputs, str | os.PathLike) else [Path(path) for path in inputs]
    if paths and n is not None:
        raise BadValue("n is for runs that need no input; leave it or the inputs out")
    values = named_files(paths, trained.modality, notify) if paths else _blanks(trained, n)
    restore_options = replace(
        restore_options,
        style=opened(trained, restore_options.style),
        mask=opened(trained, restore_options.mask),
    )
    trained.check(restore_options)
    return Results(_written(trained, values, restore_options, Path(out), notify))


def _written(
    trained: RestoredRun,
    values: Mapping[str, Value],
    restore_options: RestoreOptions,
    out: Path,
    notify: Notify,
) -> Frames[Mapping[Path, Value]]:
    """Restores the values and writes the results; yields after each step.

    A frame's result is the path and the value that it finishes.
    """
    outcome, count = _Outcome(), 0
    with stoppable_folder(out, "files", lambda: count) as root:
        for name, frame in _answers(trained, values, restore_options, outcome):
            named = partial(_named, trained.modality, name, values[name])
            if frame.result is not None:
                path = root / named(frame.result)
                path.parent.mkdir(parents=True, exist_ok=True)
                try:
                    with all_or_none(path):
                        tell = partial(outcome.add, name)
                        write_with_tracks(trained.modality, frame.result, values[name], path, tell)
                except ModaloomError as error:  # of a value that is computed while it is written
                    outcome.failures[name] = error
                    continue
                count += 1
            yield frame.map(partial(_at, out, named))
        if len(outcome.failures) == len(values):
            raise _all_failed(outcome.failures)
    for change, names in outcome.changes.items():
        notify(f"{change}: {bounded(names)}")
    if outcome.failures:
        kept = f"{len(values) - len(outcome.failures):,} files are in {out}"
        raise PartlyFailed([_failure(*item) for item in outcome.failures.items()], kept)


@dataclass(frozen=True)
class _Outcome:
    """Failures and notices, collected over the inputs."""

    failures: dict[str, ModaloomError] = field(default_factory=dict)
    """Input name → error."""
    changes: dict[str, list[str]] = field(default_factory=dict)
    """Property that results do not keep → input names."""

    def add(self, name: str, change: str) -> None:
        """A property that the result of an input does not keep."""
        self.changes.setdefault(change, []).append(name)


def _at(out: Path, named: Callable[[Value], str], made: Value) -> dict[Path, Value]:
    return {out / named(made): made}


def _named(modality: Modality, name: str, source: Value, made: Value) -> str:
    like = split_suffix(source.name)[1] if isinstance(source, Path) else ""
    return f"{name}.{modality.suffix(made, like)}"


def _answers(
    trained: RestoredRun, values: Mapping[str, Value], restore_options: RestoreOptions, outcome: _Outcome
) -> Iterator[tuple[str, Frame[Value]]]:
    """Yields the name and each frame of every input that can be restored; all have equally many steps."""
    for i, (name, value) in enumerate(values.items()):
        changes: list[str] = []
        try:
            for frame in trained.stream(value, restore_options, name=name, notify=changes.append):
                step, total = i * frame.total + frame.step, len(values) * frame.total
                yield name, replace(frame, step=step, total=total, first=i)
        except ModaloomError as error:
            outcome.failures[name] = error
            continue
        for change in changes:
            outcome.add(name, change)


def _failure(name: str, error: ModaloomError) -> str:
    return str(error) if isinstance(error, BadFile) else f"{name}: {error}"


def _all_failed(failures: Mapping[str, ModaloomError]) -> ModaloomError:
    """Returns the first error, with the number of the others."""
    name, first = next(iter(failures.items()))
    more = f" (and {len(failures) - 1:,} more inputs failed)" if len(failures) > 1 else ""
    if isinstance(first, BadFile):
        return BadFile(first.path, first.reason + more)
    return BadValue(f"{name}: {first}{more}")


def _blanks(trained: RestoredRun, n: int | None) -> dict[str, Value]:
    """Name → a blank value of the training size."""
    spec = trained.restoration.plan.spec
    if not trained.restoration.task.unconditional or spec is None:
        raise BadValue(f"{trained.path} has nothing to restore; name files")
    n = DRAWS if n is None else n
    check_count("n", n, 1, MAX_DRAWS)
    blank = trained.modality.signal.blank(spec)
    return {f"{i:04d}": blank for i in range(n)}
