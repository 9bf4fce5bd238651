"""The command `probabilities`."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from modaloom.cli import options, printing
from modaloom.core.defaults import DEVICE, SEED

if TYPE_CHECKING:
    from modaloom.api import Distribution

MAX_SHOWN = 10
"""Values of a distribution that are printed, the likeliest first; --json has all."""


def probabilities(
    run: options.RunPath,
    want: Annotated[
        str,
        typer.Option(metavar="A,B|missing", help="Records, short texts, or each sample's missing records."),
    ],
    folder: Annotated[
        Path | None, typer.Argument(metavar="FOLDER", help="For each sample of this folder.")
    ] = None,
    given: Annotated[
        list[str] | None,
        typer.Option(metavar="STREAM=VALUE", help="An input; @FILE reads a file, @@ is a literal @."),
    ] = None,
    among: Annotated[
        list[str] | None,
        typer.Option(metavar="STREAM=A,B", help="Texts to compare [default: the training values]."),
    ] = None,
    file: options.JsonPath = None,
    seed: options.Seed = SEED,
    device: options.Device = DEVICE,
) -> None:
    """Tell how probable each value of a record or a short text is, given others."""
    from modaloom import api

    options.check_json(file)
    found = api.probabilities(
        run,
        folder,
        given=options.given(given or ()),
        want=options.names(want),
        among=options.lists(among or ()),
        seed=seed,
        device=device,
        notify=printing.notice,
    )
    rows = {key: {name: one.to_dict() for name, one in row.items()} for key, row in found.items()}
    options.write_json(file, rows)
    lines = [
        (key, *line) for key, row in found.items() for name, one in row.items() for line in _lines(name, one)
    ]
    printing.table(("key", "stream", "value", "probability"), lines)


def _lines(name: str, one: "Distribution") -> Iterator[tuple[str, str, str]]:
    pairs = sorted(zip(one.probabilities, one.values), key=lambda pair: -pair[0])
    return ((name, str(value), f"{p:.3f}") for p, value in pairs[:MAX_SHOWN])
