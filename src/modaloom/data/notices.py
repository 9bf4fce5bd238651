"""Messages to the user during long operations."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence

from modaloom.core.errors import bounded
from modaloom.data.folder import Folder
from modaloom.data.layout import LAYOUTS, STEMS
from modaloom.data.reader import Reader
from modaloom.modalities.base import Limits, Shortened

Notify = Callable[[str], None]
"""Shows one sentence."""
MAX_SHORTENINGS = 3
"""Most sentences on what a stream's values lose."""


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
    skips = [f"{one.path}: {one.reason}" for one in reader.problems]
    if skips:
        notify(f"left out, because they cannot be read: {len(skips):,} files ({bounded(skips, '; ')})")


def notify_recognised(folder: Folder, notify: Notify) -> None:
    """Tell the layout and what tables were joined by, unless all is by the names of files."""
    if folder.recognised != [LAYOUTS[STEMS]]:
        notify(f"recognised in {folder.path}: {'; '.join(folder.recognised)}")


def notify_left_out(folder: Folder, notify: Notify) -> None:
    """Report the number of files that are in no sample and the first few, if there are any."""
    if folder.problems:
        named = bounded((f"{one.path} {one.reason}" for one in folder.problems), "; ")
        notify(f"left out of {folder.path}: {len(folder.problems):,} files, folders or lines ({named})")


class Shortenings:
    """What limits take from the values of streams: how many, and what would keep more.

    Args:
        limits_of: modality → its limits.
        modality_of: stream → modality.
        resolution: whether values that a limit makes coarser count, too.
    """

    def __init__(
        self,
        limits_of: Callable[[str], Limits],
        modality_of: Mapping[str, str],
        *,
        resolution: bool = False,
    ) -> None:
        self.limits_of, self.modality_of, self.resolution = limits_of, modality_of, resolution
        self._seen: Counter[str] = Counter()
        self._counts: dict[str, Counter[str]] = defaultdict(Counter)
        self._worst: dict[str, Shortened] = {}
        """How → the one that needs most."""

    def add(self, stream: str, found: Sequence[Shortened]) -> None:
        """A value of a stream."""
        self._seen[stream] += 1
        for one in found:
            if not one.is_resolution or (self.resolution and self._is_limit(stream, one)):
                self._counts[stream][one.how] += 1
                known = self._worst.setdefault(one.how, one)
                self._worst[one.how] = max(known, one, key=lambda each: each.needed)

    def sentences(self) -> Iterator[str]:
        """At most `MAX_SHORTENINGS` for each stream, what happens most often first, and how many more."""
        for stream, counts in self._counts.items():
            for how, count in counts.most_common(MAX_SHORTENINGS):
                advice = self._advice(stream, self._worst[how])
                yield f"{stream}: {count} of {self._seen[stream]} values {how}{advice}"
            if (more := len(counts) - MAX_SHORTENINGS) > 0:
                yield f"{stream}: {more} more columns likewise"

    def notify(self, notify: Notify) -> None:
        """Tell every sentence."""
        for sentence in self.sentences():
            notify(sentence)

    def _advice(self, stream: str, worst: Shortened) -> str:
        setting = f"data.limits.{self.modality_of[stream]}.{worst.limit}={worst.needed}"
        return f"; train with --set {setting} to keep more" if self._is_limit(stream, worst) else ""

    def _is_limit(self, stream: str, one: Shortened) -> bool:
        return bool(one.limit) and one.kept >= getattr(self.limits_of(self.modality_of[stream]), one.limit)
