"""Scores of a model, each with its interval, beside floor, baseline, retrieval and ceiling."""

from collections.abc import Iterator, Mapping, Sequence

from modaloom.core.errors import check_range
from modaloom.core.types import Sample
from modaloom.data.notices import Notify, silent
from modaloom.evaluation.baselines import Library, pick
from modaloom.evaluation.budget import Budget
from modaloom.evaluation.directions import all_directions
from modaloom.evaluation.judge import Judge
from modaloom.evaluation.rows import Direction, ScoreRow
from modaloom.loom.config import CodeSamplingConfig
from modaloom.loom.evaluation.direction import MIN_SAMPLES, DirectionEvaluation
from modaloom.loom.model import Model

MAX_FULL_DIRECTIONS = 24
"""Directions that get all n samples; more of them share as many."""
ANSWER_FRACTION = 0.5
"""Of a direction's time: the model's answers. The rest is for what they are compared with."""


def evaluate(
    model: Model,
    train: Sequence[Sample],
    tests: Mapping[str, Sequence[Sample]],
    *,
    judge: Judge,
    directions: Sequence[Direction] | None = None,
    n: int = 500,
    seed: int = 0,
    options: Mapping[str, CodeSamplingConfig] | None = None,
    budget: Budget | None = None,
    notify: Notify = silent,
) -> Iterator[ScoreRow]:
    """Rows, as they are computed.

    Args:
        train: samples of values as `Model.as_learned` makes them: what floors, baselines and retrieval know.
        tests: split → held-out samples of such values; `test-level1` is reported as `level1`. Streams drawn
            from nothing are scored on the first split alone, since the splits do not change them.
        directions: default all that the judge finds worth asking.
        n: most samples a direction and split, chosen by `seed` and key. With more than `MAX_FULL_DIRECTIONS`
            directions it falls as they grow, so that the work does not, down to `MIN_SAMPLES`.
        options: how to draw, by the direction's name or by the wanted streams' (`image+caption`).
        budget: the time there is, shared evenly by the directions: one that is short of time takes fewer of
            the same samples, the first ones, but `MIN_SAMPLES` if there are.
        notify: gets a sentence if time was short.
    """
    check_range("n", n, 1)
    budget = budget or Budget()
    modality_of = {name: stream.modality for name, stream in model.streams.items()}
    library = Library(train, modality_of, model.specs, seed=seed)
    if directions is None:
        directions = all_directions(list(model.streams), judge, model.wanted)
    each = shared(n, len(directions))
    asked = []
    for direction in directions:
        for split, samples in tests.items() if direction.given else list(tests.items())[:1]:
            picked = pick(samples, direction.streams, each, seed)
            if picked and library.covers(direction):
                name, sampling = split.removeprefix("test-"), _sampling(direction, options or {})
                asked.append(
                    DirectionEvaluation(model, library, judge, direction, name, picked, seed, sampling)
                )
    shortest: list[tuple[int, DirectionEvaluation]] = []
    for i, one in enumerate(asked):
        answers = one.answers(budget.part(ANSWER_FRACTION / (len(asked) - i)))
        if len(answers) < len(one.samples):
            shortest.append((len(answers), one))
        yield from one.rows(answers)
    if shortest:
        notify(_short_of_time(shortest, len(asked)))


def _short_of_time(found: Sequence[tuple[int, DirectionEvaluation]], directions: int) -> str:
    few, one = min(found, key=lambda pair: pair[0])
    return (
        f"time was short: {len(found)} of {directions} directions and splits are scored on fewer samples "
        f"than asked for, {one.direction.name} on {few} of {len(one.samples)}; n says how many, and more "
        "minutes give more"
    )


def shared(n: int, directions: int) -> int:
    """The samples that each of so many directions gets."""
    return (
        n
        if directions <= MAX_FULL_DIRECTIONS
        else min(n, max(MIN_SAMPLES, n * MAX_FULL_DIRECTIONS // directions))
    )


def _sampling(direction: Direction, options: Mapping[str, CodeSamplingConfig]) -> CodeSamplingConfig | None:
    return options.get(direction.name) or options.get("+".join(direction.want))
