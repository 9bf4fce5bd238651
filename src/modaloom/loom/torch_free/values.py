"""Values ↔ codes without torch: texts, rows of tables, and arrays by the graphs of their tokenizer."""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Facts = Mapping[str, Any]
Run = Callable[[str, Mapping[str, Array]], list[Array]]
"""(Name of a graph, inputs) → outputs."""

CONTRACTION = re.compile("'(?:s|t|re|ve|m|ll|d)")
WORD = re.compile(r" ?(?:L+|N+|O+)|[ \t]+(?![LNO])|[ \t]+")
"""Words of a text of which each character is replaced by its kind (`_kind`): GPT-2's, with `CONTRACTION`."""


class Text:
    """Byte-level byte-pair encoding: text ↔ int64 (L, 1)."""

    def __init__(self, stream: Facts, run: Run) -> None:
        state = stream["state"]
        self.tokens: list[str] = state["vocabulary"]
        self.ids = {token: i for i, token in enumerate(self.tokens)}
        self.ranks = {tuple(pair): rank for rank, pair in enumerate(state["merges"])}
        self.length, self.eos = state["length"], len(self.tokens)
        self.pad = self.eos + (not state.get("variable", False))
        printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
        hidden = [byte for byte in range(256) if byte not in printable]
        shown = [*map(chr, printable), *(chr(256 + i) for i in range(len(hidden)))]
        self.letters = dict(zip([*printable, *hidden], shown))
        self.bytes = {letter: byte for byte, letter in self.letters.items()}

    def encode(self, value: str) -> Array:
        if not isinstance(value, str):
            raise ValueError(f"a {type(value).__name__}; give a text")
        ids = [self.ids[token] for word in _words(value) for token in self._merged(word)]
        codes = np.full(self.length, self.pad, np.int64)
        codes[: len(ids) + 1] = [*ids, self.eos][: self.length]
        return codes[:, None]

    def decode(self, codes: Array) -> str:
        ids: list[int] = codes[:, 0].tolist()
        end = ids.index(self.eos) if self.eos in ids else len(ids)
        letters = "".join(self.tokens[i] for i in ids[:end] if i < self.eos)
        text = bytes(self.bytes[letter] for letter in letters).decode(errors="replace")
        return text if self.eos in ids else text.removesuffix("\ufffd")

    def _merged(self, word: str) -> list[str]:
        parts = [self.letters[byte] for byte in word.encode()]
        while len(parts) > 1:
            rank, i = min((self.ranks.get(pair, np.inf), i) for i, pair in enumerate(pairwise(parts)))
            if rank == np.inf:
                break
            parts[i : i + 2] = [parts[i] + parts[i + 1]]
        return parts


def _words(text: str) -> Iterator[str]:
    kinds, i = "".join(map(_kind, text)), 0
    while i < len(text):
        found = CONTRACTION.match(text, i) or WORD.match(kinds, i)
        assert found is not None
        yield text[i : found.end()]
        i = found.end()


def _kind(letter: str) -> str:
    """A space, another white space (\\t), a letter, a number, or another character."""
    if letter == " " or (letter.isspace() and letter not in "\x1c\x1d\x1e\x1f"):
        return " " if letter == " " else "\t"
    kind = unicodedata.category(letter)[0]
    return kind if kind in "LN" else "O"


class Table:
    """A row of a table, column → value, ↔ int64 (columns, 1): the slot of each value; 0 is missing."""

    def __init__(self, stream: Facts, run: Run) -> None:
        self.columns: Facts = stream["state"]["spec"]["columns"]

    def encode(self, value: Facts) -> Array:
        if not isinstance(value, Mapping):
            raise ValueError(f"a {type(value).__name__}; give a row, column → value, or @FILE.json")
        return np.array([[_slot(value.get(name), column)] for name, column in self.columns.items()], np.int64)

    def decode(self, codes: Array) -> dict[str, Any]:
        found = zip(self.columns.items(), codes[:, 0].tolist())
        return {n: c["values"][slot - 1] for (n, c), slot in found if 1 <= slot <= len(c["values"])}


def _slot(value: Any, column: Facts) -> int:
    if column["kind"] == "number":
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return 1 + bisect_right(column["edges"], value) if is_number else 0
    same = (
        i for i, one in enumerate(column["values"], 1) if one == value and _kind_of(one) is _kind_of(value)
    )
    return next(same, 0)


def _kind_of(value: Any) -> type:
    """7.0 is an integer; True is none."""
    return int if isinstance(value, float) and value.is_integer() else type(value)


class Signal:
    """An array (C, *axes), packed as modaloom does, ↔ int64 (L, Q), by the graphs of a tokenizer.

    Of variable length, there are as many codes as the first axis needs, then codes K; with `end`, the last
    code of each position says how many positions of the array the last index has beyond its end.
    """

    def __init__(self, stream: Facts, run: Run) -> None:
        self.stream, self.graph, self.run = stream, stream["tokenizer"], run
        self.axes, self.stride = len(stream["grid"]), stream["stride"]

    def encode(self, value: Array) -> Array:
        value, (channels, most, *rest) = np.asarray(value), self.stream["values"]
        fits = value.ndim == self.axes + 1 and [len(value), *value.shape[2:]] == [channels, *rest]
        least = 1 if self.stream["variable"] else most
        if not fits or not (least <= value.shape[1] <= most) or value.dtype != self.stream["type"]:
            asked = f"{self.stream['type']} {(channels, most, *rest)}{', or shorter' * (least < most)}"
            raise ValueError(f"an array {value.dtype} of shape {value.shape}; give {asked}")
        missing = -value.shape[1] % self.stride
        whole = np.pad(value, [(0, 0), (0, missing), *[(0, 0)] * (self.axes - 1)], mode="edge")
        (codes,) = self.run(f"encode.{self.graph}", {"values": whole[None]})
        codes = codes.reshape(-1, codes.shape[-1])
        if self.stream["end"]:
            codes = np.concatenate([codes, np.full_like(codes[:, :1], missing)], -1)
        most, size = int(np.prod(self.stream["grid"])), self.stream["codebook_size"]
        return np.concatenate([codes, np.full((most - len(codes), codes.shape[1]), size)])

    def decode(self, codes: Array) -> Array:
        codes, missing = codes[(codes != self.stream["codebook_size"]).all(-1)], 0
        if self.stream["end"]:
            missing, codes = min(int(codes[0, -1]), self.stride - 1) if len(codes) else 0, codes[:, :-1]
        grid = codes.reshape(1, -1, *self.stream["grid"][1:], codes.shape[-1])
        (values,) = self.run(f"decode.{self.graph}", {"codes": grid})
        return np.asarray(values[0, :, : values.shape[2] - missing])


CODECS: dict[str, type[Text] | type[Table] | type[Signal]] = {"bpe": Text, "categorical": Table}
"""Kind of a tokenizer → how it encodes and decodes; `Signal` all others."""
