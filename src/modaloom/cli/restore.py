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
    timestep_spacing: Annotated[
        str | None, typer.Option(help="At which times it stops [default: the run's].")
    ] = None,
    style: Annotated[Path | None, typer.Option(help="The reference of a style.")] = None,
    mask: Annotated[
        Path | None, typer.Option(help="White: what to fill in (inpaint), whose colour is right (colorize).")
    ] = None,
    strength: Annotated[
        float | None, typer.Option(help="How far to vary: 0 nothing, 1 all [default: the run's].")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Of the task, such as degradation=jpeg; repeatable."),
    ] = None,
    seed: options.Seed = 0,
    device: options.Device = "auto",
) -> None:
    """Restore files: enlarge, colour, fill in, clean, vary."""
    from modaloom import api

    sampling = {"steps": steps, "sampler": sampler, "timestep_spacing": timestep_spacing}
    own = {} if strength is None else {"strength": strength}
    restore_options = api.RestoreOptions(
        mode=mode,
        style=style,
        mask=mask,
        settings=settings or (),
        options=own,
        sampling={name: value for name, value in sampling.items() if value is not None},
        seed=seed,
    )
    count, known = 0, len(inputs or ()) or None
    with Progress() as progress:
        for count, _ in enumerate(
            api.restore(run, inputs or (), out=out, n=n, restore_options=restore_options, device=device),
            start=1,
        ):
            progress.show("files", count, known)
    typer.echo(f"{count} files in {out}")
