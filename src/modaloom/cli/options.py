"""Options shared by commands, and the parsing of their values."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from modaloom.core.errors import BadValue, short

if TYPE_CHECKING:
    from modaloom.loom.given_lines import Lines

RunPath = Annotated[Path, typer.Argument(metavar="RUN", help="Run folder: the --out of a training.")]
FolderPath = Annotated[Path, typer.Argument(metavar="FOLDER", help="Paired files: 0001.png, 0001.txt, …")]
OutPath = Annotated[Path, typer.Option("--out", help="Output folder; must not exist.")]
Device = Annotated[str, typer.Option(help="{devices}.")]
Seed = Annotated[int, typer.Option(help="Random seed.")]
JsonPath = Annotated[Path | None, typer.Option("--json", help="Write the figures to this file.")]
Layout = Annotated[str, typer.Option(help="How the folder is arranged: {layouts}.")]
Streams = Annotated[
    str,
    typer.Option(metavar="A,B", help="Streams to use [default: all; of a world, all but sounds and clips]."),
]


def check_json(file: Path | None) -> None:
    """Check before the work that a file can be written after it. Raises `BadValue`."""
    if file is not None and (file.is_dir() or not file.parent.is_dir()):
        raise BadValue(f"--json {file} cannot be written; name a file in a folder that exists")


def write_json(file: Path | None, value: object) -> None:
    """Write figures to the file of --json, if given, atomically. Raises `WorkFailed`."""
    from modaloom.data.atomic_io import encode, write_output

    if file is not None:
        write_output(file, encode(value))


def names(text: str) -> list[str]:
    """`A,B` → [A, B]."""
    return [name.strip() for name in text.split(",") if name.strip()]


def steps(text: str) -> int | dict[str, int]:
    """`N`, or `STAGE=N,STAGE=N`."""
    try:
        if "=" not in text:
            return int(text)
        pairs = (part.rpartition("=") for part in text.split(","))
        return {stage.strip(): int(count) for stage, _, count in pairs}
    except ValueError:
        raise BadValue(f"--steps {short(text)} is neither a number nor STAGE=NUMBER,…") from None


def given(words: Sequence[str]) -> dict[str, str | Path]:
    """`STREAM=VALUE`, … → stream → value: `@FILE` is a path, `@@` a literal @."""
    return {name: _value(word) for name, word in _pairs("--given", "stream", words).items()}


def count_lines(path: Path) -> int:
    """The number of lines of a text file that are not empty; 0 for any other file."""
    if path.suffix != ".txt":
        return 0
    try:
        return sum(bool(line.strip()) for line in path.read_text("utf-8").splitlines())
    except (OSError, UnicodeDecodeError):
        return 0


def given_lines(words: Sequence[str]) -> "dict[str, Lines]":
    """`STREAM=FILE`, … → stream → the lines of a file."""
    from modaloom.loom.given_lines import Lines

    return {name: Lines(Path(word)) for name, word in _pairs("--given-lines", "stream", words).items()}


def lists(words: Sequence[str]) -> dict[str, list[str]]:
    """`STREAM=A,B`, … → stream → its values."""
    return {name: names(word) for name, word in _pairs("--among", "stream", words).items()}


def spans(words: Sequence[str]) -> dict[str, list[tuple[float, float]]]:
    """`STREAM=START:END,START:END`, … → stream → its parts."""
    return {
        name: [_span(part) for part in word.split(",")]
        for name, word in _pairs("--keep", "stream", words).items()
    }


def strengths(words: Sequence[str]) -> dict[str, float]:
    """`STREAM=T`, … → stream → number."""
    return {name: _number(word) for name, word in _pairs("--strength", "stream", words).items()}


def _number(word: str) -> float:
    try:
        return float(word)
    except ValueError:
        raise BadValue(f"--strength {short(word)} is no number; write STREAM=0.5") from None


def _span(word: str) -> tuple[float, float]:
    start, _, end = word.partition(":")
    try:
        return float(start), float(end)
    except ValueError:
        raise BadValue(f"--keep {short(word)} is no part; write START:END, such as 0:1.5") from None


def _value(word: str) -> str | Path:
    if word.startswith("@@"):
        return word[1:]
    return Path(word[1:]) if word.startswith("@") else word


def fixed(words: Sequence[str]) -> dict[str, str]:
    """`FACTOR=VALUE`, … → factor → value."""
    return _pairs("--fix", "factor", words)


def _pairs(option: str, noun: str, words: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or name in found:
            raise BadValue(f"{option} {short(word)}: write {noun.upper()}=VALUE, once for every {noun}")
        found[name] = value
    return found
