"""Encode a folder to code shards, and decode shards to a folder."""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch.nn.utils.rnn import pad_sequence

from modaloom.core.defaults import DEVICE
from modaloom.core.errors import BadFile, BadFolder, BadValue, ModaloomError, PartlyFailed
from modaloom.core.types import CodeShape, Sample
from modaloom.data.atomic_io import new_folder
from modaloom.data.notices import Notify, silent
from modaloom.data.reader import Reader
from modaloom.data.shards import (
    SHARD_POSITIONS,
    SHARD_SIZE,
    Shard,
    shard_files,
    shards_model,
    write_shards,
)
from modaloom.data.writer import writing
from modaloom.loom.model import Model
from modaloom.loom.reading import prepared_reader
from modaloom.loom.run import load
from modaloom.modalities.base import Value
from modaloom.tokenizers.file_codec import FileCodes
from modaloom.tokenizers.lengths import split_lengths

CHUNK_SIZE = 256
"""Samples whose values are in memory."""


def tokenize(
    run: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    device: str = DEVICE,
    notify: Notify = silent,
) -> int:
    """Encode every sample of a folder and write the codes as shards; returns the number of samples.

    Sounds and clips of variable length are encoded file by file, whole and in the memory of a piece, whatever
    the limit of the training was.

    Args:
        run: run folder, or the name of a bundled run.
        folder: data folder with at least one of the run's streams.
        out: folder to create.
        device: auto | cpu | cuda | mps.
        notify: receives warnings about values that a limit of the run shortens.

    Raises:
        BadFolder: the folder has none of the run's streams, or no readable file.
        PartlyFailed: some files could not be read; the codes of all others are written.
    """
    trained = load(run, device=device)
    index = trained.run.data.open(Path(folder))
    streams = [name for name in trained.model.streams if name in index.modality_of]
    if not streams:
        raise BadFolder(f"{folder} has none of the run's streams {', '.join(trained.model.streams)}")
    lost, files = trained.shortenings(), trained.model.files
    read = {name: codec.encode for name, codec in files.items()}
    reader = prepared_reader(trained.model, index, streams, lost, max_skipped_fraction=1, read=read)
    shapes = {name: trained.model.streams[name].tokenizer.shape for name in streams}
    with new_folder(out) as root:
        rows = _rows(trained.model, reader, files)
        shards = (_shard(some, shapes, files) for some in _grouped(rows, files))
        count = write_shards(root, shards, shapes=shapes, model=trained.hash)
        failures = reader.failures()
    lost.notify(notify)
    if failures:
        raise PartlyFailed(failures, f"{count:,} samples are in {out}")
    return count


def detokenize(
    run: str | os.PathLike[str],
    shards: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    device: str = DEVICE,
) -> int:
    """Decode the shards of `tokenize` and write the values as plain files; returns the number of samples.

    A sound has as many samples, a clip as many frames, as the one that was encoded, at the rate of the run.

    Args:
        run: the run that encoded the shards.
        shards: folder written by `tokenize`.
        out: folder to create.
        device: auto | cpu | cuda | mps.

    Raises:
        BadFolder: the codes are of another model.
        BadFile: no shard is readable.
        BadValue: no sample can be written.
        PartlyFailed: some shards could not be read, or samples not be written; all others are.
    """
    trained = load(run, device=device)
    if shards_model(Path(shards)) != trained.hash:
        raise BadFolder(f"the codes in {shards} were made by another model than {run}; use that run")
    count, failures = 0, list[ModaloomError]()
    with writing(out, trained.modality_of) as writer:
        for file in shard_files(Path(shards)):
            try:
                shard = file.read()
            except BadFile as error:
                failures.append(error)
                continue
            write = {
                name: codec.decode for name, codec in trained.model.files.items() if name in shard.length
            }
            for sample in _samples(trained.model, shard):
                try:
                    writer.write(sample, write=write)
                    count += 1
                except BadValue as error:  # more than its format holds
                    failures.append(BadValue(f"{sample.key}: {error}"))
        if failures and not count:
            raise failures[0]
    if failures:
        raise PartlyFailed([*map(str, failures)], f"{count:,} samples are in {out}")
    return count


@dataclass(frozen=True)
class _Row:
    """A sample."""

    key: str
    codes: Mapping[str, FileCodes]
    """Stream → its codes (L, Q); the length is 0 where it is not encoded file by file."""


def _rows(model: Model, reader: Reader, files: Collection[str]) -> Iterator[_Row]:
    """All samples with a readable value. Streams of `files` are encoded file by file, others together."""
    samples = reader.folder.samples
    whole, one_by_one = ([n for n in reader.streams if (n in files) == is_file] for is_file in (False, True))
    for i in range(0, len(samples), CHUNK_SIZE):
        some = samples[i : i + CHUNK_SIZE]
        columns = {name: _encoded(model, name, [reader.value(s, name) for s in some]) for name in whole}
        for j, sample in enumerate(some):
            found = {name: column[j] for name, column in columns.items()}
            found |= {name: reader.value(sample, name) for name in one_by_one}
            if codes := {name: one for name, one in found.items() if one is not None}:
                yield _Row(sample.key, codes)


def _encoded(model: Model, name: str, values: Sequence[Value | None]) -> list[FileCodes | None]:
    found = iter(model.encode(name, [value for value in values if value is not None]))
    return [None if value is None else FileCodes(next(found), 0) for value in values]


def _grouped(rows: Iterable[_Row], files: Collection[str]) -> Iterator[list[_Row]]:
    """The rows of each shard, which is as wide as the longest of its files."""
    kept, longest = list[_Row](), 0
    for row in rows:
        own = max([0, *(one.codes[..., 0].numel() for name, one in row.codes.items() if name in files)])
        longest = max(longest, own)
        if kept and (len(kept) == SHARD_SIZE or (len(kept) + 1) * longest > SHARD_POSITIONS):
            yield kept
            kept, longest = [], own
        kept.append(row)
    if kept:
        yield kept


def _shard(rows: Sequence[_Row], shapes: Mapping[str, CodeShape], files: Collection[str]) -> Shard:
    codes, present, length = {}, {}, {}
    for name, shape in shapes.items():
        num_positions, kind = (0, shape.storage_type) if name in files else (shape.num_positions, torch.int64)
        absent = FileCodes(torch.zeros(num_positions, shape.depth, dtype=kind), 0)
        column = [row.codes.get(name, absent) for row in rows]
        present[name] = torch.tensor([name in row.codes for row in rows])
        padded = pad_sequence([one.codes.flatten(0, -2) for one in column], True, shape.padding)
        codes[name] = torch.where(present[name][:, None, None], padded, padded.new_zeros(()))
        if name in files:
            length[name] = torch.tensor([one.length for one in column])
    return Shard([row.key for row in rows], codes, present, length)


def _samples(model: Model, shard: Shard) -> Iterator[Sample]:
    """The samples of a shard; streams that have a length are `FileCodes`."""
    for i in range(0, len(shard.keys), CHUNK_SIZE):
        columns = {name: iter(_decoded(model, name, shard, i)) for name in shard.codes}
        for j, key in enumerate(shard.keys[i : i + CHUNK_SIZE], i):
            yield Sample(key, {name: next(c) for name, c in columns.items() if shard.present[name][j]})


def _decoded(model: Model, name: str, shard: Shard, start: int) -> Sequence[Value]:
    rows = slice(start, start + CHUNK_SIZE)
    here = shard.present[name][rows]
    codes = shard.codes[name][rows][here]
    if name not in shard.length:
        return model.decode(name, codes)
    shape = model.streams[name].tokenizer.shape
    parts = split_lengths(shape.on_grid(codes), shape)
    return [FileCodes(part, n) for part, n in zip(parts, shard.length[name][rows][here].tolist())]
