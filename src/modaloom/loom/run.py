"""A finished Loom run, opened: its model, and what can be asked of it from Python."""

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Unpack

import torch
from torch import Tensor

from modaloom.core.defaults import DEVICE, DRAWS, SEED
from modaloom.core.errors import (
    BadRun,
    BadValue,
    bounded,
    check_choice,
    check_count,
    check_names,
    check_range,
    short,
    shown,
)
from modaloom.core.frame import Frames, finished
from modaloom.data.notices import Shortenings
from modaloom.loom.canvas import NOTHING
from modaloom.loom.config import CodeSamplingConfig, CodeSamplingOptions, LoomRunConfig
from modaloom.loom.files import unpack_model
from modaloom.loom.generated import Generated
from modaloom.loom.long_streams import LongStream, drawing
from modaloom.loom.model import Model
from modaloom.loom.neighbours import Neighbours
from modaloom.loom.probabilities import ORDERS, Distribution, distributions, has_values, training_values
from modaloom.modalities import MODALITIES
from modaloom.modalities.base import Shortened, Value
from modaloom.runs.config_io import changed
from modaloom.runs.model import load_model
from modaloom.runs.portable import save_pretrained
from modaloom.runs.resolve import resolve_run
from modaloom.runs.store import RunFolder, read_config
from modaloom.tokenizers.spans import Span
from modaloom.training.accelerator import Accelerator

MAX_DRAWS = 100_000


@dataclass(frozen=True)
class TrainedRun:
    """A finished run and its model."""

    path: Path
    run: LoomRunConfig
    model: Model
    hash: str
    """SHA-256 that identifies the model."""

    def generate(
        self,
        given: Mapping[str, Value] | None = None,
        want: str | Sequence[str] = (),
        *,
        n: int = DRAWS,
        seed: int = SEED,
        keep: Mapping[str, Sequence[Span]] = NOTHING,
        strength: Mapping[str, float] = NOTHING,
        length: float | None = None,
        **sampling: Unpack[CodeSamplingOptions],
    ) -> list[Generated]:
        """Generate n samples of the streams `want` conditioned on `given`.

        Args:
            given: stream → value: a PIL image, a dict of columns, or a str, which is literal for text and a
                path for all else; or a `Path` for each of them.
            want: one or several target streams; default: all that are not given.
            n: number of samples, 1 to 100,000.
            seed: seed of the sampling noise, a signed 64-bit integer.
            keep: stream that is both given and wanted → the parts of its value that stay, as (start, end)
                along its first axis, in seconds of sound, frames, rows of the run's pixels, or characters of
                text; all else is generated. A sound or text that is kept up to its end goes on; the end of a
                text is a character of its own.
            strength: stream that is both given and wanted → how much of its value is drawn anew, the noise
                level in (0, 1] at which its codes are the start: near 0 it stays, at 1 only its length may.
                What it becomes is told by the other given streams, such as a style.
            length: how long a value of the one wanted stream should be, in the same unit (tokens of text),
                beyond what is drawn at once: it goes on block by block, from its start or from a value that
                is given, too. One of variable length may end before; without exact lengths, it ends with a
                whole code.
            sampling: overrides of `CodeSamplingConfig`: steps, guidance, temperature, top_p, sampler, ….

        Returns:
            n samples: target stream → value, and their codes (`Generated.codes`).

        Raises:
            BadValue: an unknown stream, a value that its modality rejects, or an option out of range.
            BadFile: an unreadable path.
        """
        return finished(
            self.stream(given, want, n=n, seed=seed, keep=keep, strength=strength, length=length, **sampling)
        )

    def stream(
        self,
        given: Mapping[str, Value] | None = None,
        want: str | Sequence[str] = (),
        *,
        n: int = DRAWS,
        seed: int = SEED,
        keep: Mapping[str, Sequence[Span]] = NOTHING,
        strength: Mapping[str, float] = NOTHING,
        length: float | None = None,
        **sampling: Unpack[CodeSamplingOptions],
    ) -> Frames[list[Generated]]:
        """`generate`, step by step.

        Args:
            given, want, n, seed, keep, strength, length, sampling: as in `generate`.

        Returns:
            A frame after each sampling step; the last one's `result` is what `generate` returns. Target
            streams are generated one after the other, samples in batches of 64. `preview()` returns those of
            the present batch, with the target streams so far; codes that are still unknown are the denoiser's
            most likely ones, each for itself. It costs a step and the decoding.

        Raises:
            BadValue, BadFile: as `generate`, at once.
        """
        check_draws(n, seed)
        own = self.values(given)
        values = {name: [value] * n for name, value in own.items()}
        wanted = check_names("want", want) or [name for name in self.model.wanted if name not in values]
        options, kept = self.sampling(sampling), self.kept(own, wanted, keep, strength)
        long = LongStream.of(self.model, wanted, length, own, kept)
        draw = drawing(self.model, wanted, kept, long, strength)
        frames = draw(self.model.codes(values), n=n, seed=seed, names=range(n), options=options)
        decoded = partial(self.model.values, kept={name: values[name] for name in kept})
        return (frame.map(decoded) for frame in frames)

    def save_pretrained(self, directory: str | os.PathLike[str]) -> None:
        """Write the run as huggingface_hub's mixins do; `modaloom.from_pretrained` reads it, to the bit.

        Raises `BadFolder` if the directory is not empty, and `WorkFailed`.
        """
        save_pretrained(self.path, self.run, directory)

    def probabilities(
        self,
        given: Mapping[str, Value] | None = None,
        want: str | Sequence[str] = (),
        *,
        among: Mapping[str, Sequence[Value]] = NOTHING,
        orders: int = ORDERS,
        seed: int = SEED,
    ) -> dict[str, Distribution]:
        """P(value | given) of every value of the wanted streams, each by itself, without sampling.

        Args:
            given: stream → value, as in `generate`; streams may be missing. Of a record that is wanted as
                well, the columns that it has are given, and the distributions are those of the others.
            want: streams of records (in one evaluation), or of short texts (in one for each code, order and
                value); default: all such streams that are not given.
            among: wanted stream of texts → those to compare; default: its training values, at most 256.
            orders: in how many orders the codes of a text are unmasked; the mean is taken.
            seed: of orders, and of noise.

        Returns:
            Name → distribution: that of the stream, or STREAM.COLUMN of a record of several columns.

        Raises:
            BadValue: an unknown stream, one without values that can be listed, or a value that its modality
                rejects.
            BadFile: an unreadable path.
        """
        own, wanted, streams = self.values(given), check_names("want", want), self.model.streams
        wanted = wanted or tuple(n for n in self.model.wanted if n not in own and has_values(streams[n]))
        values = self.listed(wanted, among)
        (found,) = distributions(self.model, [own], wanted, among=values, orders=orders, seed=seed)
        return found

    def listed(
        self, want: Sequence[str], among: Mapping[str, Sequence[Value]] = NOTHING
    ) -> dict[str, list[Value]]:
        """Wanted stream whose codes have no columns → the values to compare. Raises `BadValue`."""
        for name in (*want, *among):
            check_choice("stream to want", name, self.model.wanted)
        streams = [name for name in want if not self.model.streams[name].tokenizer.columns]
        if more := among.keys() - {*streams}:
            raise BadValue(f"among names {bounded(sorted(more))}, and is of texts that are wanted by name")
        several = {name: [some] if isinstance(some, str) else some for name, some in among.items()}
        return {
            name: [self.value(name, value) for value in several[name]]
            if name in among
            else training_values(self.model, self.path, name)
            for name in streams
        }

    def values(self, given: Mapping[str, Value] | None) -> dict[str, Value]:
        """Apply `value` to every stream. Raises `BadValue` and `BadFile`."""
        if given is not None and not isinstance(given, Mapping):
            raise BadValue(f"given is {shown(given)}; give a dict of stream → value")
        return {name: self.value(name, value) for name, value in (given or {}).items()}

    def value(self, stream: str, value: Value) -> Value:
        """Convert a caller's value to the stream's modality. Raises `BadValue` and `BadFile`."""
        modality = MODALITIES[self.model.streams[check_choice("stream", stream, self.model.streams)].modality]
        if isinstance(value, os.PathLike):
            return modality.read(Path(value))
        try:
            return modality.coerce(value)
        except BadValue as error:
            raise BadValue(f"stream {stream!r}: {error}") from error

    def kept(
        self,
        given: Mapping[str, Value],
        want: Collection[str],
        keep: Mapping[str, Sequence[Span]],
        strength: Mapping[str, float] = NOTHING,
    ) -> dict[str, Tensor]:
        """Stream → bool (L,), the positions of the spans; none of one with a strength alone.

        Raises `BadValue`.
        """
        for what, parts in (("keep", keep), ("strength", strength)):
            if not isinstance(parts, Mapping):
                raise BadValue(f"{what} is {shown(parts)}; give stream → how much of it")
        for name in (*keep, *strength):
            if name not in given or name not in want:
                raise BadValue(f"{name} can be kept or changed where {name} is both given and wanted")
        for name, t in strength.items():
            check_range(f"strength of {name}", t, 0, 1, open_low=True)
        streams, spans = self.model.streams, {name: _spans(name, parts) for name, parts in keep.items()}
        none = {name: torch.zeros(streams[name].tokenizer.shape.num_positions).bool() for name in strength}
        return none | {name: streams[name].tokenizer.positions_in(spans[name], given[name]) for name in keep}

    def sampling(self, changes: Mapping[str, object]) -> CodeSamplingConfig:
        """The run's `CodeSamplingConfig` with some fields changed. Raises `BadValue`."""
        config = self.model.loom.config
        found = changed(config.sampling, changes.items())
        found.check(config.process)
        return found

    @property
    def device(self) -> str:
        """Device type of the model."""
        return next(self.model.loom.parameters()).device.type

    @cached_property
    def neighbours(self) -> Neighbours:
        """The codes of its training samples, read once."""
        return Neighbours.of(self.path)

    @property
    def modality_of(self) -> dict[str, str]:
        """Stream → modality name."""
        return {name: stream.modality for name, stream in self.model.streams.items()}

    def unknown(self, name: str, value: Value) -> Sequence[str]:
        """Words of a stream's value that no training value had, where its tokenizer can tell."""
        choice = self.run.tokenizer_of(name, self.modality_of[name])
        return () if choice.source else self.model.streams[name].tokenizer.unknown(value, choice.options)

    def lost(self, name: str, value: Value) -> Sequence[Shortened]:
        """What of a given value the run does not take in: what limits cut, and words that it has not seen."""
        words = bounded(map(short, self.unknown(name, value)))
        told = [Shortened(f"have words that no training text had: {words}")] if words else []
        return [*self.model.streams[name].tokenizer.shortened(value), *told]

    def shortenings(self) -> Shortenings:
        """A count of values that the limits of its training shorten."""
        return Shortenings(self.run.data.limits_of, self.modality_of)


def _spans(stream: str, parts: object) -> list[Span]:
    """Parts of a stream as a caller gives them. Raises `BadValue`."""
    try:
        return [(float(start), float(end)) for start, end in parts]  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        raise BadValue(f"keep of {stream} is {shown(parts)}; give [(start, end), …]") from None


def load(run: str | os.PathLike[str], *, device: str = DEVICE) -> TrainedRun:
    """Load a finished run onto a device (auto | cpu | cuda | mps); `demo` is a bundled run.

    Raises `BadRun` for a run that is missing, damaged, unfinished or a Restorer run, and `BadValue`.
    """
    place = Accelerator(device).device
    path = resolve_run(Path(run))
    if (engine := read_config(path).get("engine")) != LoomRunConfig().engine:
        raise BadRun(f"{run} is a run of the {engine}; ask it with `modaloom restore`")
    folder = RunFolder.open(path, LoomRunConfig)
    files = load_model(folder.model)
    return TrainedRun(folder.path, folder.run(), unpack_model(files.parts).to(place), files.hash)


def check_draws(n: int, seed: int) -> None:
    """Raise `BadValue` for a number of samples or a seed out of range."""
    check_count("n", n, 1, MAX_DRAWS)
    check_count("seed", seed, -(2**63), 2**63 - 1)
