"""Speed of a U-Net in training and sampling, compared with diffusers' and with its convolutions alone."""

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
"""Tolerance of the outputs, in units of their standard deviation."""

Inputs = tuple[Tensor, Tensor]
"""State (B, 3, SIDE, SIDE) and times (B,)."""
Net = Callable[[Tensor, Tensor], Sequence[Tensor]]


def cases(device: torch.device) -> Iterator[BenchmarkResult]:
    """Milliseconds of forward and backward pass and of one evaluation, float32, on one thread.

    The limit is the time of the network's convolutions alone, in sequence. Raises `BadValue` if the peer is
    not installed.
    """
    ours, peer = (net.to(device) for net in twins(CONFIG, 3))
    random, name = generator(0, "bench restore"), f"{BATCH}×3×{SIDE}×{SIDE} float32"
    inputs = (
        torch.randn(BATCH, 3, SIDE, SIDE, generator=random).to(device),
        torch.rand(BATCH, generator=random).to(device),
    )
    yield BenchmarkResult(
        "output, difference / deviation", _difference(ours, peer, inputs), None, MAX_DIFFERENCE, "share"
    )
    for p in ours.parameters():
        p.data = to_channels_last(p.data)
    inputs = to_channels_last(inputs[0]), inputs[1]
    convolutions = _convolutions(ours, inputs)
    with one_thread():
        for verb, run in (("sampling, an evaluation", _evaluate), ("training, two passes", _train)):
            nets = {
                "ours": lambda *x: [ours(*x)],
                "peer": lambda *x: [peer(*x).sample],
                "limit": convolutions,
            }
            taken = milliseconds({whose: run(net, inputs) for whose, net in nets.items()}, device)
            yield BenchmarkResult(f"{verb}, {name}", taken["ours"], taken["peer"], taken["limit"], "ms")
            share = taken["limit"] / taken["ours"]
            yield BenchmarkResult(f"{verb}: share of the convolutions' speed", share, None, 1, "share")


def _difference(ours: UNet, peer: Any, inputs: Inputs) -> float:
    with torch.no_grad():
        here, there = ours(*inputs), peer(*inputs).sample
    return float((here - there).abs().max() / there.std())


def _convolutions(net: UNet, inputs: Inputs) -> Net:
    """All convolutions of the network on their recorded inputs; the first needs no input gradient."""
    recorded: list[tuple[nn.Module, Tensor]] = []

    def record(layer: nn.Module, x: tuple[Tensor]) -> None:
        recorded.append((layer, x[0].detach().requires_grad_(layer is not net.first)))

    convolutions = [layer for layer in net.modules() if isinstance(layer, nn.Conv2d)]
    hooks = [layer.register_forward_pre_hook(record) for layer in convolutions]
    with torch.no_grad():
        net(*inputs)
    for hook in hooks:
        hook.remove()
    return lambda state, t: [layer(x) for layer, x in recorded]


def _evaluate(net: Net, inputs: Inputs) -> Callable[[], object]:
    @torch.no_grad()
    def run() -> object:
        return net(*inputs)

    return run


def _train(net: Net, inputs: Inputs) -> Callable[[], object]:
    def run() -> object:
        found = net(*inputs)
        torch.autograd.backward(found, [torch.ones_like(one) for one in found])
        return found

    return run
