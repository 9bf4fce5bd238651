"""The command `cut`."""

from pathlib import Path
from typing import Annotated

import typer

from modaloom.cli import options, printing
from modaloom.core.defaults import DEVICE, SEED, SHOT


def cut(
    music: Annotated[Path, typer.Argument(metavar="MUSIC", help="A file of sound.")],
    clips: Annotated[list[Path], typer.Argument(metavar="CLIPS…", help="Clips, and folders of them.")],
    out: Annotated[Path, typer.Option(help="The film: .mp4, .mov, .mkv or .webm; must not exist.")],
    shot: Annotated[float, typer.Option(help="Seconds that a shot should last.")] = SHOT,
    run: Annotated[
        Path | None, typer.Option(metavar="RUN", help="A run with sound and clips, which chooses them.")
    ] = None,
    streams: Annotated[
        str, typer.Option(metavar="A,B", help="Its streams of sounds and of clips, where it has several.")
    ] = "",
    seed: options.Seed = SEED,
    device: options.Device = DEVICE,
) -> None:
    """Cut clips to music: a film whose cuts lie on onsets."""
    from modaloom import api

    named = options.names(streams)
    shots = api.cut(music, clips, out=out, shot=shot, run=run, streams=named, seed=seed, device=device)
    for one in shots:
        printing.echo(f"{one.start:.3f} s: {one.clip} from {one.first:.3f} s")
    printing.echo(f"{len(shots)} shots in {out}")
