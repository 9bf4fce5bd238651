"""A stage that trains for a time instead of a number of steps."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from modaloom.runs.store import RunFolder
from modaloom.training.loop import Training
from modaloom.training.pace import Pacer
from modaloom.training.plateau import ERROR, has_flattened, is_due, logged_errors

MIN_TIME_FRACTION = 0.5
"""Of its planned time, what a stage gets however late it starts."""
MIN_USEFUL_STEPS, MIN_USEFUL_EPOCHS = 300, 3
"""Below either of them a stage has hardly begun to learn."""


class Budget:
    """Fits the schedule of a training to its time, and records each change in the run's configuration.

    Args:
        earliest: reading of the pacer's clock before which the stage does not end early.
    """

    def __init__(self, folder: RunFolder[Any], training: Training, pacer: Pacer, *, earliest: float) -> None:
        self.folder, self.training, self.pacer, self.earliest = folder, training, pacer, earliest
        if training.schedule.decaying(training.step):
            pacer.end_after(training.total - training.step)
        self._record()

    def look(self) -> None:
        """After a step: see whether the schedule still fits."""
        training = self.training
        before, decay = training.schedule, training.stage.optimizer.decay
        training.schedule = self.pacer.refit(before, training.step, decay=decay)
        if self._is_enough():
            training.schedule = training.schedule.fall(training.step, decay)
            self.pacer.end_after(training.total - training.step)
        if training.schedule != before:
            self._record()

    def _is_enough(self) -> bool:
        """Whether the stage may end early, by its validation error, which is logged."""
        training, name = self.training, self.training.stage.name
        if training.stage.validation_error is None or training.schedule.decaying(training.step):
            return False
        if not is_due(training.step):
            return False
        self.folder.log({"stage": name, "step": training.step, ERROR: training.validation_error()})
        errors = logged_errors(self.folder.metrics(), name)
        fall = training.schedule.fall(training.step, training.stage.optimizer.decay)
        end = self.pacer.clock() + (fall.total - training.step) * self.pacer.pace
        return end >= self.earliest and has_flattened(errors, training.step)

    def _record(self) -> None:
        run = self.folder.run()
        schedule = {**run.training.schedule, self.training.stage.name: self.training.schedule}
        self.folder.save_run(replace(run, training=replace(run.training, schedule=schedule)))


def seconds_for(time_shares: Sequence[float], i: int, spent: float, whole: float) -> float:
    """Stage i's share of what is left of `whole` seconds, but at least half of what it was planned to have.

    Where what came before it took longer than its share, the run then takes longer than asked instead of
    ending with a stage that has learned nothing.
    """
    left = (whole - spent) * time_shares[i] / sum(time_shares[i:])
    return max(left, MIN_TIME_FRACTION * whole * time_shares[i] / sum(time_shares))


def shortage(name: str, steps: int, batch_size: int, num_samples: int, minutes: float) -> str:
    """What to say of a stage whose part of the minutes has room for `steps`; empty if they are enough."""
    needed = max(MIN_USEFUL_STEPS, math.ceil(MIN_USEFUL_EPOCHS * num_samples / batch_size))
    if steps >= needed:
        return ""
    fitting = math.ceil(minutes * needed / max(1, steps))
    return (
        f"{minutes:g} minutes are about {steps} steps of {name}, fewer than the {needed} that it takes "
        f"to learn anything: give --minutes {fitting}, or a smaller model (--preset tiny)"
    )
