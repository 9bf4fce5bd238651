"""Encode a folder to code shards, and decode shards to a folder."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch

from modaloom.core.defaults import DEVICE
from modaloom.core.errors import BadFile, BadFolder, PartlyFailed
from modaloom.core.types import Sample
from modaloom.data.atomic_io import new_folder
from modaloom.data.folder import open_folder
from modaloom.data.notices import Notify, silent
from modaloom.data.shards import SHARD_SIZE, Shard, shard_files, shards_model, write_shards
from modaloom.data.writer import writing
from modaloom.loom.reading import prepared_reader
from modaloom.loom.run import TrainedRun, load


def tokenize(
    run: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    device: str = DEVICE,
    notify: Notify = silent,
) -> int:
    """Encode every sample of a folder and write the codes as shards; returns the number of samples.

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
    index = open_folder(Path(folder), trained.run.data.layout)
    streams = [name for name in trained.model.streams if name in index.modality_of]
    if not streams:
        raise BadFolder(f"{folder} has none of the run's streams {', '.join(trained.model.streams)}")
    lost = trained.shortenings()
    reader = prepared_reader(trained.model, index, streams, lost, max_skipped_fraction=1)

    def shards() -> Iterator[Shard]:
        for i in range(0, len(index.samples), SHARD_SIZE):
            read = [reader.read(sample) for sample in index.samples[i : i + SHARD_SIZE]]
            if present := [sample for sample in read if sample.streams]:
                yield _shard(trained, present, streams)

    with new_folder(out) as root:
        count = write_shards(root, shards(), shapes=trained.model.loom.shapes, model=trained.hash)
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

    Args:
        run: the run that encoded the shards.
        shards: folder written by `tokenize`.
        out: folder to create.
        device: auto | cpu | cuda | mps.

    Raises:
        BadFolder: the codes are of another model.
        BadFile: no shard is readable.
        PartlyFailed: some shards could not be read; the samples of all others are written.
    """
    trained = load(run, device=device)
    if shards_model(Path(shards)) != trained.hash:
        raise BadFolder(f"the codes in {shards} were made by another model than {run}; use that run")
    count, failures = 0, list[BadFile]()
    with writing(out, trained.modality_of) as writer:
        for file in shard_files(Path(shards)):
            try:
                shard = file.read()
            except BadFile as error:
                failures.append(error)
                continue
            for sample in _samples(trained, shard):
                writer.write(sample)
                count += 1
        if failures and not count:
            raise failures[0]
    if failures:
        raise PartlyFailed([*map(str, failures)], f"{count:,} samples are in {out}")
    return count


def _shard(trained: TrainedRun, samples: Sequence[Sample], streams: Sequence[str]) -> Shard:
    codes, present = {}, {}
    for name in streams:
        here = torch.tensor([name in sample.streams for sample in samples])
        shape = trained.model.loom.shapes[name]
        codes[name] = torch.zeros(len(samples), shape.num_positions, shape.depth, dtype=torch.int64)
        if here.any():
            codes[name][here] = trained.model.encode(
                name, [sample.streams[name] for sample in samples if name in sample.streams]
            )
        present[name] = here
    return Shard([sample.key for sample in samples], codes, present)


def _samples(trained: TrainedRun, shard: Shard) -> Iterator[Sample]:
    columns = {name: trained.model.decode(name, codes) for name, codes in shard.codes.items()}
    for i, key in enumerate(shard.keys):
        yield Sample(key, {name: column[i] for name, column in columns.items() if shard.present[name][i]})
