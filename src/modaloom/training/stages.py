"""Sequential training of the stages of a run, with checkpoints, resuming and time budgets."""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Any

import torch

from modaloom.core.errors import BadValue
from modaloom.data.atomic_io import sweep
from modaloom.runs.checkpoint import newest, save
from modaloom.runs.config_io import from_plain, to_plain
from modaloom.runs.schedule import Schedule, trapezoid
from modaloom.runs.store import RunFolder
from modaloom.training.accelerator import Accelerator
from modaloom.training.budget import Budget, seconds_for, shortage
from modaloom.training.event_log import EventLog, check_installed, event_log, no_log
from modaloom.training.interrupts import Interrupted, catch_interrupts
from modaloom.training.loop import Stage, Step, Training, record, train, validates_at
from modaloom.training.pace import MIN_STEPS, Pacer, measure_pace
from modaloom.training.prefetch import prefetched
from modaloom.training.sharding import WholeNetwork
from modaloom.training.threads import GAIN, ThreadTuner, candidates, fastest, kept_threads

PACE_SHARE = 0.02
"""Fraction of a stage's time for measuring its pace."""
SECONDS = "seconds"
"""Key in metrics.jsonl: seconds of training since the run began, without interruptions."""


@dataclass(frozen=True)
class StagePlan:
    """A planned stage. It is built after the previous stages are trained, since it may depend on them."""

    build: Callable[[], Stage]
    time_share: float = 1.0
    """Time relative to the other stages; the maximum if the stage may end early."""
    min_time_share: float = 0.0
    """Minimum fraction of the run's time budget if the stage may end early, in [0, 1]."""


class Clock:
    """Seconds of training so far, over all stages and processes of a run."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    def __call__(self) -> float:
        return time.monotonic() - self._start

    def at_least(self, seconds: float) -> None:
        """Advance the clock to `seconds` if it is earlier."""
        self._start = min(self._start, time.monotonic() - seconds)


def run_stages(
    plans: Sequence[StagePlan],
    folder: RunFolder[Any],
    accelerator: Accelerator,
    *,
    notify: Callable[[str], None],
) -> Iterator[Step]:
    """Train every stage, from its newest valid checkpoint, and load its averaged weights into its module.

    Numbers of steps come from the run's configuration. A stage without one trains for its share of the time
    budget; its schedule is recorded in the configuration on every change, its number of steps at its end.
    Metrics are logged to metrics.jsonl.

    Args:
        plans: the stages, in order.
        folder: the run, open for writing.
        accelerator: device and precision.
        notify: receives warnings.

    Raises:
        BadRun: a checkpoint does not fit the configuration.
        BadValue: a stage has neither a number of steps nor a time budget, or TensorBoard is not installed.
        Interrupted: after SIGTERM or Ctrl-C, with a checkpoint saved.
        WorkFailed: NaN or infinity, or a checkpoint could not be written; the previous one is intact.
    """
    session = _Session(plans, folder, accelerator, notify, Clock())
    if folder.run().training.tensorboard:
        check_installed()
    session.record(precision=accelerator.precision)
    for i, plan in enumerate(plans):
        with accelerator.distributed.in_turn():
            stage = plan.build()
            _check_divisible(stage, accelerator, last=plan is plans[-1])
        session.make_alike(stage)
        with (
            catch_interrupts() as stopped,
            kept_threads(),
            session.prefetched(stage) as ahead,
            accelerator.network(stage.module, stage.network) as network,
        ):
            training = yield from session.train(i, ahead, stopped, network)
            stage.module.load_state_dict(training.ema.tensors)
            network.refresh(now=True)
        steps = {**folder.run().training.steps, stage.name: training.total}
        session.record(steps=steps)
        session.make_alike(stage)
        stage.module.eval()


def _check_divisible(stage: Stage, accelerator: Accelerator, *, last: bool) -> None:
    """Raise `BadValue` if networks are to be divided, and that of the last stage cannot be."""
    if accelerator.shard and last and not stage.network:
        raise BadValue(f"the network of {stage.name} cannot be divided among processes; leave out --shard")


@dataclass(frozen=True)
class _Session:
    """Training of a run within one process."""

    plans: Sequence[StagePlan]
    folder: RunFolder[Any]
    accelerator: Accelerator
    notify: Callable[[str], None]
    clock: Clock

    def record(self, **changes: Any) -> None:
        """Write changed training settings to the configuration, if they differ."""
        run = self.folder.run()
        changed = replace(run, training=replace(run.training, **changes))
        if changed != run:
            self.folder.save_run(changed)

    @contextmanager
    def prefetched(self, stage: Stage) -> Iterator[Stage]:
        """The stage with batches that are prepared ahead."""
        workers = self.folder.run().training.workers
        workers = self.accelerator.workers if workers is None else workers
        with prefetched(lambda step: self.accelerator.pin(stage.batch(step)), workers) as batch:
            yield replace(stage, batch=batch)

    def make_alike(self, stage: Stage) -> None:
        """Take the weights of rank 0 everywhere: processors round differently, and caches go by the bits."""
        for module in stage.modules:
            for tensor in module.state_dict().values():
                tensor.copy_(self.accelerator.distributed.broadcast(tensor))

    def train(
        self, i: int, stage: Stage, stopped: Callable[[], bool], network: WholeNetwork
    ) -> Generator[Step, None, Training]:
        """Train stage i to its end, yielding after every step."""
        if stage.name in self.folder.run().training.steps:
            training, budget = self._resume(stage), None
        else:
            training, budget = self._with_budget(i, stage)
        logs = self.folder.run().training.tensorboard and self.accelerator.distributed.leads
        events = event_log(self.folder.path, stage.name, training.step) if logs else no_log()
        with events as log:
            yield from self._steps(training, budget, stopped, network, log)
        return training

    def _steps(
        self,
        training: Training,
        budget: Budget | None,
        stopped: Callable[[], bool],
        network: WholeNetwork,
        log: EventLog,
    ) -> Iterator[Step]:
        config, saved = self.folder.run().training, time.monotonic()
        ranks = self.accelerator.distributed
        window: list[Step] = []
        for step in train(training):
            window.append(step)
            last = step.step == step.total
            whole = network.refresh(now=validates_at(step) or step.step == 1)
            with ranks.first(), network.in_place() if whole else nullcontext():
                if step.step % config.log_every == 0 or last:
                    line = {**record(window), SECONDS: round(self.clock(), 2)}
                    self.folder.log(line)
                    log(line)
                    window.clear()
                yield replace(step, whole=whole)
                if budget and not last and ranks.leads:
                    budget.look(step.seconds)
            if budget:
                training.schedule = self._agreed(training.schedule)
            asked = ranks.any(stopped())
            if ranks.any(asked or last or time.monotonic() - saved >= config.checkpoint_seconds):
                self._save(training)
                saved = time.monotonic()
            if asked:
                raise Interrupted(
                    f"stopped after step {step.step} of {training.total} of {step.stage}; "
                    f"go on with: modaloom train --resume --out {self.folder.path}"
                )

    def _save(self, training: Training) -> None:
        checkpoint = training.checkpoint()
        with self.accelerator.distributed.first():
            if self.accelerator.distributed.leads:
                save(self.folder.checkpoints(training.stage.name), checkpoint)

    def _agreed(self, schedule: Schedule) -> Schedule:
        """The schedule of rank 0."""
        return from_plain(Schedule, self.accelerator.distributed.share(to_plain(schedule)))

    def _resume(self, stage: Stage, schedule: Schedule | None = None) -> Training:
        """Training of a stage, restored from its newest valid checkpoint if there is one."""
        run, place = self.folder.run(), self.folder.checkpoints(stage.name)
        schedule = schedule or run.training.schedule_of(stage.name, stage.optimizer)
        threads = run.training.threads_of(stage.name) if stage.name in run.training.steps else ()
        training = Training(
            stage, self.accelerator, schedule, seed=run.seed, ema=run.training.ema_decay, threads=threads
        )
        with self.accelerator.distributed.in_turn():
            if self.accelerator.distributed.leads:
                sweep(place)
            found = newest(place)
            for damage in found.damaged:
                self.notify(damage)
            if found.checkpoint:
                training.restore(found.checkpoint)
            self.folder.rewind(stage.name, training.step)
        return training

    def _with_budget(self, i: int, stage: Stage) -> tuple[Training, Budget]:
        """Training of a stage without a number of steps, and the `Budget` that fits its schedule."""
        run = self.folder.run()
        if run.training.minutes is None:
            raise BadValue(f"nothing says how long to train {stage.name}; give --minutes or --steps")
        begun, whole = self._begun(stage.name), 60 * run.training.minutes
        end = begun + seconds_for([plan.time_share for plan in self.plans], i, begun, whole)
        paces = self._paces(stage, PACE_SHARE * (end - begun))
        threads = fastest(paces)
        pace = paces[threads]
        steps = max(MIN_STEPS, int((end - self.clock()) / pace))
        schedule = run.training.schedule.get(stage.name)
        if schedule is None:
            self._warn(stage, steps, run.training.minutes)
            schedule = trapezoid(steps, warmup=stage.optimizer.warmup, decay=stage.optimizer.decay)
        training = self._resume(stage, self._agreed(schedule))
        training.threads = [c for c in run.training.threads.get(stage.name, ()) if c[0] < training.step]
        tuner = ThreadTuner(threads, [*paces], pace=pace, seconds=max(0.0, end - self.clock()))
        pacer = Pacer(end - self.clock(), pace, training.step, clock=self.clock)
        earliest = begun + whole * self.plans[i].min_time_share
        return training, Budget(self.folder, training, pacer, tuner, earliest=earliest)

    def _paces(self, stage: Stage, seconds: float) -> dict[int, float]:
        """Number of threads → seconds per step, measured within about so many seconds: of fewer and fewer
        threads, until they are slower."""
        found: dict[int, float] = {}
        allowed = candidates(torch.get_num_threads())
        if self.accelerator.device.type != "cpu" or self.accelerator.distributed.size > 1:
            allowed = allowed[:1]
        with kept_threads():
            for threads in allowed:
                torch.set_num_threads(threads)
                part = seconds / len(allowed)
                found[threads] = measure_pace(stage, self.accelerator, part, seed=self.folder.run().seed)
                if GAIN * found[threads] > min(found.values()):
                    break
        return found

    def _warn(self, stage: Stage, steps: int, minutes: float) -> None:
        if short := shortage(stage.name, steps, stage.size, stage.num_samples, minutes):
            self.notify(short)

    def _begun(self, stage: str) -> float:
        """Start of the stage on the clock, after advancing the clock to the last time logged for the run."""
        own, others = ([0.0], [0.0])
        for line in self.folder.metrics():
            (own if line.get("stage") == stage else others).append(line.get(SECONDS, 0.0))
        self.clock.at_least(max(*own, *others))
        return max(others) if len(own) > 1 else self.clock()
