"""Whether validation bits still fall, or a model learns its training samples by heart."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any

Lines = Sequence[Mapping[str, Any]]

VAL_PREFIX = "val.bits."
MIN_STEPS = 100
"""Steps before which a training tells nothing of how it will end."""
MIN_POINTS = 4
"""Validations from which on a rise counts."""
MIN_RISE = 0.02
"""Above its best, a validation bound has risen by more than its noise."""


def overfitting(lines: Lines) -> str | None:
    """One sentence if some stream's validation bits rose over their best while its training bits fell.

    `lines` are those of metrics.jsonl: validation as `val.bits.STREAM`, training as `loss.bits.STREAM`,
    each with its `step`.
    """
    streams = sorted(
        {key.removeprefix(VAL_PREFIX) for line in lines for key in line if key.startswith(VAL_PREFIX)}
    )
    found = [warning for stream in streams if (warning := _of_stream(lines, stream))]
    return found[0] if found else None


def rising(lines: Lines, stream: str) -> bool:
    """Whether a stream's validation bits rose over their best while its training bits fell."""
    return _of_stream(lines, stream) is not None


def falling(lines: Lines, stream: str) -> bool:
    """Whether a stream's last validation bits are the best, and better than those two checks before by more
    than their noise."""
    values = [bits for _, bits in _validations(lines, stream)]
    return len(values) > 2 and values[-1] == min(values) and (1 + MIN_RISE) * values[-1] < values[-3]


def trained_steps(lines: Lines, streams: Iterable[str]) -> int | None:
    """Steps after which streams were last validated; None where the log does not say."""
    return max((step for stream in streams for step, _ in _validations(lines, stream)), default=None)


def _validations(lines: Lines, stream: str) -> list[tuple[int, float]]:
    """(Step, bits) of a stream."""
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
    """Whether the later half of the training figures since a step is lower than the earlier one."""
    values = [line[key] for line in lines if line.get(key) is not None and line["step"] >= after]
    half = len(values) // 2
    return half > 0 and fmean(values[half:]) < fmean(values[:half])
