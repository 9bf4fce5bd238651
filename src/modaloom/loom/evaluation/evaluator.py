"""Scores of a model, each with its interval, beside floor, baseline, retrieval and ceiling."""

from collections.abc import Iterator, Mapping, Sequence

from modaloom.core.errors import check_range
from modaloom.core.types import Sample
from modaloom.evaluation.baselines import Library, pick
from modaloom.evaluation.directions import all_directions
from modaloom.evaluation.judge import Judge
from modaloom.evaluation.rows import Direction, ScoreRow
from modaloom.loom.config import CodeSamplingConfig
from modaloom.loom.evaluation.direction import DirectionEvaluation
from modaloom.loom.model import Model

MAX_FULL_DIRECTIONS = 24
"""Directions that get all n samples; more of them share as many."""
MIN_SAMPLES = 20
"""Samples that a direction gets if there are."""


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
) -> Iterator[ScoreRow]:
    """Rows, as they are computed.

    Args:
        train: samples of values: what floors, baselines and retrieval may know.
        tests: split → held-out samples of values; `test-level1` is reported as `level1`. Streams drawn from
            nothing are scored on the first split alone, since the splits do not change them.
        directions: default all that the judge finds worth asking.
        n: most samples a direction and split, chosen by `seed` and key. With more than `MAX_FULL_DIRECTIONS` directions it
            falls as they grow, so that the work does not, down to `MIN_SAMPLES`; intervals tell.
        options: how to draw, by the direction's name or by the wanted streams' (`image+caption`).
    """
    check_range("n", n, 1)
    library = Library(train, {name: stream.modality for name, stream in model.streams.items()}, seed=seed)
    if directions is None:
        directions = all_directions(list(model.streams), judge, model.wanted)
    each = shared(n, len(directions))
    for direction in directions:
        for split, samples in tests.items() if direction.given else list(tests.items())[:1]:
            picked = pick(samples, direction.streams, each, seed)
            if picked and library.covers(direction):
                name, sampling = split.removeprefix("test-"), _sampling(direction, options or {})
                yield from DirectionEvaluation(
                    model, library, judge, direction, name, picked, seed, sampling
                ).rows()


def shared(n: int, directions: int) -> int:
    """The samples that each of so many directions gets."""
    return (
        n
        if directions <= MAX_FULL_DIRECTIONS
        else min(n, max(MIN_SAMPLES, n * MAX_FULL_DIRECTIONS // directions))
    )


def _sampling(direction: Direction, options: Mapping[str, CodeSamplingConfig]) -> CodeSamplingConfig | None:
    return options.get(direction.name) or options.get("+".join(direction.want))
