"""Words: str in any language."""

import html
import statistics
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from modaloom.core.errors import BadValue
from modaloom.metrics.edit import error_rate
from modaloom.modalities.base import DataSpec, Limits, Modality
from modaloom.modalities.files import read_text
from modaloom.modalities.string_codec import StringCodec

MAX_BYTES = 2**20


def read(path: Path) -> str:
    """UTF-8 text without the line ending at its end. Raises `BadFile`."""
    return read_text(path, limit=MAX_BYTES).removesuffix("\n").removesuffix("\r")


def write(text: str, path: Path) -> None:
    """UTF-8 with a newline at the end."""
    path.write_bytes(f"{text}\n".encode())


def parse(text: str) -> str:
    """The text itself, or the text of the file after a leading @."""
    if text.startswith("@"):
        return read(Path(text[1:]))
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise BadValue(f"the text {text!r} is not valid UTF-8") from error
    return text


def infer_spec(texts: Iterable[str], limits: Limits) -> DataSpec:
    """`tokens`: the most that a text may take."""
    return {"tokens": limits.max_tokens}


def compare(generated: str, truth: str, spec: DataSpec) -> dict[str, float]:
    """`exact` (1 if equal) and `char_error` (edits per character of the truth)."""
    return {"exact": float(generated == truth), "char_error": error_rate(generated, truth)}


def to_html(text: str) -> str:
    """The text, escaped, its line breaks kept."""
    return f'<span style="white-space: pre-wrap">{html.escape(text)}</span>'


def describe(texts: Iterable[str]) -> dict[str, Any]:
    """Lengths in characters and the number of different texts."""
    lengths, distinct = [], set()
    for text in texts:
        lengths.append(len(text))
        distinct.add(hash(text))
    return {
        "shortest": min(lengths),
        "median": round(statistics.median(lengths)),
        "longest": max(lengths),
        "distinct": len(distinct),
    }


TEXT = Modality(
    name="text",
    suffixes=("txt",),
    tokenizer="bpe",
    read=read,
    write=write,
    parse=parse,
    infer_spec=infer_spec,
    compare=compare,
    to_html=to_html,
    codec=StringCodec(),
    describe=describe,
)
