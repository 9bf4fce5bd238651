"""Selects the directions of an evaluation: input streams and target stream."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import combinations

from modaloom.core.errors import BadValue, check_choice, short
from modaloom.evaluation.judge import Judge
from modaloom.evaluation.rows import Direction

NUM_WANTED = 24
"""Directions that are shown at the end of a training, and that get all samples each where more are scored."""
MAX_COMBINATIONS = 8
"""Maximum number of combinations of two or more input streams, if no single stream is related to a target."""


def all_directions(
    streams: Sequence[str], judge: Judge, wanted: Sequence[str] | None = None
) -> list[Direction]:
    """Returns the default directions, at most about `streams` × `wanted` + 1.

    Each target (default: all streams) is predicted from every single related stream or, if there is none,
    from the first `MAX_COMBINATIONS` smallest related combinations; and from all other streams together.
    Streams that can be checked against each other are generated jointly and unconditionally, and so is, by
    itself, a single stream, or one that no other tells of.
    """
    wanted = streams if wanted is None else wanted
    found = [
        Direction(given, (want,))
        for want in wanted
        for given in _givens([name for name in streams if name != want], want, judge)
    ]
    joint = judge.joint(wanted) or (tuple(streams) if len(streams) == 1 else ())
    asked = {*joint, *(direction.want[0] for direction in found)}
    alone = [(name,) for name in wanted if name not in asked and judge.alone(name)]
    return [*found, *(Direction((), want) for want in (joint, *alone) if want)]


def most_wanted(
    directions: Sequence[Direction], sizes: Mapping[str, int], most: int = NUM_WANTED
) -> list[Direction]:
    """The directions that are wanted most, in their order.

    The first of each target is the one from most streams, the others come by the size of what is given; all
    targets have one before any has two, large targets first.

    Args:
        directions: as of `all_directions`.
        sizes: stream → its number of codes.
        most: how many are kept, ≥ 1.
    """
    by_target: dict[tuple[str, ...], list[Direction]] = defaultdict(list)
    for one in directions:
        by_target[one.want].append(one)

    def size(streams: Sequence[str]) -> int:
        return -sum(sizes[name] for name in streams)

    ranks = {
        one: (rank, size(one.want))
        for found in by_target.values()
        for rank, one in enumerate(sorted(found, key=lambda d: (-len(d.given), size(d.given))))
    }
    kept = {*sorted(directions, key=ranks.__getitem__)[:most]}
    return [one for one in directions if one in kept]


def named_directions(
    names: Sequence[str], streams: Sequence[str], judge: Judge, wanted: Sequence[str] | None = None
) -> list[Direction]:
    """Parses names of directions, such as `image+question->answer`.

    Args:
        names: the names.
        streams: all streams.
        judge: determines whether inputs and target are related.
        wanted: streams that may be targets; None: all.

    Raises:
        BadValue: an unknown stream, or a direction that cannot be checked.
    """
    return [_named(name, streams, judge, streams if wanted is None else wanted) for name in names]


def _named(name: str, streams: Sequence[str], judge: Judge, wanted: Sequence[str]) -> Direction:
    left, arrow, right = name.partition("->")
    if not arrow:
        raise BadValue(f"{short(name)} is no row; write GIVEN->WANTED, such as image+question->answer")
    given, want = ([part.strip() for part in side.split("+") if part.strip()] for side in (left, right))
    for stream in given:
        check_choice("stream", stream, streams)
    for stream in want:
        check_choice("stream to want", stream, wanted)
    direction = Direction(tuple(given), tuple(want))
    if twice := {stream for stream in direction.streams if direction.streams.count(stream) > 1}:
        raise BadValue(f"{name!r} names {', '.join(sorted(twice))} twice; name it once")
    if given and not judge.related(given, want[0]):
        raise BadValue(f"{name!r} cannot be checked: {left.strip()} says nothing of {right.strip()}")
    return direction


def _givens(others: Sequence[str], want: str, judge: Judge) -> list[tuple[str, ...]]:
    by_size = (
        [g for g in combinations(others, k) if judge.related(g, want)] for k in range(1, 1 + len(others))
    )
    fewest = next(filter(None, by_size), [])
    few = fewest[: len(others) if fewest and len(fewest[0]) == 1 else MAX_COMBINATIONS]
    return list(dict.fromkeys([*few, tuple(others)])) if few else []
