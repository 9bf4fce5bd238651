"""A finished run that restores: asked from Python or for whole files."""

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from modaloom.core.errors import BadFile, BadRun, BadValue, ModaloomError, check_range
from modaloom.core.rng import derive
from modaloom.data.writer import new_folder
from modaloom.modalities import MODALITIES
from modaloom.modalities.base import Modality, Value
from modaloom.modalities.unit import fit_to_spec, from_unit, to_unit
from modaloom.restorer.config import RestorerRunConfig, SignalSamplingConfig
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


@dataclass(frozen=True)
class RestoreOptions:
    """How a run is asked, beside what it was trained with."""

    mode: str = ""
    """mean | sample; empty: mean where the run has learned it."""
    style: Value | None = None
    """A reference for the task that takes one: a value, or a path."""
    mask: Value | None = None
    """White: what is to be filled in (inpaint), whose colour is right (colorize)."""
    options: Mapping[str, Any] | None = None
    """Of the task, such as factor or degradation, by dotted key."""
    settings: Sequence[str] = ()
    """The same as KEY=VALUE."""
    sampling: Mapping[str, Any] | None = None
    """Fields of `SignalSamplingConfig`: steps, sampler, timestep_spacing."""
    seed: int = 0


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
        self, value: Value, restore_options: RestoreOptions | None = None, *, name: str | int = 0
    ) -> Value:
        """Restore a value: a PIL image, or a path.

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
        return from_unit(self.modality, signal)

    def check(self, restore_options: RestoreOptions) -> Any:
        """The task's options, as it was trained but for what is asked otherwise.

        Raises `BadValue` for whatever no value could be asked with.
        """
        resolve_mode(self.restoration.restorer, restore_options.mode)
        if restore_options.style is not None and not self.restoration.task.takes_reference:
            raise BadValue(f"{self.restoration.plan.task} takes no style; leave it out")
        check_range("seed", restore_options.seed, 0, 2**63 - 1)
        self._sampling(restore_options)
        own = (restore_options.options or {}).items()
        options = override(changed(self.restoration.options, own), restore_options.settings)
        self.restoration.check(options)
        return options

    def _sampling(self, restore_options: RestoreOptions) -> SignalSamplingConfig:
        return changed(self.restoration.config.sampling, (restore_options.sampling or {}).items())

    def _signal(self, value: Value) -> Tensor:
        found, spec = _read(self.modality, value), self.restoration.plan.spec
        return to_unit(self.modality, found if spec is None else fit_to_spec(self.modality, found, spec))

    def _mask(self, mask: Value | None) -> Tensor | None:
        return None if mask is None else self._signal(mask).mean(0) > MASK_THRESHOLD


def load_restored(run: str | os.PathLike[str], *, device: str = "auto") -> RestoredRun:
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
    inputs: Sequence[str | os.PathLike[str]] = (),
    *,
    out: str | os.PathLike[str],
    n: int | None = None,
    restore_options: RestoreOptions | None = None,
    device: str = "auto",
) -> Iterator[Path]:
    """Restore files, yielding the path of each; the folder appears at the end, whole, or not at all.

    `OUT/STEM.SUFFIX`: the input's stem, the modality's suffix. A task that needs no input takes `n` (default
    4) instead: `OUT/0000.SUFFIX`, ….

    Raises `BadValue`, `BadFile`, `BadFolder` and `BadRun`.
    """
    trained, restore_options = load_restored(run, device=device), restore_options or RestoreOptions()
    values = _named([Path(path) for path in inputs]) if inputs else _blanks(trained, 4 if n is None else n)
    if inputs and n is not None:
        raise BadValue("n is for runs that need no input; leave it or the inputs out")
    restore_options = replace(
        restore_options,
        style=_opened(trained, restore_options.style),
        mask=_opened(trained, restore_options.mask),
    )
    trained.check(restore_options)
    with new_folder(out) as root:
        for stem, value in values.items():
            name = f"{stem}.{trained.modality.suffixes[0]}"
            try:
                found = trained.restore(value, restore_options, name=stem)
            except BadFile:
                raise
            except ModaloomError as error:
                raise BadValue(f"{stem}: {error}") from error
            trained.modality.write(found, root / name)
            yield Path(out) / name


def _named(paths: Sequence[Path]) -> dict[str, Value]:
    """Stem → path. Raises `BadValue` where two are the same."""
    twice = [stem for stem, count in Counter(path.stem for path in paths).items() if count > 1]
    if twice:
        raise BadValue(f"two inputs are named {twice[0]}; restore them into folders of their own")
    return {path.stem: path for path in paths}


def _blanks(trained: RestoredRun, n: int) -> dict[str, Value]:
    """Name → a value that says no more than the size of those that were learned."""
    spec = trained.restoration.plan.spec
    if not trained.restoration.task.unconditional or spec is None:
        raise BadValue(f"{trained.path} has nothing to restore; name files")
    check_range("n", n, 1, MAX_DRAWS)
    blank = trained.modality.signal.blank(spec)
    return {f"{i:04d}": blank for i in range(n)}


def _opened(trained: RestoredRun, value: Value | None) -> Value | None:
    """Read once, for all inputs."""
    return None if value is None else _read(trained.modality, value)


def _read(modality: Modality, value: Value) -> Value:
    return modality.read(Path(value)) if isinstance(value, str | Path) else value
