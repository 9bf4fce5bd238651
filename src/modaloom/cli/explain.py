"""The command `explain`."""

from typing import Annotated

import typer

from modaloom.cli import options, printing
from modaloom.core.defaults import DEVICE, EXPLAIN_ORDERS, SEED

MAX_PARTS = 10
"""Printed; explanation.json has all."""


def explain(
    run: options.RunPath,
    given: Annotated[
        list[str],
        typer.Option(metavar="STREAM=VALUE", help="An input; @FILE reads a file, @@ is a literal @."),
    ],
    want: Annotated[str, typer.Option(metavar="STREAM", help="The stream to generate and explain.")],
    out: options.OutPath,
    orders: Annotated[
        int, typer.Option(help="Orders in which the parts of a stream are shown; more are more exact.")
    ] = EXPLAIN_ORDERS,
    film: Annotated[
        bool, typer.Option("--film", help="Show the denoising, too, as a GIF of pictures.")
    ] = False,
    seed: options.Seed = SEED,
    device: options.Device = DEVICE,
) -> None:
    """Tell which given stream, patch, word, second or column drove what is generated."""
    from modaloom import api
    from modaloom.api.explaining import PAGE

    found = api.explain(
        run,
        given=options.given(given),
        want=want,
        out=out,
        orders=orders,
        film=film,
        seed=seed,
        device=device,
        notify=printing.notice,
    )
    printing.echo(f"{want}: {found.to_dict()['value']}")
    for name, bits in found.streams.items():
        printing.echo(f"{name}: {bits:.2f} bits")
    most = sorted(found.parts, key=lambda one: -one.bits)[:MAX_PARTS]
    printing.table(("stream", "part", "bits"), ((one.stream, one.part, f"{one.bits:.2f}") for one in most))
    for name, areas in found.areas.items():
        printing.echo(f"{name}: mean {', '.join(f'{one:.2f}' for one in areas)} bits")
    printing.echo(out / PAGE)
