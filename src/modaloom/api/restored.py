"""A finished run that restores: asked from Python or for whole files."""

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from modaloom.core.errors import BadFile, BadRun, BadValue, ModaloomError, check_range
from modaloom.core.rng import derive
from modaloom.data.writer import new_folder
from modaloom.modalities import MODALITIES
from modaloom.modalities.base import Modality, Value
from modaloom.modalities.unit import fitted, from_unit, to_unit
from modaloom.models.restoration import Drawing
from modaloom.runs.config import Run
from modaloom.runs.model import load_model
from modaloom.runs.restorers import Restoration, unpack_restorer
from modaloom.runs.shipped import located
from modaloom.runs.store import RunFolder
from modaloom.runs.tree import changed, override
from modaloom.tasks import Signals
from modaloom.tasks.asking import answered, mode_of
from modaloom.training.engine import Engine

MOST = 100_000
"""Draws at once."""
MARKED = 0.5
"""A mask's pixels above it are marked."""


@dataclass(frozen=True)
class Asking:
    """How a run is asked, beside what it was trained with."""

    mode: str = ""
    """mean | sample; empty: mean where the run has learned it."""
    style: Value | None = None
    """A reference for the task that takes one: a value, or a path."""
    mask: Value | None = None
    """White: what is to be filled in (inpaint), whose colour is right (colorize)."""
    options: Mapping[str, Any] | None = None
    """Of the task, such as factor or fault, by dotted key."""
    settings: Sequence[str] = ()
    """The same as KEY=VALUE."""
    drawing: Mapping[str, Any] | None = None
    """Fields of `Drawing`: steps, sampler, spacing."""
    seed: int = 0


@dataclass(frozen=True)
class RestoredRun:
    """A run with a Restorer."""

    path: Path
    run: Run
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

    def restore(self, value: Value, asking: Asking | None = None, *, name: str | int = 0) -> Value:
        """Restore a value: a PIL image, or a path.

        The noise depends on the seed and the name alone. A run that learned whole signals fits the value, and
        a reference, into the size that it learned, as its training did, and answers in that size.

        Raises:
            BadValue: an option out of its range or of what was learned, a mask that does not fit, a reference
                that is missing.
            BadFile: a path that cannot be read.
        """
        asking, found = asking or Asking(), self.restoration
        options = self.check(asking)
        held = found.task.hold(self._signal(value), self._mask(asking.mask), options)
        style = None if asking.style is None else self._signal(asking.style)
        signal = answered(
            found.restorer,
            found.task,
            Signals(given=held, style=style),
            options,
            mode=asking.mode,
            drawing=self._drawing(asking),
            seed=derive(asking.seed, "restore", name),
        )
        return from_unit(self.modality, signal)

    def check(self, asking: Asking) -> Any:
        """The task's options, as it was trained but for what is asked otherwise.

        Raises `BadValue` for whatever no value could be asked with.
        """
        mode_of(self.restoration.restorer, asking.mode)
        if asking.style is not None and not self.restoration.task.styled:
            raise BadValue(f"{self.restoration.plan.task} takes no style; leave it out")
        check_range("seed", asking.seed, 0, 2**63 - 1)
        self._drawing(asking)
        own = (asking.options or {}).items()
        options = override(changed(self.restoration.options, own), asking.settings)
        self.restoration.check(options)
        return options

    def _drawing(self, asking: Asking) -> Drawing:
        return changed(self.restoration.config.drawing, (asking.drawing or {}).items())

    def _signal(self, value: Value) -> Tensor:
        found, form = _read(self.modality, value), self.restoration.plan.form
        return to_unit(self.modality, found if form is None else fitted(self.modality, found, form))

    def _mask(self, mask: Value | None) -> Tensor | None:
        return None if mask is None else self._signal(mask).mean(0) > MARKED


def load_restored(run: str | os.PathLike[str], *, device: str = "auto") -> RestoredRun:
    """Open a finished run that restores. Raises `BadRun`, also for one that does not, and `BadValue`."""
    place = Engine(device).device
    folder = RunFolder.open(located(Path(run)))
    config = folder.run()
    if not config.task:
        raise BadRun(f"{run} was trained for no task of restoration; ask it with `modaloom generate`")
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
    asking: Asking | None = None,
    device: str = "auto",
) -> Iterator[Path]:
    """Restore files, yielding the path of each; the folder appears at the end, whole, or not at all.

    `OUT/STEM.SUFFIX`: the input's stem, the modality's suffix. A task that needs no input takes `n` (default
    4) instead: `OUT/0000.SUFFIX`, ….

    Raises `BadValue`, `BadFile`, `BadFolder` and `BadRun`.
    """
    trained, asking = load_restored(run, device=device), asking or Asking()
    values = _named([Path(path) for path in inputs]) if inputs else _blanks(trained, 4 if n is None else n)
    if inputs and n is not None:
        raise BadValue("n is for runs that need no input; leave it or the inputs out")
    asking = replace(asking, style=_opened(trained, asking.style), mask=_opened(trained, asking.mask))
    trained.check(asking)
    with new_folder(out) as root:
        for stem, value in values.items():
            name = f"{stem}.{trained.modality.suffixes[0]}"
            try:
                found = trained.restore(value, asking, name=stem)
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
    form, modality = trained.restoration.plan.form, trained.modality
    if not trained.restoration.task.free or form is None:
        raise BadValue(f"{trained.path} has nothing to restore; name files")
    check_range("n", n, 1, MOST)
    assert modality.packed is not None
    assert modality.unpack is not None
    packed = modality.packed(torch.zeros(1, form["channels"], *form["size"]))[0].numpy()
    return {f"{i:04d}": modality.unpack(packed, form) for i in range(n)}


def _opened(trained: RestoredRun, value: Value | None) -> Value | None:
    """Read once, for all inputs."""
    return None if value is None else _read(trained.modality, value)


def _read(modality: Modality, value: Value) -> Value:
    return modality.read(Path(value)) if isinstance(value, str | Path) else value
