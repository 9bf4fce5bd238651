"""The command `export`."""

import typer

from modaloom.cli import options


def export(run: options.RunPath, out: options.OutPath) -> None:
    """Write a copy of a run for inference only, at half its size."""
    from modaloom import api

    typer.echo(api.export(run, out=out))
