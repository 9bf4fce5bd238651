"""Evaluation of one direction on one split: scores of the model and of its baselines."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from modaloom.core.frame import finished
from modaloom.core.rng import generator
from modaloom.core.types import Sample
from modaloom.evaluation.baselines import Library
from modaloom.evaluation.budget import Budget
from modaloom.evaluation.judge import Answer, Estimates, Judge
from modaloom.evaluation.memorization import Memorization, Repetition
from modaloom.evaluation.rows import Direction, ScoreRow
from modaloom.evaluation.variety import Variety
from modaloom.loom.config import CodeSamplingConfig
from modaloom.loom.evaluation.encoded import Encoded
from modaloom.loom.evaluation.pairing import Pairing
from modaloom.loom.evaluation.rate import MAX_SAMPLES, Rate
from modaloom.loom.model import BATCH_SIZE
from modaloom.modalities import Value

MIN_SAMPLES = 20
"""Minimum number of samples per direction, if available, whatever the time budget."""
MAX_DIVERSITY_SAMPLES = 100
"""Maximum number of samples that are generated a second time, for diversity."""

Columns = Mapping[str, Mapping[str, float]]
"""Baseline column of a row → metric → value."""
Reference = Callable[[Sequence[Value]], Estimates]
"""Generated values of a stream → estimates of novelty, coverage and variety."""


@dataclass(frozen=True)
class DirectionEvaluation:
    """Computes the score rows of a direction on a split."""

    encoded: Encoded
    """The model, with the codes of the split's samples."""
    library: Library
    judge: Judge
    direction: Direction
    split: str
    samples: Sequence[Sample]
    seed: int
    sampling: CodeSamplingConfig | None

    def answers(self, budget: Budget) -> list[Answer]:
        """The model's answers to the first samples: to all if time permits, to at least `MIN_SAMPLES`."""
        n = len(self.samples)
        sizes = [MIN_SAMPLES, *[BATCH_SIZE] * (n // BATCH_SIZE + 1)] if budget.is_bounded else [n]
        places = accumulate(sizes, initial=0)
        chunks = (self.samples[i : i + size] for i, size in zip(places, sizes))
        return [a for chunk in budget.take(filter(None, chunks), least=1) for a in self.generate(chunk)]

    def rows(self, answers: Sequence[Answer]) -> Iterator[ScoreRow]:
        """All rows, over the samples that have answers."""
        yield from replace(self, samples=self.samples[: len(answers)])._rows(answers)

    def _rows(self, answers: Sequence[Answer]) -> Iterator[ScoreRow]:
        baselines = self.baselines()
        yield from self.score_rows(answers, baselines)
        yield from self.memorization_rows(answers, baselines)
        yield from self.diversity_rows(answers)
        yield from self.pairing_rows()
        yield from self.rate_rows()

    def score_rows(
        self, answers: Sequence[Answer], baselines: Mapping[str, Sequence[Answer]]
    ) -> Iterator[ScoreRow]:
        """One row per metric of the judge."""
        ask, library = self.direction, self.library
        columns = {column: _values(self.score(said)) for column, said in baselines.items()}
        floor = self.judge.floor(ask, library.samples, self.samples, library.typical(ask))
        yield from self.to_rows(self.score(answers), {"floor": floor, **columns})

    def memorization_rows(
        self, answers: Sequence[Answer], baselines: Mapping[str, Sequence[Answer]]
    ) -> Iterator[ScoreRow]:
        """Novelty, coverage and variety of continuous streams; for others, exact repetition of training
        values."""
        for name in self.direction.want:
            reference = self.reference(name)
            columns = {
                column: _values(_compared(reference, name, said)) for column, said in baselines.items()
            }
            yield from self.to_rows(_compared(reference, name, answers), columns)

    def reference(self, name: str) -> Reference:
        """Memorization by distance, and variety, for continuous streams; memorization by equality for the
        others."""
        space = self.library.space(name)
        if not space.modality.codec.continuous:
            names = space.names([s.streams[name] for s in self.samples])
            repetition = Repetition(names, self.library.known(name))
            return lambda drawn: repetition.estimates(space.names(drawn))
        real = self.library.embed(name, self.samples)
        memorization, variety = Memorization(real, space.points), Variety(self.inputs(), real)

        def estimates(drawn: Sequence[Value]) -> Estimates:
            points = space.embed(drawn)
            return {**memorization.estimates(points), **variety.estimates(points)}

        return estimates

    def inputs(self) -> list[tuple[bytes, ...]]:
        """Of each sample, what is equal for samples with equal inputs."""
        columns = [
            self.library.space(name).names([sample.streams[name] for sample in self.samples])
            for name in self.direction.given
        ]
        return [*zip(*columns, strict=True)] if columns else [()] * len(self.samples)

    def diversity_rows(self, answers: Sequence[Answer]) -> Iterator[ScoreRow]:
        """Difference between two samples generated from the same condition."""
        if self.judge.free(self.direction):
            again = self.generate(self.samples[:MAX_DIVERSITY_SAMPLES], name="{}/again")
            yield from self.to_rows(
                self.judge.diversity(self.direction, answers[:MAX_DIVERSITY_SAMPLES], again)
            )

    def pairing_rows(self) -> Iterator[ScoreRow]:
        """Metrics from the model's likelihood bounds, for data whose answers cannot be checked by parsing."""
        if self.direction.given and len(self.samples) > 1 and not self.judge.parsed:
            pairing = Pairing.of(self.encoded, self.direction, self.samples, seed=self.seed)
            columns = {"floor": pairing.floor(), "ceiling": pairing.ceiling()}
            yield from self.to_rows(pairing.estimates(), columns)

    def rate_rows(self) -> Iterator[ScoreRow]:
        """Bits per character of texts, beside the frequencies of characters, for the same data."""
        (want, *others), library = self.direction.want, self.library
        letters = library.space(want).modality.letters
        if letters is None or others or self.judge.parsed:
            return
        few = self.samples[:MAX_SAMPLES]
        rate = Rate.of(
            self.encoded,
            self.direction,
            few,
            texts=[letters(sample.streams[want]) for sample in few],
            train=[letters(sample.streams[want]) for sample in library.samples if want in sample.streams],
            seed=self.seed,
        )
        yield from self.to_rows(rate.estimates(), {"floor": rate.floor()})

    def to_rows(self, estimates: Estimates, baselines: Columns | None = None) -> Iterator[ScoreRow]:
        """One row per estimate that has samples, with the baselines in their columns."""
        for metric, estimate in estimates.items():
            if estimate.n:
                chance = generator(self.seed, "interval", self.direction.name, self.split, metric)
                interval = estimate.interval(chance)
                columns = {column: values.get(metric) for column, values in (baselines or {}).items()}
                yield ScoreRow(
                    self.direction.name,
                    self.split,
                    metric,
                    estimate.value,
                    low=interval.low,
                    high=interval.high,
                    n=estimate.n,
                    **columns,
                )

    def generate(self, samples: Sequence[Sample], *, name: str = "{}") -> list[Answer]:
        """The model's answers; each depends on the seed and its sample's key only."""
        given = {stream: self.encoded.codes(stream, samples) for stream in self.direction.given}
        names, want, model = [name.format(s.key) for s in samples], self.direction.want, self.encoded.model
        frames = model.stream(given, want, n=len(samples), seed=self.seed, names=names, options=self.sampling)
        return [*model.values(finished(frames))]

    def baselines(self) -> dict[str, list[Answer]]:
        """Column → answers without the Loom; an unconditional direction has the ceiling only."""
        ask, library = self.direction, self.library
        if not ask.given:
            return {"ceiling": self.reconstructions()}
        return {
            "baseline": library.linear_probe(ask, self.samples),
            "retrieval": library.retrieve(ask, self.samples),
            "ceiling": self.reconstructions(),
        }

    def reconstructions(self) -> list[Answer]:
        """Ground-truth values after encoding and decoding."""
        columns = {name: self.encoded.reconstructions(name, self.samples) for name in self.direction.want}
        return [dict(zip(columns, values)) for values in zip(*columns.values(), strict=True)]

    def score(self, answers: Sequence[Answer]) -> Estimates:
        return self.judge.score(self.direction, answers, self.samples)


def _compared(reference: Reference, name: str, answers: Sequence[Answer]) -> Estimates:
    estimates = reference([answer[name] for answer in answers])
    return {f"{metric}.{name}": estimate for metric, estimate in estimates.items()}


def _values(estimates: Estimates) -> dict[str, float]:
    return {metric: estimate.value for metric, estimate in estimates.items() if estimate.n}
