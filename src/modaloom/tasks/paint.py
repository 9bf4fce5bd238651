"""From one stream of the data to another on the same grid: photographs to paintings."""

from dataclasses import dataclass

from modaloom.core.errors import BadValue
from modaloom.models.pair import Pair
from modaloom.tasks.base import Signals, Task, as_paired, given
from modaloom.tasks.known import improve, wholly_known


@dataclass(frozen=True)
class Paint:
    """No options: the two streams say it all."""


def _ask(signals: Signals, options: Paint) -> Pair:
    if signals.want is not None and signals.want.shape != given(signals).shape:
        shapes = f"{tuple(given(signals).shape)} and {tuple(signals.want.shape)}"
        raise BadValue(f"the given and the wanted signal have the shapes {shapes}; they must be equal")
    return improve(wholly_known(given(signals)))


PAINT = Task(Paint, as_paired, _ask)
