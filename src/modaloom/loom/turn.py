"""A line of a conversation: what is given, said and asked for."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from modaloom.core.errors import BadValue, check_choice, short
from modaloom.loom.run import TrainedRun
from modaloom.modalities import MODALITIES
from modaloom.modalities.base import Value

ARROW, QUOTES = "->", "'\""
FIRST = re.compile(r"""\s*("[^"]*"|'[^']*'|\S+)""")
"""A word, or what is quoted."""
QUOTED = r"""("[^"]*"|'[^']*')(?=\s|->|$)"""
"""All of a value, if it is quoted: there is no arrow and no further value in it."""


@dataclass(frozen=True)
class Turn:
    """A line, understood."""

    given: Mapping[str, Value]
    """Stream → value; a `Path` is a file."""
    text: str
    """Words that no stream was named for."""
    want: tuple[str, ...]
    """Streams that are asked for by name."""


def parse_turn(line: str, trained: TrainedRun) -> Turn:
    """Read a line: `STREAM=VALUE`, `STREAM=@FILE`, `@FILE`, words, and at its end `-> STREAM,STREAM`.

    A value is what is quoted, or all up to the next of these. A file without a stream is one of the first
    stream that its name fits.

    Raises:
        BadValue: an unknown stream after the arrow, a stream that is given twice, a file that fits none.
    """
    names = "|".join(re.escape(name) for name in sorted(trained.model.streams, key=len, reverse=True))
    begin = rf"(?:^|(?<=\s))(?:({names})=(@?)|@)"
    plain = re.sub(rf"({begin}\s*){QUOTED}", lambda found: found[1] + "_" * len(found[4]), line)
    arrow, wanted = _asked(plain, trained)
    said, starts = line[:arrow], [*re.finditer(begin, plain[:arrow])]
    ends = [*(start.start() for start in starts), len(said)]
    words, given = [said[: ends[0]]], dict[str, Value]()
    for start, end in zip(starts, ends[1:]):
        is_file = start[1] is None or bool(start[2])
        value, rest = _value(said[start.end() : end], is_file=is_file)
        words.append(rest)
        name = start[1] or stream_of_file(value, trained)
        if name in given:
            raise BadValue(f"{name} is given twice; give it once")
        given[name] = Path(value) if is_file else value
    return Turn(given, " ".join(" ".join(words).split()), wanted)


def _asked(line: str, trained: TrainedRun) -> tuple[int, tuple[str, ...]]:
    """Where the arrow is, or the end, and the streams after it."""
    said, arrow, asked = line.rpartition(ARROW)
    if not arrow:
        return len(line), ()
    names = [name.strip() for name in asked.split(",") if name.strip()]
    return len(said), tuple(check_choice("stream to want", name, trained.model.wanted) for name in names)


def _value(text: str, *, is_file: bool) -> tuple[str, str]:
    """A value at the start of a text, and what follows it: words without quotes are all of the value."""
    found = FIRST.match(text)
    if found is None:
        return "", ""
    word, rest = found[1], text[found.end() :]
    is_quoted = len(word) > 1 and word[0] == word[-1] and word[0] in QUOTES
    if is_file or (is_quoted and not rest[:1].strip()):
        return (word[1:-1] if is_quoted else word), rest
    return text.strip(), ""


def stream_of_file(file: str, trained: TrainedRun) -> str:
    """The first stream that a file's name fits: one that it has, or one of its suffix. Raises `BadValue`."""
    suffix, streams = Path(file).suffix[1:].lower(), trained.modality_of
    fitting = [
        name
        for name, modality in streams.items()
        if suffix in (*MODALITIES[modality].suffixes, *MODALITIES[modality].reads)
    ]
    named = [name for name in fitting if f".{name}." in Path(file).name]
    if not fitting:
        raise BadValue(f"{short(file)} is of no stream of this run, which has {', '.join(streams)}")
    return max(named, key=len, default=fitting[0])


def text_streams(trained: TrainedRun) -> Sequence[str]:
    """The streams whose values are plain words."""
    return [name for name, modality in trained.modality_of.items() if MODALITIES[modality].literal]
