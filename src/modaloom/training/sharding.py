"""Fully sharded training (FSDP2): ranks divide the weights of a network, their gradients, optimizer
state and average, and gather a block of it when they compute it. What that
needs is imported late; it takes a second.

Zhao et al. 2023, "PyTorch FSDP" (arXiv 2304.11277). Checkpoints are whole: they belong to no number of ranks.
"""

import copy
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from modaloom.core.distributed import Distributed

if TYPE_CHECKING:
    from torch.distributed.tensor import DTensor

BLOCKS = "blocks"
"""Submodule of a network: a list of what is gathered one after another."""
REFRESH_SECONDS = 10.0
"""Time after which the whole network is refreshed."""


class WholeNetwork:
    """A network that every rank has whole."""

    def refresh(self, now: bool) -> bool:
        """Copy the weights to the whole network: now, or if it is time to. All ranks call it.

        Returns whether that was done, so that a rank may compute alone, `in_place`.
        """
        return True

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Each rank has the whole network, as it was refreshed; what is changed of it is lost."""
        yield


class ShardedNetwork(WholeNetwork):
    """A network that the ranks divide takes the place of the whole one, which waits in the CPU's memory.

    Args:
        module: of which it is a part, with equal weights on all ranks.
        name: its name there.
        device: where it trains.
        ranks: that divide it.
    """

    def __init__(self, module: nn.Module, name: str, device: torch.device, ranks: Distributed) -> None:
        from torch.distributed.device_mesh import init_device_mesh
        from torch.distributed.fsdp import fully_shard

        self.module, self.name, self.device, self.ranks = module, name, device, ranks
        self.whole = module.get_submodule(name)
        self.divided = copy.deepcopy(self.whole).to(device)
        mesh = init_device_mesh(device.type, (ranks.size,))
        for part in (*self.divided.get_submodule(BLOCKS).children(), self.divided):
            sharded = fully_shard(part, mesh=mesh)
            sharded.set_gradient_divide_factor(1.0)  # a gradient is a sum over the ranks
            sharded.set_force_sum_reduction_for_comms(True)
        self._refreshed = time.monotonic()
        self._rest()

    def refresh(self, now: bool) -> bool:
        if not self.ranks.any(now or time.monotonic() - self._refreshed > REFRESH_SECONDS):
            return False
        divided = self.divided.state_dict()
        for name, tensor in self.whole.state_dict().items():
            tensor.copy_(whole(divided[name]))
        self._refreshed = time.monotonic()
        return True

    @contextmanager
    def in_place(self) -> Iterator[None]:
        self.end()
        try:
            yield
        finally:
            self._rest()

    def end(self) -> None:
        """The whole network takes its place again, as it was refreshed."""
        self.module.set_submodule(self.name, self.whole.to(self.device))

    def _rest(self) -> None:
        self.whole.to("cpu")
        self.module.set_submodule(self.name, self.divided)


def as_divided(tensor: Tensor) -> "DTensor | None":
    """A tensor that ranks divide; None if it is whole."""
    if type(tensor) in (Tensor, nn.Parameter):
        return None
    from torch.distributed.tensor import DTensor

    return tensor if isinstance(tensor, DTensor) else None


def whole(tensor: Tensor) -> Tensor:
    """A tensor that ranks divide, gathered; all of them call it. Any other as it is."""
    return tensor if (divided := as_divided(tensor)) is None else divided.full_tensor()


def local(tensor: Tensor) -> Tensor:
    """This rank's part of a tensor that ranks divide; any other as it is."""
    return tensor if (divided := as_divided(tensor)) is None else divided.to_local()


def divided_like(tensor: Tensor, other: Tensor) -> Tensor:
    """A whole tensor, divided as another of its shape; as it is if that one is whole."""
    if (divided := as_divided(other)) is None or tensor.shape != other.shape:
        return tensor
    from torch.distributed.tensor import distribute_tensor

    mesh, placements = divided.device_mesh, divided.placements
    return distribute_tensor(tensor.to(other.device), mesh, placements, src_data_rank=None)


def gathered(tensors: Mapping[str, Tensor], ranks: Distributed) -> dict[str, Tensor]:
    """Whole tensors, for rank 0 alone where ranks divide them; all of them call it.

    In the order of the names: safetensors reads those of a file in another order in each process.
    """
    found = {}
    for name in sorted(tensors):
        complete = whole(tensors[name])
        if complete is tensors[name]:
            found[name] = complete
        elif ranks.leads:
            found[name] = complete.cpu()
    return found
