"""The sequence modality: strings over a small alphabet, such as DNA, RNA and proteins, one in a FASTA file.

A value is a str of capital letters, gaps (-) and stops (*). It has one code per letter; the alphabet is that
of the training values and the letter that stands for any other, N of nucleotides and X of amino acids.
"""

import html
import re
import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modaloom.core.errors import BadFile, BadValue, check_range, shown
from modaloom.metrics.edit import error_rate
from modaloom.modalities.base import DataSpec, Modality, Shortened
from modaloom.modalities.categorical_codec import CategoricalCodec
from modaloom.modalities.files import File, read_text

MAX_BYTES = 2**26
SYMBOLS = re.compile(r"[A-Za-z*-]*")
NUCLEOTIDES, ANY_NUCLEOTIDE, ANY_AMINO_ACID = frozenset("ACGTUNRYSWKMBDHV-*"), "N", "X"
"""Those of IUPAC, with the letters for several bases, gaps and stops."""
HEADER, COMMENT = ">", ";"
NAME = f"{HEADER}sequence"
"""What is written as the name of a record; names of files are not kept, since they may be of persons."""
LINE = 80
"""Letters in a line that is written."""


@dataclass(frozen=True)
class SequenceLimits:
    """Limits on the length of sequences."""

    max_letters: int = 128
    """Maximum number of letters, at least 1."""

    def __post_init__(self) -> None:
        check_range("max_letters", self.max_letters, 1)


def read(path: File) -> str:
    """Reads the one record of a FASTA file, or letters without a header. Raises `BadFile`."""
    lines = [line.strip() for line in _lines(path)]
    lines = [line for line in lines if line and not line.startswith(COMMENT)]
    headers = [i for i, line in enumerate(lines) if line.startswith(HEADER)]
    if any(headers):
        raise BadFile(path, f"holds {len(headers) + (0 not in headers)} records; give each a file of its own")
    try:
        return _checked("".join(lines[len(headers) :]))
    except BadValue as error:
        raise BadFile(path, str(error)) from error


def _lines(path: File) -> list[str]:
    """Those that end in LF, CR or both; other breaks of Unicode may be in a header. Raises `BadFile`."""
    return re.split(r"\r\n|\r|\n", read_text(path, limit=MAX_BYTES))


def _checked(text: str) -> str:
    """Letters as capitals, without white space. Raises `BadValue`."""
    letters = "".join(text.split())
    end = len(SYMBOLS.match(letters)[0])  # type: ignore[index]
    if end < len(letters):
        raise BadValue(
            f"has {letters[end]!r} at letter {end + 1}; a sequence is of letters A to Z, gaps (-), stops (*)"
        )
    return letters.upper()


def write(letters: str, path: Path) -> None:
    """Writes a FASTA file of one record."""
    lines = [letters[i : i + LINE] for i in range(0, len(letters), LINE)]
    path.write_bytes("".join(f"{line}\n" for line in [NAME, *lines]).encode())


def coerce(value: object) -> str:
    """Letters as str, or a path as str, which has a dot → sequence. Raises `BadValue` and `BadFile`."""
    if not isinstance(value, str):
        raise BadValue(f"{shown(value)} is no sequence; give a str of letters, or the Path of a .fasta file")
    return read(Path(value)) if "." in value else _checked(value)


def infer_spec(sequences: Iterable[str], limits: SequenceLimits) -> DataSpec:
    """Infers `letters`, the alphabet, and `size`: [letters of the longest], at most the limit.

    Raises `BadValue` without any letter.
    """
    seen, longest = set[str](), 0
    for letters in sequences:
        seen.update(letters)
        longest = max(longest, len(letters))
    if not seen:
        raise BadValue("the sequences have no letters; give at least one that has some")
    alphabet = "".join(sorted(seen | {ANY_NUCLEOTIDE if seen <= NUCLEOTIDES else ANY_AMINO_ACID}))
    return {"size": [min(longest, limits.max_letters)], "letters": alphabet}


def _any(spec: DataSpec) -> str:
    """The letter that stands for any other."""
    return ANY_NUCLEOTIDE if NUCLEOTIDES.issuperset(spec["letters"]) else ANY_AMINO_ACID


def pack(letters: str, spec: DataSpec) -> NDArray[np.int64]:
    """Sequence → int64 (N,): 1 + the place of each letter in the alphabet, and 0 after the end."""
    (size,), alphabet, unknown = spec["size"], spec["letters"], _any(spec)
    packed = np.zeros(size, np.int64)
    for i, letter in enumerate(letters[:size]):
        packed[i] = 1 + alphabet.index(letter if letter in alphabet else unknown)
    return packed


def unpack(packed: NDArray[np.int64], spec: DataSpec) -> str:
    """int64 (N,) → the letters before the first 0."""
    codes = packed.tolist()
    end = codes.index(0) if 0 in codes else len(codes)
    return "".join(spec["letters"][code - 1] for code in codes[:end])


def shortened(letters: str, spec: DataSpec) -> Iterator[Shortened]:
    """Yields what the spec's length cuts, and letters that are not in its alphabet."""
    (size,), unseen = spec["size"], sorted({*letters} - {*spec["letters"]})
    if len(letters) > size:
        yield Shortened(f"are cut after {size} letters", "max_letters", size, len(letters))
    if unseen:
        yield Shortened(f"have letters that were not learned ({' '.join(unseen)}), read as {_any(spec)}")


def compare(generated: str, truth: str, spec: DataSpec) -> dict[str, float]:
    """Returns `exact` (1 if equal, else 0), `letter_accuracy` (fraction of the truth's letters that are at
    their places) and `letter_error` (edits per letter of the truth), of what the spec keeps of both."""
    generated, truth = (unpack(pack(letters, spec), spec) for letters in (generated, truth))
    same = sum(a == b for a, b in zip(generated, truth))
    return {
        "exact": float(generated == truth),
        "letter_accuracy": same / len(truth) if truth else float(not generated),
        "letter_error": error_rate(generated, truth),
    }


def to_html(letters: str, spec: DataSpec) -> str:
    """Returns the letters in groups of ten."""
    groups = " ".join(letters[i : i + 10] for i in range(0, len(letters), 10))
    return f"<code>{html.escape(groups)}</code>"


def describe(sequences: Iterable[str]) -> dict[str, Any]:
    """Returns lengths in letters, the number of distinct sequences, and the fraction of each letter."""
    counts, lengths, distinct = Counter[str](), list[int](), set[int]()
    for letters in sequences:
        counts.update(letters)
        lengths.append(len(letters))
        distinct.add(hash(letters))
    return {
        "shortest": min(lengths),
        "median": round(statistics.median(lengths)),
        "longest": max(lengths),
        "distinct": len(distinct),
        "letters": {letter: round(counts[letter] / counts.total(), 3) for letter in sorted(counts)},
    }


def remarks(paths: Sequence[File]) -> list[str]:
    """Says how many of some files have lower case, which marks repeats in genomes."""
    soft = sum(map(_has_lower_case, paths))
    return [f"{soft} of {len(paths)} files looked at have lower case, read as capitals"] if soft else []


def _has_lower_case(path: File) -> bool:
    try:
        return any(re.search("[a-z]", line) for line in _lines(path) if line[:1] not in (HEADER, COMMENT))
    except BadFile:
        return False


SEQUENCE = Modality(
    name="sequence",
    suffixes=("fasta", "fa", "fna", "faa"),
    tokenizer="categorical",
    read=read,
    write=write,
    coerce=coerce,
    infer_spec=infer_spec,
    compare=compare,
    to_html=to_html,
    codec=CategoricalCodec(pack=pack, unpack=unpack, vocab_size=lambda spec: 1 + len(spec["letters"])),
    lower_is_better=("letter_error",),
    limits=SequenceLimits(),
    shortened=lambda letters, spec: [*shortened(letters, spec)],
    describe=describe,
    length=len,
    letters=str,
    remarks=remarks,
)
