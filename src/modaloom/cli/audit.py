"""The command `audit`."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from modaloom.cli import options, printing
from modaloom.core.defaults import AUDIT_SAMPLES, DEVICE, SEED
from modaloom.core.errors import PartlyFailed

if TYPE_CHECKING:
    from modaloom.loom.audit import Audit

MAX_ROWS = 20
"""Maximum rows of a printed table; --json writes all."""


def audit(
    run: options.RunPath,
    folder: options.FolderPath,
    file: options.JsonPath = None,
    n: Annotated[int, typer.Option(help="Maximum number of samples to audit.")] = AUDIT_SAMPLES,
    seed: options.Seed = SEED,
    device: options.Device = DEVICE,
) -> None:
    """Find mismatched pairs, duplicates across splits and leaks."""
    from modaloom import api

    options.check_json(file)
    found = api.audit(run, folder, n=n, seed=seed, device=device, notify=printing.notice)
    options.write_json(file, found.to_dict())
    printing.echo(f"{found.path}: the most suspicious of {found.audited} samples, by robust z-score")
    printing.table(("key", "score", "mutual information (bits)", "files"), _suspects(found))
    printing.echo(f"copies of training values among held-out ones: {len(found.duplicates)}")
    if found.duplicates:
        printing.table(("stream", "held out", "training", "distance / usual"), _duplicates(found))
    for sentence in found.leaks:
        printing.echo(f"→ {sentence}")
    if found.skipped:
        raise PartlyFailed(found.skipped, "all other files were audited")


def _suspects(found: "Audit") -> Iterable[tuple[str, ...]]:
    for one in found.suspects[:MAX_ROWS]:
        bits = ", ".join(f"{name} {pmi:.1f}" for name, pmi in one.bits.items())
        files = found.files[one.key]
        yield one.key, f"{one.score:.1f}", bits, " ".join(files[s] for s in one.streams if s in files)


def _duplicates(found: "Audit") -> Iterable[tuple[str, ...]]:
    for one in found.duplicates[:MAX_ROWS]:
        yield one.stream, one.key, one.of, f"{one.distance:.2f}"
