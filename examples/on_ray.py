"""modaloom on Ray: a folder encoded in bulk with ray[data].

    python examples/on_ray.py tokenize RUN FOLDER --out codes.parquet --workers 4

Needs `pip install 'modaloom[ray]'`. RUN, FOLDER and --out must be at the same place for all workers, which
import modaloom themselves.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

BATCH = 64
"""Samples that a worker encodes at once."""


class Encoder:
    """A worker: keys → a table of them and the codes (L, Q) of every stream, None where a sample lacks it."""

    def __init__(self, run: str, folder: str, streams: Sequence[str]) -> None:
        import modaloom
        from modaloom.data.reader import Reader

        self.run = modaloom.load(run, device="cpu")
        index = self.run.run.data.open(Path(folder))
        self.streams, self.reader = streams, Reader(index, streams=streams)
        self.samples = {sample.key: sample for sample in index.samples}

    def __call__(self, batch: Mapping[str, Any]) -> Any:
        import pyarrow as pa

        samples = [self.samples[key] for key in batch["key"]]
        columns = {name: self._codes(name, samples) for name in self.streams}
        return pa.table({"key": [sample.key for sample in samples], **columns}, schema=schema(self.streams))

    def _codes(self, name: str, samples: list[Any]) -> list[Any]:
        values = [self.reader.value(sample, name) for sample in samples]
        codes = iter(self.run.model.encode(name, [v for v in values if v is not None]).tolist())
        return [None if value is None else next(codes) for value in values]


def schema(streams: Sequence[str]) -> Any:
    """Of the table of codes."""
    import pyarrow as pa

    return pa.schema({"key": pa.string(), **dict.fromkeys(streams, pa.list_(pa.list_(pa.int32())))})


def tokenize(run: str, folder: str, out: str, workers: int) -> None:
    """Write the codes of a folder as Parquet: a row for each sample, with its key."""
    import ray
    from pyarrow import parquet

    import modaloom
    from modaloom.data.atomic_io import new_file

    trained = modaloom.load(run, device="cpu")
    index = trained.run.data.open(Path(folder))
    streams = [name for name in trained.model.streams if name in index.modality_of]
    rows = [{"key": sample.key} for sample in index.samples]
    args = (str(Path(run).absolute()), str(Path(folder).absolute()), streams)
    codes = ray.data.from_items(rows, override_num_blocks=workers).map_batches(
        Encoder, fn_constructor_args=args, batch_size=BATCH, concurrency=workers
    )
    with new_file(Path(out)) as file, parquet.ParquetWriter(file, schema(streams)) as table:
        for part in codes.iter_batches(batch_size=None, batch_format="pyarrow"):
            table.write_table(part)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    command = verbs.add_parser("tokenize")
    for place in ("run", "folder"):
        command.add_argument(place)
    command.add_argument("--out", required=True)
    command.add_argument("--workers", type=int, default=2)
    asked = vars(parser.parse_args())
    {"tokenize": tokenize}[asked.pop("verb")](**asked)


if __name__ == "__main__":
    main()
