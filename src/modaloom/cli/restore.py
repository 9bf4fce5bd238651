"""The command that restores files."""

from pathlib import Path
from typing import Annotated

import typer

from modaloom.cli import options
from modaloom.progress import Progress


def restore(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The --out of a training with --task.")],
    out: options.OutPath,
    inputs: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[INPUT…]", help="Files of any size; none for a run of --task generate."),
    ] = None,
    n: Annotated[int | None, typer.Option(help="Draws, where there is no input [default: 4].")] = None,
    mode: Annotated[
        str, typer.Option(help="mean: the best guess; sample: one of the likely ones [default: the task's].")
    ] = "",
    steps: Annotated[int | None, typer.Option(help="Of a sample [default: the run's].")] = None,
    sampler: Annotated[str | None, typer.Option(help="Which walk [default: the run's].")] = None,
    spacing: Annotated[str | None, typer.Option(help="At which times it stops [default: the run's].")] = None,
    style: Annotated[Path | None, typer.Option(help="The reference of a style.")] = None,
    mask: Annotated[
        Path | None, typer.Option(help="White: what to fill in (inpaint), whose colour is right (colorize).")
    ] = None,
    strength: Annotated[
        float | None, typer.Option(help="How far to vary: 0 nothing, 1 all [default: the run's].")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Of the task, such as fault=jpeg; repeatable."),
    ] = None,
    seed: options.Seed = 0,
    device: options.Device = "auto",
) -> None:
    """Restore files: enlarge, colour, fill in, clean, vary."""
    from modaloom import api

    walk = {"steps": steps, "sampler": sampler, "spacing": spacing}
    own = {} if strength is None else {"strength": strength}
    asking = api.Asking(
        mode=mode,
        style=style,
        mask=mask,
        settings=settings or (),
        options=own,
        drawing={name: value for name, value in walk.items() if value is not None},
        seed=seed,
    )
    count, known = 0, len(inputs or ()) or None
    with Progress() as progress:
        for count, _ in enumerate(
            api.restore(run, inputs or (), out=out, n=n, asking=asking, device=device), start=1
        ):
            progress.show("files", count, known)
    typer.echo(f"{count} files in {out}")
