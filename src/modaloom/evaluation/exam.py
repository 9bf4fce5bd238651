"""One direction on one split: the model's answers and its rivals', scored side by side."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from modaloom.core.rng import generator
from modaloom.core.types import Sample
from modaloom.evaluation.judge import Answer, Figures, Judge
from modaloom.evaluation.library import Library
from modaloom.evaluation.originality import Originality, Repetition
from modaloom.evaluation.pairing import Pairing
from modaloom.evaluation.rows import Direction, Row
from modaloom.models.loom import Sampling
from modaloom.models.model import Model

TWICE = 100
"""Most samples that are drawn a second time, for diversity."""

Beside = Mapping[str, Mapping[str, float]]
"""A rival's column of a row → metric → value."""


@dataclass(frozen=True)
class Exam:
    """All that its rows are made of."""

    model: Model
    library: Library
    judge: Judge
    direction: Direction
    split: str
    samples: Sequence[Sample]
    seed: int
    sampling: Sampling | None

    def rows(self) -> Iterator[Row]:
        answers, rivals = self.draw(self.samples), self.rivals()
        yield from self.scored(answers, rivals)
        yield from self.original(answers, rivals)
        yield from self.diverse(answers)
        yield from self.paired()

    def scored(self, answers: Sequence[Answer], rivals: Mapping[str, Sequence[Answer]]) -> Iterator[Row]:
        """Every metric of the judge."""
        ask, library = self.direction, self.library
        beside = {column: _values(self.score(said)) for column, said in rivals.items()}
        floor = self.judge.floor(ask, library.samples, self.samples, library.typical(ask))
        yield from self.beside(self.score(answers), {"floor": floor, **beside})

    def original(self, answers: Sequence[Answer], rivals: Mapping[str, Sequence[Answer]]) -> Iterator[Row]:
        """Novelty and coverage of streams with a signal; what others take from the training data verbatim."""
        for name in self.direction.want:
            scale = self.scale(name)
            beside = {column: _values(self.placed(scale, name, said)) for column, said in rivals.items()}
            yield from self.beside(self.placed(scale, name, answers), beside)

    def scale(self, name: str) -> Originality | Repetition:
        space = self.library.space(name)
        if space.modality.signal is not None:
            return Originality(self.library.embed(name, self.samples), space.points)
        return Repetition(space.names([s.streams[name] for s in self.samples]), self.library.known(name))

    def placed(self, scale: Originality | Repetition, name: str, answers: Sequence[Answer]) -> Figures:
        space, drawn = self.library.space(name), [answer[name] for answer in answers]
        figures = (
            scale.figures(space.embed(drawn))
            if isinstance(scale, Originality)
            else scale.figures(space.names(drawn))
        )
        return {f"{metric}.{name}": figure for metric, figure in figures.items()}

    def diverse(self, answers: Sequence[Answer]) -> Iterator[Row]:
        """How much second draws differ from the first ones."""
        if self.judge.free(self.direction):
            again = self.draw(self.samples[:TWICE], name="{}/again")
            yield from self.beside(self.judge.diversity(self.direction, answers[:TWICE], again))

    def paired(self) -> Iterator[Row]:
        """What the model's own bits tell, where answers cannot be checked against facts."""
        if self.direction.given and len(self.samples) > 1 and not self.judge.parsed:
            pairing = Pairing.of(self.model, self.direction, self.samples, seed=self.seed)
            beside = {"floor": pairing.floor(), "ceiling": pairing.ceiling()}
            yield from self.beside(pairing.figures(), beside)

    def beside(self, figures: Figures, rivals: Beside | None = None) -> Iterator[Row]:
        """A row for every figure that has samples, its rivals in their columns."""
        for metric, figure in figures.items():
            if figure.n:
                chance = generator(self.seed, "interval", self.direction.name, self.split, metric)
                interval = figure.interval(chance)
                columns = {column: values.get(metric) for column, values in (rivals or {}).items()}
                yield Row(
                    self.direction.name,
                    self.split,
                    metric,
                    figure.value,
                    low=interval.low,
                    high=interval.high,
                    n=figure.n,
                    **columns,
                )

    def draw(self, samples: Sequence[Sample], *, name: str = "{}") -> list[Answer]:
        """What the model answers; each draw depends on the seed and its sample's key alone."""
        given = {stream: [s.streams[stream] for s in samples] for stream in self.direction.given}
        names = [name.format(sample.key) for sample in samples]
        want, n = self.direction.want, len(samples)
        return [*self.model.generate(given, want, n=n, seed=self.seed, names=names, options=self.sampling)]

    def rivals(self) -> dict[str, list[Answer]]:
        """What is answered without the model, by its column; nothing can be read from no givens."""
        ask, library = self.direction, self.library
        if not ask.given:
            return {"ceiling": self.rebuilt()}
        return {
            "baseline": library.read(ask, self.samples),
            "retrieval": library.retrieve(ask, self.samples),
            "ceiling": self.rebuilt(),
        }

    def rebuilt(self) -> list[Answer]:
        """The truths after their tokenizers."""
        columns = {
            name: self.model.decode(name, self.model.encode(name, [s.streams[name] for s in self.samples]))
            for name in self.direction.want
        }
        return [dict(zip(columns, values)) for values in zip(*columns.values(), strict=True)]

    def score(self, answers: Sequence[Answer]) -> Figures:
        return self.judge.score(self.direction, answers, self.samples)


def _values(figures: Figures) -> dict[str, float]:
    return {metric: figure.value for metric, figure in figures.items() if figure.n}
