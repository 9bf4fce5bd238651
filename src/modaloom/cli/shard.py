"""The command `shard`."""

from typing import Annotated

import typer

from modaloom.cli import options, printing
from modaloom.core.defaults import LAYOUT, SHARD_MEGABYTES, SHARD_SAMPLES


def shard(
    folder: options.FolderPath,
    out: options.OutPath,
    layout: options.Layout = LAYOUT,
    samples: Annotated[int, typer.Option(help="Most samples of a shard.")] = SHARD_SAMPLES,
    megabytes: Annotated[
        float, typer.Option(help="Size of a shard from which on no sample is added.")
    ] = SHARD_MEGABYTES,
) -> None:
    """Write a folder as tar shards, which are read wherever a data folder is."""
    from modaloom import api

    names = api.shard(
        folder, out, layout=layout, samples=samples, megabytes=megabytes, notify=printing.notice
    )
    printing.echo(f"{len(names)} shards in {out}")
