"""What is asked: which streams are given, and which one is wanted."""

from collections.abc import Sequence
from itertools import combinations

from modaloom.core.errors import BadValue, check_choice, short
from modaloom.evaluation.judge import Judge
from modaloom.evaluation.rows import Direction

MAX_COMBINATIONS = 8
"""Most combinations of two or more streams that a stream is asked from, where no single one tells of it."""


def all_directions(
    streams: Sequence[str], judge: Judge, wanted: Sequence[str] | None = None
) -> list[Direction]:
    """Everything worth asking, at most `streams` × `wanted` + 1 directions or a few more.

    Each wanted stream (default: all) from every single one that says something of it, or, where none does,
    from the first `MAX_COMBINATIONS` smallest combinations that do; each from all the others; those that can
    be checked against each other from nothing. A stream without others is wanted from nothing, too.
    """
    wanted = streams if wanted is None else wanted
    found = [
        Direction(given, (want,))
        for want in wanted
        for given in _givens([name for name in streams if name != want], want, judge)
    ]
    joint = judge.joint(wanted) or (tuple(streams) if len(streams) == 1 else ())
    return [*found, *([Direction((), joint)] if joint else [])]


def named_directions(
    names: Sequence[str], streams: Sequence[str], judge: Judge, wanted: Sequence[str] | None = None
) -> list[Direction]:
    """Directions by name, such as `image+question->answer`.

    Raises `BadValue` for an unknown stream, and where nothing could be checked.
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
