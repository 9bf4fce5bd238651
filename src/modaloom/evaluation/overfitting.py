"""Detects overfitting and unfinished training from the validation bits."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any

Lines = Sequence[Mapping[str, Any]]

VAL_PREFIX = "val.bits."
MIN_STEPS = 100
"""Steps before which a trend is uninformative."""
MIN_POINTS = 4
"""Minimum number of validations to detect a rise."""
MIN_RISE = 0.02
"""Relative change of the validation bits that exceeds their noise."""


def overfitting(lines: Lines) -> str | None:
    """Returns a warning if validation bits of a stream rose above their minimum while training bits fell.

    `lines` are those of metrics.jsonl: validation as `val.bits.STREAM`, training as `loss.bits.STREAM`,
    each with its `step`.
    """
    streams = sorted(
        {key.removeprefix(VAL_PREFIX) for line in lines for key in line if key.startswith(VAL_PREFIX)}
    )
    found = [warning for stream in streams if (warning := _of_stream(lines, stream))]
    return found[0] if found else None


def rising(lines: Lines, stream: str) -> bool:
    """Whether a stream's validation bits rose above their minimum while its training bits fell."""
    return _of_stream(lines, stream) is not None


def falling(lines: Lines, stream: str) -> bool:
    """Whether a stream's last validation bits are the minimum, and lower than two validations before by more
    than their noise."""
    values = [bits for _, bits in _validations(lines, stream)]
    return len(values) > 2 and values[-1] == min(values) and (1 + MIN_RISE) * values[-1] < values[-3]


def trained_steps(lines: Lines, streams: Iterable[str]) -> int | None:
    """Returns the step of the last validation of the streams; None if the log has none."""
    return max((step for stream in streams for step, _ in _validations(lines, stream)), default=None)


def _validations(lines: Lines, stream: str) -> list[tuple[int, float]]:
    """Returns (step, bits) of each validation of a stream."""
    key = VAL_PREFIX + stream
    return [(line["step"], line[key]) for line in lines if line.get(key) is not None]


def _of_stream(lines: Lines, stream: str) -> str | None:
    validation = _validations(lines, stream)
    if len(validation) < MIN_POINTS or validation[-1][0] < MIN_STEPS:
        return None
    best_step, best = min(validation, key=lambda point: point[1])
    last = validation[-1][1]
    if last <= (1 + MIN_RISE) * best or not _falls(lines, f"loss.bits.{stream}", best_step):
        return None
    return (
        f"{stream} overfits: its validation bits per code rose from {best:.3f} at step {best_step} to "
        f"{last:.3f} while training went on falling; use more data, fewer steps or a smaller model"
    )


def _falls(lines: Lines, key: str, after: int) -> bool:
    """Whether the mean of the training values since a step is lower in the second half than in the first."""
    values = [line[key] for line in lines if line.get(key) is not None and line["step"] >= after]
    half = len(values) // 2
    return half > 0 and fmean(values[half:]) < fmean(values[:half])
