"""Networks as functions of named arrays, for other runtimes than torch."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from torch import Tensor, nn


class Function(nn.Module):
    """A function of a module's tensors, as a module.

    Args:
        owner: the module.
        run: the function, of the graph's inputs in their order.
    """

    def __init__(self, owner: nn.Module, run: Callable[..., Tensor | tuple[Tensor, ...]]) -> None:
        super().__init__()
        self.owner, self.run = owner, run

    def forward(self, *inputs: Tensor) -> Tensor | tuple[Tensor, ...]:
        return self.run(*inputs)


@dataclass(frozen=True)
class Graph:
    """A network as a function of named arrays."""

    function: Function
    inputs: Mapping[str, Tensor]
    """Name → an example, whose free axes have more than one position."""
    outputs: Sequence[str]
    lengths: Mapping[str, int] = field(default_factory=dict)
    """Input → its axis that may be of any length."""
    batched: bool = True
    """Whether there may be any number of samples, along the first axis; else there are as many as here."""
