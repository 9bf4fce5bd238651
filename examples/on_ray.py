"""modaloom on Ray: a folder encoded in bulk with ray[data], a training of several workers with ray[train].

    python examples/on_ray.py tokenize RUN FOLDER --out codes.parquet --workers 4
    python examples/on_ray.py train FOLDER --out RUN --workers 2

Needs `pip install 'modaloom[ray]'`. RUN, FOLDER and --out must be at the same place for all workers, which
import modaloom themselves.
"""

import argparse
import os
import secrets
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from modaloom.core.errors import ModaloomError

BATCH = 64
"""Samples that a worker encodes at once."""
FAILURES = 3
"""How often lost workers are replaced."""


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


def train_here(config: Mapping[str, Any]) -> None:
    """A worker: a rank of a training, which goes on where a lost one has stopped."""
    import torch
    from torch import distributed

    import modaloom

    name = torch.frombuffer(bytearray(secrets.token_bytes(8)), dtype=torch.int64).clone()
    distributed.broadcast(name, 0)  # a place to meet, new for each attempt
    distributed.destroy_process_group()  # modaloom joins its own
    os.environ["MODALOOM_MEETING"] = f"file://{config['meeting']}/{int(name) & (2**63 - 1)}"
    modaloom.train(config["folder"], out=config["out"], resume=True, device="cpu", **config["options"])


def train(folder: str, out: str, workers: int, **options: Any) -> None:
    """Train a run on workers of a CPU each; `options` are those of `modaloom.train`."""
    from ray.train import FailureConfig, RunConfig, ScalingConfig
    from ray.train.torch import TorchConfig, TorchTrainer

    with tempfile.TemporaryDirectory(prefix="modaloom-ray-") as meeting:
        places = {"folder": str(Path(folder).absolute()), "out": str(Path(out).absolute())}
        TorchTrainer(
            train_here,
            train_loop_config={**places, "meeting": meeting, "options": options},
            torch_config=TorchConfig(backend="gloo"),
            scaling_config=ScalingConfig(num_workers=workers),
            run_config=RunConfig(storage_path=meeting, failure_config=FailureConfig(max_failures=FAILURES)),
        ).fit()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb, places in (("tokenize", ["run", "folder"]), ("train", ["folder"])):
        command = verbs.add_parser(verb)
        for place in places:
            command.add_argument(place)
        command.add_argument("--out", required=True)
        command.add_argument("--workers", type=int, default=2)
        if verb == "train":
            command.add_argument("--minutes", type=float)
    asked = vars(parser.parse_args())
    try:
        {"tokenize": tokenize, "train": train}[asked.pop("verb")](**asked)
    except ModaloomError as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
