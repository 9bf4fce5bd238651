"""Exponential moving average of weights, used for inference (Polyak & Juditsky 1992)."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from modaloom.training.sharding import divided_like


class EMA:
    """Exponential moving average of a module's parameters; buffers are copied.

    The decay is a pure function of the step, so the average has no further state.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.decay = decay
        self.tensors = {name: t.detach().clone() for name, t in module.state_dict().items()}

    def rate(self, step: int) -> float:
        """Decay after `step` steps (from 1): min(decay, (1 + step) / (10 + step))."""
        return min(self.decay, (1 + step) / (10 + step))

    @torch.no_grad()
    def update(self, module: nn.Module, step: int) -> None:
        """Update the average with the module's state after `step` steps."""
        now = {name: t.detach() for name, t in module.state_dict().items()}
        moving = {name for name, _ in module.named_parameters(remove_duplicate=False)}
        averaged = [name for name in now if name in moving]
        torch._foreach_lerp_(
            [self.tensors[name] for name in averaged], [now[name] for name in averaged], 1 - self.rate(step)
        )
        for name in now.keys() - moving:
            self.tensors[name].copy_(now[name])

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Load saved tensors. Raises `KeyError` if one is missing."""
        for name, tensor in self.tensors.items():
            tensor.copy_(divided_like(tensors[name], tensor))
