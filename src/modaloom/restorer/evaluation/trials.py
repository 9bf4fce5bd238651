"""Scores of a Restorer: the posterior mean against the input and a linear filter, samples by their detail."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from modaloom.core.rng import derive, generator
from modaloom.evaluation.estimate import average
from modaloom.evaluation.rows import ScoreRow
from modaloom.metrics.hf_energy_ratio import hf_energy
from modaloom.modalities.unit import from_unit
from modaloom.restorer.example import ConditionalExample
from modaloom.restorer.files import Restoration
from modaloom.restorer.inference import run_task
from modaloom.restorer.patch_ridge import PatchRidge
from modaloom.restorer.tasks import Signals

MIN_HF_ENERGY = 1e-6
"""High-frequency energy of a ground truth below which it has no ratio: it would dominate the mean."""


@dataclass(frozen=True)
class RestorationCase:
    """A held-out signal."""

    key: str
    signals: Signals


@dataclass(frozen=True)
class RestorationTrial:
    """The inputs of one case and the results for it."""

    held: Signals
    asked: ConditionalExample
    guess: Tensor
    """The initial estimate (C, *axes), within the limits of the values."""
    mean: Tensor | None
    """The posterior mean; None if the run was not trained for it."""
    sample: Tensor | None
    """A posterior sample; None if the run was not trained for it."""
    linear: Tensor | None
    """The initial estimate, improved by the baseline's linear filter."""


@dataclass(frozen=True)
class RestorationEvaluation:
    """Evaluation of one subtask of a Restorer."""

    restoration: Restoration
    name: str
    options: Any
    ridge: PatchRidge | None
    seed: int

    @classmethod
    def of(
        cls, restoration: Restoration, train: Sequence[RestorationCase], *, seed: int = 0
    ) -> Iterator["RestorationEvaluation"]:
        """Yields one evaluation for each subtask; the linear filter is fitted to `train`."""
        task = restoration.task
        parts = task.subtasks(restoration.options) or {restoration.plan.task: restoration.options}
        for name, options in parts.items():
            bare = cls(restoration, name, options, None, seed)
            yield cls(restoration, name, options, bare.fitted(train), seed)

    def fitted(self, train: Sequence[RestorationCase]) -> PatchRidge | None:
        """Returns the ridge filter from initial estimate to target, which the run's own filter has no part
        in; None if it does not apply."""
        task = self.restoration.task
        if not task.is_residual or not train:
            return None
        guesses = [task.seen(self.asked(self.held(case))) for case in train]
        spec = replace(task.linear_filter(self.options), levels=1)
        wanted = [task.represent(target_of(case), self.options) for case in train]
        return PatchRidge.fit([*zip(guesses, wanted)], spec)

    def held(self, case: RestorationCase) -> Signals:
        """Returns the degraded signals of a case."""
        random = generator(self.seed, "judge", self.name, case.key)
        return self.restoration.task.degrade(case.signals, self.options, random)

    def asked(self, held: Signals) -> ConditionalExample:
        return self.restoration.task.build_condition(replace(held, target=None), self.options)

    def trial(self, case: RestorationCase) -> RestorationTrial:
        task, held = self.restoration.task, self.held(case)
        asked = self.asked(held)
        guess = task.initial_estimate(asked)
        linear = (
            None if self.ridge is None else task.postprocess(self.ridge(task.seen(asked)), held, self.options)
        )
        modes = self.restoration.restorer.modes
        mean, sample = (
            self.answer(held, case, mode) if mode in modes else None for mode in ("mean", "sample")
        )
        return RestorationTrial(held, asked, task.plain(guess, held, self.options), mean, sample, linear)

    def answer(self, held: Signals, case: RestorationCase, mode: str) -> Tensor:
        return run_task(
            self.restoration.restorer,
            self.restoration.task,
            replace(held, target=None),
            self.options,
            mode=mode,
            sampling=self.restoration.config.sampling,
            seed=derive(self.seed, "restore", case.key),
        )

    def rows(
        self, split: str, cases: Sequence[RestorationCase], trials: Sequence[RestorationTrial]
    ) -> Iterator[ScoreRow]:
        """Yields the metrics of the posterior mean, then of samples.

        Args:
            split: name of the split.
            cases: n cases.
            trials: their n trials.
        """
        wanted = [target_of(case) for case in cases]
        yield from self.compared(split, trials, wanted)
        drawn = [
            (case, trial, trial.sample) for case, trial in zip(cases, trials) if trial.sample is not None
        ]
        if not drawn:
            return
        yield from self.row(
            split,
            "hf_energy_ratio",
            _hf_energy_ratios([trial.sample for trial in trials], wanted),
            {
                "floor": _hf_energy_ratios([trial.guess for trial in trials], wanted),
                "baseline": _hf_energy_ratios([trial.linear for trial in trials], wanted),
            },
        )
        task = self.restoration.task
        if task.is_residual and not task.paired and task.is_consistent(self.options):
            again = [self.again(case, sample, trial.held) for case, trial, sample in drawn]
            floor = [self.again(case, trial.guess, trial.held) for case, trial, _ in drawn]
            yield from self.row(split, "consistency", again, {"floor": floor})

    def compared(
        self, split: str, trials: Sequence[RestorationTrial], wanted: Sequence[Tensor]
    ) -> Iterator[ScoreRow]:
        """Yields the modality's metrics of the posterior mean.

        Args:
            split: name of the split.
            trials: n trials.
            wanted: their n targets (C, *axes).
        """
        mean = self.scores([trial.mean for trial in trials], wanted)
        baselines = {
            "floor": self.scores([trial.guess for trial in trials], wanted),
            "baseline": self.scores([trial.linear for trial in trials], wanted),
        }
        for metric, values in mean.items():
            beside = {column: scores[metric] for column, scores in baselines.items() if metric in scores}
            yield from self.row(split, metric, values, beside)

    def scores(self, found: Sequence[Tensor | None], wanted: Sequence[Tensor]) -> dict[str, list[float]]:
        """Metric → values, one for each result that is not None; empty if all are None."""
        plan = self.restoration.plan
        modality, facts = plan.modality_type, plan.facts(plan.streams[-1])
        each = [
            modality.compare(from_unit(modality, facts, signal), from_unit(modality, facts, want), facts)
            for signal, want in zip(found, wanted, strict=True)
            if signal is not None
        ]
        return {metric: [one[metric] for one in each] for metric in (each[0] if each else ())}

    def again(self, case: RestorationCase, found: Tensor, held: Signals) -> float:
        """Consistency: RMS difference, in 1/255 of the range, between the input and the degraded result.

        Args:
            case: determines the degradation's randomness.
            found: the result (C, *axes).
            held: the case's degraded signals.
        """
        random = generator(self.seed, "judge", self.name, case.key)
        seen = Signals(found, scale=held.scale)
        given = self.restoration.task.degrade(seen, self.options, random).input
        assert given is not None
        assert held.input is not None
        return float((given - held.input).square().mean().sqrt()) * 255

    def row(
        self, split: str, metric: str, values: Sequence[float], baselines: Mapping[str, Sequence[float]]
    ) -> Iterator[ScoreRow]:
        """Yields the row of a metric; nothing if no signal has a value.

        Args:
            split: name of the split.
            metric: name of the metric.
            values: the metric of each signal.
            baselines: column of the row → values of the baseline.
        """
        if not values:
            return
        estimate, name = average(torch.tensor(values, dtype=torch.float64)), f"restore:{self.name}"
        interval = estimate.interval(generator(self.seed, "interval", name, split, metric))
        beside = {
            c: float(torch.tensor(v, dtype=torch.float64).mean()) if len(v) else None
            for c, v in baselines.items()
        }
        yield ScoreRow(
            name, split, metric, estimate.value, low=interval.low, high=interval.high, n=estimate.n, **beside
        )


def target_of(case: RestorationCase) -> Tensor:
    """The target, (C, *axes)."""
    assert case.signals.target is not None
    return case.signals.target


def _hf_energy_ratios(found: Sequence[Tensor | None], wanted: Sequence[Tensor]) -> list[float]:
    """High-frequency energy of each result, divided by that of its ground truth."""
    pairs = [(one, hf_energy(want)) for one, want in zip(found, wanted, strict=True) if one is not None]
    return [hf_energy(one) / power for one, power in pairs if power > MIN_HF_ENERGY]
