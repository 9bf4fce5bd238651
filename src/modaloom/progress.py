"""Progress display on stderr: a bar on a terminal, else a line every few seconds."""

import importlib
import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from modaloom.core.visible import visible

if TYPE_CHECKING:  # rich is slow to import, and `modaloom --help` must not be
    from rich.progress import Progress as Bars

BAR_SECONDS, LINE_SECONDS = 0.2, 5.0
"""Minimum interval between updates in seconds, with and without a terminal."""


def nothing() -> str:
    """Returns an empty note."""
    return ""


class Progress:
    """Context manager that displays progress; `show` may be called at any rate.

    A notebook has one line that changes; it needs no context.
    """

    def __init__(self) -> None:
        self.terminal = bool(sys.stderr and sys.stderr.isatty())
        self.notebook = "ipykernel" in sys.modules
        self._line: Any = None
        self._name, self._start, self._done, self._shown = "", 0.0, 0, 0.0
        self._bars: Bars | None = None

    def show(self, name: str, done: int, total: int | None = None, note: Callable[[], str] = nothing) -> None:
        """Shows progress, at most once per interval.

        Args:
            name: name of the work; a new name starts a new bar.
            done: finished steps.
            total: all steps; None: unknown.
            note: returns a remark; called only when the display is updated.
        """
        now = time.monotonic()
        if name != self._name:
            self._close()
            self._name, self._start, self._done, self._shown = name, now, done, 0.0
        if done == total or now - self._shown >= (
            BAR_SECONDS if self.terminal or self.notebook else LINE_SECONDS
        ):
            self._shown = now
            words = [*self._pace(done, total, now), *filter(None, [note()])]
            line = " · ".join([f"{name} {done}" + (f"/{total}" if total else ""), *words])
            if self.notebook:
                self._update(line)
            elif self.terminal:
                self._bar(done, total, " · ".join(words))
            elif sys.stderr:
                print(line, file=sys.stderr)

    def write(self, sentence: str) -> None:
        """Prints a sentence on stdout, below the bar."""
        self._close()
        print(visible(sentence), flush=True)

    def _pace(self, done: int, total: int | None, now: float) -> list[str]:
        """Returns speed and remaining time, if any step was finished since the start."""
        pace = (done - self._done) / max(now - self._start, 1e-9)
        if done <= self._done:
            return []
        left = [] if total is None else [f"{_duration((total - done) / pace)} left"]
        return [f"{pace:.3g}/s", *left]

    def _bar(self, done: int, total: int | None, words: str) -> None:
        if self._bars is None:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

            self._bars = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(24),
                MofNCompleteColumn(),
                TextColumn("{task.fields[words]}", markup=False),
                console=Console(stderr=True),
                redirect_stdout=False,
            )
            self._bars.add_task(self._name, words="")
            self._bars.start()
        (task,) = self._bars.task_ids
        self._bars.update(task, completed=done, total=total, words=words)

    def _update(self, line: str) -> None:
        display = importlib.import_module("IPython.display")
        text = {"text/plain": line}
        if self._line is None:
            self._line = display.display(text, raw=True, display_id=True)
        else:
            self._line.update(text, raw=True)

    def _close(self) -> None:
        if self._bars is not None:
            self._bars.stop()
        self._name, self._bars, self._line = "", None, None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()


def _duration(seconds: float) -> str:
    """`42 s`, `3:07`, `1:02:05`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02d}:{rest:02d}"
    return f"{minutes}:{rest:02d}" if minutes else f"{rest} s"
