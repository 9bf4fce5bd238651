"""Gradient accumulation: a batch is computed in parts, so that one of them has to fit into the memory.

A micro-batch is a `Distributed` of its own (`core/distributed.py`): its rows count for the loss, and the
whole batch for the noise and for what is learned without a gradient.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from modaloom.core.distributed import Distributed, Rows, WholeBatch
from modaloom.core.types import Loss
from modaloom.training.nested import leaves, map_tensors


class MicroBatch(Distributed):
    """The ranks while they compute a micro-batch.

    Args:
        ranks: that compute the whole batch.
        rows: where this rank's samples of the micro-batch are in the whole batch.
        micro_batch: its number, from 0.
        last: whether it is the last one.
        kept: what the micro-batches before have given to `whole`, by call.
    """

    def __init__(
        self,
        ranks: Distributed,
        rows: Rows,
        micro_batch: int,
        *,
        last: bool,
        kept: list[list[tuple[Tensor, ...]]],
    ) -> None:
        self.size, self.rank, self.micro_batch = ranks.size, ranks.rank, micro_batch
        self._ranks, self._rows, self._last, self._kept, self._calls = ranks, rows, last, kept, 0

    def rows(self, n: int) -> Rows:
        assert n == self._rows.n
        return self._rows

    def whole(self, *rows: Tensor) -> WholeBatch | None:
        if self._calls == len(self._kept):
            self._kept.append([])
        kept, self._calls = self._kept[self._calls], self._calls + 1
        kept.append(tuple(row.detach() for row in rows))
        return WholeBatch(tuple(map(torch.cat, zip(*kept))), self._ranks) if self._last else None

    def sum(self, term: Tensor) -> Tensor:
        return self._ranks.sum(term)

    def mean(self, rows: Tensor) -> Tensor:
        return self._ranks.mean(rows)

    def all(self, value: bool) -> bool:
        return self._ranks.all(value)

    def count(self, n: int) -> int:
        return self._ranks.count(n)

    def gather(self, rows: Tensor) -> Tensor:
        return self._ranks.gather(rows)

    def broadcast(self, value: Tensor) -> Tensor:
        return self._ranks.broadcast(value)

    def barrier(self) -> None:
        self._ranks.barrier()

    def sum_gradients(self, parameters: Sequence[nn.Parameter]) -> None:
        self._ranks.sum_gradients(parameters)

    def first(self) -> AbstractContextManager[None]:
        return self._ranks.first()

    def in_turn(self) -> AbstractContextManager[None]:
        return self._ranks.in_turn()

    def answered(self, operation: str) -> AbstractContextManager[None]:
        return self._ranks.answered(operation)

    def share(self, value: Any) -> Any:
        return self._ranks.share(value)


@dataclass(frozen=True)
class Part:
    """A micro-batch."""

    batch: Any
    """This rank's rows of it."""
    share: float
    """Its fraction of the samples of the whole batch."""
    ranks: Distributed


def micro_batches(batch: Any, number: int, ranks: Distributed) -> Iterator[Part]:
    """Divide a batch.

    Args:
        batch: this rank's rows, nested tensors (n, ...).
        number: of micro-batches; fewer if a rank has fewer samples. 1: the batch as it is, whatever it holds.
        ranks: that compute it.
    """
    if number == 1:
        yield Part(batch, 1.0, ranks)
        return
    rows = ranks.rows(len(next(tensor for _, tensor in leaves(batch, ""))))
    number, kept = min(number, rows.total // ranks.size), list[list[tuple[Tensor, ...]]]()
    for i in range(number):
        first, end = (rows.n * k // number for k in (i, i + 1))
        own = Rows(rows.first + first, end - first, rows.total)
        yield Part(
            map_tensors(batch, Rows(first, own.n, rows.n).own),
            ranks.count(own.n) / rows.total,
            MicroBatch(ranks, own, i, last=i == number - 1, kept=kept),
        )


def averaged(losses: Sequence[tuple[float, Loss]]) -> Loss:
    """The loss of a batch from those of its micro-batches, by share; a part from those that have it."""

    def mean(found: Sequence[tuple[float, Tensor]]) -> Tensor:
        return torch.stack([share * value for share, value in found]).sum() / sum(share for share, _ in found)

    if len(losses) == 1:
        return losses[0][1]
    names = dict.fromkeys(name for _, loss in losses for name in loss.parts)
    parts = {
        name: mean([(s, loss.parts[name]) for s, loss in losses if name in loss.parts]) for name in names
    }
    return Loss(mean([(share, loss.total) for share, loss in losses]), parts)
