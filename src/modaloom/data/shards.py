"""Codes of a dataset as safetensors shards, written by `tokenize` and read by `detokenize`.

`codes.STREAM` has integers of any type, `present.STREAM` bools, and `length.STREAM`, of streams of variable
length from files, the number of samples that each file had. Codes are written in the smallest of
`STORAGE_TYPES` that holds the codebook.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from modaloom.core.errors import BadFile, BadFolder
from modaloom.core.json_text import from_json, to_json
from modaloom.core.types import CodeShape

INDEX = "index.json"
VERSION = 1
SHARD_SIZE = 8192
"""Most samples of a shard."""
SHARD_POSITIONS = 2**19
"""Most positions of a shard's samples that are encoded file by file, with padding: of two hours and two."""


@dataclass(frozen=True)
class Shard:
    """The codes of some samples."""

    keys: Sequence[str]
    codes: Mapping[str, Tensor]
    """Stream → int64 (n, L, Q), of one that is encoded file by file in its storage type; zero rows for
    samples without the stream. The L of a variable stream is that of the longest of these samples, or
    more."""
    present: Mapping[str, Tensor]
    """Stream → bool (n,)."""
    length: Mapping[str, Tensor] = field(default_factory=dict)
    """Stream that is encoded file by file → int64 (n,), samples of each value; 0 without the stream."""


def write_shards(
    folder: Path, shards: Iterator[Shard], *, shapes: Mapping[str, CodeShape], model: str
) -> int:
    """Write shards into an existing empty folder; returns the number of samples.

    Args:
        folder: the folder.
        shards: their streams are among those of `shapes`.
        shapes: stream → shape of its codes, which are written in its storage type.
        model: hash of the model that made the codes.
    """
    entries = []
    for number, shard in enumerate(shards):
        name = f"codes-{number:05d}.safetensors"
        tensors = {
            f"codes.{stream}": codes.to(shapes[stream].storage_type).contiguous()
            for stream, codes in shard.codes.items()
        }
        tensors |= {f"present.{stream}": p.contiguous() for stream, p in shard.present.items()}
        tensors |= {f"length.{stream}": n.contiguous() for stream, n in shard.length.items()}
        save_file(tensors, folder / name)
        entries.append({"file": name, "keys": list(shard.keys)})
    index = {"version": VERSION, "model": model, "shards": entries}
    (folder / INDEX).write_text(to_json(index), encoding="utf-8")
    return sum(len(entry["keys"]) for entry in entries)


def shards_model(folder: Path) -> str:
    """The hash of the model that made the codes. Raises `BadFolder`."""
    return _index(folder).model


@dataclass(frozen=True)
class ShardFile:
    """A shard that was not read yet."""

    path: Path
    keys: Sequence[str]

    def read(self) -> Shard:
        """Raises `BadFile`."""
        try:
            tensors = load_file(self.path)
        except (OSError, SafetensorError) as error:
            raise BadFile(self.path, f"is not a shard of codes ({error})") from error
        codes, present, length = (
            {n.removeprefix(kind): t for n, t in tensors.items() if n.startswith(kind)}
            for kind in ("codes.", "present.", "length.")
        )
        rows = {t.shape[:1] for t in tensors.values()}
        if codes.keys() != present.keys() or not length.keys() <= codes.keys() or rows != {(len(self.keys),)}:
            raise BadFile(self.path, f"does not match {INDEX}")
        codes |= {name: codes[name].long() for name in codes.keys() - length.keys()}
        return Shard(self.keys, codes, present, length)


def shard_files(folder: Path) -> list[ShardFile]:
    """The shards that `write_shards` wrote. Raises `BadFolder`."""
    return [ShardFile(folder / Path(name).name, keys) for name, keys in _index(folder).shards]


@dataclass(frozen=True)
class _Index:
    model: str
    shards: Sequence[tuple[str, Sequence[str]]]
    """File name and keys."""


def _index(folder: Path) -> _Index:
    try:
        plain = from_json((folder / INDEX).read_text(encoding="utf-8"))
        if plain["version"] != VERSION:
            raise ValueError(f"version {plain['version']}")
        return _Index(str(plain["model"]), [(str(e["file"]), list(e["keys"])) for e in plain["shards"]])
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise BadFolder(f"{folder} has no codes; make them with `modaloom tokenize RUN FOLDER`") from error
