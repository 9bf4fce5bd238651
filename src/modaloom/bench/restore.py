"""A U-Net's training and sampling, beside diffusers' and beside its convolutions alone."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from modaloom.bench.case import BenchmarkResult
from modaloom.bench.clock import milliseconds, one_thread
from modaloom.bench.unet_peer import twins
from modaloom.core.rng import generator
from modaloom.networks.conv import to_channels_last
from modaloom.networks.unet import UNet, UNetConfig

CONFIG = UNetConfig(widths=(32, 64, 128), num_res_blocks=2)
BATCH, SIDE = 4, 48
MAX_DIFFERENCE = 1e-4
"""The most that outputs may differ, in their own deviations."""

Asked = tuple[Tensor, Tensor]
"""State (B, 3, SIDE, SIDE) and times (B,)."""
Net = Callable[[Tensor, Tensor], Sequence[Tensor]]


def cases(device: torch.device) -> Iterator[BenchmarkResult]:
    """Milliseconds of a training step's two passes and of one evaluation, float32, on one thread.

    The limit is the time of the network's convolutions alone, of the same shapes, one after the other. Raises
    `BadValue` without the peer.
    """
    ours, peer = (net.to(device) for net in twins(CONFIG, 3))
    random, name = generator(0, "bench restore"), f"{BATCH}×3×{SIDE}×{SIDE} float32"
    asked = (
        torch.randn(BATCH, 3, SIDE, SIDE, generator=random).to(device),
        torch.rand(BATCH, generator=random).to(device),
    )
    yield BenchmarkResult(
        "output, difference / deviation", _difference(ours, peer, asked), None, MAX_DIFFERENCE, "share"
    )
    for p in ours.parameters():
        p.data = to_channels_last(p.data)
    asked = to_channels_last(asked[0]), asked[1]
    convolutions = _convolutions(ours, asked)
    with one_thread():
        for verb, run in (("sampling, an evaluation", _evaluate), ("training, two passes", _train)):
            nets = {
                "ours": lambda *x: [ours(*x)],
                "peer": lambda *x: [peer(*x).sample],
                "limit": convolutions,
            }
            taken = milliseconds({whose: run(net, asked) for whose, net in nets.items()}, device)
            yield BenchmarkResult(f"{verb}, {name}", taken["ours"], taken["peer"], taken["limit"], "ms")
            share = taken["limit"] / taken["ours"]
            yield BenchmarkResult(f"{verb}: share of the convolutions' speed", share, None, 1, "share")


def _difference(ours: UNet, peer: Any, asked: Asked) -> float:
    with torch.no_grad():
        here, there = ours(*asked), peer(*asked).sample
    return float((here - there).abs().max() / there.std())


def _convolutions(net: UNet, asked: Asked) -> Net:
    """What computes every convolution of the network on what it saw; the first needs no gradient of it."""
    seen: list[tuple[nn.Module, Tensor]] = []

    def see(layer: nn.Module, x: tuple[Tensor]) -> None:
        seen.append((layer, x[0].detach().requires_grad_(layer is not net.first)))

    hooks = [layer.register_forward_pre_hook(see) for layer in net.modules() if isinstance(layer, nn.Conv2d)]
    with torch.no_grad():
        net(*asked)
    for hook in hooks:
        hook.remove()
    return lambda state, t: [layer(x) for layer, x in seen]


def _evaluate(net: Net, asked: Asked) -> Callable[[], object]:
    @torch.no_grad()
    def run() -> object:
        return net(*asked)

    return run


def _train(net: Net, asked: Asked) -> Callable[[], object]:
    def run() -> object:
        found = net(*asked)
        torch.autograd.backward(found, [torch.ones_like(one) for one in found])
        return found

    return run
