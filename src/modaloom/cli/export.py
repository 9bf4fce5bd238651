"""The command `export`."""

from typing import Annotated

import typer

from modaloom.cli import options, printing
from modaloom.core.defaults import FORMAT


def export(
    run: options.RunPath,
    out: options.OutPath,
    format: Annotated[
        str, typer.Option(help="{formats}: a run for inference at half its size, or graphs and sample.py.")
    ] = FORMAT,
) -> None:
    """Write a run for inference."""
    from modaloom import api

    printing.echo(api.export(run, out=out, format=format))
