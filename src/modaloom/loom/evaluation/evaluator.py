"""Scores of a model with confidence intervals, and with floor, baseline, retrieval and ceiling."""

from collections.abc import Iterator, Mapping, Sequence

from modaloom.core.errors import check_range
from modaloom.core.types import Sample
from modaloom.data.notices import Notify, silent
from modaloom.evaluation.baselines import Library, pick
from modaloom.evaluation.budget import Budget
from modaloom.evaluation.directions import NUM_WANTED, all_directions
from modaloom.evaluation.judge import Judge
from modaloom.evaluation.rows import Direction, ScoreRow
from modaloom.loom.config import CodeSamplingConfig
from modaloom.loom.evaluation.direction import MIN_SAMPLES, DirectionEvaluation
from modaloom.loom.evaluation.encoded import Encoded
from modaloom.loom.model import Model

ANSWER_FRACTION = 0.5
"""Fraction of a direction's time for generation; the rest is for the baselines."""


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
    """Yield score rows as they are computed.

    Args:
        model: tokenizers and Loom.
        train: training samples, with `Model.as_learned` applied, for floors, baselines and retrieval.
        tests: split → held-out samples, with `Model.as_learned` applied; `test-level1` is reported as
            `level1`. Unconditional directions are evaluated on the first split only, since the split does not
            change them.
        judge: scores the answers.
        directions: default: all that the judge considers meaningful.
        n: maximum number of samples per direction and split, chosen by `seed` and key; ≥ 1. With more than
            `NUM_WANTED` directions it decreases, at constant total work, down to `MIN_SAMPLES`.
        seed: seed of the sample selection, the sampling noise and the intervals.
        options: sampling options, by direction name or by target streams (`image+caption`).
        budget: time budget, divided evenly among the directions. A direction that runs out of time uses the
            first of its samples, at least `MIN_SAMPLES` if available.
        notify: receives a warning if the time budget was too short.

    Raises:
        BadValue: n is below 1.
    """
    check_range("n", n, 1)
    budget = budget or Budget()
    modality_of = {name: stream.modality for name, stream in model.streams.items()}
    library, encoded = Library(train, modality_of, model.specs, seed=seed), Encoded(model)
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
                    DirectionEvaluation(encoded, library, judge, direction, name, picked, seed, sampling)
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
    """Number of samples per direction."""
    return n if directions <= NUM_WANTED else min(n, max(MIN_SAMPLES, n * NUM_WANTED // directions))


def _sampling(direction: Direction, options: Mapping[str, CodeSamplingConfig]) -> CodeSamplingConfig | None:
    return options.get(direction.name) or options.get("+".join(direction.want))
