"""Tar shards of a data folder."""

import os
from pathlib import Path

from modaloom.core.defaults import LAYOUT, SHARD_MEGABYTES, SHARD_SAMPLES
from modaloom.core.errors import check_count, check_range
from modaloom.data.folder import open_folder
from modaloom.data.notices import Notify, notify_left_out, notify_recognised, silent
from modaloom.data.tar_writer import write_tar_shards


def shard(
    folder: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    layout: str = LAYOUT,
    samples: int = SHARD_SAMPLES,
    megabytes: float = SHARD_MEGABYTES,
    notify: Notify = silent,
) -> list[str]:
    """Writes a data folder as tar shards, which are read wherever a data folder is; returns their names.

    Files are copied without being decoded: those that nothing can read are named where the shards are read.

    Args:
        folder: the data.
        out: folder to create.
        layout: how the data is arranged, one of `modaloom.data.layout.LAYOUTS`.
        samples: most samples of a shard.
        megabytes: size of a shard, in 10⁶ bytes, from which on no sample is added to it.
        notify: told what is left out, or called otherwise.

    Raises:
        BadFolder: the folder has no sample, or two would have one key.
        BadFile: a file cannot be read.
        BadValue: an unknown layout, or a limit of 0.
        WorkFailed: the shards cannot be written.
    """
    check_count("samples", samples, 1)
    check_range("megabytes", megabytes, 0, open_low=True)
    index = open_folder(Path(folder), layout, None)
    notify_recognised(index, notify)
    notify_left_out(index, notify)
    return write_tar_shards(index, out, samples=samples, megabytes=megabytes, notify=notify)
