"""`Distributed` over torch's default process group: gloo for CPUs, nccl for GPUs.

Tested with gloo. Where a rank is lost, nccl does not raise: its watchdog ends the process.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from modaloom.core.distributed import Distributed, Rows
from modaloom.core.errors import WorkFailed, check_range

MAX_SECONDS = 60.0
"""How long a rank waits for the others before it gives up."""


class ProcessGroup(Distributed):
    """The ranks of the default process group, which `process_group` opens.

    Args:
        device: where this rank computes.
    """

    def __init__(self, device: torch.device) -> None:
        self.size, self.rank, self.device = dist.get_world_size(), dist.get_rank(), device

    def sum(self, term: Tensor) -> Tensor:
        total: Tensor = _Sum.apply(term, self)  # type: ignore[no-untyped-call]
        return total

    def mean(self, rows: Tensor) -> Tensor:
        sums = self.sum(torch.cat([rows.sum(0).reshape(-1), rows.new_tensor([len(rows)])]))
        return (sums[:-1] / sums[-1]).reshape(rows.shape[1:])

    def all(self, value: bool) -> bool:
        return all(self._numbers(int(value)))

    def rows(self, n: int) -> Rows:
        counts = self._numbers(n)
        return Rows(sum(counts[: self.rank]), n, sum(counts))

    def gather(self, rows: Tensor) -> Tensor:
        counts = self._numbers(len(rows))
        padded = rows.new_zeros(max(counts), *rows.shape[1:])
        padded[: len(rows)] = rows.detach()
        return torch.cat([part[:n] for part, n in zip(self._all_gather(padded), counts)])

    def broadcast(self, value: Tensor) -> Tensor:
        value = _copy(value)
        with self._answered("broadcast"):
            dist.broadcast(value, 0)
        return value

    def barrier(self) -> None:
        with self._answered("barrier"):
            dist.barrier()

    def sum_gradients(self, parameters: Sequence[nn.Parameter]) -> None:
        """One all-reduce of all gradients, and of how many ranks have each."""
        grads = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        there = grads[0].new_tensor([p.grad is not None for p in parameters])
        flat = self.all_reduce(torch.cat([*(grad.reshape(-1) for grad in grads), there]))
        *sums, counts = torch.split(flat, [*(p.numel() for p in parameters), len(parameters)])
        for p, total, count in zip(parameters, sums, counts.tolist()):
            p.grad = torch.empty_like(p).copy_(total.view(p.shape)) if count else None

    def all_reduce(self, value: Tensor) -> Tensor:
        """The sum over the ranks, in place; without gradient."""
        with self._answered("sum"):
            dist.all_reduce(value)
        return value

    def _numbers(self, own: int) -> list[int]:
        """The numbers of all ranks, in their order."""
        return torch.stack(self._all_gather(torch.tensor(own, device=self.device))).tolist()

    def _all_gather(self, value: Tensor) -> list[Tensor]:
        parts = [torch.empty_like(value) for _ in range(self.size)]
        with self._answered("gather"):
            dist.all_gather(parts, value)
        return parts

    @contextmanager
    def _answered(self, operation: str) -> Iterator[None]:
        """Turn torch's error into `WorkFailed`."""
        try:
            yield
        except RuntimeError as error:
            raise WorkFailed(
                f"rank {self.rank} of {self.size}: the {operation} over all ranks failed; another one "
                f"has stopped or hangs. Its last message says why; go on with train --resume ({error})"
            ) from error


class _Sum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, term: Tensor, group: ProcessGroup) -> Tensor:
        return group.all_reduce(_copy(term))

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        return grads[0], None


def _copy(value: Tensor) -> Tensor:
    return value.detach().clone(memory_format=torch.contiguous_format)


@contextmanager
def process_group(
    rank: int,
    size: int,
    *,
    init_method: str,
    device: torch.device,
    seconds: float = MAX_SECONDS,
) -> Iterator[ProcessGroup]:
    """Join the other ranks; leave them at the end.

    Args:
        rank: which rank this is, from 0.
        size: number of ranks.
        init_method: where they meet: env://, tcp://HOST:PORT or file://PATH (a file that does not exist yet).
        device: where this rank computes; nccl for cuda, gloo for any other.
        seconds: how long to wait for another rank, more than 0 and at most MAX_SECONDS.

    Raises:
        WorkFailed: the others do not come.
        BadValue: `seconds` is out of range.
    """
    check_range("seconds", seconds, 0, MAX_SECONDS, open_low=True)
    backend = {"cuda": "nccl"}.get(device.type, "gloo")
    try:
        dist.init_process_group(
            backend, init_method=init_method, rank=rank, world_size=size, timeout=timedelta(seconds=seconds)
        )
    except (RuntimeError, ValueError) as error:
        raise WorkFailed(f"rank {rank} of {size} does not reach the others: {error}") from error
    try:
        yield ProcessGroup(device)
    finally:
        dist.destroy_process_group()
