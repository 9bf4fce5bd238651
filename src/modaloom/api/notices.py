"""Sentences for people while work goes on."""

from collections.abc import Callable

from modaloom.data.reader import Reader

Say = Callable[[str], None]
"""Takes a sentence."""


def silent(sentence: str) -> None:
    """A `Say` that says nothing."""


def once(say: Say) -> Say:
    """A `Say` that repeats nothing."""
    said: set[str] = set()

    def tell(sentence: str) -> None:
        if sentence not in said:
            said.add(sentence)
            say(sentence)

    return tell


def tell_skips(reader: Reader, say: Say) -> None:
    """Count the files that a reader skipped and name the first of them; nothing if there are none."""
    skips = [f"{skip.path}: {skip.reason}" for skip in reader.skips.values()]
    if skips:
        more = "; …" if len(skips) > 3 else ""
        say(f"left out, because they cannot be read: {len(skips)} files ({'; '.join(skips[:3])}{more})")
