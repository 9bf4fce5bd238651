"""What a request yields after each sampling step: where it stands, a preview, and at the end the result."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

T = TypeVar("T", covariant=True)
U = TypeVar("U")


@dataclass(frozen=True)
class Frame(Generic[T]):
    """A request after one of its sampling steps."""

    step: int
    """1, 2, …, `total`."""
    total: int
    """Number of steps of the whole request."""
    preview: Callable[[], T] = field(repr=False)
    """Returns the present estimate of the result. Computed when it is called, at any time; the samples do not
    depend on whether it is."""
    result: T | None = None
    """What this step finishes, usually everything with the last step; None if nothing."""
    stream: str = ""
    """The target stream that the step belongs to."""
    first: int = 0
    """Index of the first sample that `preview` shows: samples are generated in batches."""

    def map(self, convert: Callable[[T], U]) -> "Frame[U]":
        """The frame with `convert` applied to its result, and to its preview when that is called."""
        if self.result is None:
            return Frame(
                self.step, self.total, lambda: convert(self.preview()), None, self.stream, self.first
            )
        result = convert(self.result)
        return Frame(self.step, self.total, lambda: result, result, self.stream, self.first)


def joined(frames: Sequence[Frame[T]], join: Callable[[Sequence[T]], U]) -> Frame[U]:
    """The same step of several requests as one."""
    first = frames[0]
    together = Frame(first.step, first.total, lambda: [frame.preview() for frame in frames], None)
    results = [frame.result for frame in frames if frame.result is not None]
    return replace(together, result=results or None, stream=first.stream, first=first.first).map(join)


Frames = Generator[Frame[T], None, None]
"""One frame per step. Nothing is computed between two steps; closing it cancels the request."""


def last(result: U, *, total: int = 1) -> Frame[U]:
    """The last frame of `total` steps; its preview is the result."""
    return Frame(total, total, lambda: result, result)


def single(result: U) -> Frames[U]:
    """The frames of a request of one step."""
    yield last(result)


def finished(frames: Iterable[Frame[U]]) -> U:
    """Takes all steps; returns the result of the last one."""
    result = deque(frames, maxlen=1).pop().result
    assert result is not None
    return result
