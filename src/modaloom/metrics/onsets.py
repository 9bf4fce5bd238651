"""Events in time, such as onsets, compared with true ones."""

from collections.abc import Sequence


def onset_f1(
    found: Sequence[float], true: Sequence[float], tolerance: float, span: tuple[float, float]
) -> float:
    """F-measure of events within a tolerance of the true ones, one to one (Dixon 2006).

    Where events may be cut off by the ends of a recording, those outside of the span can be matched and are
    not missed.

    Args:
        found: seconds, ascending.
        true: seconds, ascending.
        tolerance: largest distance, in seconds.
        span: start and end of what counts, in seconds.

    Returns:
        2 · matched / (2 · matched + missed + superfluous), in [0, 1]; 0 without events.
    """
    matched, wrong = 0, 0
    left, right = list(found), list(true)
    while left and right:
        if abs(left[0] - right[0]) <= tolerance:
            matched += 1
            left.pop(0), right.pop(0)
        else:
            wrong += _counts((left if left[0] < right[0] else right).pop(0), span)
    wrong += sum(_counts(time, span) for time in (*left, *right))
    return 2 * matched / (2 * matched + wrong) if matched else 0.0


def _counts(time: float, span: tuple[float, float]) -> bool:
    return span[0] <= time <= span[1]
