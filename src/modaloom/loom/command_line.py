"""Commands that generate the same again."""

import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from modaloom.core.errors import shown
from modaloom.core.json_text import to_json
from modaloom.loom.canvas import NOTHING
from modaloom.loom.config import CodeSamplingConfig
from modaloom.loom.given_lines import Lines
from modaloom.modalities.base import Value
from modaloom.tokenizers.spans import Span, to_text


def generate_command(
    run: str | os.PathLike[str],
    folder: str | os.PathLike[str] | None,
    given: Mapping[str, Value],
    want: Sequence[str],
    n: int | None,
    seed: int,
    sampling: CodeSamplingConfig,
    keep: Mapping[str, Sequence[Span]],
    length: float | None = None,
    strength: Mapping[str, float] = NOTHING,
) -> str:
    """The command line of `generate`, into a folder of its own in the current one."""
    words = ["modaloom", "generate", str(run), *([str(folder)] if folder else [])]
    for name, value in given.items():
        by = "--given-lines" if isinstance(value, Lines) else "--given"
        words += [by, f"{name}={command_word(value)}"]
    for name, spans in keep.items():
        words += ["--keep", f"{name}={','.join(map(to_text, spans))}"]
    for name, t in strength.items():
        words += ["--strength", f"{name}={float(t)}"]
    words += [] if length is None else ["--length", str(float(length)).removesuffix(".0")]
    words += ["--want", ",".join(want), *(["--n", str(n)] if n else []), "--seed", str(seed)]
    for name, chosen in asdict(sampling).items():
        words += [f"--{name.replace('_', '-')}", str(chosen)]
    return shlex.join([*words, "--out", "generated"])


def plain(given: Mapping[str, Value], read: Mapping[str, Value]) -> dict[str, Value]:
    """As given; of records what was read, whose numbers are Python's."""
    return {name: read[name] if isinstance(value, Mapping) else value for name, value in given.items()}


def told(value: Value) -> str:
    """A value in an answer: texts as they are, records as JSON, others by their type."""
    return value if isinstance(value, str) else command_word(value)


def command_word(value: Value) -> str:
    """Command-line form of a value after `--given STREAM=`: `@FILE`, or a literal with a leading @ doubled.

    A value without a command-line form is represented by its type.
    """
    if isinstance(value, Lines):
        return str(value.path)
    if isinstance(value, os.PathLike):
        return f"@{os.fspath(value)}"
    if isinstance(value, str):
        return f"@{value}" if value.startswith("@") else value
    return to_json(value) if isinstance(value, Mapping) else shown(value)
