"""Writes pairs for text super-resolution from your own prose: lines with typing errors, and the same in full.

Every line of the .txt files of a folder (or of one file) is cut into sentences of at most 120 characters. A
sample is a sentence (`text`) and what a hurried writer makes of it (`noisy`): letters missing, doubled,
swapped or hit beside their key, vowels and spaces left out, common words abbreviated. Of each file the last
tenth is `test`, the tenth before it `val`.
"""

import argparse
import random
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from modaloom.core.errors import BadFolder, ModaloomError
from modaloom.core.rng import derive
from modaloom.data.atomic_io import new_folder

MAX_CHARACTERS = 120
"""Of a sentence."""
ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
WORDS = """
and=& are=r at=@ be=b because=bc before=b4 for=4 have=hv people=ppl see=c that=tht the=th their=thr to=2
was=ws with=w/ without=w/o would=wd you=u your=ur
"""
SHORT = dict(pair.split("=") for pair in WORDS.split())
"""Word → abbreviation; two words of one abbreviation are told by what is around them."""
ERRORS, VOWELS, SPACES, ABBREVIATIONS = 0.2, 0.2, 0.05, 0.5
"""Shares: of the words that are mistyped or lose their vowels, of spaces, and of words in `SHORT`."""
SENTENCE = re.compile(r"(?<=[.!?;:])\s+")
PART = re.compile(rf"\S.{{0,{MAX_CHARACTERS - 1}}}(?!\S)|\S{{{MAX_CHARACTERS}}}")


def _beside(word: str, i: int, draw: random.Random) -> str:
    row = next((row for row in ROWS if word[i].lower() in row), "")
    keys = row[max(0, row.find(word[i].lower()) - 1) :][:3].replace(word[i].lower(), "") if row else word[i]
    return word[:i] + draw.choice(keys) + word[i + 1 :]


MISTAKES: tuple[Callable[[str, int, random.Random], str], ...] = (
    lambda word, i, draw: word[:i] + word[i + 1 :],
    lambda word, i, draw: word[: i + 1] + word[i:],
    lambda word, i, draw: word[:i] + word[i : i + 2][::-1] + word[i + 2 :],
    _beside,
)
"""A letter that is missing, doubled, swapped with the next one, or hit beside its key."""


def degrade(text: str, draw: random.Random) -> str:
    """What a hurried writer makes of a text."""
    words = [_word(word, draw) for word in re.findall(r"\s+|\w+|[^\w\s]", text)]
    return "".join(words).strip()


def _word(word: str, draw: random.Random) -> str:
    if word.isspace():
        return "" if draw.random() < SPACES else word
    if not word.isalpha():
        return word
    if word.lower() in SHORT and draw.random() < ABBREVIATIONS:
        return SHORT[word.lower()]
    if len(word) > 4 and draw.random() < VOWELS:
        return word[0] + re.sub("[aeiou]", "", word[1:])
    if len(word) > 1 and draw.random() < ERRORS:
        return draw.choice(MISTAKES)(word, draw.randrange(len(word)), draw)
    return word


def sentences(path: Path) -> list[str]:
    """Sentences of a file, those that are too long cut between words, and words that are too long, too."""
    found = []
    for line in path.read_text(encoding="utf-8-sig").splitlines():
        for sentence in SENTENCE.split(" ".join(line.split())):
            found += PART.findall(sentence)
    return found


def split_of(i: int, n: int) -> str:
    """The split of the i-th of n sentences of a file."""
    return "train" if i < 0.8 * n else "val" if i < 0.9 * n else "test"


def pairs(prose: Path, seed: int) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Name below the folder, and streams. Raises `BadFolder`."""
    files = sorted(prose.rglob("*.txt")) if prose.is_dir() else [prose]
    for number, path in enumerate(files):
        try:
            found = sentences(path)
        except (OSError, UnicodeDecodeError) as error:
            raise BadFolder(f"{path} cannot be read ({error})") from error
        for i, text in enumerate(found):
            key = f"{number:04d}-{i:06d}"
            noisy = degrade(text, random.Random(derive(seed, "typos", key)))
            if noisy:
                yield f"{split_of(i, len(found))}/{key}", {"text": text, "noisy": noisy}


def write_typos(prose: Path, folder: Path, seed: int = 0) -> None:
    """Write the folder atomically. Raises `BadFolder`."""
    with new_folder(folder) as root:
        for split in ("train", "val", "test"):
            (root / split).mkdir()
        for name, sample in pairs(prose, seed):
            for stream, text in sample.items():
                (root / f"{name}.{stream}.txt").write_text(f"{text}\n", encoding="utf-8")
        if not any(root.rglob("*.txt")):
            raise BadFolder(f"{prose} has no text; give a folder of .txt files, or one file")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("prose", type=Path, help="a folder of .txt files, or one of them")
    parser.add_argument("folder", type=Path, help="a new folder, such as typos")
    options = parser.parse_args()
    try:
        write_typos(options.prose, options.folder)
    except ModaloomError as error:
        parser.error(str(error))
    limit = "data.limits.text.max_tokens=128"
    print(
        f"next: modaloom train {shlex.quote(str(options.folder))} --out runs/typos --minutes 20 --set {limit}"
    )


if __name__ == "__main__":
    main()
