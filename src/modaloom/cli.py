"""The command line: parse, call `modaloom.api`, print. Figures go to stdout, progress and errors to stderr.

Exit codes: 0 done; 1 the work failed; 2 the call was wrong; 130 stopped by Ctrl-C outside of training.
MODALOOM_DEBUG=1 shows the traceback of an error.
"""

import json
import os
import shlex
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from modaloom import __version__
from modaloom.core.errors import BadValue, ModaloomError, WorkFailed
from modaloom.progress import Progress

if TYPE_CHECKING:  # the api imports torch, and `modaloom --help` must not
    from modaloom.api import TrainedRun, Watch

UsageError: Any = typer.BadParameter.__base__
"""What typer raises for a call that it cannot parse."""


class Commands(TyperGroup):
    """The commands, with every error of theirs as one line on stderr and an exit code."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run a command line and exit."""
        try:
            code = super().main(*args, **{**extra, "standalone_mode": False})
        except (UsageError, ModaloomError, WorkFailed, OSError) as error:
            if os.environ.get("MODALOOM_DEBUG"):
                raise
            code = _report(error)
        sys.exit(code or 0)

    def invoke(self, ctx: Any) -> Any:
        """Run a command; Ctrl-C ends it without a traceback."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            typer.echo("error: stopped; a training goes on with --resume", err=True)
            raise typer.Exit(130) from None


def _report(error: Exception) -> int:
    """Say what went wrong; returns the exit code."""
    usage = isinstance(error, UsageError)
    message = error.format_message() if usage else str(error)  # type: ignore[attr-defined]
    typer.echo(f"error: {message}" + (f" ({_see(error)})" if usage else ""), err=True)
    return 2 if usage or isinstance(error, ModaloomError) else 1


def _see(error: Any) -> str:
    path = error.ctx.command_path if error.ctx else "modaloom"
    return f"see {path} --help"


app = typer.Typer(
    cls=Commands,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
main = app

RunPath = Annotated[Path, typer.Argument(metavar="RUN", help="The --out of a training.")]
FolderPath = Annotated[Path, typer.Argument(metavar="FOLDER", help="Paired files: 0001.png, 0001.txt, …")]
OutPath = Annotated[Path, typer.Option("--out", help="A new folder.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")]
Seed = Annotated[int, typer.Option(help="The same seed gives the same result.")]
Streams = Annotated[str, typer.Option(metavar="A,B", help="Streams to use; default all.")]


@app.callback(invoke_without_command=True)
def _options(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Paired files in, any stream from any other out."""
    if version:
        typer.echo(f"modaloom {__version__}")
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command()
def demo(
    out: OutPath = Path("runs/demo"),
    minutes: Annotated[float, typer.Option(help="Time for the training.")] = 8.0,
    seed: Seed = 0,
    device: Device = "auto",
) -> None:
    """The built-in world: data, training, scores, a page."""
    from modaloom import api

    with Progress() as progress:
        trained = api.demo(
            out=out,
            minutes=minutes,
            seed=seed,
            device=device,
            watch=_watch(progress),
            written=lambda done, total: progress.show("writing the world", done, total),
        )
    _finished(trained)


@app.command()
def inspect(
    folder: FolderPath,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """What is in a folder, what is broken, what to do."""
    from modaloom import api

    found = api.inspect(folder)
    if as_json:
        typer.echo(json.dumps(found.to_dict(), ensure_ascii=False, indent=2))
        return
    typer.echo(f"{found.path}: {found.samples} samples")
    _table(
        ("stream", "modality", "samples", "missing", "broken", "values"),
        (
            (name, s.modality, s.count, f"{s.missing:.1%}", s.broken, _facts(s.facts))
            for name, s in found.streams.items()
        ),
    )
    splits = ", ".join(f"{name} {count}" for name, count in found.splits.items())
    typer.echo(f"splits, by {'folders' if found.fixed else 'a hash of the keys'}: {splits}")
    for one in found.problems:
        typer.echo(f"left out: {one.path}: {one.reason}")
    for sentence in found.advice:
        typer.echo(f"→ {sentence}")


@app.command()
def train(
    out: OutPath,
    folder: Annotated[Path | None, typer.Argument(metavar="FOLDER", help="Paired files.")] = None,
    streams: Streams = "",
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
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Such as loom.depth=6; repeatable.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the run in --out, or start it.")
    ] = False,
    device: Device = "auto",
) -> None:
    """Learn tokenizers and an any-to-any diffusion model."""
    from modaloom import api

    with Progress() as progress:
        trained = api.train(
            folder,
            out=out,
            streams=_names(streams),
            preset=preset,
            minutes=minutes,
            steps=None if steps is None else _steps(steps),
            seed=seed,
            config=config,
            settings=[*([f"data.split_by={json.dumps(split_by)}"] if split_by else []), *(settings or ())],
            resume=resume,
            device=device,
            watch=_watch(progress),
        )
    _finished(trained)


@app.command()
def generate(
    run: RunPath,
    want: Annotated[
        str, typer.Option(metavar="A,B|missing", help="Streams to draw; or what a sample lacks.")
    ],
    out: OutPath,
    folder: Annotated[
        Path | None, typer.Argument(metavar="FOLDER", help="Draw for each of its samples.")
    ] = None,
    given: Annotated[
        list[str] | None,
        typer.Option(
            metavar="STREAM=VALUE", help="Words are literal, @file reads a file; others take paths."
        ),
    ] = None,
    n: Annotated[int | None, typer.Option(help="Draws [default: 4; with FOLDER, 1 of each sample].")] = None,
    steps: Annotated[int | None, typer.Option(help="Of the sampler [default: the run's].")] = None,
    guidance: Annotated[float | None, typer.Option(help="1: none [default: the run's].")] = None,
    sampler: Annotated[str | None, typer.Option(help="Which sampler [default: the run's].")] = None,
    opening: Annotated[
        str | None, typer.Option(help="Sampler where nothing is given [default: the run's].")
    ] = None,
    temperature: Annotated[float | None, typer.Option(help="Less is safer [default: the run's].")] = None,
    jitter: Annotated[float | None, typer.Option(help="More is more varied [default: the run's].")] = None,
    seed: Seed = 0,
) -> None:
    """Draw streams from others, as plain files."""
    from modaloom import api

    chosen = {
        "steps": steps,
        "guidance": guidance,
        "sampler": sampler,
        "opening": opening,
        "temperature": temperature,
        "jitter": jitter,
    }
    sampling = {name: value for name, value in chosen.items() if value is not None}
    count = 0
    with Progress() as progress:
        for count, _ in enumerate(
            api.generate(
                run,
                folder,
                given=_given(given or ()),
                want=_names(want),
                out=out,
                n=n,
                seed=seed,
                sampling=sampling,
                say=_notice,
            ),
            start=1,
        ):
            progress.show("samples", count)
    typer.echo(f"{count} samples in {out}")


@app.command()
def tokenize(run: RunPath, folder: FolderPath, out: OutPath) -> None:
    """Write the codes of a folder as safetensors shards."""
    from modaloom import api

    typer.echo(f"{api.tokenize(run, folder, out, say=_notice)} samples in {out}")


@app.command()
def detokenize(
    run: RunPath,
    shards: Annotated[Path, typer.Argument(metavar="SHARDS", help="The --out of tokenize.")],
    out: OutPath,
) -> None:
    """Write the values of codes as plain files."""
    from modaloom import api

    typer.echo(f"{api.detokenize(run, shards, out)} samples in {out}")


@app.command()
def evaluate(
    run: RunPath,
    folder: FolderPath,
    file: Annotated[Path | None, typer.Option("--json", help="Write the rows to this file.")] = None,
    n: Annotated[int, typer.Option(help="Most samples a direction and split.")] = 500,
    seed: Seed = 0,
) -> None:
    """Score every direction, beside what it must beat."""
    from modaloom import api

    if file is not None and (file.is_dir() or not file.parent.is_dir()):
        raise BadValue(f"--json {file} cannot be written; name a file in a folder that exists")
    with Progress() as progress:
        rows = api.evaluate(run, folder, n=n, seed=seed, watch=_watch(progress).row, say=_notice)
    plain = [row.to_dict() for row in rows]
    if file is not None:
        file.write_text(json.dumps(plain, indent=1) + "\n", encoding="utf-8")
    _table(tuple(plain[0]) if plain else (), (tuple(map(_figure, row.values())) for row in plain))


@app.command()
def report(
    run: RunPath,
    no_samples: Annotated[bool, typer.Option("--no-samples", help="Without what was drawn.")] = False,
) -> None:
    """Write RUN/report.html: one self-contained page."""
    from modaloom import api

    typer.echo(api.report(run, samples=not no_samples))


@app.command()
def world(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder.")],
    n: Annotated[int, typer.Option(help="Training samples.")] = 1000,
    seed: Seed = 0,
    streams: Streams = "",
) -> None:
    """Write the built-in world as plain files."""
    from modaloom import api

    with Progress() as progress:
        api.world(
            folder,
            n=n,
            seed=seed,
            streams=_names(streams),
            watch=lambda done, total: progress.show("samples", done, total),
        )
    typer.echo(folder)


def _watch(progress: Progress) -> "Watch":
    from modaloom import api

    scored = 0

    def row(row: Any) -> None:
        nonlocal scored
        scored += 1
        progress.show("scores", scored, note=lambda: f"{row.row}, {row.split}: {row.metric} {row.value:.3f}")

    return api.Watch(
        step=lambda s: progress.show(s.stage, s.step, s.total, lambda: f"loss {float(s.loss):.4f}"),
        row=row,
        say=progress.say,
    )


def _finished(trained: "TrainedRun") -> None:
    """Where everything is, and what to do next."""
    from modaloom import api

    typer.echo(f"model: {trained.path / 'model'}\nreport: {trained.path / 'report.html'}\ntry:")
    for command in api.examples(trained):
        typer.echo(f"  {command}")
    typer.echo(f"open {shlex.quote(str(trained.path / 'report.html'))}")


def _notice(sentence: str) -> None:
    typer.echo(f"note: {sentence}", err=True)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _steps(text: str) -> int | dict[str, int]:
    """`N`, or `STAGE=N,STAGE=N`."""
    try:
        if "=" not in text:
            return int(text)
        pairs = (part.rpartition("=") for part in text.split(","))
        return {stage.strip(): int(count) for stage, _, count in pairs}
    except ValueError:
        raise BadValue(f"--steps {text!r} is neither a number nor STAGE=NUMBER,…") from None


def _given(pairs: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in pairs:
        stream, equals, value = pair.partition("=")
        if not equals or stream in found:
            raise BadValue(f"--given {pair!r}: write STREAM=VALUE, once for every stream")
        found[stream] = value
    return found


def _facts(facts: Any) -> str:
    return ", ".join(f"{name} {value}" for name, value in facts.items())


def _figure(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Columns, aligned; nothing is cut off, so that lines can be searched."""
    lines = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(map(len, column)) for column in zip(*lines)]
    for line in lines:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())
