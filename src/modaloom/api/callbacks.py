"""What a training tells its caller while it goes on."""

from collections.abc import Callable
from dataclasses import dataclass

from modaloom.evaluation.rows import ScoreRow
from modaloom.progress import Progress
from modaloom.training.loop import Step


@dataclass(frozen=True)
class TrainCallbacks:
    """Optional callbacks of a training."""

    on_step: Callable[[Step], None] = lambda step: None
    on_row: Callable[[ScoreRow], None] = lambda row: None
    notify: Callable[[str], None] = lambda sentence: None


def callbacks_on(progress: Progress) -> TrainCallbacks:
    """Callbacks that show steps, scores and notices on a progress display."""
    scored = 0

    def on_row(row: ScoreRow) -> None:
        nonlocal scored
        scored += 1
        progress.show("scores", scored, note=lambda: f"{row.row}, {row.split}: {row.metric} {row.value:.3f}")

    return TrainCallbacks(
        on_step=lambda s: progress.show(s.stage, s.step, s.total, lambda: f"loss {float(s.loss):.4f}"),
        on_row=on_row,
        notify=progress.write,
    )


def default_callbacks() -> TrainCallbacks:
    """A progress display in a notebook, else none."""
    progress = Progress()
    return callbacks_on(progress) if progress.notebook else TrainCallbacks()
