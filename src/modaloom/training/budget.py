"""Training a stage for a time budget instead of a number of steps."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from modaloom.runs.store import RunFolder
from modaloom.training.loop import Training
from modaloom.training.pace import Pacer
from modaloom.training.plateau import ERROR, is_due, is_enough, logged_errors
from modaloom.training.threads import ThreadTuner, threads_at

MIN_TIME_FRACTION = 0.5
"""Minimum fraction of its planned time that a stage gets, however late it starts."""
MIN_USEFUL_STEPS, MIN_USEFUL_EPOCHS = 300, 3
"""Steps and epochs below which a stage is undertrained."""


class Budget:
    """Fits the schedule of a training to its time budget, and records changes in the run's configuration.

    Args:
        folder: the run, open for writing.
        training: the stage in progress.
        pacer: measures the pace and gives the number of steps.
        tuner: chooses the number of threads.
        earliest: time on the pacer's clock, in seconds, before which the stage does not end early.
    """

    def __init__(
        self,
        folder: RunFolder[Any],
        training: Training,
        pacer: Pacer,
        tuner: ThreadTuner,
        *,
        earliest: float,
    ) -> None:
        self.folder, self.training, self.pacer, self.earliest = folder, training, pacer, earliest
        self.tuner = tuner
        self._set_threads(tuner.threads)
        if training.schedule.decaying(training.step):
            pacer.end_after(training.total - training.step)
        self._record()

    def look(self, seconds: float) -> None:
        """Update schedule and number of threads after a step that took so many seconds."""
        training = self.training
        before, decay = (training.schedule, training.threads), training.stage.optimizer.decay
        self._set_threads(self.tuner.next(seconds))
        training.schedule = self.pacer.refit(training.schedule, training.step, decay=decay)
        if self._is_enough():
            training.schedule = training.schedule.fall(training.step, decay)
            self.pacer.end_after(training.total - training.step)
        if (training.schedule, training.threads) != before:
            self._record()

    def _set_threads(self, threads: int) -> None:
        """Use a number of threads from the next step on."""
        training = self.training
        if threads != threads_at(training.threads, training.step):
            training.threads = (*training.threads, (training.step, threads))

    def _is_enough(self) -> bool:
        """Whether the validation error, which is logged, suffices, and the stage may end early."""
        training, name = self.training, self.training.stage.name
        if training.stage.validation_error is None or training.schedule.decaying(training.step):
            return False
        if not is_due(training.step):
            return False
        self.folder.log({"stage": name, "step": training.step, ERROR: training.validation_error()})
        errors = logged_errors(self.folder.metrics(), name)
        fall = training.schedule.fall(training.step, training.stage.optimizer.decay)
        end = self.pacer.clock() + (fall.total - training.step) * self.pacer.pace
        return end >= self.earliest and is_enough(errors, training.step)

    def _record(self) -> None:
        run, name = self.folder.run(), self.training.stage.name
        schedule = {**run.training.schedule, name: self.training.schedule}
        threads = {**run.training.threads, name: tuple(self.training.threads)}
        recorded = replace(run.training, schedule=schedule, threads=threads)
        self.folder.save_run(replace(run, training=recorded))


def seconds_for(time_shares: Sequence[float], i: int, spent: float, whole: float) -> float:
    """Time budget of stage i in seconds: its share of the remaining time, at least half of its planned time.

    If earlier stages exceeded their budgets, the run exceeds the total rather than end with an untrained
    stage.

    Args:
        time_shares: relative time of every stage.
        i: index of the stage.
        spent: seconds of training so far.
        whole: time budget of the run in seconds.
    """
    left = (whole - spent) * time_shares[i] / sum(time_shares[i:])
    return max(left, MIN_TIME_FRACTION * whole * time_shares[i] / sum(time_shares))


def shortage(name: str, steps: int, batch_size: int, num_samples: int, minutes: float) -> str:
    """Warning for a stage whose time budget allows too few steps; empty if they are sufficient.

    Args:
        name: name of the stage.
        steps: number of steps that fit its budget.
        batch_size: samples per step.
        num_samples: samples per epoch.
        minutes: time budget of the run.
    """
    needed = max(MIN_USEFUL_STEPS, math.ceil(MIN_USEFUL_EPOCHS * num_samples / batch_size))
    if steps >= needed:
        return ""
    fitting = math.ceil(minutes * needed / max(1, steps))
    return (
        f"{minutes:g} minutes are about {steps} steps of {name}, fewer than the {needed} that it takes "
        f"to learn anything: give --minutes {fitting}, or a smaller model; the smallest preset is tiny"
    )
