"""Commands that create runs and data: demo, train, world."""

import json
from pathlib import Path
from typing import Annotated

import typer

from modaloom.cli import options, printing
from modaloom.core.defaults import (
    DEMO_MINUTES,
    DEMO_OUT,
    DEVICE,
    LAYOUT,
    PRESET,
    SEED,
    TRAIN_MINUTES,
    WORLD,
    WORLD_SAMPLES,
    WORLD_SIDE,
)
from modaloom.progress import Progress


def demo(
    out: options.OutPath = Path(DEMO_OUT),
    minutes: Annotated[float, typer.Option(help="Time budget of the training.")] = DEMO_MINUTES,
    streams: Annotated[
        str, typer.Option(metavar="A,B", help="Streams [default: four, and from 30 minutes on sounds].")
    ] = "",
    seed: options.Seed = SEED,
    device: options.Device = DEVICE,
) -> None:
    """Train on the built-in world: data, training, scores and a report."""
    from modaloom import api

    with Progress() as progress:
        trained = api.demo(
            out=out,
            minutes=minutes,
            streams=options.names(streams),
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
        typer.Option(help="Train a Restorer for this task: {tasks}."),
    ] = "",
    tokenizers: Annotated[
        str,
        typer.Option(
            metavar="RUN", help="Run whose tokenizers are taken as they are; `--task refine` improves one."
        ),
    ] = "",
    start: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="RUN",
            help="Run that is adapted to the folder: other samples, further streams; a Restorer's: its task.",
        ),
    ] = "",
    preset: Annotated[str, typer.Option(help="{presets}.")] = PRESET,
    minutes: Annotated[
        float | None, typer.Option(help=f"Time budget of all stages together [default: {TRAIN_MINUTES:g}].")
    ] = None,
    steps: Annotated[
        str | None,
        typer.Option(
            metavar="N|STAGE=N,…", help="Training steps instead of minutes: of every stage, or by stage."
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(help=f"Random seed [default: {SEED}].")] = None,
    config: Annotated[Path | None, typer.Option(help="A TOML or JSON file, such as RUN/config.json.")] = None,
    split_by: Annotated[
        str | None,
        typer.Option(
            metavar="KEY",
            help="Group kept in one split: folder, a regular expression or STREAM[.FIELD] [default: none].",
        ),
    ] = None,
    layout: options.Layout = LAYOUT,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Setting, such as loom.num_layers=6; repeatable."),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the run in --out, or start it.")] = False,
    device: options.Device = DEVICE,
    devices: Annotated[
        int, typer.Option(metavar="N", help="Processes that train together on this machine.")
    ] = 1,
    shard: Annotated[
        bool, typer.Option("--shard", help="Divide the weights of the Loom among the processes.")
    ] = False,
) -> None:
    """Train tokenizers and an any-to-any diffusion model, or a Restorer (--task)."""
    from modaloom import api
    from modaloom.training.launch import leads

    with Progress() as progress:
        trained = api.train(
            folder,
            out=out,
            streams=options.names(streams),
            task=task,
            tokenizers=tokenizers,
            start=start,
            preset=preset,
            minutes=minutes,
            steps=None if steps is None else options.steps(steps),
            seed=seed,
            config=config,
            settings=[
                *([f"data.split_by={json.dumps(split_by)}"] if split_by else []),
                *([f"data.layout={layout}"] if layout != LAYOUT else []),
                *(settings or ()),
            ],
            resume=resume,
            device=device,
            callbacks=printing.callbacks(progress),
            devices=devices,
            shard=shard,
        )
    if leads():
        printing.finished(trained)


def world(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder.")],
    n: Annotated[int, typer.Option(help="Number of training samples.")] = WORLD_SAMPLES,
    seed: options.Seed = SEED,
    streams: options.Streams = "",
    world: Annotated[
        str, typer.Option("--world", help="{worlds}: one object, or two and a relation.")
    ] = WORLD,
    side: Annotated[int, typer.Option(help="Side of the pictures in pixels.")] = WORLD_SIDE,
    fix: Annotated[
        list[str] | None,
        typer.Option(metavar="FACTOR=VALUE", help="Constant factor, such as motion=still; repeatable."),
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
    printing.echo(folder)
