"""Restoration with a finished run, of single values."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from modaloom.core.defaults import DEVICE, SEED
from modaloom.core.errors import (
    BadRun,
    BadValue,
    check_count,
    check_names,
)
from modaloom.core.frame import Frames, finished, joined
from modaloom.core.rng import derive
from modaloom.data.notices import Notify, once, silent
from modaloom.modalities.base import Modality, Value
from modaloom.modalities.signal_codec import Stretches
from modaloom.modalities.unit import fit_to_spec, from_unit, to_mask, to_unit
from modaloom.restorer.config import RestorerRunConfig, SignalSamplingConfig, SignalSamplingOptions
from modaloom.restorer.files import Restoration, unpack_restorer
from modaloom.restorer.inference import resolve_mode, stream_task
from modaloom.restorer.stretches import StretchedAnswer
from modaloom.restorer.tasks import Signals
from modaloom.restorer.tasks.masking import check_marked
from modaloom.runs.config_io import changed, override
from modaloom.runs.model import load_model
from modaloom.runs.portable import save_pretrained
from modaloom.runs.resolve import resolve_run
from modaloom.runs.store import RunFolder, read_config
from modaloom.training.accelerator import Accelerator

Setting = bool | int | float | str
"""The value of one option of a task."""


@dataclass(frozen=True)
class RestoreOptions:
    """Inference options of a Restorer run."""

    mode: str = ""
    """mean | sample; empty: mean if the run was trained for it, else sample."""
    style: Value | None = None
    """Reference for a task that takes one: a value, or a path."""
    mask: Value | None = None
    """White marks the region to fill in (inpaint), or the pixels whose colour is known (colorize)."""
    options: Mapping[str, Setting] | None = None
    """Task options by dotted key, such as factor or degradation."""
    settings: str | Sequence[str] = ()
    """Task options as KEY=VALUE strings."""
    sampling: SignalSamplingOptions | None = None
    """Fields of `SignalSamplingConfig`: steps, sampler, timestep_spacing, shared_noise."""
    seed: int = SEED


@dataclass(frozen=True)
class RestoredRun:
    """A finished Restorer run, loaded for inference."""

    path: Path
    run: RestorerRunConfig
    restoration: Restoration
    hash: str
    """Hash of the model's weights and state."""

    @property
    def modality(self) -> Modality:
        """Modality of the target stream."""
        return self.restoration.plan.modality_type

    @property
    def device(self) -> str:
        """Type of the device that the weights are on."""
        return next(self.restoration.restorer.parameters()).device.type

    def save_pretrained(self, directory: str | os.PathLike[str]) -> None:
        """Write the run as huggingface_hub's mixins do; `modaloom.from_pretrained` reads it, to the bit.

        Raises `BadFolder` if the directory is not empty, and `WorkFailed`.
        """
        save_pretrained(self.path, self.run, directory)

    def restore(
        self,
        value: Value,
        restore_options: RestoreOptions | None = None,
        *,
        name: str | int = 0,
        notify: Notify = silent,
    ) -> Value:
        """Restores a value.

        Greyscale mode and transparency are kept where the result is aligned with the value; a run on rasters
        keeps channels, type and units, and continues values outside of the range of its training linearly, up
        to the limits of their type. A run that was trained on whole signals resizes the value and the
        reference to its training size, clips rasters to its range, and returns that size. The noise depends
        on the seed and the name alone.

        A clip keeps its length and rate. Its first frames are computed here, the others when they are asked
        for, a few at a time and anew each time, so that it may be of any length. Its mask is as long, or of
        one frame for all.

        Args:
            value: a PIL image, an array (H, W) or (H, W, C) for a run on rasters, or a path.
            restore_options: mode, reference, mask, task options, sampling and seed; None: the defaults.
            name: distinguishes the noise of several values under one seed.
            notify: gets a message for each property of the value that the result does not keep.

        Raises:
            BadValue: an option out of its valid or trained range, a mask that does not fit, a missing
                reference.
            BadFile: a path that cannot be read.
        """
        return finished(self.stream(value, restore_options, name=name, notify=notify))

    def stream(
        self,
        value: Value,
        restore_options: RestoreOptions | None = None,
        *,
        name: str | int = 0,
        notify: Notify = silent,
    ) -> Frames[Value]:
        """`restore`, step by step.

        Args:
            value, restore_options, name, notify: as in `restore`.

        Returns:
            A frame after each step of the sampler, or a single one of the posterior mean; the last one's
            `result` is what `restore` returns. `preview()` returns its present estimate: the denoiser's, or
            for mean flow what a single step to the end would give. It costs a step.

        Raises:
            BadValue, BadFile: as `restore`, at once.
        """
        restore_options, found = restore_options or RestoreOptions(), self.restoration
        options, facts = self.check(restore_options), found.plan.facts(found.plan.streams[-1])
        codec, seed = self.modality.signal, derive(restore_options.seed, "restore", name)
        if codec.stretches is not None:
            return self._stretched(codec.stretches, value, options, restore_options, seed)
        parts = codec.parts(_read(self.modality, value))
        answers = [self._answer(part, options, restore_options, seed) for part in parts]
        tell, stream = once(notify), found.plan.streams[-1]

        def finish(signals: Sequence[Tensor]) -> Value:
            made = codec.join([from_unit(self.modality, facts, signal) for signal in signals])
            return self._conformed(value, made, options, tell)

        steps = (joined(frames, finish) for frames in zip(*answers, strict=True))
        return (replace(frame, stream=stream) for frame in steps)

    def _answer(
        self, part: Value, options: Any, restore_options: RestoreOptions, seed: int
    ) -> Frames[Tensor]:
        found, factor = self.restoration, self.restoration.task.factor(options)
        held = found.task.prepare(self._signal(part, factor), self._mask(restore_options.mask), options)
        style = None if restore_options.style is None else self._signal(restore_options.style)
        return stream_task(
            found.restorer,
            found.task,
            Signals(input=held, reference=style, scale=found.plan.scale),
            options,
            mode=restore_options.mode,
            sampling=self._sampling(restore_options),
            seed=seed,
        )

    def _stretched(
        self, how: Stretches, value: Value, options: Any, restore_options: RestoreOptions, seed: int
    ) -> Frames[Value]:
        answer = StretchedAnswer(
            self.restoration,
            how,
            _read(self.modality, value),
            opened(self, restore_options.mask),
            options,
            restore_options.mode,
            self._sampling(restore_options),
            seed,
        )
        stream = self.restoration.plan.streams[-1]
        return (replace(frame, stream=stream) for frame in answer.stream())

    def _conformed(self, source: Value, made: Value, options: object, notify: Notify) -> Value:
        task, plan = self.restoration.task, self.restoration.plan
        aligned = task.is_residual and plan.spec is None
        found = self.modality.conform(source, made, aligned, task.recolors(options))
        for change in found.changes:
            notify(change)
        return found.value

    def check(self, restore_options: RestoreOptions) -> object:
        """Returns the trained task options with those of `restore_options` applied.

        Raises `BadValue` for options that are invalid for every input.
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

    def _signal(self, value: Value, factor: int = 1) -> Tensor:
        """The signal of a value that has so many times fewer positions than its answer."""
        plan, found = self.restoration.plan, _read(self.modality, value)
        fitted = found if plan.spec is None else fit_to_spec(self.modality, found, plan.spec)
        facts = self.modality.signal.coarser(plan.facts(plan.streams[0]), factor)
        return to_unit(self.modality, facts, fitted)

    def _mask(self, mask: Value | None) -> Tensor | None:
        if mask is None:
            return None
        plan = self.restoration.plan
        marked = to_mask(self.modality, plan.facts(plan.streams[0]), _read(self.modality, mask))
        check_marked(bool(marked.any()))
        return marked


def load_restored(run: str | os.PathLike[str], *, device: str = DEVICE) -> RestoredRun:
    """Loads a finished Restorer run. Raises `BadRun`, also for a run of another engine, and `BadValue`."""
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


def opened(trained: RestoredRun, value: Value | None) -> Value | None:
    """Returns the value, read if it is a path."""
    return None if value is None else _read(trained.modality, value)


def _read(modality: Modality, value: Value) -> Value:
    return modality.read(Path(value)) if isinstance(value, str | os.PathLike) else modality.coerce(value)
