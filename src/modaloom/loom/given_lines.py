"""A file of values, one on each line: a sample is generated for each."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from modaloom.core.errors import BadFile, BadValue
from modaloom.modalities.base import Value
from modaloom.modalities.files import read_text

MAX_BYTES = 2**26


@dataclass(frozen=True)
class Lines:
    """Given values of a stream: the lines of a text file that are not empty, each as after `--given`."""

    path: Path

    def read(self) -> list[str]:
        """The lines. Raises `BadFile` if there is none."""
        lines = [line.strip() for line in read_text(Path(self.path), limit=MAX_BYTES).splitlines()]
        found = [line for line in lines if line]
        if not found:
            raise BadFile(Path(self.path), "has no line with a value")
        return found


def rows_of(given: Mapping[str, Value]) -> list[dict[str, Value]]:
    """Stream → value for each line; one row if nothing is given by lines.

    Raises `BadValue` for files of different lengths, and `BadFile`.
    """
    plain = {name: value for name, value in given.items() if not isinstance(value, Lines)}
    columns = {name: value.read() for name, value in given.items() if isinstance(value, Lines)}
    lengths = {len(lines) for lines in columns.values()}
    if len(lengths) > 1:
        counts = ", ".join(f"{name} {len(lines)}" for name, lines in columns.items())
        raise BadValue(f"files of given lines need equally many lines; they have: {counts}")
    return [{**plain, **dict(zip(columns, row))} for row in zip(*columns.values())] or [plain]
