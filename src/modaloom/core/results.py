"""Results of a request, one by one as they are finished."""

from collections.abc import Collection, Iterator
from typing import TypeVar

from modaloom.core.frame import Frames

T = TypeVar("T")


class Results(Iterator[T]):
    """Iterates over finished results; the work is done during the iteration.

    Args:
        frames: yields the request's steps; the result of a frame are the results that it finishes.
    """

    def __init__(self, frames: Frames[Collection[T]]) -> None:
        self.frames = frames
        """The same work, step by step: iterate over this instead to show progress."""
        self._each = (result for frame in frames for result in frame.result or ())

    def __next__(self) -> T:
        return next(self._each)

    def close(self) -> None:
        """Cancels the work; results that are already finished stay."""
        self._each.close()
        self.frames.close()
