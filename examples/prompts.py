"""Writes recorded telephone prompts as a folder of pairs: speech and its text, in up to four languages.

The recordings are Asterisk's core sounds, 16 kHz, human speakers (CC-BY-SA 3.0), read where they are
installed; on Debian: apt-get install asterisk-core-sounds-{en,es,fr,it}-g722, and the same without -g722,
which have the texts. A sentence is on one side of the split in all languages; numerals, days and months are
all held out, as words to be recognised. Left out are tones, silence, files without sound, and what has the
text of a recording that is held out.
"""

import argparse
import gzip
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from modaloom.core.errors import BadFile, ModaloomError, check_range
from modaloom.core.rng import derive
from modaloom.data.atomic_io import new_folder

SOUNDS, TEXTS = Path("/usr/share/asterisk/sounds"), Path("/usr/share/doc")
LANGUAGES = ("en", "es", "fr", "it")
RATE = 16_000
HELD_OUT = {"test": 10, "val": 5}
"""Split → percent of the sentences."""
SIDES = (*HELD_OUT, "train")
NUMERALS = "digits/"
NO_SPEECH = re.compile(r"[\[(<].*[\])>]")


@dataclass(frozen=True)
class Prompt:
    """One recording."""

    language: str
    stem: str
    """Name of the file; the same sentence in every language."""
    text: str
    path: Path

    @property
    def split(self) -> str:
        if self.stem.startswith(NUMERALS):
            return "test"
        place, first = derive(0, "prompts", self.stem) % 100, 0
        for name, percent in HELD_OUT.items():
            if first <= place < first + percent:
                return name
            first += percent
        return "train"


def read_texts(path: Path) -> dict[str, str]:
    """Stem → text. Raises `BadFile`."""
    try:
        lines = gzip.decompress(path.read_bytes()).decode("utf-8").splitlines()
    except (OSError, ValueError, EOFError) as error:
        raise BadFile(path, f"{error}; is the package with the texts installed?") from error
    pairs = (line.split(":", 1) for line in lines if ":" in line and not line.startswith(";"))
    return {stem.strip(): text.strip() for stem, text in pairs}


def read_prompts(sounds: Path, texts: Path, languages: tuple[str, ...]) -> Iterator[Prompt]:
    """Recordings that have a spoken text. Raises `BadFile` if a language is not installed."""
    for language in languages:
        text_of = read_texts(texts / f"asterisk-core-sounds-{language}" / f"core-sounds-{language}.txt.gz")
        places = sorted(sounds.glob(f"{language}_*"))
        if not places:
            package = f"asterisk-core-sounds-{language}-g722"
            raise BadFile(sounds / language, f"is missing; is {package} installed?")
        for stem, text in sorted(text_of.items()):
            path = places[0] / f"{stem}.g722"
            if text and not NO_SPEECH.fullmatch(text) and path.exists():
                yield Prompt(language, stem, text, path)


def on_one_side(prompts: Sequence[Prompt]) -> Iterator[Prompt]:
    """Those whose text no other of their language has on an earlier one of `SIDES`."""
    side: dict[tuple[str, str], str] = {}
    for prompt in sorted(prompts, key=lambda prompt: SIDES.index(prompt.split)):
        if side.setdefault((prompt.language, prompt.text), prompt.split) == prompt.split:
            yield prompt


def read_g722(path: Path) -> np.ndarray:
    """int16 (n,) at `RATE`. Raises `BadFile` for a file without sound."""
    import av

    with av.open(str(path), format="g722") as container:
        frames = [frame.to_ndarray()[0] for frame in container.decode(container.streams.audio[0])]
    if not frames:
        raise BadFile(path, "has no sound")
    return np.concatenate(frames)


def write_prompts(
    folder: Path,
    *,
    sounds: Path = SOUNDS,
    texts: Path = TEXTS,
    languages: tuple[str, ...] = LANGUAGES,
    longest: float = 6.0,
) -> int:
    """Write the folder atomically; returns the number of samples. Raises `BadFile`, `BadFolder`, `BadValue`.

    Args:
        folder: to be made.
        sounds: Asterisk's folder of sounds.
        texts: where Debian's packages have their documentation.
        languages: some of `LANGUAGES`.
        longest: seconds of the longest recording that is taken, more than 0.
    """
    check_range("longest", longest, 0, open_low=True)
    found = [*on_one_side([*read_prompts(sounds, texts, languages)])]
    count = 0
    with new_folder(folder) as root:
        for name in SIDES:
            (root / name).mkdir()
        for prompt in found:
            try:
                samples = read_g722(prompt.path)
            except BadFile:
                continue
            if len(samples) > longest * RATE:
                continue
            stem = root / prompt.split / f"{prompt.language}-{prompt.stem.replace('/', '-')}"
            soundfile.write(f"{stem}.speech.wav", samples, RATE)
            Path(f"{stem}.text.txt").write_text(f"{prompt.text}\n", encoding="utf-8")
            Path(f"{stem}.language.txt").write_text(f"{prompt.language}\n", encoding="utf-8")
            count += 1
    return count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="a new folder, such as prompts")
    parser.add_argument("--sounds", type=Path, default=SOUNDS)
    parser.add_argument("--texts", type=Path, default=TEXTS)
    parser.add_argument("--languages", nargs="+", choices=LANGUAGES, default=[*LANGUAGES])
    parser.add_argument("--longest", type=float, default=6.0, help="seconds")
    options = parser.parse_args()
    try:
        count = write_prompts(
            options.folder,
            sounds=options.sounds,
            texts=options.texts,
            languages=tuple(options.languages),
            longest=options.longest,
        )
    except ModaloomError as error:
        parser.error(str(error))
    print(f"{count:,} prompts in {options.folder}")
    print(f"next: modaloom train {shlex.quote(str(options.folder))} --out runs/prompts --minutes 30")


if __name__ == "__main__":
    main()
