"""The command `restore`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from modaloom.cli import options, printing
from modaloom.core.defaults import DEVICE, DRAWS, SEED

if TYPE_CHECKING:
    from modaloom.api import SignalSamplingOptions


def restore(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The --out of a training with --task.")],
    out: options.OutPath,
    inputs: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[INPUT…]",
            help="Files of any size, or folders of files; none for a run of --task generate.",
        ),
    ] = None,
    n: Annotated[
        int | None, typer.Option(help=f"Number of samples without input [default: {DRAWS}].")
    ] = None,
    mode: Annotated[
        str, typer.Option(help="{modes}: the posterior mean, or a posterior sample [default: the task's].")
    ] = "",
    steps: Annotated[int | None, typer.Option(help="Sampling steps [default: the run's].")] = None,
    sampler: Annotated[str | None, typer.Option(help="{signal_samplers} [default: the run's].")] = None,
    timestep_spacing: Annotated[
        str | None, typer.Option(help="{timestep_spacings} [default: the run's].")
    ] = None,
    shared_noise: Annotated[
        float | None,
        typer.Option(help="Part of the noise that all frames of a clip share, 0 to 1 [default: the run's]."),
    ] = None,
    style: Annotated[Path | None, typer.Option(help="Reference file for --task style.")] = None,
    mask: Annotated[
        Path | None, typer.Option(help="White: area to fill in (inpaint), or with known colour (colorize).")
    ] = None,
    strength: Annotated[
        float | None,
        typer.Option(help="Strength of variation, from 0 (none) to 1 (full) [default: the run's]."),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Task option, such as degradation=jpeg; repeatable."),
    ] = None,
    seed: options.Seed = SEED,
    device: options.Device = DEVICE,
) -> None:
    """Restore files: super-resolution, colour, inpainting, denoising, variation."""
    from modaloom import api

    sampling = {
        **{"steps": steps, "sampler": sampler, "timestep_spacing": timestep_spacing},
        "shared_noise": shared_noise,
    }
    own = {} if strength is None else {"strength": strength}
    restore_options = api.RestoreOptions(
        mode=mode,
        style=style,
        mask=mask,
        settings=settings or (),
        options=own,
        sampling=cast(
            "SignalSamplingOptions", {name: value for name, value in sampling.items() if value is not None}
        ),
        seed=seed,
    )
    files = api.restore(
        run,
        inputs or (),
        out=out,
        n=n,
        restore_options=restore_options,
        device=device,
        notify=printing.notice,
    )
    printing.echo(f"{printing.steps(files, 'files')} files in {out}")
