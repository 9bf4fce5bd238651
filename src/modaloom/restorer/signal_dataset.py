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
from modaloom.modalities import MODALITIES
from modaloom.modalities.base import DataSpec, Modality, Shortened, Value
from modaloom.modalities.unit import fit_to_spec
from modaloom.restorer.config import RestorerRunConfig
from modaloom.restorer.files import RestorerPlan
from modaloom.restorer.tasks import TASKS
from modaloom.runs.caches import CACHE
from modaloom.runs.store import RunFolder
from modaloom.runs.tokenizers import load_tokenizer
from modaloom.tokenizers import Tokenizer
from modaloom.training.selection import MeasuredColumn, Selection, data_facts, select
from modaloom.transforms.crop import Packed


@dataclass(frozen=True)
class SignalSource:
    """Source of one column of the dataset."""

    stream: str
    take: Callable[[Value], Packed]
    fact: Any
    """JSON-able cache key of `take`."""
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

    @property
    def modality(self) -> Modality:
        return MODALITIES[self.plan.modality]

    def signals(self, row: int) -> list[Packed]:
        """Returns the row's signal of each column."""
        return [column[row] for column in self.columns]


def prepare_signal_dataset(
    run: RunFolder[RestorerRunConfig], folder: Folder, notify: Notify = silent
) -> SignalDataset:
    """Selects the streams, infers the spec, writes both to data.json and caches the signals.

    `notify` gets what limits cut from the signals. Raises `BadFolder` and `BadValue` if the folder has no
    data that the task can be trained on.
    """
    config, folder = run.run(), restorable(folder, notify)
    streams = _streams(folder, config)
    chosen = select(run, folder, streams)
    modality = MODALITIES[folder.modality_of[streams[-1]]]
    if not run.has_data():
        plan = RestorerPlan(
            config.restorer.task, streams, modality.name, spec=_spec(chosen, modality, config)
        )
        run.save_data(_described(plan) | data_facts(folder, chosen.split_of, config))
    plan = RestorerPlan.of(run.data()["restorer"])
    lost = Shortenings(config.data.limits_of, folder.modality_of, resolution=True)
    sources = signal_sources(config, plan)
    columns = [_cached(run, chosen, i, source, lost) for i, source in enumerate(sources)]
    lost.notify(notify)
    here = np.logical_and.reduce([column.present for column in columns])
    rows = {split: index[here[index.numpy()]] for split, index in chosen.rows.items()}
    if not len(rows["train"]):
        raise BadFolder(f"{folder.path} has no training sample with a readable {' and '.join(streams)}")
    for row in np.flatnonzero(here).tolist():
        check_same_size(chosen.samples[row].key, [column.shapes[row][1:] for column in columns])
    if TASKS[config.restorer.task].needs_color:
        _check_colours(
            columns[0], rows["train"], config.restorer.task, f"every {streams[-1]} of {folder.path}"
        )
    return SignalDataset(plan, chosen.reader, rows, columns)


def restorable(folder: Folder, notify: Notify = silent) -> Folder:
    """The folder with streams that no Restorer takes read by a kindred modality, which is told."""
    found = dict(folder.modality_of)
    for name, modality in folder.modality_of.items():
        kin = [one for one in MODALITIES[modality].kin if MODALITIES[one].codec.restorable]
        if kin and not MODALITIES[modality].codec.restorable:
            found[name] = kin[0]
            notify(f"{name} is a {modality}, and read as {kin[0]}: 8 bits, colours, on white")
    return replace(folder, modality_of=found)


def _check_colours(wanted: RaggedArray, rows: Tensor, task: str, name: str) -> None:
    """Raises `BadFolder` if all signals (C, *axes) of these rows have equal channels."""
    signals = (wanted[row] for row in rows.tolist())
    if all((signal == signal[:1]).all() for signal in signals):
        able = [other for other, t in TASKS.items() if t.is_residual and not (t.paired or t.needs_color)]
        reason = f"{name} is grey, and {task} learns colours"
        raise BadFolder(f"{reason}; give coloured ones, or take --task {' or '.join(able)}")


def _streams(folder: Folder, config: RestorerRunConfig) -> tuple[str, ...]:
    """The streams, target last. Raises `BadValue` unless their number fits the task and they share a
    modality."""
    able = [name for name, m in folder.modality_of.items() if MODALITIES[m].codec.restorable]
    found = tuple(check_choice("stream of signals", name, able) for name in config.data.streams) or tuple(
        able
    )
    task, through = TASKS[config.restorer.task], config.restorer.tokenizers
    if through and not task.paired:
        raise BadValue(f"{config.restorer.task} takes no --tokenizers; refine does")
    paired = task.paired and not through
    if len(found) != 1 + paired:
        two = "two streams, the given one and the wanted one, or one and --tokenizers RUN"
        takes = two if paired else "one stream"
        raise BadValue(
            f"{config.restorer.task} takes {takes}; choose with --streams from {', '.join(able) or 'none'}"
        )
    if len({folder.modality_of[name] for name in found}) > 1:
        raise BadValue(f"{' and '.join(found)} are of different kinds; choose two of one")
    return found


def _spec(chosen: Selection, modality: Modality, config: RestorerRunConfig) -> DataSpec | None:
    """Size that whole signals are fitted to; None for residual tasks, which train on crops."""
    (*_, want) = chosen.reader.streams
    if config.restorer.tokenizers:
        return _tokenizer(config, want).spec
    if TASKS[config.restorer.task].is_residual:
        return None
    values = MeasuredColumn(chosen.reader, want, chosen.training)
    if not values.has_values:
        raise BadFolder(f"{chosen.reader.folder.path}: no training sample has a readable {want}")
    return modality.infer_spec(values, config.data.limits_of(modality.name))


def _described(plan: RestorerPlan) -> dict[str, Any]:
    return {
        "streams": {name: {"modality": plan.modality} for name in plan.streams},
        "restorer": asdict(plan),
    }


def signal_sources(config: RestorerRunConfig, plan: RestorerPlan) -> Iterator[SignalSource]:
    """Yields the source of the targets, then, for paired tasks, that of the inputs."""
    modality = MODALITIES[plan.modality]
    to_array, spec = modality.signal.to_array, plan.spec
    fit = to_array if spec is None else lambda value: to_array(fit_to_spec(modality, value, spec))
    for name in reversed(plan.streams):
        yield SignalSource(name, fit, spec, partial(_shortened, modality, spec))
    if config.restorer.tokenizers:
        tokenizer = _tokenizer(config, plan.streams[-1])

        def reconstruct(value: Value) -> Packed:
            return to_array(tokenizer.decode(tokenizer.encode([value]))[0])

        yield SignalSource(plan.streams[-1], reconstruct, config.restorer.tokenizers)


def _shortened(modality: Modality, spec: DataSpec | None, value: Value) -> Sequence[Shortened]:
    return () if spec is None else modality.shortened(value, spec)


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
            yield None if value is None else source.take(value)

    stamp = fingerprint(chosen.samples, source.stream, source.fact)
    name = f"signals.{place}.{source.stream}"
    return open_ragged(run.path / CACHE, name, stamp, len(chosen.samples), rows)


def check_same_size(key: str, sides: Sequence[Sequence[int]]) -> None:
    """Raises `BadValue` if target and input of a sample differ in size.

    Args:
        key: the sample's key, for the message.
        sides: side lengths of the target, then of the input, in positions.
    """
    shapes = ["×".join(map(str, one)) for one in sides]
    if len({*shapes}) > 1:
        raise BadValue(f"{key} is {' and '.join(reversed(shapes))}; given and wanted must be of one size")
