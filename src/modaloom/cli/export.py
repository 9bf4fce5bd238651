"""The command that makes a run small."""

import typer

from modaloom.cli import options


def export(run: options.RunPath, out: options.OutPath) -> None:
    """Write what using a run needs, at half of its size: to keep, to send, to ship."""
    from modaloom import api

    typer.echo(api.export(run, out=out))
