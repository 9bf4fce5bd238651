"""Output of the commands."""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from modaloom.core.visible import visible
from modaloom.progress import Progress

if TYPE_CHECKING:  # the api imports torch, and `modaloom --help` must not
    from modaloom.api import MutualInformation, Results, TrainCallbacks
    from modaloom.api.runs import Trained


T = TypeVar("T")


def echo(text: object = "", *, err: bool = False) -> None:
    """Print a line, in which no name and no value commands the terminal."""
    typer.echo(visible(text), err=err)


def callbacks(progress: Progress) -> "TrainCallbacks":
    """Callbacks that show steps, scores and notices of a training on a progress display."""
    from modaloom.api.callbacks import callbacks_on

    return callbacks_on(progress)


def steps(results: "Results[T]", noun: str) -> int:
    """Finish all results, with their steps on a progress display; returns how many there are.

    Ctrl-C always reaches the work itself, which keeps what is finished and says so.
    """
    count = 0
    with Progress() as progress:
        try:
            for frame in results.frames:
                count += len(frame.result or ())
                note = partial("{}, {:,} {}".format, frame.stream, count, noun)
                progress.show("steps", frame.step, frame.total, note)
        except KeyboardInterrupt as stop:
            results.frames.throw(stop)
    return count


def finished(trained: "Trained") -> None:
    """Print the paths of a finished training and commands to try."""
    from modaloom import api

    echo(f"model: {trained.path / 'model'}\nreport: {trained.path / 'report.html'}\ntry:")
    for command in api.examples(trained):
        echo(f"  {command}")
    echo(f"open {shlex.quote(str(trained.path / 'report.html'))}")


def notice(sentence: str) -> None:
    """Print a note on stderr."""
    echo(f"note: {sentence}", err=True)


def facts(by_name: Mapping[str, Any]) -> str:
    """`NAME VALUE, NAME VALUE`."""
    return ", ".join(f"{name} {value}" for name, value in by_name.items())


def figure(value: Any) -> str:
    """Format a table cell; small numbers are in scientific notation."""
    if value is None:
        return "–"
    if not isinstance(value, float):
        return str(value)
    return f"{value:.0e}" if 0 < abs(value) < 5e-4 else f"{value:.3f}"


def mutual_information(found: "Sequence[MutualInformation]") -> None:
    """Print mutual information of every (given, want) pair: estimate, interval and exact value if known."""
    if not found:
        return
    wants = tuple(dict.fromkeys(mi.want for mi in found))
    cells = {(mi.given, mi.want): _mi(mi) for mi in found}
    givens = dict.fromkeys(mi.given for mi in found)
    echo("mutual information (bits; where a pair has two figures, the smaller is the better estimate):")
    table(
        ("given", *(f"-> {want}" for want in wants)),
        ((given, *(cells.get((given, want), "") for want in wants)) for given in givens),
    )


def _mi(mi: "MutualInformation") -> str:
    exact = "" if mi.exact is None else f"; exact {mi.exact:.2f}"
    return f"{mi.bits:.2f} ({mi.low:.2f} to {mi.high:.2f}{exact})"


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print aligned columns; cells are never cut, so the output can be searched with grep."""
    lines = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(map(len, column)) for column in zip(*lines)]
    for line in lines:
        echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())
