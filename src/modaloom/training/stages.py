"""The stages of a run, one after the other, with everything that makes them safe to stop."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from modaloom.core.errors import BadValue
from modaloom.runs.atomic_io import sweep
from modaloom.runs.checkpoint import newest, save
from modaloom.runs.store import RunFolder
from modaloom.training.accelerator import Accelerator
from modaloom.training.calibrate import calibrate
from modaloom.training.interrupts import Interrupted, catch_interrupts
from modaloom.training.loop import Stage, Step, Training, record, train

MIN_TIME_FRACTION = 0.5
"""Of its planned time, what a stage gets however late it starts."""


@dataclass(frozen=True)
class StagePlan:
    """A stage to come. It is built when those before it are trained, because it may need them."""

    build: Callable[[], Stage]
    time_share: float = 1.0
    """Of the time, relative to the other stages."""


def run_stages(
    plans: Sequence[StagePlan],
    folder: RunFolder[Any],
    accelerator: Accelerator,
    *,
    notify: Callable[[str], None],
) -> Iterator[Step]:
    """Train every stage from where its newest good checkpoint left it, and put its average into its module.

    Steps come from the run's configuration; what it lacks is calibrated from the minutes that are left and
    frozen there. Lines go to metrics.jsonl, notices to `notify`.

    Raises:
        Interrupted: after SIGTERM or Ctrl-C, with a checkpoint saved.
        WorkFailed: NaN or infinity, or a disk that takes no checkpoint; the one before is intact.
    """
    start = time.monotonic()
    for i, plan in enumerate(plans):
        stage = plan.build()
        if stage.name not in folder.run().training.steps:
            spent = time.monotonic() - start
            _freeze(stage, folder, accelerator, partial(seconds_for, [p.time_share for p in plans], i, spent))
        training = _resume(stage, folder, accelerator, notify)
        with catch_interrupts() as stopped:
            yield from _train(training, folder, stopped)
        stage.module.load_state_dict(training.ema.tensors)
        stage.module.eval()


def seconds_for(time_shares: Sequence[float], i: int, spent: float, whole: float) -> float:
    """Stage i's share of what is left of `whole` seconds, but at least half of what it was planned to have.

    Where the stages before it ran slower than they were calibrated, on a machine that became busy, the run
    then takes longer than asked instead of ending with a stage that has learned nothing.
    """
    left = (whole - spent) * time_shares[i] / sum(time_shares[i:])
    return max(left, MIN_TIME_FRACTION * whole * time_shares[i] / sum(time_shares))


def _freeze(
    stage: Stage, folder: RunFolder[Any], accelerator: Accelerator, seconds: Callable[[float], float]
) -> None:
    """Calibrate a stage to its part of the minutes, and write its steps into the configuration."""
    run = folder.run()
    if run.training.minutes is None:
        raise BadValue(f"nothing says how long to train {stage.name}; give --minutes or --steps")
    budget = seconds(60 * run.training.minutes)
    steps = calibrate(stage, accelerator, budget, seed=run.seed, ema=run.training.ema_decay)
    frozen = replace(run.training, steps={**run.training.steps, stage.name: steps})
    folder.save_run(replace(run, training=frozen))


def _resume(
    stage: Stage, folder: RunFolder[Any], accelerator: Accelerator, notify: Callable[[str], None]
) -> Training:
    run = folder.run()
    total = run.training.steps[stage.name]
    training = Training(stage, accelerator, total, seed=run.seed, ema=run.training.ema_decay)
    sweep(folder.checkpoints(stage.name))
    found = newest(folder.checkpoints(stage.name))
    for damage in found.damaged:
        notify(damage)
    if found.checkpoint:
        training.restore(found.checkpoint)
    folder.rewind(stage.name, training.step)
    return training


def _train(training: Training, folder: RunFolder[Any], stopped: Callable[[], bool]) -> Iterator[Step]:
    config = folder.run().training
    clock = time.monotonic()
    window: list[Step] = []
    for step in train(training):
        window.append(step)
        if step.step % config.log_every == 0 or step.step == step.total:
            folder.log(record(window))
            window.clear()
        yield step
        asked = stopped()
        if asked or step.step == step.total or time.monotonic() - clock >= config.checkpoint_seconds:
            save(folder.checkpoints(training.stage.name), training.checkpoint())
            clock = time.monotonic()
        if asked:
            raise Interrupted(
                f"stopped after step {step.step} of {step.total} of {step.stage}; "
                f"go on with: modaloom train --resume --out {folder.path}"
            )
