"""Commands that analyse folders and runs: inspect, evaluate, report, bench."""

from typing import Annotated

import typer

from modaloom.cli import options, printing
from modaloom.core.defaults import DEVICE, EVALUATION_SAMPLES, INFORMATION_SAMPLES, LAYOUT, SEED
from modaloom.core.errors import BadValue
from modaloom.core.json_text import to_json
from modaloom.progress import Progress

MAX_PROBLEMS = 20
"""Maximum number of printed lines about excluded files."""


def inspect(
    folder: options.FolderPath,
    layout: options.Layout = LAYOUT,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """List the streams, samples and broken files of a folder, with advice."""
    from modaloom import api

    found = api.inspect(folder, layout=layout)
    if as_json:
        printing.echo(to_json(found.to_dict(), indent=2))
        return
    printing.echo(f"{found.path}: {found.samples} samples")
    for sentence in found.recognised:
        printing.echo(f"recognised: {sentence}")
    printing.table(
        ("stream", "modality", "samples", "missing", "broken", "first", "values"),
        (
            (name, s.modality, s.count, f"{s.missing:.1%}", s.broken, s.example, printing.facts(s.facts))
            for name, s in found.streams.items()
        ),
    )
    splits = ", ".join(f"{name} {count}" for name, count in found.splits.items())
    printing.echo(f"splits, by {'folders or a table' if found.fixed else 'a hash of the keys'}: {splits}")
    for one in found.problems[:MAX_PROBLEMS]:
        printing.echo(f"left out: {one.path}: {one.reason}")
    if (more := len(found.problems) - MAX_PROBLEMS) > 0:
        printing.echo(f"left out: {more:,} more; --json names them all")
    for sentence in found.advice:
        printing.echo(f"→ {sentence}")


def evaluate(
    run: options.RunPath,
    folder: options.FolderPath,
    file: options.JsonPath = None,
    rows: Annotated[
        str, typer.Option(metavar='"A->B,A+B->C"', help="Only these directions; default all.")
    ] = "",
    mutual_information: Annotated[
        bool,
        typer.Option("--mutual-information", help="Only the pairwise mutual information of the streams."),
    ] = False,
    n: Annotated[
        int, typer.Option(help="Maximum number of samples per direction and split.")
    ] = EVALUATION_SAMPLES,
    minutes: Annotated[
        float | None, typer.Option(help="Time budget; scores fewer samples if it is short.")
    ] = None,
    seed: options.Seed = SEED,
    device: options.Device = DEVICE,
) -> None:
    """Score every direction, with its baseline and its ceiling."""
    from modaloom import api

    options.check_json(file)
    if mutual_information:
        if rows:
            raise BadValue(
                "--rows chooses scores, and --mutual-information leaves them out; leave one of them out"
            )
        mi = api.mutual_information(run, folder, n=min(n, INFORMATION_SAMPLES), seed=seed, device=device)
        options.write_json(file, [one.to_dict() for one in mi])
        printing.mutual_information(mi)
        return
    trained = api.load(run, device=device)
    with Progress() as progress:
        found = api.evaluate(
            trained,
            folder,
            rows=options.names(rows),
            n=n,
            seed=seed,
            minutes=minutes,
            on_row=printing.callbacks(progress).on_row,
            notify=printing.notice,
        )
    plain = [row.to_dict() for row in found]
    options.write_json(file, plain)
    printing.table(
        tuple(plain[0]) if plain else (), (tuple(map(printing.figure, row.values())) for row in plain)
    )
    if not rows:
        printing.mutual_information(
            api.mutual_information(trained, folder, n=min(n, INFORMATION_SAMPLES), seed=seed)
        )
    for one in api.diagnosis(run, found):
        printing.echo(f"{one.row}: {one.sentence}")
    for sentence in api.warnings(run, found):
        printing.notice(sentence)


def report(
    run: options.RunPath,
    no_samples: Annotated[
        bool, typer.Option("--no-samples", help="Without samples and names of files.")
    ] = False,
) -> None:
    """Write RUN/report.html: one self-contained page."""
    from modaloom import api

    printing.echo(api.report(run, samples=not no_samples))


def bench(
    name: Annotated[str, typer.Argument(metavar="NAME", help="{benches}.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
    device: options.Device = DEVICE,
) -> None:
    """Measure the speed of modaloom, beside a peer library and the attainable bound."""
    from modaloom import api

    found = []
    for case in api.bench(name, device=device):
        found.append(case.to_dict())
        printing.notice(f"{case.case}: {printing.figure(case.ours)} {case.unit}")
    if as_json:
        printing.echo(to_json(found, indent=1))
        return
    printing.table(tuple(found[0]), (tuple(map(printing.figure, row.values())) for row in found))
