"""Scores of a model, each beside floor, baseline, retrieval and ceiling."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from modaloom.core.errors import check_range
from modaloom.core.types import Sample
from modaloom.evaluation.judge import Answer, Judge, all_directions
from modaloom.evaluation.library import Library, pick
from modaloom.evaluation.nearest import novelty
from modaloom.evaluation.rows import Direction, Row
from modaloom.models.loom import Sampling
from modaloom.models.model import Model

TWICE = 100
"""Most samples that are drawn a second time, for diversity."""


def evaluate(
    model: Model,
    train: Sequence[Sample],
    tests: Mapping[str, Sequence[Sample]],
    *,
    judge: Judge,
    directions: Sequence[Direction] | None = None,
    n: int = 500,
    seed: int = 0,
    options: Mapping[str, Sampling] | None = None,
) -> Iterator[Row]:
    """Rows, as they are computed.

    Args:
        train: samples of values: what floors, baselines and retrieval may know.
        tests: split → held-out samples of values; `test-level1` is reported as `level1`. Streams drawn from
            nothing are scored on the first split alone, since the splits do not change them.
        directions: default all that the judge finds worth asking.
        n: most samples a direction and split, chosen by `seed` and key.
        options: how to draw, by the direction's name or by the wanted streams' (`image+caption`).
    """
    check_range("n", n, 1)
    library = Library(train, {name: stream.modality for name, stream in model.streams.items()}, seed=seed)
    if directions is None:
        directions = all_directions(list(model.streams), judge, model.wanted)
    for direction in directions:
        for split, samples in tests.items() if direction.given else list(tests.items())[:1]:
            picked = pick(samples, direction.streams, n, seed)
            if picked and library.covers(direction):
                name, sampling = split.removeprefix("test-"), _sampling(direction, options or {})
                yield from _Exam(model, library, judge, direction, name, picked, seed, sampling).rows()


def _sampling(direction: Direction, options: Mapping[str, Sampling]) -> Sampling | None:
    return options.get(direction.name) or options.get("+".join(direction.want))


@dataclass(frozen=True)
class _Exam:
    """One direction on one split."""

    model: Model
    library: Library
    judge: Judge
    direction: Direction
    split: str
    samples: Sequence[Sample]
    seed: int
    sampling: Sampling | None

    def rows(self) -> Iterator[Row]:
        answers, rebuilt = self.draw(self.samples), self.rebuilt()
        yield from self.scored(answers, rebuilt)
        yield from self.novel(answers, rebuilt)
        yield from self.diverse(answers)

    def scored(self, answers: Sequence[Answer], rebuilt: Sequence[Answer]) -> Iterator[Row]:
        """Every metric of the judge, for the model and its rivals."""
        ask, library = self.direction, self.library
        baseline = self.score(library.read(ask, self.samples)) if ask.given else {}
        retrieval = self.score(library.retrieve(ask, self.samples)) if ask.given else {}
        floor = self.judge.floor(ask, library.samples, self.samples, library.typical(ask))
        ceiling = self.score(rebuilt)
        for metric, value in self.score(answers).items():
            yield Row(
                ask.name,
                self.split,
                metric,
                value,
                floor=floor.get(metric),
                baseline=baseline.get(metric),
                retrieval=retrieval.get(metric),
                ceiling=ceiling.get(metric),
                n=len(self.samples),
            )

    def novel(self, answers: Sequence[Answer], rebuilt: Sequence[Answer]) -> Iterator[Row]:
        """Distance to the training samples, of streams whose values never repeat by chance."""
        for name in self.direction.want:
            space = self.library.space(name)
            if space.modality.signal is None:
                continue
            real = space.embed([sample.streams[name] for sample in self.samples])
            value, ceiling = (
                novelty(space.embed([answer[name] for answer in drawn]), real, space.points)
                for drawn in (answers, rebuilt)
            )
            if value is not None:
                row, n = self.direction.name, len(self.samples)
                yield Row(row, self.split, f"novelty.{name}", value, retrieval=0.0, ceiling=ceiling, n=n)

    def diverse(self, answers: Sequence[Answer]) -> Iterator[Row]:
        """How much second draws differ from the first ones."""
        if self.judge.free(self.direction):
            again = self.draw(self.samples[:TWICE], name="{}/again")
            figures = self.judge.diversity(self.direction, answers[:TWICE], again)
            for metric, value in figures.items():
                yield Row(self.direction.name, self.split, metric, value, n=len(again))

    def draw(self, samples: Sequence[Sample], *, name: str = "{}") -> list[Answer]:
        """What the model answers; each draw depends on the seed and its sample's key alone."""
        given = {stream: [s.streams[stream] for s in samples] for stream in self.direction.given}
        names = [name.format(sample.key) for sample in samples]
        want, n = self.direction.want, len(samples)
        return [*self.model.generate(given, want, n=n, seed=self.seed, names=names, options=self.sampling)]

    def rebuilt(self) -> list[Answer]:
        """The truths after their tokenizers."""
        columns = {
            name: self.model.decode(name, self.model.encode(name, [s.streams[name] for s in self.samples]))
            for name in self.direction.want
        }
        return [dict(zip(columns, values)) for values in zip(*columns.values(), strict=True)]

    def score(self, answers: Sequence[Answer]) -> dict[str, float]:
        return self.judge.score(self.direction, answers, self.samples)
