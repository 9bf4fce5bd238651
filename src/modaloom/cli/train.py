"""Commands that make something: demo, train, world."""

import json
from pathlib import Path
from typing import Annotated

import typer

from modaloom.cli import options, printing
from modaloom.progress import Progress


def demo(
    out: options.OutPath = Path("runs/demo"),
    minutes: Annotated[float, typer.Option(help="Time for the training.")] = 8.0,
    seed: options.Seed = 0,
    device: options.Device = "auto",
) -> None:
    """The built-in world: data, training, scores, a page."""
    from modaloom import api

    with Progress() as progress:
        trained = api.demo(
            out=out,
            minutes=minutes,
            seed=seed,
            device=device,
            callbacks=printing.callbacks(progress),
            world_progress=lambda done, total: progress.show("writing the world", done, total),
        )
    printing.finished(trained)


def train(
    out: options.OutPath,
    folder: Annotated[Path | None, typer.Argument(metavar="FOLDER", help="Paired files.")] = None,
    streams: options.Streams = "",
    task: Annotated[
        str,
        typer.Option(
            help="Learn to restore instead: superres, colorize, inpaint, denoise, jpeg, restore (all five), "
            "image_to_image, refine, vary, generate, style."
        ),
    ] = "",
    tokenizers: Annotated[str, typer.Option(metavar="RUN", help="Whose codes `--task refine` repairs.")] = "",
    preset: Annotated[str, typer.Option(help="tiny, small or base.")] = "tiny",
    minutes: Annotated[float | None, typer.Option(help="Time for all stages together [default: 15].")] = None,
    steps: Annotated[
        str | None,
        typer.Option(metavar="N|STAGE=N,…", help="Instead of minutes: of every stage, or by stage."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="The same seed gives the same result [default: 0].")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="A TOML or JSON file, such as RUN/config.json.")] = None,
    split_by: Annotated[
        str | None,
        typer.Option(
            metavar="KEY", help="folder, a regular expression or STREAM.FIELD [default: each sample]."
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Such as loom.num_layers=6; repeatable."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the run in --out, or start it.")
    ] = False,
    device: options.Device = "auto",
) -> None:
    """Learn tokenizers and an any-to-any diffusion model."""
    from modaloom import api

    with Progress() as progress:
        trained = api.train(
            folder,
            out=out,
            streams=options.names(streams),
            task=task,
            tokenizers=tokenizers,
            preset=preset,
            minutes=minutes,
            steps=None if steps is None else options.steps(steps),
            seed=seed,
            config=config,
            settings=[*([f"data.split_by={json.dumps(split_by)}"] if split_by else []), *(settings or ())],
            resume=resume,
            device=device,
            callbacks=printing.callbacks(progress),
        )
    printing.finished(trained)


def world(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder.")],
    n: Annotated[int, typer.Option(help="Training samples.")] = 1000,
    seed: options.Seed = 0,
    streams: options.Streams = "",
    world: Annotated[
        str, typer.Option("--world", help="solo: one object; duo: two objects and a relation.")
    ] = "solo",
    side: Annotated[int, typer.Option(help="Of the pictures, pixels.")] = 32,
    fix: Annotated[
        list[str] | None, typer.Option(metavar="FACTOR=VALUE", help="Such as motion=still; repeatable.")
    ] = None,
) -> None:
    """Write a built-in world as plain files."""
    from modaloom import api

    with Progress() as progress:
        api.world(
            folder,
            n=n,
            seed=seed,
            streams=options.names(streams),
            world=world,
            side=side,
            fixed=options.fixed(fix or ()),
            progress=lambda done, total: progress.show("samples", done, total),
        )
    typer.echo(folder)
