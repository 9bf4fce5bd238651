"""Sentences for people while work goes on."""

from collections.abc import Callable

from modaloom.data.reader import Reader

Notify = Callable[[str], None]
"""Takes a sentence."""


def silent(sentence: str) -> None:
    """A `Notify` that says nothing."""


def once(notify: Notify) -> Notify:
    """A `Notify` that repeats nothing."""
    sent: set[str] = set()

    def notify_new(sentence: str) -> None:
        if sentence not in sent:
            sent.add(sentence)
            notify(sentence)

    return notify_new


def notify_skipped(reader: Reader, notify: Notify) -> None:
    """Count the files that a reader skipped and name the first of them; nothing if there are none."""
    skips = [f"{skip.path}: {skip.reason}" for skip in reader.skips.values()]
    if skips:
        more = "; …" if len(skips) > 3 else ""
        notify(f"left out, because they cannot be read: {len(skips)} files ({'; '.join(skips[:3])}{more})")
