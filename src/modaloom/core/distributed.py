"""Ranks: operating-system processes that train one model together, each on its rows of every batch.

**Losses.** Every rank returns the loss of the whole batch: sums over rows are `Distributed.sum`, and counts
are those of all ranks. The gradient of a sum goes to the rank's own term, so the gradients of the ranks add
up to that of the whole batch. (A term that depends on no row would be counted once per rank.)

**Noise.** Every rank draws the random numbers of the whole batch, from a generator of the same seed, and
keeps its own rows (`Rows.own`). So whether something is drawn must not depend on a rank's rows.

**Micro-batches.** A batch may be computed in parts, one after another. The loss of each is that of its rows
(of all ranks), with the noise that they have in the whole batch; what a module learns without a gradient, it
learns from the `whole` batch, in the last part.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, final

from torch import Tensor, nn


@dataclass(frozen=True)
class Rows:
    """A rank's rows of a batch: n of `total`, from `first` on. Lower ranks have the rows before."""

    first: int
    n: int
    total: int

    def own(self, values: Tensor) -> Tensor:
        """These rows (n, ...) of values of all rows (total, ...); a view."""
        return values if self.n == self.total else values.narrow(0, self.first, self.n)

    def among(self, chosen: Tensor) -> "Rows":
        """Which of the rows that are `chosen`, bool (total,), are these rows."""
        return Rows(int(chosen[: self.first].sum()), int(self.own(chosen).sum()), int(chosen.sum()))


@dataclass(frozen=True)
class WholeBatch:
    """A rank's rows of a batch, of all its micro-batches together."""

    rows: tuple[Tensor, ...]
    """Tensors (n, ...)."""
    ranks: "Distributed"
    """Whose rows they are."""


class Distributed(ABC):
    """The ranks of a training. All call the same methods in the same order, with tensors on their device.

    Every method that communicates raises `WorkFailed` if another rank does not answer.
    """

    size: int
    """The number of ranks."""
    rank: int
    """Which of them this is, from 0."""
    micro_batch: int = 0
    """Which micro-batch of the batch is computed, from 0."""

    @abstractmethod
    def sum(self, term: Tensor) -> Tensor:
        """The sum over the ranks of a tensor of one shape, with the gradient of this rank's term."""

    @abstractmethod
    def mean(self, rows: Tensor) -> Tensor:
        """(n, ...) → (...): the mean over the rows of all ranks, with the gradient of `sum`."""

    @abstractmethod
    def all(self, value: bool) -> bool:
        """Whether `value` is true on every rank."""

    @abstractmethod
    def rows(self, n: int) -> Rows:
        """Where the n samples of this rank and micro-batch are in the whole batch."""

    @abstractmethod
    def count(self, n: int) -> int:
        """The sum over the ranks of their numbers of rows."""

    @abstractmethod
    def whole(self, *rows: Tensor) -> WholeBatch | None:
        """This rank's rows (n, ...) of all micro-batches, in the last of them; None before.

        Every micro-batch calls it equally often, in the same order.
        """

    @abstractmethod
    def gather(self, rows: Tensor) -> Tensor:
        """(n, ...) → (total, ...): the rows of all ranks, in their order, without gradient."""

    @abstractmethod
    def broadcast(self, value: Tensor) -> Tensor:
        """The tensor of rank 0; all have its shape and dtype."""

    @abstractmethod
    def barrier(self) -> None:
        """Wait for all ranks."""

    @abstractmethod
    def sum_gradients(self, parameters: Sequence[nn.Parameter]) -> None:
        """Replace each gradient by its sum over the ranks; None stays None if it is None on all."""

    @abstractmethod
    def first(self) -> AbstractContextManager[None]:
        """Rank 0 goes first: the others enter the block when it has left it, however long it works there.

        It calls nothing here meanwhile. If it raises, the others raise `RankZeroStopped`.
        """

    @abstractmethod
    def in_turn(self) -> AbstractContextManager[None]:
        """As `first`, and all leave the block together, however long the other ranks work there."""

    @abstractmethod
    def answered(self, operation: str) -> AbstractContextManager[None]:
        """Where a rank does not answer, torch raises RuntimeError, and this `WorkFailed`, which names it."""

    @abstractmethod
    def share(self, value: Any) -> Any:
        """The JSON-serializable value of rank 0."""

    @property
    @final
    def leads(self) -> bool:
        """Whether this is rank 0, which alone writes and tells."""
        return self.rank == 0

    @final
    def any(self, value: bool) -> bool:
        """Whether `value` is true on a rank."""
        return not self.all(not value)

    @final
    def split(self, total: int) -> Rows:
        """This rank's share of `total` rows; shares differ by one row at most."""
        first, end = (total * rank // self.size for rank in (self.rank, self.rank + 1))
        return Rows(first, end - first, total)


class SingleProcess(Distributed):
    """One rank: every operation is the identity."""

    size, rank = 1, 0

    def sum(self, term: Tensor) -> Tensor:
        return term

    def mean(self, rows: Tensor) -> Tensor:
        return rows.mean(0)

    def all(self, value: bool) -> bool:
        return value

    def rows(self, n: int) -> Rows:
        return Rows(0, n, n)

    def count(self, n: int) -> int:
        return n

    def whole(self, *rows: Tensor) -> WholeBatch:
        return WholeBatch(rows, self)

    def gather(self, rows: Tensor) -> Tensor:
        return rows

    def broadcast(self, value: Tensor) -> Tensor:
        return value

    def barrier(self) -> None:
        """There is nobody to wait for."""

    def sum_gradients(self, parameters: Sequence[nn.Parameter]) -> None:
        """The gradients are complete."""

    def first(self) -> AbstractContextManager[None]:
        return nullcontext()

    def in_turn(self) -> AbstractContextManager[None]:
        return nullcontext()

    def answered(self, operation: str) -> AbstractContextManager[None]:
        return nullcontext()

    def share(self, value: Any) -> Any:
        return value


SINGLE_PROCESS = SingleProcess()
"""The default wherever a `Distributed` is accepted."""
