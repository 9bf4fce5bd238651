"""Writes two English Bibles, verse by verse, as pairs for style transfer: modern ↔ archaic.

Both texts are in the public domain and come from installed packages (Debian: apt install diatheke
sword-text-kjv sword-text-web). A sample is a verse in the World English Bible (`modern`) and in the King
James Version (`archaic`). Whole books are held out: five are `test`, three `val`. Long verses are left out.
With --books, a file is a whole book of the latter instead, a line for each verse: long text.
"""

import argparse
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from modaloom.core.errors import BadFolder, ModaloomError
from modaloom.data.atomic_io import new_folder

VERSIONS = {"modern": "engWEB2015eb", "archaic": "engKJV2006eb"}
"""Stream → module of the SWORD library."""
BOOKS = """
Genesis Exodus Leviticus Numbers Deuteronomy Joshua Judges Ruth I_Samuel II_Samuel I_Kings II_Kings
I_Chronicles II_Chronicles Ezra Nehemiah Esther Job Psalms Proverbs Ecclesiastes Song_of_Solomon Isaiah
Jeremiah Lamentations Ezekiel Daniel Hosea Joel Amos Obadiah Jonah Micah Nahum Habakkuk Zephaniah Haggai
Zechariah Malachi Matthew Mark Luke John Acts Romans I_Corinthians II_Corinthians Galatians Ephesians
Philippians Colossians I_Thessalonians II_Thessalonians I_Timothy II_Timothy Titus Philemon Hebrews James
I_Peter II_Peter I_John II_John III_John Jude Revelation_of_John
"""
SPLIT_OF = {
    **dict.fromkeys(["Ruth", "Ezra", "Jonah", "Mark", "Galatians"], "test"),
    **dict.fromkeys(["Esther", "Micah", "Colossians"], "val"),
}
"""Held-out books: stories, prophecy, a gospel and letters."""
MAX_CHARACTERS = 240
"""Of a verse in either text."""
NOTE = re.compile(r"\s*\[\d+[:.]\d+ [^\]]*\]\s*")
TITLE = re.compile(r"\n\n[^\n]+\n +(?=[\w ]+ \d+:\d+: )")
"""Of a psalm, which is printed above each of its verses."""
QUOTES = str.maketrans("“”‘’", "\"\"''")


def verses(said: str, book: str) -> dict[tuple[int, int], str]:
    """(Chapter, verse) → text, of what diatheke prints of a book with footnotes, without notes and titles."""
    parts = re.split(rf"^{book} (\d+):(\d+): ", TITLE.sub("\n", said), flags=re.MULTILINE)[1:]
    places = zip(map(int, parts[::3]), map(int, parts[1::3]))
    return {place: plain(text) for place, text in zip(places, parts[2::3])}


def plain(text: str) -> str:
    """One line with straight quotes, so that both versions are written alike."""
    text = NOTE.sub(" ", text).replace("¶", " ").translate(QUOTES)
    return re.sub(r" (?=[,.;:?!])", "", " ".join(text.split()))


def printed(module: str, book: str) -> str:
    """What diatheke prints, without the module's name at the end. Raises `BadFolder`."""
    if shutil.which("diatheke") is None:
        raise BadFolder("diatheke is not installed: apt install diatheke sword-text-kjv sword-text-web")
    call = ["diatheke", "-b", module, "-o", "f", "-f", "plain", "-k", book]
    return subprocess.run(call, capture_output=True, check=True).stdout.decode().rpartition(f"({module})")[0]


def pairs(book: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Names and streams of the verses that both versions have."""
    texts = {stream: verses(printed(module, book), book) for stream, module in VERSIONS.items()}
    for chapter, verse in sorted(texts["modern"].keys() & texts["archaic"]):
        sample = {stream: found[chapter, verse] for stream, found in texts.items()}
        if all(0 < len(text) <= MAX_CHARACTERS for text in sample.values()):
            yield f"{chapter:03d}-{verse:03d}", sample


def write_verses(folder: Path) -> None:
    """Write the folder atomically. Raises `BadFolder` if it is not empty, or nothing is installed."""
    with new_folder(folder) as root:
        for book in BOOKS.split():
            place = root / SPLIT_OF.get(book, "train")
            place.mkdir(exist_ok=True)
            for name, sample in pairs(book.replace("_", " ")):
                for stream, text in sample.items():
                    (place / f"{book}-{name}.{stream}.txt").write_text(f"{text}\n", encoding="utf-8")
        if not any(root.rglob("*.txt")):
            raise BadFolder("no verses are installed: apt install sword-text-kjv sword-text-web")


def write_books(folder: Path) -> None:
    """Write whole books of the archaic version, a line for each verse. Raises `BadFolder`."""
    with new_folder(folder) as root:
        for book in BOOKS.split():
            place, name = root / SPLIT_OF.get(book, "train"), book.replace("_", " ")
            place.mkdir(exist_ok=True)
            if found := verses(printed(VERSIONS["archaic"], name), name):
                lines = "".join(f"{found[verse]}\n" for verse in sorted(found))
                (place / f"{book}.txt").write_text(lines, encoding="utf-8")
        if not any(root.rglob("*.txt")):
            raise BadFolder("no verses are installed: apt install sword-text-kjv")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="a new folder, such as verses")
    parser.add_argument("--books", action="store_true", help="whole books of the King James Version instead")
    options = parser.parse_args()
    folder, write = options.folder, write_books if options.books else write_verses
    try:
        write(folder)
    except ModaloomError as error:
        parser.error(str(error))
    limit = "data.limits.text.max_tokens=128"
    print(f"next: modaloom train {shlex.quote(str(folder))} --out runs/verses --minutes 20 --set {limit}")


if __name__ == "__main__":
    main()
