"""A finished run that restores: asked from Python or for whole files."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from torch import Tensor

from modaloom.core.defaults import DEVICE, DRAWS, SEED
from modaloom.core.errors import (
    BadFile,
    BadRun,
    BadValue,
    ModaloomError,
    PartlyFailed,
    bounded,
    check_count,
    check_names,
)
from modaloom.core.rng import derive
from modaloom.data.atomic_io import new_folder
from modaloom.data.inputs import named_files
from modaloom.data.notices import Notify, silent
from modaloom.modalities import MODALITIES
from modaloom.modalities.base import Modality, Value
from modaloom.modalities.unit import fit_to_spec, from_unit, to_unit
from modaloom.restorer.config import RestorerRunConfig, SignalSamplingConfig, SignalSamplingOptions
from modaloom.restorer.files import Restoration, unpack_restorer
from modaloom.restorer.inference import resolve_mode, run_task
from modaloom.restorer.tasks import Signals
from modaloom.runs.config_io import changed, override
from modaloom.runs.model import load_model
from modaloom.runs.resolve import resolve_run
from modaloom.runs.store import RunFolder, read_config
from modaloom.training.accelerator import Accelerator

MAX_DRAWS = 100_000
"""Draws at once."""
MASK_THRESHOLD = 0.5
"""A mask's pixels above it are marked."""


Setting = bool | int | float | str
"""The value of one option of a task."""


@dataclass(frozen=True)
class RestoreOptions:
    """How a run is asked, beside what it was trained with."""

    mode: str = ""
    """mean | sample; empty: mean where the run has learned it."""
    style: Value | None = None
    """A reference for the task that takes one: a value, or a path."""
    mask: Value | None = None
    """White: what is to be filled in (inpaint), whose colour is right (colorize)."""
    options: Mapping[str, Setting] | None = None
    """Of the task, such as factor or degradation, by dotted key."""
    settings: str | Sequence[str] = ()
    """The same as KEY=VALUE."""
    sampling: SignalSamplingOptions | None = None
    """Fields of `SignalSamplingConfig`: steps, sampler, timestep_spacing."""
    seed: int = SEED


@dataclass(frozen=True)
class RestoredRun:
    """A run with a Restorer."""

    path: Path
    run: RestorerRunConfig
    restoration: Restoration
    hash: str
    """Names exactly this model."""

    @property
    def modality(self) -> Modality:
        """Of what it restores."""
        return MODALITIES[self.restoration.plan.modality]

    @property
    def device(self) -> str:
        """Where it works."""
        return next(self.restoration.restorer.parameters()).device.type

    def restore(
        self,
        value: Value,
        restore_options: RestoreOptions | None = None,
        *,
        name: str | int = 0,
        notify: Notify = silent,
    ) -> Value:
        """Restore a value: a PIL image, or a path.

        Grey and transparency come back where the answer shows what the value does; `notify` gets what does
        not.

        The noise depends on the seed and the name alone. A run that learned whole signals fits the value, and
        a reference, into the size that it learned, as its training did, and answers in that size.

        Raises:
            BadValue: an option out of its range or of what was learned, a mask that does not fit, a reference
                that is missing.
            BadFile: a path that cannot be read.
        """
        restore_options, found = restore_options or RestoreOptions(), self.restoration
        options = self.check(restore_options)
        held = found.task.prepare(self._signal(value), self._mask(restore_options.mask), options)
        style = None if restore_options.style is None else self._signal(restore_options.style)
        signal = run_task(
            found.restorer,
            found.task,
            Signals(input=held, reference=style),
            options,
            mode=restore_options.mode,
            sampling=self._sampling(restore_options),
            seed=derive(restore_options.seed, "restore", name),
        )
        return self._conformed(value, from_unit(self.modality, signal), options, notify)

    def _conformed(self, source: Value, made: Value, options: object, notify: Notify) -> Value:
        task, plan = self.restoration.task, self.restoration.plan
        aligned = task.is_residual and plan.spec is None
        found = self.modality.conform(source, made, aligned, task.recolors(options))
        for change in found.changes:
            notify(change)
        return found.value

    def check(self, restore_options: RestoreOptions) -> object:
        """The task's options, as it was trained but for what is asked otherwise.

        Raises `BadValue` for whatever no value could be asked with.
        """
        resolve_mode(self.restoration.restorer, restore_options.mode)
        if restore_options.style is not None and not self.restoration.task.takes_reference:
            raise BadValue(f"{self.restoration.plan.task} takes no style; leave it out")
        check_count("seed", restore_options.seed, 0, 2**63 - 1)
        self._sampling(restore_options)
        own = (restore_options.options or {}).items()
        settings = check_names("settings", restore_options.settings)
        options: object = override(changed(self.restoration.options, own), settings)
        self.restoration.check(options)
        return options

    def _sampling(self, restore_options: RestoreOptions) -> SignalSamplingConfig:
        return changed(self.restoration.config.sampling, (restore_options.sampling or {}).items())

    def _signal(self, value: Value) -> Tensor:
        found, spec = _read(self.modality, value), self.restoration.plan.spec
        return to_unit(self.modality, found if spec is None else fit_to_spec(self.modality, found, spec))

    def _mask(self, mask: Value | None) -> Tensor | None:
        return None if mask is None else self._signal(mask).mean(0) > MASK_THRESHOLD


def load_restored(run: str | os.PathLike[str], *, device: str = DEVICE) -> RestoredRun:
    """Open a finished run that restores. Raises `BadRun`, also for one that does not, and `BadValue`."""
    place = Accelerator(device).device
    path = resolve_run(Path(run))
    if (engine := read_config(path).get("engine")) != RestorerRunConfig().engine:
        raise BadRun(f"{run} is a run of the {engine}; ask it with `modaloom generate`")
    folder = RunFolder.open(path, RestorerRunConfig)
    config = folder.run()
    files = load_model(folder.model)
    found = unpack_restorer(files.parts)
    found.restorer.to(place)
    return RestoredRun(folder.path, config, found, files.hash)


def restore(
    run: str | os.PathLike[str],
    inputs: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] = (),
    *,
    out: str | os.PathLike[str],
    n: int | None = None,
    restore_options: RestoreOptions | None = None,
    device: str = DEVICE,
    notify: Notify = silent,
) -> Iterator[Path]:
    """Restore files, yielding the path of each; the folder appears at the end, whole.

    `OUT/STEM.SUFFIX`: the input's stem, the modality's suffix. An input that is a folder stands for the files
    in and under it that the modality reads; their places under it are kept. A task that needs no input takes
    `n` (default 4) instead: `OUT/0000.SUFFIX`, ….

    Args:
        inputs: files and folders.
        notify: gets what of an input's form its answer does not have, and what of a folder is no input.

    Raises:
        BadValue, BadFile, BadFolder, BadRun: before anything is written, or where every input fails.
        PartlyFailed: at the end, where some inputs failed; the answers to all others are written.
    """
    trained, restore_options = load_restored(run, device=device), restore_options or RestoreOptions()
    paths = [Path(inputs)] if isinstance(inputs, str | os.PathLike) else [Path(path) for path in inputs]
    if paths and n is not None:
        raise BadValue("n is for runs that need no input; leave it or the inputs out")
    values = named_files(paths, trained.modality, notify) if paths else _blanks(trained, n)
    restore_options = replace(
        restore_options,
        style=_opened(trained, restore_options.style),
        mask=_opened(trained, restore_options.mask),
    )
    trained.check(restore_options)
    outcome = _Outcome()
    with new_folder(out) as root:
        for name, found in _answers(trained, values, restore_options, outcome):
            place = f"{name}.{trained.modality.suffixes[0]}"
            (root / place).parent.mkdir(parents=True, exist_ok=True)
            trained.modality.write(found, root / place)
            yield Path(out) / place
        if len(outcome.failures) == len(values):
            raise _all_failed(outcome.failures)
    for change, names in outcome.changes.items():
        notify(f"{change}: {bounded(names)}")
    if outcome.failures:
        kept = f"{len(values) - len(outcome.failures):,} files are in {out}"
        raise PartlyFailed([_failure(*item) for item in outcome.failures.items()], kept)


@dataclass(frozen=True)
class _Outcome:
    """What is to be told of inputs."""

    failures: dict[str, ModaloomError] = field(default_factory=dict)
    """By name."""
    changes: dict[str, list[str]] = field(default_factory=dict)
    """What of an input's form its answer does not have → names."""


def _answers(
    trained: RestoredRun, values: Mapping[str, Value], restore_options: RestoreOptions, outcome: _Outcome
) -> Iterator[tuple[str, Value]]:
    """Name and answer of every input that can be restored."""
    for name, value in values.items():
        changes: list[str] = []
        try:
            found = trained.restore(value, restore_options, name=name, notify=changes.append)
        except ModaloomError as error:
            outcome.failures[name] = error
            continue
        for change in changes:
            outcome.changes.setdefault(change, []).append(name)
        yield name, found


def _failure(name: str, error: ModaloomError) -> str:
    return str(error) if isinstance(error, BadFile) else f"{name}: {error}"


def _all_failed(failures: Mapping[str, ModaloomError]) -> ModaloomError:
    """The first one's error, and how many there are."""
    name, first = next(iter(failures.items()))
    more = f" (and {len(failures) - 1:,} more inputs failed)" if len(failures) > 1 else ""
    if isinstance(first, BadFile):
        return BadFile(first.path, first.reason + more)
    return BadValue(f"{name}: {first}{more}")


def _blanks(trained: RestoredRun, n: int | None) -> dict[str, Value]:
    """Name → a value that says no more than the size of those that were learned."""
    spec = trained.restoration.plan.spec
    if not trained.restoration.task.unconditional or spec is None:
        raise BadValue(f"{trained.path} has nothing to restore; name files")
    n = DRAWS if n is None else n
    check_count("n", n, 1, MAX_DRAWS)
    blank = trained.modality.signal.blank(spec)
    return {f"{i:04d}": blank for i in range(n)}


def _opened(trained: RestoredRun, value: Value | None) -> Value | None:
    """Read once, for all inputs."""
    return None if value is None else _read(trained.modality, value)


def _read(modality: Modality, value: Value) -> Value:
    return modality.read(Path(value)) if isinstance(value, str | os.PathLike) else modality.coerce(value)
