"""A dataset as tar shards of WebDataset's kind: members `KEY.STREAM.SUFFIX`. Equal data, equal bytes."""

import io
import os
import shutil
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from modaloom.core.errors import BadFile, BadFolder, bounded
from modaloom.core.types import Sample
from modaloom.data.atomic_io import new_folder
from modaloom.data.folder import Folder, splits_of_keys
from modaloom.data.layout import SPLIT
from modaloom.data.names import is_ignored
from modaloom.data.notices import Notify, silent
from modaloom.data.reader import load
from modaloom.data.split import split
from modaloom.data.tar_index import TAR, place
from modaloom.data.writer import owner_of
from modaloom.modalities import MODALITIES
from modaloom.modalities.files import File

SERIES = "shard"
"""What shards are called where no folder, table or group fixes the splits."""


def write_tar_shards(
    folder: Folder,
    out: str | os.PathLike[str],
    *,
    samples: int,
    megabytes: float,
    notify: Notify = silent,
) -> list[str]:
    """Write the samples of a folder, in the order of their keys, into `OUT/SPLIT-000000.tar`, …; returns
    their names.

    Files are copied as they are, what tables hold is written as files. The splits stay: folders are in the
    names of shards or the paths of members, and splits of tables in the names of shards. Groups that must
    stay together are told by no shard: with groups, the names of shards fix the splits, too.

    Args:
        folder: the data.
        out: folder to create.
        samples: most samples of a shard.
        megabytes: size of a shard, in 10⁶ bytes, from which on no sample is added to it.
        notify: told which samples have another key in the shards.

    Raises:
        BadFolder: two samples would have one key.
        BadFile: a file cannot be read.
        WorkFailed: the shards cannot be written.
    """
    split_of = split(folder) if folder.groups else folder.splits or {}
    by_keys = split_of == (splits_of_keys([sample.key for sample in folder.samples]) or {})
    renamed, keys = list[str](), set[tuple[str, str]]()
    with new_folder(out) as root, TemporaryDirectory() as scratch, ExitStack() as stack:
        series: dict[str, _Series] = {}
        for sample in folder.samples:
            files = _files(sample, folder.modality_of, Path(scratch))
            name, wanted = _series(sample.key, {} if by_keys else split_of)
            if (key := _told(wanted, files)) != wanted:
                renamed.append(f"{sample.key} → {key}")
            if (name, key) in keys:
                raise BadFolder(
                    f"two samples would have the key {key!r}, one of them {sample.key!r}; rename it"
                )
            keys.add((name, key))
            if name not in series:
                series[name] = stack.enter_context(_Series(root, name, samples, megabytes * 1e6))
            series[name].add({f"{key}.{end}": file for end, file in files.items()})
        stack.close()
        names = sorted(path.name for path in root.iterdir())
        for path in filter(lambda path: is_ignored(path.name), folder.path.glob("_*.jsonl")):
            shutil.copyfile(path, root / path.name)  # what is known of the samples, by their keys
    if renamed:
        notify(f"{len(renamed):,} keys have dots, after which a stream would begin: {bounded(renamed)}")
    return names


def _series(key: str, split_of: Mapping[str, str]) -> tuple[str, str]:
    """The shards that a sample is in, and its key there. `split_of`: what keys do not say."""
    if key in split_of:
        return split_of[key], key
    top, _, rest = key.partition("/")
    return (top, rest) if rest and SPLIT.fullmatch(top) else (SERIES, key)


def _told(key: str, ends: Iterable[str]) -> str:
    """The key, or one without dots where members called so would be read as those of another sample."""
    if all(place(f"{key}.{end}") == (key, end.rpartition(".")[0]) for end in ends):
        return key
    folder, slash, stem = key.rpartition("/")
    return f"{folder}{slash}{stem.replace('.', '_')}"


def _files(sample: Sample, modality_of: Mapping[str, str], scratch: Path) -> dict[str, File | bytes]:
    """STREAM.SUFFIX → the file, or the bytes of one; a track is in the file of its owner."""
    found: dict[str, File | bytes] = {}
    for stream, source in sample.streams.items():
        modality, owner = MODALITIES[modality_of[stream]], owner_of(stream, sample.streams, modality_of)
        if isinstance(source, File):
            if owner is None or sample.streams[owner] != source:
                found[f"{stream}{source.suffix}"] = source
        else:
            value = load(modality.name, source)
            path = scratch / f"value.{modality.suffix(value)}"
            modality.write(value, path)
            found[f"{stream}{path.suffix}"] = path.read_bytes()
    return found


class _Series:
    """Shards of one name, written one after another."""

    def __init__(self, root: Path, name: str, samples: int, size: float) -> None:
        self.root, self.name, self.samples, self.size = root, name, samples, size
        self._number = self._samples = 0
        self._tar: tarfile.TarFile | None = None

    def __enter__(self) -> "_Series":
        return self

    def __exit__(self, *error: object) -> None:
        if self._tar is not None:
            self._tar.close()

    def add(self, files: Mapping[str, File | bytes]) -> None:
        """The members of a sample."""
        if self._tar is not None and (self._samples >= self.samples or self._tar.offset >= self.size):
            self._tar.close()
            self._number, self._samples, self._tar = self._number + 1, 0, None
        if self._tar is None:
            path = self.root / f"{self.name}-{self._number:06d}{TAR}"
            self._tar = tarfile.open(path, "w", format=tarfile.PAX_FORMAT)  # noqa: SIM115
        for name, file in files.items():
            info = tarfile.TarInfo(name)  # of no user, at no time
            with _opened(file) as (content, info.size):
                self._tar.addfile(info, content)
        self._samples += 1


@contextmanager
def _opened(file: File | bytes) -> Iterator[tuple[BinaryIO, int]]:
    if isinstance(file, bytes):
        yield io.BytesIO(file), len(file)
        return
    try:
        content, size = file.open("rb"), file.stat().st_size
    except OSError as error:
        raise BadFile(file, f"cannot be read ({error.strerror})") from error
    with content:
        yield content, size
