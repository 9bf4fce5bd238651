"""The text modality: str in any language."""

import html
import statistics
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modaloom.core.errors import BadValue, check_range, shown
from modaloom.metrics.edit import error_rate
from modaloom.modalities.base import VALUE, DataSpec, Modality
from modaloom.modalities.byte_codec import BYTES
from modaloom.modalities.files import File, read_text
from modaloom.modalities.string_codec import StringCodec

MAX_BYTES = 2**20
MAX_WINDOWED_BYTES = 2**28
"""Of a file that is cut into windows."""
JOINER = "\u200d".encode()
"""ZERO WIDTH JOINER, which makes one sign of the two beside it."""


@dataclass(frozen=True)
class TextLimits:
    """Limits on the length of texts."""

    max_tokens: int = 64
    """Maximum length in tokens, at least 1."""

    def __post_init__(self) -> None:
        check_range("max_tokens", self.max_tokens, 1)


def read(path: File) -> str:
    """Reads UTF-8 text without the final line ending. Raises `BadFile`."""
    return _without_last_newline(read_text(path, limit=MAX_BYTES))


def windows(path: File, limits: TextLimits) -> list[str]:
    """Cuts a UTF-8 file into texts of at most `max_tokens` bytes, which are no more tokens of bytes.

    A window ends before a space or a new line in its second half, if there is one, else between letters with
    their marks, else between characters. Joined they are the file.

    Raises `BadFile`.
    """
    data, found, start = read_text(path, limit=MAX_WINDOWED_BYTES).encode(), [], 0
    while start < len(data):
        end = _window_end(data, start, limits.max_tokens)
        found.append(data[start:end].decode())
        start = end
    return found


def _window_end(data: bytes, start: int, most: int) -> int:
    """Where a window of at most so many bytes ends: of one character, if that has more."""
    end = start + most
    if end >= len(data):
        return len(data)
    half = start + most // 2 + 1
    if (space := max(data.rfind(sign, half, end + 1) for sign in (b" ", b"\n"))) > 0:
        return space - (space - 1 > start and data.startswith(b"\r\n", space - 1))
    for begins in (_begins_letter, _begins_character):
        if place := next((i for i in range(end, half - 1, -1) if begins(data, i)), 0):
            return place
    return next((i for i in range(start + 1, len(data)) if _begins_character(data, i)), len(data))


def _begins_letter(data: bytes, place: int) -> bool:
    """Whether a character begins there that is no mark of the one before, nor joined to it."""
    if not _begins_character(data, place) or data.startswith(JOINER, place - len(JOINER)):
        return False
    character = data[place : place + 4].decode(errors="ignore")[0]
    return character.encode() != JOINER and not unicodedata.category(character).startswith("M")


def _begins_character(data: bytes, place: int) -> bool:
    return data[place] & 0xC0 != 0x80


def _without_last_newline(text: str) -> str:
    return text.removesuffix("\n").removesuffix("\r")


def write(text: str, path: Path) -> None:
    """Writes UTF-8 with a final newline."""
    path.write_bytes(f"{text}\n".encode())


def coerce(value: object) -> str:
    """Returns a str literally, without the final line ending. Raises `BadValue`."""
    if not isinstance(value, str):
        raise BadValue(f"{shown(value)} is no text; give a str, or the Path of a .txt file")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise BadValue(f"{shown(value)} is not valid UTF-8 (character {error.start})") from error
    return _without_last_newline(value)


def infer_spec(texts: Iterable[str], limits: TextLimits) -> DataSpec:
    """Returns `tokens`, the maximum length of a text in tokens."""
    return {"tokens": limits.max_tokens}


def compare(generated: str, truth: str, spec: DataSpec) -> dict[str, float]:
    """Returns `exact` (1 if equal, else 0) and `char_error` (edits per character of the truth)."""
    return {"exact": float(generated == truth), "char_error": error_rate(generated, truth)}


def to_html(text: str, spec: DataSpec) -> str:
    """Returns the escaped text, with line breaks kept; its direction is its own."""
    return f'<span dir="auto" style="white-space: pre-wrap">{html.escape(text)}</span>'


def describe(texts: Iterable[str]) -> dict[str, Any]:
    """Returns lengths in characters and the number of distinct texts."""
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
    feature=VALUE,
    suffixes=("txt",),
    tokenizer="bpe",
    read=read,
    write=write,
    coerce=coerce,
    infer_spec=infer_spec,
    compare=compare,
    to_html=to_html,
    codec=StringCodec(),
    byte_codec=BYTES,
    lower_is_better=("char_error",),
    limits=TextLimits(),
    describe=describe,
    length=len,
    letters=str,
    windows=windows,
    literal=True,
)
