"""Messages to the user during long operations."""

from collections.abc import Callable

from modaloom.core.errors import bounded
from modaloom.data.reader import Reader

Notify = Callable[[str], None]
"""Shows one sentence."""


def silent(sentence: str) -> None:
    """A `Notify` that does nothing."""


def once(notify: Notify) -> Notify:
    """A `Notify` that drops repeated sentences."""
    sent: set[str] = set()

    def notify_new(sentence: str) -> None:
        if sentence not in sent:
            sent.add(sentence)
            notify(sentence)

    return notify_new


def notify_skipped(reader: Reader, notify: Notify) -> None:
    """Report the number of files that a reader skipped and the first three, if there are any."""
    skips = [f"{skip.path}: {skip.reason}" for skip in reader.skips.values()]
    if skips:
        notify(f"left out, because they cannot be read: {len(skips):,} files ({bounded(skips, '; ')})")
