"""Reads and caches the training signals of a Restorer from a folder."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from torch import Tensor

from modaloom.core.errors import BadFolder, BadValue, check_choice
from modaloom.data.cache import fingerprint
from modaloom.data.folder import Folder
from modaloom.data.notices import Notify, Shortenings, silent
from modaloom.data.ragged import RaggedArray, open_ragged
from modaloom.data.reader import Reader
from modaloom.data.writer import owner_of
from modaloom.modalities import MODALITIES
from modaloom.modalities.base import VARIABLE, DataSpec, Modality, Shortened, Value
from modaloom.modalities.unit import array_to_unit, fit_to_spec, to_packed
from modaloom.restorer.config import RestorerRunConfig
from modaloom.restorer.files import RestorerPlan
from modaloom.restorer.tasks import EVERY_TASK, TASKS, tasks_of
from modaloom.runs.caches import CACHE
from modaloom.runs.store import RunFolder
from modaloom.runs.tokenizers import load_tokenizer, modality_of
from modaloom.tokenizers import Tokenizer
from modaloom.training.selection import MeasuredColumn, Selection, data_facts, select
from modaloom.transforms.crop import Packed, ToUnit

TOO_LONG = "are too long for the memory, and their middle is taken"


@dataclass(frozen=True)
class SignalSource:
    """Source of one column of the dataset."""

    stream: str
    take: Callable[[Value], Packed]
    fact: Any
    """JSON-able cache key of `take`."""
    to_unit: ToUnit
    """What it took → signal."""
    shortened: Callable[[Value], Sequence[Shortened]] = lambda value: ()
    """Value → what limits cut from it."""


@dataclass(frozen=True)
class SignalDataset:
    """Signals at their own sizes, by row."""

    plan: RestorerPlan
    reader: Reader
    rows: Mapping[str, Tensor]
    """Split (train, val) → int64: the rows that have every stream that the task needs."""
    columns: Sequence[RaggedArray]
    """The targets and, for paired tasks, the inputs."""

    to_unit: Sequence[ToUnit]
    """What makes signals of them, column by column."""

    def signals(self, row: int) -> list[Packed]:
        """Returns the row's packed signal of each column."""
        return [column[row] for column in self.columns]


def prepare_signal_dataset(
    run: RunFolder[RestorerRunConfig], folder: Folder, notify: Notify = silent
) -> SignalDataset:
    """Selects the streams, infers the spec, writes both to data.json and caches the signals.

    `notify` gets what limits cut from the signals. Raises `BadFolder` and `BadValue` if the folder has no
    data that the task can be trained on.
    """
    config = run.run()
    streams = _streams(folder, config)
    if run.has_data():
        folder = read_as(folder, streams, str(run.data()["restorer"]["modality"]))
    else:
        folder = read_as(folder, streams, _modality(folder, streams, config), notify)
    chosen = select(run, folder, streams)
    if not run.has_data():
        plan = _plan(chosen, MODALITIES[folder.modality_of[streams[-1]]], config)
        run.save_data(_described(plan) | data_facts(folder, chosen.split_of, config))
    plan = RestorerPlan.of(run.data()["restorer"])
    lost = Shortenings(config.data.limits_of, folder.modality_of, resolution=True)
    sources = [*signal_sources(config, plan)]
    columns = [_cached(run, chosen, i, source, lost) for i, source in enumerate(sources)]
    lost.notify(notify)
    here = np.logical_and.reduce([column.present for column in columns])
    rows = {split: index[here[index.numpy()]] for split, index in chosen.rows.items()}
    if not len(rows["train"]):
        raise BadFolder(f"{folder.path} has no training sample with a readable {' and '.join(streams)}")
    for row in np.flatnonzero(here).tolist():
        check_same_size(chosen.samples[row].key, [column.shapes[row][1:] for column in columns])
    if plan.task_type.needs_color:
        _check_colours(
            columns[0], rows["train"], config.restorer.task, f"every {streams[-1]} of {folder.path}"
        )
    return SignalDataset(plan, chosen.reader, rows, columns, [source.to_unit for source in sources])


def read_as(folder: Folder, streams: Sequence[str], modality: str, notify: Notify = silent) -> Folder:
    """The folder with these streams read by a modality; `notify` is told which ones others would read.

    Raises `BadFolder` for a stream that the folder lacks, or whose files the modality does not read.
    """
    missing = [name for name in streams if name not in folder.modality_of]
    if missing:
        raise BadFolder(f"{folder.path} has no {' and '.join(missing)}, which the run restores")
    for name in streams:
        own = folder.modality_of[name]
        if not _reads(modality, own):
            raise BadFolder(f"stream {name!r} is {own} in {folder.path}, and {modality} in the run")
        if own != modality and MODALITIES[modality].signal.is_8_bit:
            notify(f"{name} is a {own}, and read as {modality}: 8 bits, colours, on white")
    return replace(folder, modality_of={**folder.modality_of, **dict.fromkeys(streams, modality)})


def _reads(modality: str, own: str) -> bool:
    return own in (modality, *MODALITIES[modality].kin)


def _modality(folder: Folder, streams: Sequence[str], config: RestorerRunConfig) -> str:
    """The modality of all streams that the task can have: their own, or a kindred one, for streams of two
    that of 8 bits; that of the tokenizer, if there is one. Raises `BadValue` if there is none."""
    if config.restorer.tokenizers:
        its = modality_of(config.restorer.tokenizers, streams[-1])
        if MODALITIES[its].signal.stretches is not None:
            raise BadValue(f"{its} takes no --tokenizers; give two streams of {its}, and image_to_image")
        return its
    own = list(dict.fromkeys(folder.modality_of[name] for name in streams))
    kindred = own if len(own) > 1 else [*own, *MODALITIES[own[0]].kin]
    axes = MODALITIES[own[0]].signal.axes
    able = [
        one
        for one in kindred
        if all(_reads(one, other) for other in own)
        and MODALITIES[one].signal.axes == axes
        and config.restorer.task in tasks_of(MODALITIES[one].signal)
    ]
    if not able and len(own) == 1:
        known = ", ".join(tasks_of(MODALITIES[own[0]].signal))
        raise BadValue(f"{config.restorer.task} is no task of {own[0]}; choose from {known}")
    if not able:
        raise BadValue(f"{' and '.join(streams)} are of different kinds; choose two of one")
    return next((one for one in able if len(own) > 1 and MODALITIES[one].signal.is_8_bit), able[0])


def _check_colours(wanted: RaggedArray, rows: Tensor, task: str, name: str) -> None:
    """Raises `BadFolder` if all signals (C, *axes) of these rows have equal channels."""
    signals = (wanted[row] for row in rows.tolist())
    if all((signal == signal[:1]).all() for signal in signals):
        able = [other for other, t in TASKS.items() if t.is_residual and not (t.paired or t.needs_color)]
        reason = f"{name} is grey, and {task} learns colours"
        raise BadFolder(f"{reason}; give coloured ones, or take --task {' or '.join(able)}")


def _streams(folder: Folder, config: RestorerRunConfig) -> tuple[str, ...]:
    """The streams, target last. Raises `BadValue` unless their number fits the task."""
    able, known = folder.signals, folder.modality_of
    found = tuple(check_choice("stream of signals", name, able) for name in config.data.streams) or tuple(
        name for name in able if owner_of(name, known, known) is None
    )
    task, through = EVERY_TASK[config.restorer.task], config.restorer.tokenizers
    if through and not task.paired:
        raise BadValue(f"{config.restorer.task} takes no --tokenizers; refine does")
    paired = task.paired and not through
    if len(found) != 1 + paired:
        two = "two streams, the given one and the wanted one, or one and --tokenizers RUN"
        takes = two if paired else "one stream"
        raise BadValue(
            f"{config.restorer.task} takes {takes}; choose with --streams from {', '.join(able) or 'none'}"
        )
    return found


def _plan(chosen: Selection, modality: Modality, config: RestorerRunConfig) -> RestorerPlan:
    spec, codec, streams = _spec(chosen, modality, config), modality.signal, chosen.reader.streams
    whole = None if spec is None or VARIABLE in spec else spec
    plan = RestorerPlan(config.restorer.task, streams, modality.name, whole)
    if codec.measures:
        return replace(plan, scales={name: spec or codec.measure(_column(chosen, name)) for name in streams})
    return plan


def _column(chosen: Selection, stream: str) -> MeasuredColumn:
    """The training values of a stream. Raises `BadFolder` if none is readable."""
    values = MeasuredColumn(chosen.reader, stream, chosen.training)
    if not values.has_values:
        raise BadFolder(f"{chosen.reader.folder.path}: no training sample has a readable {stream}")
    return values


def _spec(chosen: Selection, modality: Modality, config: RestorerRunConfig) -> DataSpec | None:
    """Size that signals are fitted to, whole or, where it is `VARIABLE`, up to their own length; None: values
    of any size. The signals of residual tasks that are not whole are trained on by crops."""
    (*_, want) = chosen.reader.streams
    if config.restorer.tokenizers:
        return _tokenizer(config, want).spec
    if EVERY_TASK[config.restorer.task].is_residual:
        return None
    return modality.infer_spec(_column(chosen, want), config.data.limits_of(modality.name))


def _described(plan: RestorerPlan) -> dict[str, Any]:
    return {
        "streams": {name: {"modality": plan.modality, **plan.facts(name)} for name in plan.streams},
        "restorer": asdict(plan),
    }


def signal_sources(config: RestorerRunConfig, plan: RestorerPlan) -> Iterator[SignalSource]:
    """Yields the source of the targets, then, for paired tasks, that of the inputs."""
    modality, through = plan.modality_type, config.restorer.tokenizers
    tokenizer = _tokenizer(config, plan.streams[-1]) if through else None
    spec = plan.spec if tokenizer is None else tokenizer.spec

    def source(
        name: str,
        prepare: Callable[[Value], Value],
        fact: Any,
        shortened: Callable[[Value], Sequence[Shortened]] = lambda value: (),
    ) -> SignalSource:
        facts = plan.facts(name)
        to_unit = partial(array_to_unit, modality, facts)
        return SignalSource(
            name, lambda value: to_packed(modality, facts, prepare(value)), fact, to_unit, shortened
        )

    def fit(value: Value) -> Value:
        return modality.signal.middle(value) if spec is None else fit_to_spec(modality, value, spec)

    for name in reversed(plan.streams):
        yield source(name, fit, spec or plan.facts(name) or None, partial(_shortened, modality, spec))
    if tokenizer is not None:
        yield source(plan.streams[-1], lambda value: _rebuilt(tokenizer, value), through)


def _rebuilt(tokenizer: Tokenizer, value: Value) -> Value:
    (rebuilt,) = tokenizer.decode(tokenizer.encode([value]))
    return tokenizer.trimmed(rebuilt, tokenizer.as_learned(value))


def _shortened(modality: Modality, spec: DataSpec | None, value: Value) -> Sequence[Shortened]:
    if spec is not None:
        return modality.shortened(value, spec)
    return () if modality.signal.middle(value) is value else (Shortened(TOO_LONG),)


def _tokenizer(config: RestorerRunConfig, stream: str) -> Tokenizer:
    """Loads another run's tokenizer of a stream. Raises `BadRun`, and `BadValue` if it is not trainable."""
    tokenizer = load_tokenizer(config.restorer.tokenizers, stream)
    if not tokenizer.trainable:
        raise BadValue(
            f"{config.restorer.tokenizers} has not learned to rebuild {stream}; there is nothing to refine"
        )
    return tokenizer


def _cached(
    run: RunFolder[RestorerRunConfig],
    chosen: Selection,
    place: int,
    source: SignalSource,
    lost: Shortenings,
) -> RaggedArray:
    def rows() -> Iterator[Packed | None]:
        for sample in chosen.samples:
            value = chosen.reader.value(sample, source.stream)
            if value is not None:
                lost.add(source.stream, source.shortened(value))
            yield None if value is None else take(sample.key, source, value)

    stamp = fingerprint(chosen.samples, source.stream, source.fact)
    name = f"signals.{place}.{source.stream}"
    return open_ragged(run.path / CACHE, name, stamp, len(chosen.samples), rows)


def take(key: str, source: SignalSource, value: Value) -> Packed:
    """What a source takes of a sample's value. Raises `BadValue`, which names both."""
    try:
        return source.take(value)
    except BadValue as error:
        raise BadValue(f"{source.stream} of {key} {error}") from error


def check_same_size(key: str, sides: Sequence[Sequence[int]]) -> None:
    """Raises `BadValue` if target and input of a sample differ in size.

    Args:
        key: the sample's key, for the message.
        sides: side lengths of the target, then of the input, in positions.
    """
    shapes = ["×".join(map(str, one)) for one in sides]
    if len({*shapes}) > 1:
        raise BadValue(f"{key} is {' and '.join(reversed(shapes))}; given and wanted must be of one size")
