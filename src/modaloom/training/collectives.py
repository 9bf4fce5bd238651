"""`Distributed` from few operations: what ranks that sum, gather and broadcast tensors can do together."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, final

import torch
from torch import Tensor, nn

from modaloom.core.distributed import Distributed, Rows, WholeBatch
from modaloom.core.json_text import from_json, to_json
from modaloom.training.sharding import as_divided


class Collectives(Distributed):
    """Ranks that exchange tensors."""

    @abstractmethod
    def all_reduce(self, value: Tensor) -> Tensor:
        """The sum over the ranks, in place; without gradient."""

    @abstractmethod
    def all_gather(self, value: Tensor) -> list[Tensor]:
        """The tensors of all ranks, of one shape, in their order."""

    @final
    def sum(self, term: Tensor) -> Tensor:
        total: Tensor = _Sum.apply(term, self)  # type: ignore[no-untyped-call]
        return total

    @final
    def mean(self, rows: Tensor) -> Tensor:
        dtype = torch.promote_types(rows.dtype, torch.float32)  # bfloat16 counts to 256
        own = rows.sum(0, dtype=dtype).reshape(-1)
        sums = self.sum(torch.cat([own, own.new_tensor([len(rows)])]))
        return (sums[:-1] / sums[-1]).reshape(rows.shape[1:]).to(rows.dtype)

    @final
    def all(self, value: bool) -> bool:
        return all(self.numbers(int(value)))

    @final
    def rows(self, n: int) -> Rows:
        counts = self.numbers(n)
        return Rows(sum(counts[: self.rank]), n, sum(counts))

    @final
    def count(self, n: int) -> int:
        return sum(self.numbers(n))

    @final
    def whole(self, *rows: Tensor) -> WholeBatch:
        return WholeBatch(rows, self)

    @final
    def gather(self, rows: Tensor) -> Tensor:
        counts = self.numbers(len(rows))
        padded = rows.new_zeros(max(counts), *rows.shape[1:])
        padded[: len(rows)] = rows.detach()
        return torch.cat([part[:n] for part, n in zip(self.all_gather(padded), counts)])

    @final
    def sum_gradients(self, parameters: Sequence[nn.Parameter]) -> None:
        """One all-reduce of all gradients, and of how many ranks have each; divided ones are complete."""
        parameters = [p for p in parameters if as_divided(p) is None]
        if not parameters:
            return
        grads = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        there = grads[0].new_tensor([p.grad is not None for p in parameters])
        flat = self.all_reduce(torch.cat([*(grad.reshape(-1) for grad in grads), there]))
        *sums, counts = torch.split(flat, [*(p.numel() for p in parameters), len(parameters)])
        for p, total, count in zip(parameters, sums, counts.tolist()):
            p.grad = torch.empty_like(p).copy_(total.view(p.shape)) if count else None

    @final
    def share(self, value: Any) -> Any:
        text = torch.frombuffer(bytearray(to_json(value).encode()), dtype=torch.uint8)
        length = int(self.broadcast(torch.tensor(len(text))))
        return from_json(bytes(self.broadcast(text if not self.rank else text.new_zeros(length)).tolist()))

    @final
    def numbers(self, own: int) -> list[int]:
        """The numbers of all ranks, in their order."""
        return torch.stack(self.all_gather(torch.tensor(own))).tolist()


class _Sum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, term: Tensor, group: Collectives) -> Tensor:
        return group.all_reduce(copied(term))

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        return grads[0], None


def copied(value: Tensor) -> Tensor:
    """A contiguous copy, without gradient."""
    return value.detach().clone(memory_format=torch.contiguous_format)
