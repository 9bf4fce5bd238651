"""Commands that use a trained Loom run: generate, tokenize, detokenize."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from modaloom.cli import options, printing
from modaloom.core.defaults import DEVICE, DRAWS, FOLDER_DRAWS, OUTPUT, SEED

if TYPE_CHECKING:
    from modaloom.api import CodeSamplingOptions


def generate(
    run: options.RunPath,
    want: Annotated[
        str, typer.Option(metavar="A,B|missing", help="Streams to generate, or each sample's missing ones.")
    ],
    out: options.OutPath,
    folder: Annotated[
        Path | None, typer.Argument(metavar="FOLDER", help="Generate for each sample of this folder.")
    ] = None,
    given: Annotated[
        list[str] | None,
        typer.Option(
            metavar="STREAM=VALUE",
            help="Text is literal, @FILE reads a file, @@ is a literal @; other modalities take a path.",
        ),
    ] = None,
    given_lines: Annotated[
        list[str] | None,
        typer.Option(metavar="STREAM=FILE", help="Generate for each line of a text file."),
    ] = None,
    keep: Annotated[
        list[str] | None,
        typer.Option(
            metavar="STREAM=START:END,…",
            help="Parts that stay of a value that is given and wanted: seconds, pixels, characters.",
        ),
    ] = None,
    strength: Annotated[
        list[str] | None,
        typer.Option(
            metavar="STREAM=T",
            help="How much of a value that is given and wanted is drawn anew: near 0 nothing, 1 all.",
        ),
    ] = None,
    n: Annotated[
        int | None,
        typer.Option(
            help=f"Number of samples [default: {DRAWS}; with FOLDER or lines, {FOLDER_DRAWS} each]."
        ),
    ] = None,
    steps: Annotated[int | None, typer.Option(help="Sampling steps [default: the run's].")] = None,
    guidance: Annotated[
        float | None,
        typer.Option(help="Classifier-free guidance weight; 1 is no guidance [default: the run's]."),
    ] = None,
    sampler: Annotated[str | None, typer.Option(help="{code_samplers} [default: the run's].")] = None,
    unconditional_sampler: Annotated[
        str | None, typer.Option(help="Sampler when nothing is given [default: the run's].")
    ] = None,
    temperature: Annotated[
        float | None,
        typer.Option(help="Softmax temperature; below 1 favours likely codes [default: the run's]."),
    ] = None,
    top_p: Annotated[
        float | None, typer.Option(help="Nucleus sampling: probability mass to keep [default: the run's].")
    ] = None,
    choice_temperature: Annotated[
        float | None, typer.Option(help="Randomness of the unmasking order (maskgit) [default: the run's].")
    ] = None,
    remask: Annotated[
        float | None, typer.Option(help="Remasking rate (remasking) [default: the run's].")
    ] = None,
    length: Annotated[
        float | None,
        typer.Option(help="Seconds of sound, frames of videos or tokens of text, by blocks [default: one]."),
    ] = None,
    refine: Annotated[
        Path | None, typer.Option(metavar="RUN", help="A run of --task refine, applied to generated values.")
    ] = None,
    mux: Annotated[
        str,
        typer.Option(metavar="CLIP+SOUND", help="A wanted clip and a wanted or given sound, as one file."),
    ] = "",
    format: Annotated[
        str,
        typer.Option(help="{outputs}: plain files, or a local dataset of Hugging Face, with what was given."),
    ] = OUTPUT,
    seed: options.Seed = SEED,
    device: options.Device = DEVICE,
) -> None:
    """Generate streams from others."""
    from modaloom import api

    chosen = {
        "steps": steps,
        "guidance": guidance,
        "sampler": sampler,
        "unconditional_sampler": unconditional_sampler,
        "temperature": temperature,
        "top_p": top_p,
        "choice_temperature": choice_temperature,
        "remask": remask,
    }
    sampling = cast(
        "CodeSamplingOptions", {name: value for name, value in chosen.items() if value is not None}
    )
    values = options.given(given or ())
    for name, path in values.items():
        if isinstance(path, Path) and (lines := options.count_lines(path)) > 1:
            printing.notice(
                f"{name}=@{path} is one value of {lines} lines; to take each by itself: "
                f"--given-lines {name}={path}"
            )
    samples = api.generate(
        run,
        folder,
        given=values | options.given_lines(given_lines or ()),
        want=options.names(want),
        out=out,
        n=n,
        seed=seed,
        keep=options.spans(keep or ()),
        strength=options.strengths(strength or ()),
        length=length,
        sampling=sampling,
        refine=refine,
        mux=mux,
        format=format,
        device=device,
        notify=printing.notice,
    )
    printing.echo(f"{printing.steps(samples, 'samples')} samples in {out}")


def tokenize(
    run: options.RunPath, folder: options.FolderPath, out: options.OutPath, device: options.Device = DEVICE
) -> None:
    """Write the codes of a folder as safetensors shards."""
    from modaloom import api

    printing.echo(f"{api.tokenize(run, folder, out, device=device, notify=printing.notice)} samples in {out}")


def detokenize(
    run: options.RunPath,
    shards: Annotated[Path, typer.Argument(metavar="SHARDS", help="The --out of tokenize.")],
    out: options.OutPath,
    device: options.Device = DEVICE,
) -> None:
    """Decode codes to plain files."""
    from modaloom import api

    printing.echo(f"{api.detokenize(run, shards, out, device=device)} samples in {out}")
